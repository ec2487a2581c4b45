// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux that runs after a crash finds the memory of the crashed one as it was. To this Linux,
 * that memory is no RAM, so the module refuses it with a sentence, and takes a region of its own.
 */
/* Machine: modes: an earlier Linux has crashed. */
#include "command_line.h"
#include "module.h"
#include "next_linux.h"

#include <sys/mman.h>

#define PAGE	4096ULL
#define CHUNK	(1 << 20)

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

/*
 * Linux prints nothing from an NMI, but its log is in its memory. Only the log has both halves of the
 * message one after the other.
 */
TEST_F_TIMEOUT(module, the_crashed_linux_was_in_a_window, 120)
{
	static const char first[] = "Kernel panic - not syncing: ";
	static const char second[] = "theseus_mm_nmi_probe: an NMI in a window";
	static char buffer[CHUNK + 256], wanted[128];
	const size_t kept = sizeof(first) + sizeof(second);
	int fd = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);
	bool is_found = false;
	ssize_t nr;

	ASSERT_LE(0, fd);
	snprintf(wanted, sizeof(wanted), "%s%s", first, second);
	while (!is_found && (nr = read(fd, buffer + kept, CHUNK)) > 0) {
		is_found = memmem(buffer, kept + nr, wanted, strlen(wanted));
		memmove(buffer, buffer + nr, kept);
	}
	close(fd);
	EXPECT_TRUE(is_found);
}

TEST_HARNESS_MAIN
