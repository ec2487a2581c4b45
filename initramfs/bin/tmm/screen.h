/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doing something again and again until somebody has seen enough: waiting between the
 * rounds, and on a terminal a screen of its own, which is given back however it ends.
 */
#ifndef TMM_SCREEN_H
#define TMM_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct screen - the terminal while it is ours
 * @is_own: stdout is a terminal and shows our screen
 */
struct screen {
	bool is_own;
};

/* @wants_own: take the terminal's other screen, if stdout is one. */
void screen_begin(struct screen *screen, bool wants_own);
/* Before a round's output: from the top. */
void screen_home(const struct screen *screen);
/* What belongs behind each line, and after the last one. */
const char *screen_line_end(const struct screen *screen);
void screen_done(const struct screen *screen);

/**
 * screen_wait() - wait for the next round
 * @screen: the screen
 * @milliseconds: how long; less if the terminal's size changed
 *
 * Return: false if it is over: q or ^C was typed, or stdin's terminal is gone
 */
bool screen_wait(struct screen *screen, uint64_t milliseconds);

/* Gives the terminal back; then dies of the signal that said so, unless that was ^C. */
void screen_end(struct screen *screen);

#endif /* TMM_SCREEN_H */
