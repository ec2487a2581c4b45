// SPDX-License-Identifier: GPL-2.0
/*
 * The examples of theseus_mm(4) work: each succeeds in a client of its own, with a mapping of 64
 * KiB, and leaves all counts as before. scripts/device_page.py makes their header of the page.
 */
#include "client.h"

#include <device_page_examples.h>
#include <sys/wait.h>

FIXTURE(page)
{
	int fd;
	struct theseus_mm_info start;
};

FIXTURE_SETUP(page)
{
	CLIENT_SETUP();
}

FIXTURE_TEARDOWN(page)
{
	CLIENT_TEARDOWN();
}

/* Run the example of a call in a process that has a client and a mapping. Return: its status */
static int run_example(const char *call)
{
	struct theseus_mm_create_mapping create = {
		.size = 1 << 16,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};
	int fd, status = -1;
	unsigned int i;
	pid_t pid;

	for (i = 0; strcmp(page_examples[i].call, call); i++)
		;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		fd = open("/dev/theseus_mm", O_RDWR | O_CLOEXEC);
		if (ioctl(fd, THESEUS_MM_IOC_CREATE_MAPPING, &create))
			_exit(2);
		if (!freopen("/dev/null", "w", stdout))
			_exit(3);
		page_examples[i].run(fd, create.handle);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static bool needs_more(const char *call)
{
	/* device memory has a test of its own below, and a dma-buf needs struct_pages=1 */
	return strstr(call, "DEVICE_REGION") || !strcmp(call, "MAP_FRAME_RANGE") ||
	       !strcmp(call, "EXPORT_DMABUF");
}

TEST_F(page, each_example_succeeds)
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(page_examples); i++) {
		if (needs_more(page_examples[i].call))
			continue;
		EXPECT_EQ(0, run_example(page_examples[i].call)) {
			TH_LOG("the example of %s fails", page_examples[i].call);
		}
		nr++;
	}
	EXPECT_LT(30, nr);
}

TEST_F(page, the_examples_of_device_memory_succeed_in_this_order)
{
	EXPECT_EQ(0, run_example("ADD_DEVICE_REGION"));
	EXPECT_EQ(0, run_example("MAP_FRAME_RANGE"));
	EXPECT_EQ(0, run_example("REMOVE_DEVICE_REGION"));
}

TEST_F(page, the_example_of_a_dma_buf_needs_struct_pages)
{
	EXPECT_EQ(1, WEXITSTATUS(run_example("EXPORT_DMABUF")));
}

TEST_HARNESS_MAIN
