/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the output can show.
 */
#ifndef TMM_TERMINAL_H
#define TMM_TERMINAL_H

#include <linux/types.h>
#include <stdbool.h>

/* Columns of the terminal; 80 if stdout is none and COLUMNS says nothing. */
unsigned int terminal_width(void);
/* Colours: only on a terminal that has them, and not against NO_COLOR. */
bool terminal_has_colour(void);

/**
 * struct progress - says how far a long step is
 * @total: what there is to do
 * @started: when it began, in milliseconds
 * @shown: percent last shown
 * @live: the line can be written over
 *
 * Short steps say nothing.
 */
struct progress {
	__u64 total;
	__u64 started;
	int shown;
	bool live;
};

void progress_start(struct progress *progress, __u64 total);
void progress_update(struct progress *progress, __u64 done);
/* Removes what was shown, where that is possible. */
void progress_end(struct progress *progress);

__u64 now_in_milliseconds(void);

#endif /* TMM_TERMINAL_H */
