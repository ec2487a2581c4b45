// SPDX-License-Identifier: GPL-2.0
/*
 * The next Linux of this machine: the test puts it into memory. With "kexec" or "crash" as argument,
 * the program instead ends this Linux while clients are in windows: it starts the next one, or lets an
 * NMI in a window panic. init does so after all its checks.
 */
/* Machine: modes: Linux ends. */
#include "client.h"
#include "command_line.h"
#include "next_linux.h"
#include "workers.h"

#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/syscall.h>

#define PROBE		"theseus_mm_nmi_probe"
#define MAX_NMIS	100000
/* The CPU that the NMIs hit */
#define CPU		"1"

/*
 * Make the next command line from the present one. Words that begin with "next." come last, without
 * that. The next Linux has no successor, and no memory for one.
 */
static void next_command_line(char next[COMMAND_LINE])
{
	char *line = text_of("/proc/cmdline"), *copy = strdup(line), *word, *rest;
	size_t used = 0;

	for (word = strtok_r(line, "\n ", &rest); word; word = strtok_r(NULL, "\n ", &rest))
		if (strncmp(word, "next.", 5) && strncmp(word, "tmm.next=", 9) &&
		    strncmp(word, "crashkernel=", 12))
			used += snprintf(next + used, COMMAND_LINE - used, "%s ", word);
	for (word = strtok_r(copy, "\n ", &rest); word; word = strtok_r(NULL, "\n ", &rest))
		if (!strncmp(word, "next.", 5))
			used += snprintf(next + used, COMMAND_LINE - used, "%s ", word + 5);
	free(line);
	free(copy);
}

static bool is_crash(void)
{
	char next[COMMAND_LINE];

	return command_line_value("tmm.next", next) && !strcmp(next, "crash");
}

TEST_F_TIMEOUT(client, the_next_linux_is_loaded, 120)
{
	int kernel = open("/next/vmlinuz", O_RDONLY | O_CLOEXEC);
	int initrd = open("/next/initrd", O_RDONLY | O_CLOEXEC);
	char line[COMMAND_LINE], *state;

	next_command_line(line);
	ASSERT_LE(0, kernel);
	ASSERT_LE(0, initrd);
	ASSERT_EQ(0, syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1, line,
			     is_crash() ? KEXEC_FILE_ON_CRASH : 0))
		TH_LOG("%s: %s", line, strerror(errno));
	state = text_of(is_crash() ? "/sys/kernel/kexec_crash_loaded" : "/sys/kernel/kexec_loaded");
	EXPECT_STREQ("1\n", state);
	free(state);
}

/* Own memory whose content the next Linux knows, lent to an area. Return: 0 or a negative errno */
static int write_marks(void)
{
	struct theseus_mm_create_mapping mapping;
	int fd = uapi_open(NULL), err;
	__u64 i, mark;

	if (fd < 0)
		return fd;
	err = uapi_create_mapping(fd, NEXT_LINUX_MARKS * PAGE, THESEUS_MM_PTE_DATA, &mapping);
	for (i = 0; !err && i < NEXT_LINUX_MARKS; i++) {
		mark = NEXT_LINUX_MARK + i;
		err = uapi_write(fd, mapping.handle, i * PAGE, &mark, sizeof(mark));
	}
	if (!err && mmap_all(fd, mapping.handle, RW) == MAP_FAILED)
		err = -errno;
	return err;
}

static int send_nmis(void)
{
	int fd = open("/lib/modules/" PROBE ".ko", O_RDONLY | O_CLOEXEC), i;

	if (fd < 0 || syscall(SYS_finit_module, fd, "crash=1", 0))
		return -errno;
	for (i = 0; i < MAX_NMIS; i++)
		if (!text_write("/sys/module/" PROBE "/parameters/send", CPU))
			return -errno;
	return -ETIME;
}

/* End this Linux while clients are in windows. Return: an exit status, if Linux goes on */
static int end_linux(bool is_crash)
{
	struct workers workers;
	int err = write_marks();
	unsigned int i;

	if (err || !workers_start(&workers, sysconf(_SC_NPROCESSORS_ONLN), true)) {
		printf("# no clients: %d\n", err);
		return 1;
	}
	for (i = 0; i < workers.nr; i++)
		if (!BECOMES(workers.shared->worker[i].nr_rounds > 2))
			return 1;
	err = is_crash ? send_nmis() :
	      reboot(LINUX_REBOOT_CMD_KEXEC) ? -errno : 0;
	printf("# this Linux goes on: %d\n", err);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return end_linux(!strcmp(argv[1], "crash"));
	return test_harness_run(argc, argv);
}
