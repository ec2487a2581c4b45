// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "alloc/chunk.h"
#include "core/page.h"
#include "support/range_fixture.h"
#include "support/invariants.h"

#include <linux/err.h>
#include <linux/slab.h>

struct add_param {
	const char *name;
	u64 first;
	u64 nr;
	int err;
};

/* The allocator has the regions [100, 200) and [300, 400) already. */
static const struct add_param add_params[] = {
	{ "before all", 0, 50, 0 },
	{ "touching both", 200, 100, 0 },
	{ "after all", 400, 1, 0 },
	{ "as long as a search", 1000, TMM_MAX_RUN, 0 },
	{ "longer than any search", 1000, 1ULL << 44, 0 },
	{ "up to the last chunk", (1ULL << 52) - 9, 9, 0 },
	{ "empty", 50, 0, -EINVAL },
	{ "longer than all there is", 0, (1ULL << 52) + 1, -EOVERFLOW },
	{ "as long as can be counted", 0, U64_MAX, -EOVERFLOW },
	{ "past the last chunk", (1ULL << 52) - 9, 10, -EOVERFLOW },
	{ "wraps", U64_MAX - 5, 100, -EOVERFLOW },
	{ "equal", 100, 100, -EADDRINUSE },
	{ "first chunk known", 199, 10, -EADDRINUSE },
	{ "last chunk known", 290, 11, -EADDRINUSE },
	{ "inside one", 350, 2, -EADDRINUSE },
	{ "around one", 50, 200, -EADDRINUSE },
	{ "beginning before all, into the first", 0, 101, -EADDRINUSE },
	{ "beginning between two, into the second", 250, 51, -EADDRINUSE },
	{ "around all", 0, 1000, -EADDRINUSE },
};

TMM_ARRAY_PARAM(add, add_params);

static void add_regions(struct kunit *test)
{
	const struct add_param *p = test->param_value;
	u64 before;
	int err;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 300, 100);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	before = tmm_test_ranges_fingerprint(test);
	err = tmm_test_ranges_try_add(test, TMM_REGION_GENERAL, p->first, p->nr);
	KUNIT_EXPECT_EQ(test, err, p->err);
	KUNIT_EXPECT_EQ(test, before == tmm_test_ranges_fingerprint(test), !!p->err);
}

static void add_without_memory(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_test_ranges_try_add(test, TMM_REGION_GENERAL, 0, 10);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_TRUE(test, list_empty(&tr->ra.regions));
}

static void allocate_without_memory(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_allocation_request req = tmm_request_at(5, 2);
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	unsigned int nth;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 0, 10);
	before = tmm_test_ranges_fingerprint(test);
	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		chunk = tmm_range_request_allocate(&tr->ra, &req, &region);
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_PTR_EQ(test, chunk, (struct tmm_chunk *)ERR_PTR(-ENOMEM));
		KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	}
	tmm_test_ranges_probe(test, req, 5);
}

/* A release allocates no memory: here, any allocation would fail, and the case with it. */
static void release_needs_no_memory(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_chunk *chunk;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 0, 10);
	chunk = tmm_test_ranges_take(test, tmm_request_at(5, 2), 5);
	tmm_test_fail_alloc(test, 1);
	tmm_range_request_release(&tr->ra, &tr->regions[0], chunk);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, tmm_test_hook_start, 5);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_nr, 2);
}

static void release_of_an_empty_run(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 0, 10);
	before = tmm_test_ranges_fingerprint(test);
	chunk = kmem_cache_zalloc(tr->cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chunk);
	chunk->start = 5;
	tmm_test_hook_nr = 42;
	tmm_range_request_release(&tr->ra, &tr->regions[0], chunk);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_nr, 42);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
}

/* Theseus can miss a region that begins inside the queried range. */
static void region_at_the_edges(struct kunit *test)
{
	static const struct {
		u64 number;
		int region;
	} edges[] = {
		{ 0, -1 }, { 9, -1 }, { 10, 0 }, { 19, 0 }, { 20, 1 }, { 29, 1 }, { 30, -1 },
		{ 49, -1 }, { 50, 2 }, { 51, -1 }, { U64_MAX, -1 },
	};
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region, *want;
	unsigned int i;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 10, 10);
	tmm_test_ranges_add(test, TMM_REGION_RESERVED, 20, 10);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 50, 1);
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		want = edges[i].region < 0 ? NULL : &tr->regions[edges[i].region];
		spin_lock(&tr->ra.lock);
		region = tmm_range_allocator_region_at(&tr->ra, edges[i].number);
		spin_unlock(&tr->ra.lock);
		KUNIT_EXPECT_PTR_EQ_MSG(test, region, want, "%llu", edges[i].number);
	}
}

static void totals_count_general_regions_only(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_totals totals;
	struct tmm_chunk *owned;

	tmm_range_allocator_totals(&tr->ra, &totals);
	KUNIT_EXPECT_EQ(test, totals.nr_total + totals.nr_free + totals.largest[TMM_4K], 0);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 10, 1600);
	tmm_test_ranges_add(test, TMM_REGION_DESIGNATED, 2000, 6000);
	tmm_test_ranges_add(test, TMM_REGION_RESERVED, 9000, 5000);
	owned = tmm_test_ranges_take(test, tmm_request_at(1600, 5), 1600);
	tmm_range_allocator_totals(&tr->ra, &totals);
	KUNIT_EXPECT_EQ(test, totals.nr_total, 1600);
	KUNIT_EXPECT_EQ(test, totals.nr_free, 1595);
	KUNIT_EXPECT_EQ(test, totals.nr_ranges, 2);
	KUNIT_EXPECT_EQ(test, totals.largest[TMM_4K], 1590);
	KUNIT_EXPECT_EQ(test, totals.largest[TMM_2M], 1600 - 512);
	KUNIT_EXPECT_EQ(test, totals.largest[TMM_1G], 0);
	tmm_test_ranges_release(test, owned);
}

