/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Properties of the terminal, and a progress line.
 */
#ifndef TMM_TERMINAL_H
#define TMM_TERMINAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/* Columns of the terminal, or of COLUMNS if stdout is no terminal; 80 by default. */
unsigned int terminal_width(void);
/* Rows of the terminal, or of LINES; 24 by default. */
unsigned int terminal_rows(void);

/**
 * enum colour_choice - argument of --color
 * @COLOUR_AUTO: on a terminal with colours, unless NO_COLOR is set
 * @COLOUR_ALWAYS: always, also in a file
 * @COLOUR_NEVER: never
 */
enum colour_choice {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

/* False if @text is not auto, always or never. */
bool parse_colour(const char *text, enum colour_choice *choice);
/* Colours to use: 0, 8 or 256. */
unsigned int terminal_colours(enum colour_choice choice);
/* Can the locale and the terminal show block characters? */
bool terminal_has_blocks(void);

/**
 * struct progress - the progress line of a long step
 * @out: where to print
 * @what: name of the step; NULL for the form of the demo, which is indented
 * @total: bytes to process
 * @started: start of the step, in milliseconds
 * @shown: percent shown last
 * @live: the line can be overwritten
 *
 * Short steps print nothing.
 */
struct progress {
	FILE *out;
	const char *what;
	__u64 total;
	__u64 started;
	int shown;
	bool live;
};

/* A step with a name prints the line only if @out is a terminal; the demo always prints it. */
void progress_start(struct progress *progress, FILE *out, const char *what, __u64 total);
void progress_update(struct progress *progress, __u64 done);
/* Remove the progress line, if it can be overwritten. */
void progress_end(struct progress *progress);

__u64 now_in_milliseconds(void);
__u64 now_in_nanoseconds(void);

#endif /* TMM_TERMINAL_H */
