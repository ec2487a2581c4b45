// SPDX-License-Identifier: GPL-2.0
#include "cmdline.h"

#include "command.h"
#include "file.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* The kernel's own limit on x86 is 2048. */
#define MAX_CMDLINE	65536

/* Take one of the comma-separated parts of a memmap=, such as 512M$1G. */
static void take_range(char *range, struct cmdline *cmdline)
{
	char *sign = strpbrk(range, "$@#!%");
	__u64 size, start;

	if (!sign) {
		cmdline->nr_without_dollar += parse_size(range, &size);
		return;
	}
	/* only $ reserves memory */
	if (*sign != '$') {
		cmdline->nr_others++;
		return;
	}
	*sign = '\0';
	if (!parse_size(range, &size) || !parse_size(sign + 1, &start) || !size ||
	    start + size < start) {
		fprintf(stderr, "tmm: memmap=%s$%s: not a range: ignored\n", range, sign + 1);
		return;
	}
	if (cmdline->nr == MAX_MEMMAP) {
		fprintf(stderr, "tmm: memmap=%s$%s: more than %u ranges: ignored\n", range,
			sign + 1, MAX_MEMMAP);
		return;
	}
	cmdline->reserved[cmdline->nr++] = (struct range){ start, start + size };
}

/* Linux takes the last cma= if there are several. */
static void take_cma(char *text, struct cmdline *cmdline)
{
	char *place = strchr(text, '@'), *limit;
	__u64 size, start, end;

	cmdline->cma = (struct range){ 0 };
	if (!place)
		return;
	*place++ = '\0';
	limit = strchr(place, '-');
	if (limit)
		*limit++ = '\0';
	if (!parse_size(text, &size) || !parse_size(place, &start))
		return;
	end = start + size;
	if (limit && !parse_size(limit, &end))
		return;
	if (end > start)
		cmdline->cma = (struct range){ start, end };
}

static void take_argument(char *argument, struct cmdline *cmdline)
{
	char *range, *rest;

	if (!strncmp(argument, "cma=", 4))
		take_cma(argument + 4, cmdline);
	if (strncmp(argument, "memmap=", 7))
		return;
	for (range = strtok_r(argument + 7, ",", &rest); range; range = strtok_r(NULL, ",", &rest))
		take_range(range, cmdline);
}

/* Remove all quotes, which protect blanks: the arguments about memory have no blanks. */
static void remove_quotes(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '"')
			*to++ = *text;
	*to = '\0';
}

int cmdline_read(const char *path, struct cmdline *cmdline)
{
	static char text[MAX_CMDLINE];
	ssize_t length = file_read(path, text, sizeof(text));
	char *argument, *rest;

	if (length < 0)
		return failed(-length, "read %s", path);
	remove_quotes(text);
	for (argument = strtok_r(text, " \t\n", &rest); argument;
	     argument = strtok_r(NULL, " \t\n", &rest)) {
		/* the arguments after -- are for init */
		if (!strcmp(argument, "--"))
			break;
		take_argument(argument, cmdline);
	}
	return TMM_OK;
}
