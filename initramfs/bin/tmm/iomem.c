// SPDX-License-Identifier: GPL-2.0
#include "iomem.h"

#include "command.h"
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line: "  01000000-0220bb07 : Kernel code", indented by two blanks for each level. */
struct entry {
	int depth;
	struct range range;
	const char *name;
};

/* State of a walk through the lines. */
struct walk {
	struct iomem *iomem;
	/* the line is below a System RAM of the top level */
	bool is_in_ram;
	/* the kernel's image from its first to its last part, with the gaps */
	struct range kernel;
	/* a line has an address other than 0 */
	bool has_addresses;
};

static bool parse_line(char *line, struct entry *entry)
{
	unsigned long long start, end;
	int length = 0;

	line[strcspn(line, "\n")] = '\0';
	entry->depth = strspn(line, " ");
	if (sscanf(line, " %llx-%llx : %n", &start, &end, &length) != 2 || !length ||
	    end < start || end == ~0ULL)
		return false;
	entry->range = (struct range){ start, end + 1 };
	entry->name = line + length;
	return true;
}

static bool take_kernel(struct walk *walk, const struct range *part)
{
	if (!walk->kernel.end || part->start < walk->kernel.start)
		walk->kernel.start = part->start;
	if (part->end > walk->kernel.end)
		walk->kernel.end = part->end;
	return ranges_add(&walk->iomem->in_use, walk->kernel.start, walk->kernel.end);
}

/* Memory that was added by a driver has another name than System RAM: it may go again. */
static bool take_entry(struct walk *walk, const struct entry *entry)
{
	walk->has_addresses |= entry->range.end > 1;
	if (!entry->depth) {
		walk->is_in_ram = !strcmp(entry->name, "System RAM");
		return !walk->is_in_ram ||
		       ranges_add(&walk->iomem->ram, entry->range.start, entry->range.end);
	}
	if (!walk->is_in_ram)
		return true;
	if (!strncmp(entry->name, "Kernel ", 7))
		return take_kernel(walk, &entry->range);
	return ranges_add(&walk->iomem->in_use, entry->range.start, entry->range.end);
}

static int read_lines(const char *path, FILE *file, struct walk *walk)
{
	unsigned int number = 0;
	struct entry entry;
	int status = TMM_OK;
	char *line = NULL;
	size_t room = 0;

	while (!status && getline(&line, &room, file) >= 0) {
		number++;
		if (!parse_line(line, &entry))
			status = complained(path, "line %u is not a range", number);
		else if (!take_entry(walk, &entry))
			status = complained(path, "the map has too many entries");
	}
	if (!status && ferror(file))
		status = failed(errno, "read %s", path);
	free(line);
	return status;
}

int iomem_read(const char *path, struct iomem *iomem)
{
	struct walk walk = { .iomem = iomem };
	FILE *file = fopen(path, "re");
	int status;

	if (!file)
		return failed(errno, "open %s", path);
	status = read_lines(path, file, &walk);
	fclose(file);
	if (status)
		return status;
	if (!walk.has_addresses)
		return complained(path, "all addresses are 0: run tmm as root, outside of containers");
	return iomem->ram.nr ? TMM_OK : complained(path, "there is no System RAM");
}
