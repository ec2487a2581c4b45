// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux that runs after a crash finds the memory of the crashed one as it was. To this Linux, that
 * memory is no RAM, so the module refuses it with a sentence, and takes a region of its own.
 */
/* Machine: modes: an earlier Linux has crashed. */
#include "command_line.h"
#include "module.h"
#include "next_linux.h"

#include <sys/mman.h>

#define PAGE	4096ULL

TEST_F(module, the_memory_of_the_crashed_linux_is_refused)
{
	char region[COMMAND_LINE], parameters[COMMAND_LINE + 10];
	char *line;

	ASSERT_TRUE(command_line_value("tmm.crashed", region));
	snprintf(parameters, sizeof(parameters), "regions=%s", region);
	EXPECT_EQ(-ENODEV, module_load(parameters));
	line = module_log_line(module_log_read(&self->log), ": refused: ");
	ASSERT_NE(NULL, line) TH_LOG("%s", self->log.text);
	EXPECT_TRUE(text_has(line, "%s", "is reserved by the firmware")) TH_LOG("%s", line);
	free(line);
}

TEST_F(module, the_memory_of_the_crashed_linux_is_as_it_was)
{
	static bool is_found[NEXT_LINUX_MARKS];
	unsigned long long nr_bytes, start;
	unsigned int nr_found = 0;
	char region[COMMAND_LINE];
	const char *memory;
	char *end;
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(command_line_value("tmm.crashed", region));
	nr_bytes = strtoull(region, &end, 10) << 20;
	ASSERT_EQ('M', *end);
	start = strtoull(end + strlen("M@"), NULL, 16);
	memory = mmap(NULL, nr_bytes, PROT_READ, MAP_SHARED, fd, start);
	ASSERT_NE(MAP_FAILED, (void *)memory);
	for (; nr_bytes; nr_bytes -= PAGE, memory += PAGE) {
		unsigned long long mark = *(const unsigned long long *)memory - NEXT_LINUX_MARK;

		if (mark < NEXT_LINUX_MARKS && !is_found[mark]) {
			is_found[mark] = true;
			nr_found++;
		}
	}
	EXPECT_EQ(NEXT_LINUX_MARKS, nr_found);
	close(fd);
}

TEST_HARNESS_MAIN
