// SPDX-License-Identifier: GPL-2.0
#include "cells.h"

#include <linux/minmax.h>

u64 cells_first(const struct cells *cells)
{
	return cells->edge[0];
}

u64 cells_end(const struct cells *cells)
{
	return cells->edge[cells->nr];
}

unsigned int cells_runs(const struct cells *cells, unsigned int free, struct cells_run *runs)
{
	unsigned int i, nr = 0;

	for (i = 0; i < cells->nr; i++) {
		if (!(free >> i & 1))
			continue;
		if (nr && runs[nr - 1].end == cells->edge[i])
			runs[nr - 1].end = cells->edge[i + 1];
		else
			runs[nr++] = (struct cells_run){ cells->edge[i], cells->edge[i + 1] };
	}
	return nr;
}

bool cells_is_free(const struct cells *cells, unsigned int free, u64 number)
{
	unsigned int i;

	for (i = 0; i < cells->nr; i++)
		if (number >= cells->edge[i] && number < cells->edge[i + 1])
			return free >> i & 1;
	return false;
}

u64 cells_nr_free(const struct cells *cells, unsigned int free)
{
	unsigned int i;
	u64 nr = 0;

	for (i = 0; i < cells->nr; i++)
		if (free >> i & 1)
			nr += cells->edge[i + 1] - cells->edge[i];
	return nr;
}

static u64 up(u64 number, u64 align)
{
	return (number + align - 1) / align * align;
}

u64 cells_longest(const struct cells *cells, unsigned int free, u64 align, bool is_whole)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, nr = cells_runs(cells, free, runs);
	u64 longest = 0;

	for (i = 0; i < nr; i++) {
		u64 start = up(runs[i].start, align);
		u64 end = is_whole ? runs[i].end / align * align : runs[i].end;

		if (start < end)
			longest = max(longest, end - start);
	}
	return longest;
}

static bool fits_in(const struct cells_run *run, const struct cells_request *req, u64 *start)
{
	u64 lo = max(run->start, req->min);
	u64 hi = min(run->end, req->end);
	u64 lowest = up(lo, req->align);

	if (hi < lo || lowest + req->nr > hi)
		return false;
	*start = req->from_top ? (hi - req->nr) / req->align * req->align : lowest;
	return true;
}

bool cells_find(const struct cells *cells, unsigned int free, const struct cells_request *req,
		u64 *start)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, nr = cells_runs(cells, free, runs);

	for (i = 0; i < nr; i++)
		if (fits_in(&runs[req->from_top ? nr - 1 - i : i], req, start))
			return true;
	return false;
}

unsigned int cells_mask(unsigned int from, unsigned int to)
{
	return (1U << to) - (1U << from);
}

unsigned int cells_changed(unsigned int free, unsigned int from, unsigned int to, bool is_free)
{
	return is_free ? free | cells_mask(from, to) : free & ~cells_mask(from, to);
}

unsigned int cells_uniform_end(const struct cells *cells, unsigned int free, unsigned int from)
{
	const unsigned int is_free = free >> from & 1;

	while (from < cells->nr && (free >> from & 1) == is_free)
		from++;
	return from;
}

unsigned int cells_gray(unsigned int i)
{
	return __builtin_ctz(i + 1);
}

unsigned int cells_around_edges(const struct cells *cells, u64 *numbers)
{
	unsigned int i, nr = 0;
	u64 number;

	for (i = 0; i <= cells->nr; i++)
		for (number = cells->edge[i] ? cells->edge[i] - 1 : 0; number <= cells->edge[i] + 1;
		     number++)
			if (!nr || number > numbers[nr - 1])
				numbers[nr++] = number;
	return nr;
}
