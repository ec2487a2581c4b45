// SPDX-License-Identifier: GPL-2.0
#include "firmware.h"

#include "file.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool describe_problem(char problem[TEXT_PROBLEM], const char *path, const char *what)
{
	snprintf(problem, TEXT_PROBLEM, "%s: %s", path, what);
	return false;
}

/* Read a file of an entry. */
static bool read_text(const char *entry, const char *name, char text[TEXT_SIZE],
		      char problem[TEXT_PROBLEM])
{
	char path[4096 + 16], why[TEXT_ERROR];
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s", entry, name);
	length = file_read_line(path, text, TEXT_SIZE);
	return length >= 0 || describe_problem(problem, path, error_text(why, -length));
}

static bool read_number(const char *entry, const char *name, __u64 *number,
			char problem[TEXT_PROBLEM])
{
	char path[4096 + 16], text[TEXT_SIZE];

	if (!read_text(entry, name, text, problem))
		return false;
	snprintf(path, sizeof(path), "%s/%s", entry, name);
	return parse_address(text, number) || describe_problem(problem, path, "not an address");
}

/* Add an entry to @ram if it is RAM, or to @others. */
static bool read_entry(const char *entry, struct ranges *ram, struct ranges *others,
		       char problem[TEXT_PROBLEM])
{
	char type[TEXT_SIZE];
	__u64 start, last;

	if (!read_text(entry, "type", type, problem) ||
	    !read_number(entry, "start", &start, problem) ||
	    !read_number(entry, "end", &last, problem))
		return false;
	if (last < start || last == ~0ULL)
		return describe_problem(problem, entry, "the end is not above the start");
	return ranges_add(strcmp(type, "System RAM") ? others : ram, start, last + 1) ||
	       describe_problem(problem, entry, "the map has too many entries");
}

static bool read_entries(const char *dir, struct ranges *ram, struct ranges *others,
			 char problem[TEXT_PROBLEM])
{
	const struct dirent *entry;
	DIR *entries = opendir(dir);
	bool is_read = true;
	char path[4096], why[TEXT_ERROR];

	if (!entries)
		return describe_problem(problem, dir, error_text(why, errno));
	/* the entries are numbered; memory that was unplugged leaves a gap */
	while (is_read && (entry = readdir(entries))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		is_read = read_entry(path, ram, others, problem);
	}
	closedir(entries);
	return is_read;
}

bool firmware_read_ram(const char *dir, struct ranges *ram, char problem[TEXT_PROBLEM])
{
	static struct ranges others;
	unsigned int i;
	bool is_read;

	ram->nr = 0;
	others.nr = 0;
	is_read = read_entries(dir, ram, &others, problem);
	for (i = 0; is_read && i < others.nr; i++)
		is_read = ranges_remove(ram, others.items[i].start, others.items[i].end) ||
			  describe_problem(problem, dir, "the map has too many entries");
	if (!is_read)
		ram->nr = 0;
	return is_read;
}
