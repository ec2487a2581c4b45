// SPDX-License-Identifier: GPL-2.0
/*
 * tmm regions: turn memmap= on the kernel's command line into the module's parameter
 * regions=, since the module claims only memory that the parameter names. Parts that the
 * firmware's map does not list as RAM are left out, since the module would refuse them.
 */
#include "cmdline.h"
#include "command.h"
#include "firmware.h"
#include "json.h"
#include "ranges.h"
#include "text.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

/* The smallest region that the module accepts. */
#define MIN_BYTES	(64ULL << 10)
#define PAGE_MASK	4095ULL

/**
 * struct found - the regions found so far
 * @nr: number of regions
 * @regions: the regions, in the order of the command line
 */
struct found {
	unsigned int nr;
	struct range regions[MAX_MEMMAP];
};

static void add_region(struct found *found, __u64 start, __u64 end)
{
	if (found->nr == MAX_MEMMAP) {
		fprintf(stderr, "tmm: regions: more than %u regions: the rest is ignored\n",
			MAX_MEMMAP);
		return;
	}
	found->regions[found->nr++] = (struct range){ start, end };
}

/* Add the parts of a reserved range that are RAM. */
static void add_ram(struct found *found, const struct range *range, const struct ranges *ram)
{
	__u64 first, end, taken = 0;
	char size[TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < ram->nr; i++) {
		first = ram->items[i].start > range->start ? ram->items[i].start : range->start;
		end = ram->items[i].end < range->end ? ram->items[i].end : range->end;
		first = (first + PAGE_MASK) & ~PAGE_MASK;
		end &= ~PAGE_MASK;
		if (end <= first || end - first < MIN_BYTES)
			continue;
		add_region(found, first, end);
		taken += end - first;
	}
	if (taken < range->end - range->start)
		fprintf(stderr,
			"tmm: regions: memmap=%s$%#llx: %llu of the %llu bytes are not RAM: left out\n",
			memparse_text(size, range->end - range->start),
			(unsigned long long)range->start,
			(unsigned long long)(range->end - range->start - taken),
			(unsigned long long)(range->end - range->start));
}

static int find_none(const char *path, const struct cmdline *cmdline)
{
	fprintf(stderr, "tmm: regions: %s: no memmap=<size>$<start>\n", path);
	if (cmdline->nr_without_dollar)
		fprintf(stderr,
			"tmm: regions: a memmap= has no $: write memmap=512M\\\\\\$4G in\n"
			"tmm: regions: /etc/default/grub, and quote the $ in a shell\n");
	else
		fprintf(stderr, "tmm: regions: reserve RAM at boot: `tmm reserve SIZE` says how\n");
	return TMM_FAILED;
}

static void print_text(const struct found *found)
{
	char size[TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < found->nr; i++)
		printf("%s%s@%#llx", i ? "," : "regions=",
		       memparse_text(size, found->regions[i].end - found->regions[i].start),
		       (unsigned long long)found->regions[i].start);
	putchar('\n');
}

static void print_json(const struct found *found)
{
	struct json json = json_begin(stdout, false);
	unsigned int i;

	json_open_array(&json, "regions");
	for (i = 0; i < found->nr; i++) {
		json_open_object(&json, NULL);
		json_address(&json, "start", found->regions[i].start);
		json_number(&json, "bytes", found->regions[i].end - found->regions[i].start);
		json_close_object(&json);
	}
	json_close_array(&json);
	json_end(&json);
}

static int print_regions(const char *path, const char *firmware, bool is_json)
{
	static struct cmdline cmdline;
	static struct found found;
	static struct ranges ram;
	char problem[TEXT_PROBLEM];
	unsigned int i;

	if (cmdline_read(path, &cmdline))
		return TMM_FAILED;
	if (firmware && !firmware_read_ram(firmware, &ram, problem))
		fprintf(stderr, "tmm: regions: %s: no memory is left out\n", problem);
	for (i = 0; i < cmdline.nr; i++) {
		if (ram.nr)
			add_ram(&found, &cmdline.reserved[i], &ram);
		else
			add_region(&found, cmdline.reserved[i].start, cmdline.reserved[i].end);
	}
	if (!found.nr)
		return find_none(path, &cmdline);
	if (is_json)
		print_json(&found);
	else
		print_text(&found);
	return TMM_OK;
}

static int run_regions(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cmdline", required_argument, NULL, 'c' },
		{ "firmware", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	const char *path = "/proc/cmdline", *firmware = "/sys/firmware/memmap";
	bool is_json = false;
	bool is_told = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:f:j", options, NULL)) != -1) {
		if (option == 'c') {
			path = optarg;
			/*
			 * the file may come from another machine, for which this machine's map is
			 * wrong
			 */
			firmware = is_told ? firmware : NULL;
		} else if (option == 'f') {
			firmware = optarg;
			is_told = true;
		} else if (option == 'j') {
			is_json = true;
		} else {
			return usage(&regions_command);
		}
	}
	if (optind != argc)
		return usage(&regions_command);
	return print_regions(path, firmware, is_json);
}

const struct command regions_command = {
	.name = "regions",
	.arguments = "[OPTION]...",
	.summary = "print the regions= parameter for the memory reserved at boot",
	.help = "Read every memmap=<size>$<start> on the kernel's command line, and leave out the\n"
		"parts that the firmware's map does not list as RAM. Use it like this:\n"
		"  insmod theseus_mm.ko $(tmm regions)\n\n"
		"  -c, --cmdline FILE   read FILE instead of /proc/cmdline; without -f, use no map\n"
		"  -f, --firmware DIR   read the map from DIR instead of /sys/firmware/memmap\n"
		"  -j, --json           print JSON\n",
	.run = run_regions,
};
