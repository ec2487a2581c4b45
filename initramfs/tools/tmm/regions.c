// SPDX-License-Identifier: GPL-2.0
/*
 * tmm regions: from memmap= on the kernel's command line to the parameter that
 * the module wants. The module claims nothing by itself, so somebody has to say
 * it; here it is said once, at boot.
 */
#include "command.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's own limit on x86 is 2048. */
#define MAX_CMDLINE	65536

/**
 * struct found - what was found so far
 * @nr: ranges printed
 * @nr_without_dollar: memmap= with a size only: the boot loader ate the rest
 */
struct found {
	unsigned int nr;
	unsigned int nr_without_dollar;
};

/* One of the comma-separated parts of a memmap=, e.g. 512M$1G. */
static void take_range(char *range, struct found *found)
{
	char size_buffer[TEXT_SIZE];
	char *dollar = strchr(range, '$');
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
	printf("%s%s@%#llx", found->nr ? "," : "regions=", memparse_text(size_buffer, size),
	       (unsigned long long)start);
	found->nr++;
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
		return failed(-errno, "open %s", path);
	length = fread(buffer, 1, room - 1, file);
	buffer[length] = '\0';
	if (ferror(file)) {
		fclose(file);
		return failed(-EIO, "read %s", path);
	}
	fclose(file);
	return TMM_OK;
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

static int print_regions(const char *path)
{
	static char cmdline[MAX_CMDLINE];
	struct found found = { 0 };
	char *argument, *rest;

	if (read_file(path, cmdline, sizeof(cmdline)))
		return TMM_FAILED;
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
	putchar('\n');
	return TMM_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cmdline", required_argument, NULL, 'c' },
		{ 0 },
	};
	const char *path = "/proc/cmdline";
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option != 'c')
			return usage(&regions_command);
		path = optarg;
	}
	if (optind != argc)
		return usage(&regions_command);
	return print_regions(path);
}

const struct command regions_command = {
	.name = "regions",
	.arguments = "[--cmdline FILE]",
	.summary = "print the module's parameter for the memory reserved at boot",
	.help = "Reads every memmap=<size>$<start> of the kernel's command line. For use as\n"
		"  insmod theseus_mm.ko $(tmm regions)\n\n"
		"  -c, --cmdline FILE   read FILE instead of /proc/cmdline\n",
	.run = run,
};
