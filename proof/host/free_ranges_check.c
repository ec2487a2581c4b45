// SPDX-License-Identifier: GPL-2.0
/*
 * alloc/free_ranges.c and alloc/fit.c, with Linux's own red-black tree: every set of free cells,
 * and every change of a run of cells. After each change, the tree is in order and balanced, its
 * ranges are as long as they can be, and each node has the longest runs of its subtree. For each
 * set, every search with lengths, alignments and bounds around the edges of cells and blocks.
 */
#include "alloc/free_ranges.h"
#include "cells.h"
#include "runtime.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>
#include <linux/string.h>

#define M2	512ULL
#define G1	262144ULL
#define T16	(1ULL << 32)

static const struct cells regions[] = {
	{ "a few pages", 10, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } },
	{ "around 2 MiB", 10, { 510, 511, 512, 513, 514, 1022, 1023, 1024, 1025, 1536, 1537 } },
	{ "around 1 GiB", 9, { G1 - M2 - 1, G1 - M2, G1 - 1, G1, G1 + 1, G1 + M2, 2 * G1 - M2,
			       2 * G1 - 1, 2 * G1, 3 * G1 + 1 } },
	{ "longer than the index", 8, { 1, G1, T16 - 1, T16, T16 + 1, T16 + G1, 3 * T16, 4 * T16,
					1ULL << 45 } },
};

static const u64 aligns[] = { 1, 2, 3, 512, 1024, G1, G1 + M2 };

static const struct cells *cells;
static unsigned int freed;
static unsigned long nr_cases;
static struct tmm_free_ranges set;

static void print_state(void)
{
	printf("region \"%s\", set %#x of free cells\n", cells->name, freed);
}

static struct tmm_range_node *node_of(struct rb_node *rb)
{
	return rb_entry(rb, struct tmm_range_node, rb);
}

static u64 fit_of(const struct tmm_chunk *chunk, u64 align)
{
	u64 start = (chunk->start + align - 1) / align * align;

	return start < tmm_chunk_end(chunk) ? min(tmm_chunk_end(chunk) - start, TMM_MAX_RUN) : 0;
}

/* Returns the number of black nodes on each way down; sets @fits to the longest runs. */
static unsigned int expect_subtree(struct rb_node *rb, u64 fits[TMM_NR_PAGE_SIZES])
{
	u64 left[TMM_NR_PAGE_SIZES], right[TMM_NR_PAGE_SIZES];
	unsigned int size, nr_black;

	memset(fits, 0, sizeof(left));
	if (!rb)
		return 0;
	nr_black = expect_subtree(rb->rb_left, left);
	expect_equal(expect_subtree(rb->rb_right, right), nr_black);
	if (rb_is_red(rb))
		expect((!rb->rb_left || rb_is_black(rb->rb_left)) &&
		       (!rb->rb_right || rb_is_black(rb->rb_right)));
	for (size = 0; size < TMM_NR_PAGE_SIZES; size++) {
		fits[size] = max3(left[size], right[size],
				  fit_of(&node_of(rb)->chunk, tmm_page_size_4k_pages(size)));
		expect_equal(node_of(rb)->fits.len[size], fits[size]);
	}
	return nr_black + rb_is_black(rb);
}

static void expect_set(void)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, nr = cells_runs(cells, freed, runs);
	struct tmm_chunk *chunk = tmm_free_ranges_first(&set);
	u64 fits[TMM_NR_PAGE_SIZES];

	expect_equal(set.nr_free, cells_nr_free(cells, freed));
	expect_equal(set.nr_ranges, nr);
	expect_equal(host_nr_objects, nr);
	for (i = 0; i < nr; i++, chunk = tmm_free_ranges_next(chunk)) {
		expect(chunk);
		expect_equal(chunk->start, runs[i].start);
		expect_equal(tmm_chunk_end(chunk), runs[i].end);
	}
	expect(!chunk);
	expect_subtree(set.root.rb_node, fits);
	for (i = 0; i < TMM_NR_PAGE_SIZES; i++)
		expect_equal(tmm_free_ranges_largest(&set, i), fits[i]);
	nr_cases++;
}

static struct tmm_chunk *new_chunk(u64 start, u64 nr)
{
	struct tmm_range_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	node->chunk.start = start;
	node->chunk.nr = nr;
	return &node->chunk;
}

/* Give with an object that is new, as after a split of an owned run. */
static void give(u64 start, u64 nr)
{
	struct tmm_chunk *chunk = new_chunk(start, nr), *absorbed[2] = { chunk, chunk };
	unsigned int i;

	expect_equal(tmm_free_ranges_give(&set, chunk, absorbed), 0);
	for (i = 0; i < 2; i++)
		kfree(absorbed[i]);
}

/* Take with exactly as many objects as the take needs. */
static void take(u64 start, u64 nr)
{
	struct tmm_chunk *range = tmm_free_ranges_at(&set, start), *spare[2] = {}, *chunk;
	unsigned int i = 0;

	expect(range);
	if (range->start < start)
		spare[i++] = new_chunk(0, 0);
	if (start + nr < tmm_chunk_end(range))
		spare[i++] = new_chunk(0, 0);
	chunk = tmm_free_ranges_take(&set, start, nr, spare);
	expect(chunk && chunk->start == start && chunk->nr == nr && !spare[0] && !spare[1]);
	kfree(chunk);
}