static int remove_region(struct kunit *test, unsigned int index)
{
	struct tmm_test_ranges *tr = test->priv;
	int err = tmm_range_allocator_remove(&tr->ra, &tr->regions[index]);

	tmm_check_range_allocator(test, &tr->ra);
	return err;
}

/* Theseus cannot remove a region. */
static void remove_forgets_a_region(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	before = tmm_test_ranges_fingerprint(test);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 300, 100);
	tmm_test_ranges_probe(test, tmm_request_at(350, 10), 350);
	KUNIT_EXPECT_EQ(test, remove_region(test, 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	tmm_test_ranges_refuse(test, tmm_request_at(350, 1), -ERANGE);
	tmm_test_ranges_refuse(test, tmm_request_any(101), -ENOSPC);
	/* New regions may overlap a removed one. */
	tmm_test_ranges_add(test, TMM_REGION_RESERVED, 290, 20);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 310, 90);
	KUNIT_EXPECT_EQ(test, remove_region(test, 0), 0);
	KUNIT_EXPECT_EQ(test, remove_region(test, 2), 0);
	KUNIT_EXPECT_EQ(test, remove_region(test, 3), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&tr->ra.regions));
}

static void remove_while_a_chunk_is_owned(struct kunit *test)
{
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = tmm_test_ranges_take(test, tmm_request_at(150, 1), 150);
	before = tmm_test_ranges_fingerprint(test);
	KUNIT_EXPECT_EQ(test, remove_region(test, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	tmm_test_ranges_probe(test, tmm_request_at(151, 49), 151);
	tmm_test_ranges_release(test, chunk);
	KUNIT_EXPECT_EQ(test, remove_region(test, 0), 0);
}

/* A region cannot be removed while one owned run covers the whole region. */
static void remove_while_all_is_owned(struct kunit *test)
{
	struct tmm_chunk *chunk;

	tmm_test_ranges_add(test, TMM_REGION_RESERVED, 100, 100);
	chunk = tmm_test_ranges_take(test, tmm_request_at(100, 100), 100);
	KUNIT_EXPECT_EQ(test, remove_region(test, 0), -EBUSY);
	tmm_test_ranges_release(test, chunk);
}

struct split_param {
	const char *name;
	struct tmm_chunk chunk;
	u64 at;
	int err;
};

static const struct split_param split_params[] = {
	{ "before the beginning", { 10, 5 }, 9, -EINVAL },
	{ "at the beginning", { 10, 5 }, 10, 0 },
	{ "in the middle", { 10, 5 }, 12, 0 },
	{ "at the last", { 10, 5 }, 14, 0 },
	{ "at the end", { 10, 5 }, 15, 0 },
	{ "after the end", { 10, 5 }, 16, -EINVAL },
	{ "far after the end", { 10, 5 }, U64_MAX, -EINVAL },
	{ "empty", { 10, 0 }, 10, -EINVAL },
};

TMM_ARRAY_PARAM(split, split_params);

static void split_situations(struct kunit *test)
{
	const struct split_param *p = test->param_value;
	struct tmm_chunk *first = tmm_test_kvzalloc(test, sizeof(*first));
	struct tmm_chunk *second = tmm_test_kvzalloc(test, sizeof(*second));

	first->start = p->chunk.start;
	first->nr = p->chunk.nr;
	KUNIT_EXPECT_EQ(test, tmm_chunk_check_split(first, p->at), p->err);
	if (p->err)
		return;
	tmm_chunk_split(first, p->at, second);
	KUNIT_EXPECT_EQ(test, first->start, 10);
	KUNIT_EXPECT_EQ(test, tmm_chunk_end(first), p->at);
	KUNIT_EXPECT_EQ(test, second->start, p->at);
	KUNIT_EXPECT_EQ(test, tmm_chunk_end(second), 15);
}

static struct kunit_case range_allocator_cases[] = {
	KUNIT_CASE_PARAM(add_regions, add_gen_params),
	KUNIT_CASE(add_without_memory),
	KUNIT_CASE(allocate_without_memory),
	KUNIT_CASE(release_needs_no_memory),
	KUNIT_CASE(release_of_an_empty_run),
	KUNIT_CASE(region_at_the_edges),
	KUNIT_CASE(totals_count_general_regions_only),
	KUNIT_CASE(remove_forgets_a_region),
	KUNIT_CASE(remove_while_a_chunk_is_owned),
	KUNIT_CASE(remove_while_all_is_owned),
	KUNIT_CASE_PARAM(split_situations, split_gen_params),
	{}
};

static struct kunit_suite range_allocator_suite = {
	.name = "theseus_mm_range_allocator",
	.init = tmm_test_ranges_init,
	.exit = tmm_test_ranges_exit,
	.test_cases = range_allocator_cases,
};

kunit_test_suite(range_allocator_suite);
