/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The naive model of a free set. A check cuts a region into a few cells, whose edges lie where the
 * code under test changes its behaviour, and tries every set of free cells: a bit of a number for
 * each cell.
 */
#ifndef HOST_CELLS_H
#define HOST_CELLS_H

#include <linux/types.h>

#define CELLS_MAX	24

/* Cell i is [edge[i], edge[i + 1]). */
struct cells {
	const char *name;
	unsigned int nr;
	u64 edge[CELLS_MAX + 1];
};

struct cells_run {
	u64 start;
	u64 end;
};

/* A search: @nr chunks, aligned to @align, within [@min, @end), the highest or the lowest. */
struct cells_request {
	u64 nr;
	u64 align;
	u64 min;
	u64 end;
	bool from_top;
};

u64 cells_first(const struct cells *cells);
u64 cells_end(const struct cells *cells);
/* The free runs, all of them as long as they can be. Returns their number. */
unsigned int cells_runs(const struct cells *cells, unsigned int free, struct cells_run *runs);
bool cells_is_free(const struct cells *cells, unsigned int free, u64 number);
u64 cells_nr_free(const struct cells *cells, unsigned int free);
/*
 * The length of the longest free run that begins at a multiple of @align. With @is_whole, the run also
 * ends at a multiple.
 */
u64 cells_longest(const struct cells *cells, unsigned int free, u64 align, bool is_whole);
bool cells_find(const struct cells *cells, unsigned int free, const struct cells_request *req,
		u64 *start);
/* The bits of cells [@from, @to) */
unsigned int cells_mask(unsigned int from, unsigned int to);
/* @free after cells [@from, @to) have become free or taken */
unsigned int cells_changed(unsigned int free, unsigned int from, unsigned int to, bool is_free);
/* The end of the cells from cell @from on that are all free or all taken. */
unsigned int cells_uniform_end(const struct cells *cells, unsigned int free, unsigned int from);
/* The number of the cell that changes from step @i to step @i + 1 of a walk through all sets */
unsigned int cells_gray(unsigned int i);
/* All numbers at an edge, one below and one above, in order, each once. Returns how many. */
unsigned int cells_around_edges(const struct cells *cells, u64 *numbers);

#endif
