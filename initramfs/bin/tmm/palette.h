/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The letter and the colour of each use and each owner, on a terminal and in an SVG.
 */
#ifndef TMM_PALETTE_H
#define TMM_PALETTE_H

#include "view.h"

/**
 * struct look - the letter and the colour of a use or an owner
 * @full: letter of a cell without free frames
 * @part: letter of a cell that is partly free
 * @is_sign: draw the letter even where other cells are blocks
 * @colour8: colour on a terminal with 8 colours, as in ESC[...m
 * @colour256: colour on a terminal with 256 colours
 * @rgb: colour in an SVG, as in CSS
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
/* @owner is an owner as in struct cell. */
struct look look_of_owner(const struct view *view, int owner);

#endif /* TMM_PALETTE_H */
