// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of the machine: the number of areas of a process, huge pages.
 */
#include "machine.h"
#include "groups.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

/* more than 100,000 areas of one page, and the program's own */
#define MAX_AREAS	"1048576"
#define TEXT_SIZE	128

/**
 * machine_write() - write a text to a file of /proc or /sys
 * @path: the file
 * @text: the text
 *
 * Return: 0, or -1 with errno set
 */
int machine_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;
	ssize_t nr;

	if (fd < 0)
		return -1;
	nr = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	errno = err;
	return nr == (ssize_t)strlen(text) ? 0 : -1;
}

/**
 * machine_read_number() - read a number of a file of /proc or /sys
 * @path: the file
 * @name: the beginning of the line with the number, such as "Slab:"; empty for the first line
 * @number: set to the number
 *
 * Return: true if the file has such a line
 */
bool machine_read_number(const char *path, const char *name, unsigned long *number)
{
	FILE *file = fopen(path, "re");
	char line[TEXT_SIZE];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) &&
			sscanf(line + strlen(name), "%lu", number) == 1;
	fclose(file);
	return found;
}

/* Return the file that sets the number of huge pages of @bytes. */
static const char *pool_path(char path[TEXT_SIZE], unsigned long bytes)
{
	snprintf(path, TEXT_SIZE, "/sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
		 bytes / KIB);
	return path;
}

/**
 * machine_reserve_huge() - let Linux set memory aside for huge pages
 * @bytes: size of a page
 * @nr: number of pages
 *
 * Return: true if Linux has at least @nr pages of that size now
 */
bool machine_reserve_huge(unsigned long bytes, unsigned long nr)
{
	char path[TEXT_SIZE], text[TEXT_SIZE];
	unsigned long there = 0;

	pool_path(path, bytes);
	if (machine_read_number(path, "", &there) && there >= nr)
		return true;
	snprintf(text, sizeof(text), "%lu", nr);
	return !machine_write(path, text) && machine_read_number(path, "", &there) && there >= nr;
}

/**
 * machine_fix_layout() - start the program anew with a layout of its memory that is not random
 * @argv: the arguments of the program
 *
 * With a random layout, chance decides which page tables an area shares with its neighbours, and so
 * how many tables Linux has to clear. The function returns if the layout is fixed already, or
 * cannot be fixed.
 */
void machine_fix_layout(char **argv)
{
	int now = personality(0xffffffff);

	if (now == -1 || now & ADDR_NO_RANDOMIZE || personality(now | ADDR_NO_RANDOMIZE) == -1)
		return;
	execv("/proc/self/exe", argv);
}

/**
 * machine_prepare() - set what all groups need
 *
 * Huge pages of anonymous memory are used only where a group asks for them, so that Linux's thread
 * for huge pages has nothing to do.
 *
 * Return: 0, or -1 after a failure
 */
int machine_prepare(void)
{
	if (machine_write("/proc/sys/vm/max_map_count", MAX_AREAS))
		return result_failed("preparation", "/proc/sys/vm/max_map_count: %s",
				     strerrorname_np(errno));
	if (machine_write("/sys/kernel/mm/transparent_hugepage/enabled", "madvise"))
		result_note("Linux has no transparent huge pages: %s", strerrorname_np(errno));
	return 0;
}
