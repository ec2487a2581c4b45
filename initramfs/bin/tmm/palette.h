/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a use or an owner looks, the same on a terminal and in an SVG.
 */
#ifndef TMM_PALETTE_H
#define TMM_PALETTE_H

#include "view.h"

/**
 * struct look - one of them
 * @full: letter of a cell with nothing free in it
 * @part: of one that is partly free
 * @is_sign: the letter is drawn where others are blocks
 * @colour8: colour of a terminal that has 8, as in ESC[...m
 * @colour256: of one that has 256
 * @rgb: as in CSS
 */
struct look {
	char full;
	char part;
	bool is_sign;
	const char *colour8;
	const char *colour256;
	const char *rgb;
};

struct look look_of_use(enum use use);
/* @owner as in struct cell */
struct look look_of_owner(const struct view *view, int owner);

#endif /* TMM_PALETTE_H */