static void change(unsigned int from, unsigned int to, bool is_free)
{
	const u64 start = cells->edge[from], nr = cells->edge[to] - start;

	if (is_free)
		give(start, nr);
	else
		take(start, nr);
	freed = cells_changed(freed, from, to, is_free);
	expect_set();
}

/* A run that is partly free cannot be given; a run that is partly taken cannot be taken. */
static void refuse_mixed_run(unsigned int from, unsigned int to)
{
	const u64 start = cells->edge[from], nr = cells->edge[to] - start;
	struct tmm_chunk *chunk = new_chunk(start, nr), *spare[2] = {}, *absorbed[2] = {};

	expect_equal(tmm_free_ranges_give(&set, chunk, absorbed), -EEXIST);
	kfree(chunk);
	expect(!tmm_free_ranges_take(&set, start, nr, spare));
	expect_set();
}

static void change_each_run(void)
{
	unsigned int from, to;

	for (from = 0; from < cells->nr; from++) {
		const unsigned int end = cells_uniform_end(cells, freed, from);
		const bool is_free = freed >> from & 1;

		for (to = from + 1; to <= end; to++) {
			change(from, to, !is_free);
			change(from, to, is_free);
		}
		for (; to <= cells->nr; to++)
			refuse_mixed_run(from, to);
	}
}

static void expect_runs(void)
{
	struct cells_run runs[CELLS_MAX];
	unsigned int i, r, nr = cells_runs(cells, freed, runs);
	u64 numbers[3 * CELLS_MAX];
	unsigned int nr_numbers = cells_around_edges(cells, numbers);

	for (i = 0; i < nr_numbers; i++) {
		const struct tmm_chunk *at = tmm_free_ranges_at(&set, numbers[i]);
		const struct tmm_chunk *from = tmm_free_ranges_from(&set, numbers[i]);

		for (r = 0; r < nr && runs[r].end <= numbers[i]; r++)
			;
		expect_equal(!!from, r < nr);
		expect(!from || from->start == runs[r].start);
		expect_equal(!!at, cells_is_free(cells, freed, numbers[i]));
		expect(!at || at == from);
		nr_cases++;
	}
}

static bool all_free(u64 start, u64 nr)
{
	const struct cells_request at = { nr, 1, start, start + nr, false };
	u64 found;

	return cells_find(cells, freed, &at, &found);
}

/* A request that fits is never refused; with an alignment of a page size, it gets the best fit. */
static void expect_find(const struct cells_request *want)
{
	const struct tmm_fit_request req = { want->nr, want->align, want->min, want->end,
					     want->from_top };
	const bool is_exact = req.align == 1 || req.align == M2 || req.align == G1 ||
			      cells->nr <= 2 * TMM_FIT_TRIES;
	struct tmm_fit_cursor cursor = {};
	u64 start = 0x5a5a, wanted = 0x5a5a;
	bool is_wanted = req.nr <= TMM_MAX_RUN && cells_find(cells, freed, want, &wanted);
	int err = tmm_free_ranges_find(&set, &req, &cursor, &start);

	nr_cases++;
	if (err != (is_wanted ? 0 : -ENOSPC) || (is_exact && start != wanted) ||
	    (is_wanted && !all_free(start, req.nr)))
		host_failf(__FILE__, __LINE__,
			   "%llu pages at a multiple of %llu in [%llu, %llu), %s: %d at %llu, expected %d at %llu",
			   req.nr, req.align, req.min, req.end, req.from_top ? "from the top" : "",
			   err, start, is_wanted ? 0 : -ENOSPC, wanted);
}

static void find_each(void)
{
	static const u64 nrs[] = { 1, 2, 3, 511, 512, 513, G1, G1 + 1, T16 - 1, T16 };
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
					expect_find(&req);
					req.from_top = true;
					expect_find(&req);
				}
}

/* A range keeps its place in the tree when another object replaces its own. */
static void replace_each(void)
{
	struct tmm_chunk *chunk, *substitute;

	for (chunk = tmm_free_ranges_first(&set); chunk; chunk = tmm_free_ranges_next(substitute)) {
		substitute = new_chunk(0, 0);
		tmm_free_ranges_replace(&set, chunk, substitute);
		kfree(chunk);
		expect_set();
	}
}

static void check_region(const struct cells *region)
{
	unsigned int i;

	cells = region;
	freed = 0;
	nr_cases = 0;
	tmm_free_ranges_init(&set);
	for (i = 0;; i++) {
		expect_set();
		expect_runs();
		find_each();
		change_each_run();
		replace_each();
		if (i + 1 == 1U << cells->nr)
			break;
		change(cells_gray(i), cells_gray(i) + 1, !(freed >> cells_gray(i) & 1));
	}
	for (i = 0; i < cells->nr; i++)
		if (freed >> i & 1)
			change(i, i + 1, false);
	expect_equal(host_nr_objects, 0);
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
