// SPDX-License-Identifier: GPL-2.0
/*
 * tmm regions: turn memmap= on the kernel's command line into the module's parameter
 * regions=, since the module claims only memory that the parameter names. Parts that the
 * firmware's map does not list as RAM are left out, since the module would refuse them.
 */
#include "command.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's own limit on x86 is 2048. */
#define MAX_CMDLINE	65536

/* More ranges than a boot loader's command line has room for. */
#define MAX_REGIONS	1024

/* The boot protocol passes 128 entries; only large machines have more. */
#define MAX_RAM		4096

/* The smallest region that the module accepts. */
#define MIN_BYTES	(64ULL << 10)
#define PAGE_MASK	4095ULL

/**
 * struct ram - the runs of RAM in the firmware's map
 * @nr: number of runs; 0 if the map could not be read
 * @starts: physical address of each run
 * @ends: last byte of each run
 */
struct ram {
	unsigned int nr;
	__u64 starts[MAX_RAM];
	__u64 ends[MAX_RAM];
};

/**
 * struct found - the reserved ranges found so far
 * @ram: RAM in the firmware's map
 * @nr: number of ranges
 * @sizes: size of each range in bytes
 * @starts: physical address of each range
 * @nr_without_dollar: number of memmap= that have only a size: the boot loader removed the $
 */
struct found {
	struct ram ram;
	unsigned int nr;
	__u64 sizes[MAX_REGIONS];
	__u64 starts[MAX_REGIONS];
	unsigned int nr_without_dollar;
};

static void add(struct found *found, __u64 start, __u64 size)
{
	if (found->nr == MAX_REGIONS) {
		fprintf(stderr, "tmm: regions: more than %u ranges: the rest is ignored\n", MAX_REGIONS);
		return;
	}
	found->sizes[found->nr] = size;
	found->starts[found->nr++] = start;
}

/* Add the parts of a range that are RAM. @text is the range as the command line has it. */
static void add_ram(struct found *found, __u64 start, __u64 size, const char *text)
{
	__u64 first, end, taken = 0;
	unsigned int i;

	for (i = 0; i < found->ram.nr; i++) {
		first = found->ram.starts[i] > start ? found->ram.starts[i] : start;
		end = found->ram.ends[i] < start + size - 1 ? found->ram.ends[i] : start + size - 1;
		first = (first + PAGE_MASK) & ~PAGE_MASK;
		end = (end + 1) & ~PAGE_MASK;
		if (end <= first || end - first < MIN_BYTES)
			continue;
		add(found, first, end - first);
		taken += end - first;
	}
	if (!found->ram.nr)
		add(found, start, size);
	else if (taken < size)
		fprintf(stderr, "tmm: regions: memmap=%s: %llu of the %llu bytes are not RAM: left out\n",
			text, (unsigned long long)(size - taken), (unsigned long long)size);
}

/* Take one of the comma-separated parts of a memmap=, such as 512M$1G. */
static void take_range(char *range, struct found *found)
{
	char *dollar = strchr(range, '$');
	char text[TEXT_SIZE * 2];
	__u64 size, start;

	/* only $ reserves memory; @ # ! % have other meanings */
	if (!dollar) {
		found->nr_without_dollar += parse_size(range, &size);
		return;
	}
	*dollar = '\0';
	if (!parse_size(range, &size) || !parse_size(dollar + 1, &start) || !size ||
	    start + size < start) {
		fprintf(stderr, "tmm: regions: memmap=%s$%s: not a range: ignored\n", range,
			dollar + 1);
		return;
	}
	snprintf(text, sizeof(text), "%s$%s", range, dollar + 1);
	add_ram(found, start, size, text);
}

static void take_argument(char *argument, struct found *found)
{
	char *range, *rest;

	if (strncmp(argument, "memmap=", 7))
		return;
	for (range = strtok_r(argument + 7, ",", &rest); range; range = strtok_r(NULL, ",", &rest))
		take_range(range, found);
}

/* Remove all quotes, which protect blanks: memmap= has no blanks. */
static void remove_quotes(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '"')
			*to++ = *text;
	*to = '\0';
}

static int read_file(const char *path, char *buffer, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t length;

	if (!file)
		return failed(errno, "open %s", path);
	length = fread(buffer, 1, room - 1, file);
	buffer[length] = '\0';
	if (ferror(file)) {
		fclose(file);
		return failed(EIO, "read %s", path);
	}
	fclose(file);
	return TMM_OK;
}

/* Read a file of an entry of the firmware's map, without the newline. */
static bool read_entry(const char *dir, unsigned int i, const char *name, char text[TEXT_SIZE])
{
	char path[4096];
	FILE *file;
	bool is_read;

	snprintf(path, sizeof(path), "%s/%u/%s", dir, i, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	is_read = fgets(text, TEXT_SIZE, file);
	fclose(file);
	if (is_read)
		text[strcspn(text, "\n")] = '\0';
	return is_read;
}

/* Read the RAM in the firmware's map. The entries have consecutive numbers. */
static void read_ram(const char *dir, struct ram *ram)
{
	char type[TEXT_SIZE], start[TEXT_SIZE], end[TEXT_SIZE];
	unsigned int i;

	for (i = 0; ram->nr < MAX_RAM && read_entry(dir, i, "type", type); i++) {
		if (strcmp(type, "System RAM"))
			continue;
		if (read_entry(dir, i, "start", start) && read_entry(dir, i, "end", end) &&
		    parse_address(start, &ram->starts[ram->nr]) &&
		    parse_address(end, &ram->ends[ram->nr]))
			ram->nr++;
	}
}

static int none(const char *path, const struct found *found)
{
	fprintf(stderr, "tmm: regions: %s: no memmap=<size>$<start>\n", path);
	if (found->nr_without_dollar)
		fprintf(stderr,
			"tmm: regions: a memmap= has no $: write memmap=512M\\\\\\$4G in\n"
			"tmm: regions: /etc/default/grub, and quote the $ in a shell\n");
	else
		fprintf(stderr, "tmm: regions: reserve RAM at boot, for example with memmap=512M$4G\n");
	return TMM_FAILED;
}

static void print_text(const struct found *found)
{
	char size[TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < found->nr; i++)
		printf("%s%s@%#llx", i ? "," : "regions=", memparse_text(size, found->sizes[i]),
		       (unsigned long long)found->starts[i]);
	putchar('\n');
}

static void print_json(const struct found *found)
{
	struct json json = json_begin(stdout, false);
	unsigned int i;

	json_open_array(&json, "regions");
	for (i = 0; i < found->nr; i++) {
		json_open_object(&json, NULL);
		json_address(&json, "start", found->starts[i]);
		json_number(&json, "bytes", found->sizes[i]);
		json_close_object(&json);
	}
	json_close_array(&json);
	json_end(&json);
}

static int print_regions(const char *path, const char *firmware, bool is_json)
{
	static char cmdline[MAX_CMDLINE];
	static struct found found;
	char *argument, *rest;

	if (read_file(path, cmdline, sizeof(cmdline)))
		return TMM_FAILED;
	if (firmware)
		read_ram(firmware, &found.ram);
	remove_quotes(cmdline);
	for (argument = strtok_r(cmdline, " \t\n", &rest); argument;
	     argument = strtok_r(NULL, " \t\n", &rest)) {
		/* the arguments after -- are for init */
		if (!strcmp(argument, "--"))
			break;
		take_argument(argument, &found);
	}
	if (!found.nr)
		return none(path, &found);
	if (is_json)
		print_json(&found);
	else
		print_text(&found);
	return TMM_OK;
}

static int run(int argc, char **argv)
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
	.run = run,
};
