// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/free_map.c and alloc/free_map_find.c: every set of free cells, and every change of a run of
 * cells. After each change, the whole tree is compared with the model. For each set, every search
 * for a length at the edge of success, within all bounds around the cells' edges.
 */
#include "alloc/free_map.h"
#include "alloc/free_map_find.h"
#include "alloc/free_map_tree.h"
#include "cells.h"
#include "runtime.h"

#include <linux/minmax.h>
#include <linux/string.h>

static const struct cells regions[] = {
	{ "one leaf, each unit", 10, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } },
	{ "one unit", 1, { 0, 1 } },
	{ "one leaf, its words", 10, { 0, 1, 63, 64, 65, 127, 128, 192, 255, 256, 257 } },
	{ "one leaf, long runs", 10, { 0, 63, 64, 191, 256, 320, 384, 447, 448, 511, 512 } },
	{ "two leaves", 10, { 0, 1, 256, 511, 512, 513, 575, 576, 1000, 1023, 1024 } },
	{ "a node and more", 10, { 0, 512, 513, 2048, 3583, 3584, 4095, 4096, 4097, 4608, 4700 } },
	{ "the children of a node", 8, { 0, 512, 1024, 1536, 2048, 2560, 3072, 3584, 4096 } },
	{ "two levels of nodes", 10, { 0, 1, 4096, 8192, 28672, 32767, 32768, 32769, 36864, 36865,
				       40000 } },
	{ "three levels of nodes", 9, { 0, 32768, 65536, 229376, 262143, 262144, 262656, 294912,
					524287, 524289 } },
};

static const struct cells *cells;
static unsigned int freed;
static unsigned long nr_cases;

static void print_state(void)
{
	printf("region \"%s\", set %#x of free cells\n", cells->name, freed);
}

static struct tmm_free_summary summary_of(u64 lo, u64 hi)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, nr = cells_runs(cells, freed, runs);
	struct tmm_free_summary sum = {};

	for (i = 0; i < nr; i++) {
		u64 start = max(lo, runs[i].start), end = min(hi, runs[i].end);

		if (start >= end)
			continue;
		sum.max = max_t(u64, sum.max, end - start);
		if (start == lo)
			sum.start = end - start;
		if (end == hi)
			sum.end = end - start;
	}
	return sum;
}

static void expect_words(const struct tmm_free_map *map, u64 leaf)
{
	unsigned int i, bit;

	for (i = 0; i < LEAF_WORDS; i++) {
		u64 word = 0, first = leaf * LEAF_SIZE + i * 64;
		struct cells_run runs[CELLS_MAX];
		unsigned int r, nr = cells_runs(cells, freed, runs);

		for (r = 0; r < nr; r++)
			for (bit = max(runs[r].start, first) - first;
			     bit < 64 && first + bit < runs[r].end; bit++)
				word |= 1ULL << bit;
		expect_equal(map->bits[leaf * LEAF_WORDS + i], word);
	}
}

/* Compare a node, and what is valid below the node, with the model. */
static void expect_node(const struct tmm_free_map *map, unsigned int level, u64 index)
{
	const u64 size = tmm_free_map_size(level);
	const struct tmm_free_summary *sum = &map->levels[level][index];
	const struct tmm_free_summary want = summary_of(index * size, (index + 1) * size);
	unsigned int i;

	expect_equal(sum->start, want.start);
	expect_equal(sum->max, want.max);
	expect_equal(sum->end, want.end);
	if (tmm_free_map_is_uniform(sum, level))
		return;
	if (!level) {
		expect_words(map, index);
		return;
	}
	for (i = 0; i < FANOUT; i++)
		expect_node(map, level - 1, index * FANOUT + i);
}

static void expect_map(const struct tmm_free_map *map)
{
	expect_node(map, map->nr_levels - 1, 0);
	nr_cases++;
}

static void change(struct tmm_free_map *map, unsigned int from, unsigned int to, bool is_free)
{
	const u64 start = cells->edge[from], nr = cells->edge[to] - start;

	if (is_free)
		tmm_free_map_give(map, start, nr);
	else
		tmm_free_map_take(map, start, nr);
	freed = cells_changed(freed, from, to, is_free);
	expect_map(map);
}

/* Every run of cells, free or taken: make all of them alike, and change them back. */
static void change_each_run(struct tmm_free_map *map)
{
	const unsigned int before = freed;
	unsigned int from, to, i, is_free;

	for (from = 0; from < cells->nr; from++)
		for (to = from + 1; to <= cells->nr; to++)
			for (is_free = 0; is_free < 2; is_free++) {
				change(map, from, to, is_free);
				for (i = from; i < to; i++)
					if ((before >> i & 1) != is_free)
						change(map, i, i + 1, !is_free);
			}
}

