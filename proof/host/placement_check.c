// SPDX-License-Identifier: GPL-2.0
/*
 * mapping/placement.c: the largest leaf in a run, for all runs that begin and end around the edges
 * of leaves; and the place of pages for a mapping, in every set of free cells around 2 MiB and 1 GiB.
 */
#include "alloc/pages.h"
#include "cells.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/err.h>

#define M2	512ULL
#define G1	262144ULL

static const struct cells regions[] = {
	{ "pages around 2 MiB", 7, { 510, 511, 512, 1023, 1024, 1025, 1536, 2049 } },
	{ "pages around 1 GiB", 7, { G1 - M2 - 1, G1 - M2, G1 - 1, G1, G1 + M2, 2 * G1, 2 * G1 + M2,
				     3 * G1 + 1 } },
};

static const u64 lengths[] = { 1, 2, 511, 512, 513, 1024, 1025, G1 - 1, G1, G1 + 1 };

static const struct cells *cells;
static unsigned int freed;
static unsigned long nr_cases;
static struct tmm_page_allocator pages;
static struct tmm_range_region region;

static void print_state(void)
{
	if (cells)
		printf("region \"%s\", set %#x of free cells\n", cells->name, freed);
}

/* The model: the largest leaf for which an aligned place fits in the run. */
static enum tmm_page_size leaf_in(u64 number, u64 nr)
{
	if ((number + G1 - 1) / G1 * G1 + G1 <= number + nr)
		return TMM_1G;
	return (number + M2 - 1) / M2 * M2 + M2 <= number + nr ? TMM_2M : TMM_4K;
}

static void check_leaves(void)
{
	static const u64 edges[] = { 2, M2, 2 * M2, G1 - M2, G1, G1 + M2, 2 * G1 };
	unsigned int i, j;
	u64 number, nr;

	for (i = 0; i < ARRAY_SIZE(edges); i++)
		for (number = edges[i] - 2; number <= edges[i] + 2; number++)
			for (j = 0; j < ARRAY_SIZE(edges); j++)
				for (nr = edges[j] - 1; nr <= edges[j] + 2; nr++) {
					expect_equal(tmm_placement_leaf_in(number, nr),
						     leaf_in(number, nr));
					nr_cases++;
				}
	host_passed("the largest leaf in a run", nr_cases);
}

/* The model: for each size of leaves from the largest one on, the highest place that fits. */
static int answer(u64 number, u64 nr, u64 *start)
{
	enum tmm_page_size size;

	for (size = leaf_in(number, nr);; size--) {
		const u64 unit = tmm_page_size_4k_pages(size), behind = number % unit;
		const struct cells_request req = { nr + behind, unit, 0, ~0ULL, unit >= M2 };

		if (cells_find(cells, freed, &req, start)) {
			*start += behind;
			return 0;
		}
		if (size == TMM_4K)
			return -ENOSPC;
	}
}

static void place(u64 number, u64 nr)
{
	const struct tmm_mapping_request req = { .nr = nr, .general_only = true };
	struct tmm_allocated_pages *placed;
	u64 start = 0;
	int err = answer(number, nr, &start);

	placed = tmm_placement_allocate_pages(&pages, number, &req);
	expect_equal(IS_ERR(placed) ? PTR_ERR(placed) : 0, err);
	if (!err) {
		expect_equal(placed->chunk.start, start);
		expect_equal(placed->chunk.nr, nr);
	}
	tmm_allocated_pages_drop(&placed);
	nr_cases++;
}

static void place_each(void)
{
	static const u64 numbers[] = { 0, 1, 511, 512, 513, G1 - M2, G1 - 1, G1, G1 + 1 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		for (j = 0; j < ARRAY_SIZE(lengths); j++)
			place(numbers[i], lengths[j]);
}

static void check_set(void)
{
	struct tmm_allocated_pages *taken[CELLS_MAX] = {};
	unsigned int i;

	for (i = 0; i < cells->nr; i++) {
		const u64 start = cells->edge[i];
		const struct tmm_allocation_request req =
			tmm_request_at(start, cells->edge[i + 1] - start);

		if (freed >> i & 1)
			continue;
		taken[i] = tmm_page_allocator_allocate(&pages, &req);
		expect(!IS_ERR(taken[i]));
	}
	place_each();
	for (i = 0; i < cells->nr; i++)
		tmm_allocated_pages_drop(&taken[i]);
}

static void check_region(const struct cells *tried)
{
	cells = tried;
	nr_cases = 0;
	region = (struct tmm_range_region){
		.first = cells_first(cells),
		.nr = cells_end(cells) - cells_first(cells),
	};
	tmm_page_allocator_init(&pages);
	expect_equal(tmm_page_allocator_add(&pages, &region), 0);
	for (freed = 0; freed < 1U << cells->nr; freed++)
		check_set();
	tmm_page_allocator_destroy(&pages);
	expect_equal(host_nr_objects, 0);
	host_passed(cells->name, nr_cases);
}

int main(void)
{
	unsigned int i;

	host_note(print_state);
	expect_equal(tmm_pages_init(), 0);
	check_leaves();
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		check_region(&regions[i]);
	tmm_pages_exit();
	return 0;
}
