// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/frame_maps.c and alloc/fit.c: every set of free cells of regions that begin and end before,
 * at and behind a block of 2 MiB or 1 GiB, and every change of a run of cells. After each change,
 * each block of the larger maps is free exactly if all its frames are. For each set, every search
 * with lengths, alignments and bounds around the edges of cells and blocks.
 */
#include "alloc/free_map_find.h"
#include "alloc/frame_maps.h"
#include "cells.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#define M2	512ULL
#define G1	262144ULL

static const struct cells regions[] = {
	{ "a few frames", 8, { 100, 101, 102, 103, 104, 105, 106, 107, 108 } },
	{ "around 2 MiB", 9, { 510, 511, 512, 513, 514, 1022, 1023, 1024, 1025, 1026 } },
	{ "whole blocks of 2 MiB", 9, { M2 + 1, 2 * M2, 2 * M2 + 1, 3 * M2, 4 * M2, 5 * M2 - 1,
					5 * M2, 6 * M2, 7 * M2, 7 * M2 + 511 } },
	{ "around 1 GiB", 9, { G1 - M2 - 1, G1 - M2, G1 - 1, G1, G1 + 1, G1 + M2, 2 * G1 - M2,
			       2 * G1 - 1, 2 * G1, 2 * G1 + M2 + 1 } },
	{ "whole blocks of 1 GiB", 8, { 0, G1 - 1, G1, 2 * G1, 2 * G1 + M2, 3 * G1, 4 * G1, 5 * G1,
					5 * G1 + 1 } },
	{ "at the last frames", 8, { (1ULL << 40) - G1 - M2, (1ULL << 40) - G1,
				     (1ULL << 40) - G1 + 1, (1ULL << 40) - G1 + M2,
				     (1ULL << 40) - M2, (1ULL << 40) - 65, (1ULL << 40) - 64,
				     (1ULL << 40) - 1, 1ULL << 40 } },
};

static const u64 aligns[] = { 1, 2, 3, 512, 1024, 1536, G1, 2 * G1, G1 + M2 };

static const struct cells *cells;
static unsigned int freed;
static unsigned long nr_cases;

static void print_state(void)
{
	printf("region \"%s\", set %#x of free cells\n", cells->name, freed);
}

static bool all_free(u64 start, u64 nr)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, nr_runs = cells_runs(cells, freed, runs);

	for (i = 0; i < nr_runs; i++)
		if (runs[i].start <= start && start + nr <= runs[i].end)
			return true;
	return false;
}

/* The blocks at and beside each edge of a cell: all others are like their neighbours. */
static void expect_blocks(const struct tmm_frame_maps *maps, enum tmm_page_size size)
{
	const unsigned int order = tmm_page_size_order(size);
	unsigned int i;
	u64 block;

	for (i = 0; i <= cells->nr; i++) {
		u64 first = cells->edge[i] >> order;

		for (block = first ? first - 1 : 0; block <= first + 1; block++) {
			if (block < cells_first(cells) >> order ||
			    block > (cells_end(cells) - 1) >> order)
				continue;
			expect_equal(tmm_free_map_is_free(&maps->maps[size],
							  block - maps->bases[size]),
				     all_free(block << order, 1ULL << order));
		}
	}
}

static void expect_maps(const struct tmm_frame_maps *maps)
{
	struct cells_run runs[CELLS_MAX];

	expect_equal(maps->nr_free, cells_nr_free(cells, freed));
	expect_equal(maps->nr_ranges, cells_runs(cells, freed, runs));
	expect_equal(tmm_frame_maps_largest(maps, TMM_4K), cells_longest(cells, freed, 1, true));
	expect_equal(tmm_frame_maps_largest(maps, TMM_2M), cells_longest(cells, freed, M2, true));
	expect_equal(tmm_frame_maps_largest(maps, TMM_1G), cells_longest(cells, freed, G1, true));
	expect_blocks(maps, TMM_2M);
	expect_blocks(maps, TMM_1G);
	nr_cases++;
}

static void change(struct tmm_frame_maps *maps, unsigned int from, unsigned int to, bool is_free)
{
	const u64 start = cells->edge[from], nr = cells->edge[to] - start;

	if (is_free)
		tmm_frame_maps_give(maps, start, nr);
	else
		tmm_frame_maps_take(maps, start, nr);
	freed = cells_changed(freed, from, to, is_free);
	expect_maps(maps);
}

static void change_each_run(struct tmm_frame_maps *maps)
{
	unsigned int from, to;

	for (from = 0; from < cells->nr; from++) {
		const unsigned int end = cells_uniform_end(cells, freed, from);
		const bool is_free = freed >> from & 1;

		for (to = from + 1; to <= end; to++) {
			change(maps, from, to, !is_free);
			change(maps, from, to, is_free);
		}
	}
}

static void expect_runs(const struct tmm_frame_maps *maps)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, r, nr = cells_runs(cells, freed, runs);
	u64 numbers[3 * CELLS_MAX];
	unsigned int nr_numbers = cells_around_edges(cells, numbers);

	for (i = 0; i < nr_numbers; i++) {
		const u64 number = numbers[i];
		u64 first = 0, end = 0;
		bool found;

		if (number < cells_first(cells) || number >= cells_end(cells))
			continue;
		for (r = 0; r < nr && runs[r].end <= number; r++)
			;
		found = tmm_frame_maps_next_run(maps, number, &first, &end);
		expect_equal(found, r < nr);
		if (found) {
			expect_equal(first, max(number, runs[r].start));
			expect_equal(end, runs[r].end);
		}
		if (cells_is_free(cells, freed, number)) {
			expect_equal(tmm_frame_maps_run_end(maps, number), runs[r].end);
			expect_equal(tmm_frame_maps_run_start(maps, number), runs[r].start);
		} else {
			expect_equal(tmm_frame_maps_run_end(maps, number), number);
		}
		nr_cases++;
	}
}