static void expect_runs(const struct tmm_free_map *map)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, r, nr = cells_runs(cells, freed, runs);
	u64 numbers[3 * CELLS_MAX];
	unsigned int nr_numbers = cells_around_edges(cells, numbers);

	expect_equal(tmm_free_map_largest(map), cells_longest(cells, freed, 1, false));
	for (i = 0; i < nr_numbers && numbers[i] < map->nr; i++) {
		const u64 unit = numbers[i];

		for (r = 0; r < nr && runs[r].end <= unit; r++)
			;
		nr_cases++;
		if (r < nr && runs[r].start <= unit) {
			expect(tmm_free_map_is_free(map, unit));
			expect_equal(tmm_free_map_run_end(map, unit), runs[r].end);
			expect_equal(tmm_free_map_run_start(map, unit), runs[r].start);
		} else {
			expect(!tmm_free_map_is_free(map, unit));
			expect_equal(tmm_free_map_run_end(map, unit), unit);
		}
	}
}

static void expect_find(const struct tmm_free_map *map, struct cells_request req)
{
	u64 want = 0, found = 0x5a5a;
	bool is_found;

	for (req.from_top = false;; req.from_top = true) {
		bool is_wanted = cells_find(cells, freed, &req, &want);

		is_found = req.from_top ?
			tmm_free_map_find_last(map, req.nr, req.min, req.end, &found) :
			tmm_free_map_find_first(map, req.nr, req.min, req.end, &found);
		nr_cases++;
		if (is_found != is_wanted || found != (is_wanted ? want : 0x5a5a))
			host_failf(__FILE__, __LINE__,
				   "%s of %llu units in [%llu, %llu): %d at %llu, expected %d at %llu",
				   req.from_top ? "the last run" : "the first run", req.nr, req.min,
				   req.end, is_found, found, is_wanted, want);
		if (req.from_top)
			return;
		found = 0x5a5a;
	}
}

/* The lengths at which a search begins to fail, and those of the steps inside a leaf. */
static unsigned int lengths(u64 *numbers)
{
	static const u64 steps[] = { 1, 2, 63, 64, 65, 512, 513 };
	struct cells_run runs[CELLS_MAX];
	unsigned int i, j, k, nr = 0, nr_runs = cells_runs(cells, freed, runs);

	for (i = 0; i < nr_runs; i++)
		for (j = 0; j < 3; j++) {
			u64 number = runs[i].end - runs[i].start + j - 1;

			for (k = 0; k < nr && numbers[k] != number; k++)
				;
			if (number && k == nr)
				numbers[nr++] = number;
		}
	for (i = 0; i < ARRAY_SIZE(steps) && steps[i] <= cells_end(cells); i++)
		numbers[nr++] = steps[i];
	return nr;
}

static void find_each(const struct tmm_free_map *map)
{
	u64 bounds[3 * CELLS_MAX + 3], nrs[3 * CELLS_MAX];
	unsigned int nr_bounds = cells_around_edges(cells, bounds);
	unsigned int n, i, j, nr_lengths = lengths(nrs);

	bounds[nr_bounds++] = ~0ULL;
	for (n = 0; n < nr_lengths; n++)
		for (i = 0; i < nr_bounds; i++)
			for (j = i; j < nr_bounds; j++)
				expect_find(map, (struct cells_request){ nrs[n], 1, bounds[i],
									 bounds[j], false });
}

static void check_region(const struct cells *region)
{
	const u64 nr = cells_end(region);
	const size_t nr_bytes = tmm_free_map_nr_bytes(nr);
	void *memory = host_memory(nr_bytes);
	struct tmm_free_map map;
	unsigned int i;

	cells = region;
	freed = 0;
	nr_cases = 0;
	memset(memory, 0xa5, nr_bytes);
	tmm_free_map_init(&map, nr, memory);
	for (i = 0;; i++) {
		expect_map(&map);
		expect_runs(&map);
		find_each(&map);
		change_each_run(&map);
		if (i + 1 == 1U << cells->nr)
			break;
		change(&map, cells_gray(i), cells_gray(i) + 1, !(freed >> cells_gray(i) & 1));
	}
	host_free_memory(memory);
	host_passed(region->name, nr_cases);
}

int main(void)
{
	unsigned int i;

	host_note(print_state);
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		check_region(&regions[i]);
	return 0;
}
