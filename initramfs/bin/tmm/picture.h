/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A view as text: the regions as a grid of letters or blocks, with a legend.
 */
#ifndef TMM_PICTURE_H
#define TMM_PICTURE_H

#include "view.h"

#define MIN_WIDTH	32

/**
 * struct picture_style - how to draw
 * @width: columns to use, at least MIN_WIDTH
 * @max_rows: rows of cells at the most, for each region
 * @max_clients: clients to list at the most
 * @colours: 0, 8 or 256
 * @has_blocks: the output knows more than ASCII
 * @by_owner: cells show whose they are, not what for
 * @is_brief: as the demo shows it: no clients, no fragmentation
 */
struct picture_style {
	unsigned int width;
	unsigned int max_rows;
	unsigned int max_clients;
	unsigned int colours;
	bool has_blocks;
	bool by_owner;
	bool is_brief;
};

/* Cells for the largest region, to be given to view_take(). */
uint32_t picture_cells(const struct picture_style *style);

/**
 * picture_text() - draw all regions, with a legend and the free runs
 * @view: what
 * @style: how
 *
 * Return: the lines, to be printed by canvas_print() and given to free(); NULL without
 * memory
 */
char *picture_text(const struct view *view, const struct picture_style *style);

#endif /* TMM_PICTURE_H */