/* The sets have too few runs for an unfinished search, so the answer is the model's. */
static void expect_find(const struct tmm_frame_maps *maps, const struct cells_request *want)
{
	const struct tmm_fit_request req = { want->nr, want->align, want->min, want->end,
					     want->from_top };
	struct tmm_fit_cursor cursor = {};
	u64 start = 0x5a5a, wanted = 0x5a5a;
	int wanted_err = cells_find(cells, freed, want, &wanted) ? 0 : -ENOSPC;
	int err = tmm_frame_maps_find(maps, &req, &cursor, &start);

	nr_cases++;
	if (err != wanted_err || start != wanted)
		host_failf(__FILE__, __LINE__,
			   "%llu frames at a multiple of %llu in [%llu, %llu), %s: %d at %llu, expected %d at %llu",
			   req.nr, req.align, req.min, req.end, req.from_top ? "from the top" : "",
			   err, start, wanted_err, wanted);
}

static void find_each(const struct tmm_frame_maps *maps)
{
	static const u64 nrs[] = { 1, 2, 63, 511, 512, 513, 1024, G1 - 1, G1, G1 + 1, 2 * G1 };
	unsigned int n, a, i, j;
	struct cells_request req;

	for (n = 0; n < ARRAY_SIZE(nrs); n++)
		for (a = 0; a < ARRAY_SIZE(aligns); a++)
			for (i = 0; i <= cells->nr; i++)
				for (j = i; j <= cells->nr; j++) {
					req = (struct cells_request){ nrs[n], aligns[a],
						i ? cells->edge[i] - i % 2 : 0,
						j == cells->nr ? ~0ULL : cells->edge[j] + j % 2,
						false };
					expect_find(maps, &req);
					req.from_top = true;
					expect_find(maps, &req);
				}
}

static void check_region(const struct cells *region)
{
	const u64 first = cells_first(region), nr = cells_end(region) - first;
	const size_t nr_bytes = tmm_frame_maps_nr_bytes(first, nr);
	void *memory = host_memory(nr_bytes);
	struct tmm_frame_maps maps;
	unsigned int i;

	cells = region;
	freed = cells_mask(0, cells->nr);
	nr_cases = 0;
	memset(memory, 0xa5, nr_bytes);
	tmm_frame_maps_init(&maps, first, nr, memory);
	for (i = 0;; i++) {
		expect_maps(&maps);
		expect_runs(&maps);
		find_each(&maps);
		change_each_run(&maps);
		if (i + 1 == 1U << cells->nr)
			break;
		change(&maps, cells_gray(i), cells_gray(i) + 1, !(freed >> cells_gray(i) & 1));
	}
	host_free_memory(memory);
	host_passed(region->name, nr_cases);
}

/* Many runs */

static const struct cells many = {
	"searches of many runs", 20, { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
				       112, 113, 114, 115, 116, 117, 118, 119, 120 },
};

/* An unfinished search goes on, and ends with a fit exactly if there is one. */
static void expect_long_find(const struct tmm_frame_maps *maps, const struct cells_request *want)
{
	const struct tmm_fit_request req = { want->nr, want->align, want->min, want->end,
					     want->from_top };
	struct tmm_fit_cursor cursor = {};
	u64 start = 0, wanted;
	bool is_wanted = cells_find(cells, freed, want, &wanted);
	unsigned int tries = 0;
	int err;

	do {
		err = tmm_frame_maps_find(maps, &req, &cursor, &start);
		expect(++tries < 10);
	} while (err == -EAGAIN);
	expect_equal(err, is_wanted ? 0 : -ENOSPC);
	if (!err) {
		expect(!(start % req.align) && start >= req.min && start + req.nr <= req.end);
		expect(all_free(start, req.nr));
	}
	nr_cases++;
}

static void check_many(void)
{
	const size_t nr_bytes = tmm_frame_maps_nr_bytes(100, 20);
	void *memory = host_memory(nr_bytes);
	struct cells_run runs[CELLS_MAX];
	struct tmm_frame_maps maps;
	struct cells_request req;
	unsigned int set, i;

	cells = &many;
	nr_cases = 0;
	for (set = 0; set < 1U << 20; set++) {
		freed = set;
		if (cells_runs(cells, freed, runs) <= TMM_FIT_TRIES)
			continue;
		tmm_frame_maps_init(&maps, 100, 20, memory);
		for (i = 0; i < 20; i++)
			if (!(freed >> i & 1))
				tmm_frame_maps_take(&maps, 100 + i, 1);
		expect_maps(&maps);
		for (req.nr = 1; req.nr <= 3; req.nr++)
			for (req.align = 2; req.align <= 7; req.align++)
				for (i = 0; i < 4; i++) {
					req.min = i & 1 ? 101 : 0;
					req.end = i & 1 ? 119 : ~0ULL;
					req.from_top = i & 2;
					expect_long_find(&maps, &req);
				}
	}
	host_free_memory(memory);
	host_passed(many.name, nr_cases);
}

int main(void)
{
	unsigned int i;

	host_note(print_state);
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		check_region(&regions[i]);
	check_many();
	return 0;
}
