/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Draw a view as text: each region as a grid of letters or blocks, with a legend.
 */
#ifndef TMM_PICTURE_H
#define TMM_PICTURE_H

#include "view.h"

#define MIN_WIDTH	32

/**
 * struct picture_style - how to draw
 * @width: columns to use, at least MIN_WIDTH
 * @max_rows: most rows of cells, for each region
 * @max_clients: most clients to list
 * @colours: 0, 8 or 256
 * @has_blocks: the terminal can show block characters
 * @by_owner: cells show their owner instead of their use
 * @is_brief: the form of the demo, without clients and fragmentation
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

/* The number of cells for the largest region, for view_take(). */
uint32_t picture_cells(const struct picture_style *style);

/**
 * picture_text() - draw all regions, with a legend and the free runs
 * @view: what to draw
 * @style: how to draw
 *
 * Return: the lines, for canvas_print() and free(); NULL without memory
 */
char *picture_text(const struct view *view, const struct picture_style *style);

#endif /* TMM_PICTURE_H */
