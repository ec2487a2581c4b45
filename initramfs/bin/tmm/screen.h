/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Repeat output until the user ends it: wait between the rounds, and on a terminal use the
 * alternate screen, which is left again in every case.
 */
#ifndef TMM_SCREEN_H
#define TMM_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct screen - the terminal of a repeated output
 * @is_own: stdout is a terminal and shows the alternate screen
 */
struct screen {
	bool is_own;
};

/* @wants_own: use the alternate screen, if stdout is a terminal. */
void screen_begin(struct screen *screen, bool wants_own);
/* Move the cursor to the top, before the output of a round. */
void screen_home(const struct screen *screen);
/* Return the text that ends each line. screen_done() ends the output of a round. */
const char *screen_line_end(const struct screen *screen);
void screen_done(const struct screen *screen);

/**
 * screen_wait() - wait for the next round
 * @screen: the screen
 * @milliseconds: how long to wait; a change of the terminal's size ends the wait early
 *
 * Return: false if the user typed q or ^C, another signal came, or stdin has ended
 */
bool screen_wait(struct screen *screen, uint64_t milliseconds);

/* Leave the alternate screen. Die of the signal that ended the output, unless it was ^C. */
void screen_end(struct screen *screen);

#endif /* TMM_SCREEN_H */
