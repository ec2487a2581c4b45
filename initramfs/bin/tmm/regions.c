// SPDX-License-Identifier: GPL-2.0
/*
 * tmm regions: from memmap= on the kernel's command line to the parameter that
 * the module wants. The module claims nothing by itself, so somebody has to say
 * it; here it is said once, at boot. Parts that the firmware's map does not call RAM
 * are left out, since the module would refuse them.
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

/* More than a bootloader's line has room for. */
#define MAX_REGIONS	1024

/* The boot protocol passes 128 entries; only large machines have more. */
#define MAX_RAM		4096

/* The smallest region that the module accepts. */
#define MIN_BYTES	(64ULL << 10)
#define PAGE_MASK	4095ULL

/**
 * struct ram - the runs of RAM in the firmware's map
 * @nr: runs; 0 if its map could not be read
 * @starts: their physical addresses
 * @ends: their last bytes
 */
struct ram {
	unsigned int nr;
	__u64 starts[MAX_RAM];
	__u64 ends[MAX_RAM];
};

/**
 * struct found - what was found so far
 * @ram: the firmware's
 * @nr: ranges
 * @sizes: their sizes in bytes
 * @starts: their physical addresses
 * @nr_without_dollar: memmap= with a size only: the boot loader ate the rest
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
		fprintf(stderr, "tmm: regions: more than %u ranges: ignored\n", MAX_REGIONS);
		return;
	}
	found->sizes[found->nr] = size;
	found->starts[found->nr++] = start;
}

/* The parts of a range that are RAM; @text is how it was written. */
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
		fprintf(stderr, "tmm: regions: %llu of the %llu bytes of memmap=%s are not RAM: left out\n",
			(unsigned long long)(size - taken), (unsigned long long)size, text);
}

/* One of the comma-separated parts of a memmap=, e.g. 512M$1G. */
static void take_range(char *range, struct found *found)
{
	char *dollar = strchr(range, '$');
	char text[TEXT_SIZE * 2];
	__u64 size, start;

	/* @ # ! % say other things about memory than that it is set aside */
	if (!dollar) {
		found->nr_without_dollar += parse_size(range, &size);
		return;
	}
	*dollar = '\0';
	if (!parse_size(range, &size) || !parse_size(dollar + 1, &start) || !size ||
	    start + size < start) {
		fprintf(stderr, "tmm: regions: ignored: memmap=%s$%s\n", range, dollar + 1);
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

/* Quotes protect blanks; memmap= has none, so they only need to go. */
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

/* One file of an entry of the firmware's map, without the newline. */
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

/* Entries have numbers without a gap. */
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
	fprintf(stderr, "tmm: regions: no memmap=<size>$<start> in %s\n", path);
	if (found->nr_without_dollar)
		fprintf(stderr,
			"tmm: regions: there is a memmap= without $: write it in /etc/default/grub\n"
			"tmm: regions: as memmap=512M\\\\\\$4G, and quote it in a shell\n");
	else
		fprintf(stderr, "tmm: regions: reserve RAM at boot, e.g. with memmap=512M$4G\n");
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
		/* what follows is for init, not for the kernel */
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
			/* of another machine, perhaps */
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
	.summary = "print the module's parameter for the memory reserved at boot",
	.help = "Reads every memmap=<size>$<start> of the kernel's command line, and leaves out the\n"
		"parts that the firmware's map does not call RAM. For use as\n"
		"  insmod theseus_mm.ko $(tmm regions)\n\n"
		"  -c, --cmdline FILE   read FILE, from any machine, instead of /proc/cmdline\n"
		"  -f, --firmware DIR   read the firmware's map from DIR, not /sys/firmware/memmap\n"
		"  -j, --json           as JSON\n",
	.run = run,
};
