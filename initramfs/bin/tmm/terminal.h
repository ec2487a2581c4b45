/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the output can show, and how far something is.
 */
#ifndef TMM_TERMINAL_H
#define TMM_TERMINAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/* Columns of the terminal; 80 if stdout is none and COLUMNS says nothing. */
unsigned int terminal_width(void);
/* Its rows; 24 likewise. */
unsigned int terminal_rows(void);

/**
 * enum colour_choice - what --color says
 * @COLOUR_AUTO: only on a terminal that has colours, and not against NO_COLOR
 * @COLOUR_ALWAYS: in a file too
 * @COLOUR_NEVER: not at all
 */
enum colour_choice {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

/* False if @text is none of auto, always, never. */
bool parse_colour(const char *text, enum colour_choice *choice);
/* Colours to use: 0, 8 or 256. */
unsigned int terminal_colours(enum colour_choice choice);
/* Do the locale and the terminal know more than ASCII? */
bool terminal_has_blocks(void);

/**
 * struct progress - says how far a long step is
 * @out: where
 * @what: what is being done; NULL for the demo's form, which begins at the margin of its
 *        steps
 * @total: what there is to do
 * @started: when it began, in milliseconds
 * @shown: percent last shown
 * @live: the line can be written over
 *
 * Short steps say nothing.
 */
struct progress {
	FILE *out;
	const char *what;
	__u64 total;
	__u64 started;
	int shown;
	bool live;
};

/* On @out, as long as that is a terminal; the demo's form says something elsewhere too. */
void progress_start(struct progress *progress, FILE *out, const char *what, __u64 total);
void progress_update(struct progress *progress, __u64 done);
/* Removes what was shown, where that is possible. */
void progress_end(struct progress *progress);

__u64 now_in_milliseconds(void);
__u64 now_in_nanoseconds(void);

#endif /* TMM_TERMINAL_H */
