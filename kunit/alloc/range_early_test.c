// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "support/range_fixture.h"
#include "support/invariants.h"

#include <linux/err.h>
#include <linux/string.h>

#define NR_OBJECTS 12

static struct tmm_range_allocator *ra_of(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;

	return &tr->ra;
}

/* Gives the allocator early memory for @nr objects, filled with a pattern. */
static void start_early(struct kunit *test, unsigned int nr)
{
	size_t nr_bytes = nr * tmm_range_allocator_object_size(ra_of(test));
	void *memory = tmm_test_kvzalloc(test, nr_bytes);

	memset(memory, 0xa5, nr_bytes);
	tmm_range_allocator_start_early(ra_of(test), memory, nr_bytes);
}

static bool is_early(struct kunit *test, const struct tmm_chunk *chunk)
{
	return tmm_chunk_cache_is_early(&ra_of(test)->objects, chunk);
}

static unsigned int nr_early_ranges(struct kunit *test)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	unsigned int nr = 0;

	list_for_each_entry(region, &ra_of(test)->regions, link)
		for (chunk = tmm_free_ranges_first(&region->free.ranges); chunk;
		     chunk = tmm_free_ranges_next(chunk))
			nr += is_early(test, chunk);
	return nr;
}

static void add_general(struct kunit *test, u64 first, u64 nr)
{
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, first, nr);
}

static struct tmm_chunk *take_at(struct kunit *test, u64 start, u64 nr)
{
	return tmm_test_ranges_take(test, tmm_request_at(start, nr), start);
}

/* Returns the error of a request whose allocations from the heap fail. */
static int try_without_heap(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocation_request req = tmm_request_at(start, nr);
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;

	tmm_test_fail_alloc(test, 1);
	chunk = tmm_range_request_allocate(ra_of(test), &req, &region);
	tmm_test_fail_alloc_end();
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);
	tmm_test_ranges_release(test, chunk);
	return 0;
}

static void early_objects_need_no_heap(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_allocation_request req = tmm_request_at(150, 10);
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	int err;

	start_early(test, NR_OBJECTS);
	tmm_test_fail_alloc(test, 1);
	err = tmm_test_ranges_try_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = tmm_range_request_allocate(&tr->ra, &req, &region);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chunk);
	tmm_check_range_allocator(test, &tr->ra);
	KUNIT_EXPECT_TRUE(test, is_early(test, chunk));
	KUNIT_EXPECT_EQ(test, nr_early_ranges(test), 2);
	tmm_test_ranges_release(test, chunk);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_ranges(&tr->regions[0].free), 1);
}

static void exhausted_early_memory(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	u64 before;

	start_early(test, 2);
	add_general(test, 100, 100);
	before = tmm_test_ranges_fingerprint(test);
	KUNIT_EXPECT_EQ(test, try_without_heap(test, 150, 10), -ENOMEM);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_try_add(test, TMM_REGION_GENERAL, 300, 9), -ENOMEM);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_range_allocator_move_to_heap(&tr->ra), 0);
	tmm_test_ranges_release(test, take_at(test, 150, 10));
}

static void misaligned_early_memory(struct kunit *test)
{
	size_t size = tmm_range_allocator_object_size(ra_of(test));
	u8 *memory = tmm_test_kvzalloc(test, 3 * size);
	struct tmm_test_ranges *tr = test->priv;

	/* The memory is a byte too short for three objects. Nothing is written past its end. */
	memory[3 * size - 1] = 0xa5;
	tmm_range_allocator_start_early(&tr->ra, memory + 3, 3 * size - 4);
	add_general(test, 100, 100);
	KUNIT_EXPECT_EQ(test, (uintptr_t)tmm_free_ranges_first(&tr->regions[0].free.ranges) % 8, 0);
	add_general(test, 300, 100);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_try_add(test, TMM_REGION_GENERAL, 500, 9), -ENOMEM);
	KUNIT_EXPECT_EQ(test, memory[3 * size - 1], 0xa5);
}

static void move_replaces_free_ranges_only(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_chunk *owned[2];
	u64 before;

	start_early(test, NR_OBJECTS);
	add_general(test, 100, 100);
	add_general(test, 300, 100);
	owned[0] = take_at(test, 150, 10);
	owned[1] = take_at(test, 300, 10);
	before = tmm_test_ranges_fingerprint(test);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(test), 3);

	KUNIT_EXPECT_EQ(test, tmm_range_allocator_move_to_heap(&tr->ra), 0);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(test), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	tmm_check_range_allocator(test, &tr->ra);
	KUNIT_EXPECT_TRUE(test, is_early(test, owned[0]));
	KUNIT_EXPECT_EQ(test, try_without_heap(test, 110, 10), -ENOMEM);
	tmm_test_ranges_release(test, take_at(test, 110, 10));
	tmm_test_ranges_release(test, owned[0]);
	tmm_test_ranges_release(test, owned[1]);
}

/* An object in early memory that is freed after the move to the heap becomes a free range again. */
static void early_object_is_freed_after_the_move(struct kunit *test)
{
	struct tmm_chunk *owned;

	start_early(test, NR_OBJECTS);
	add_general(test, 100, 100);
	owned = take_at(test, 100, 100);
	KUNIT_EXPECT_TRUE(test, is_early(test, owned));
	KUNIT_EXPECT_EQ(test, tmm_range_allocator_move_to_heap(ra_of(test)), 0);
	tmm_test_ranges_release(test, owned);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(test), 1);
	tmm_test_ranges_release(test, take_at(test, 150, 10));
}

static void move_without_memory(struct kunit *test)
{
	/*
	 * The number of the allocation that fails in each try. First try: an allocation for the
	 * reserve fails. Second try: the first allocation completes the reserve, and the second
	 * one, for the list of objects, fails. Third try: the reserve is full, the first allocation
	 * is for the list, and the second one, for the objects, fails.
	 */
	static const unsigned int nths[] = { 1, 2, 2 };
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_chunk *owned;
	unsigned int i;
	u64 before;
	int err;

	start_early(test, NR_OBJECTS);
	add_general(test, 100, 100);
	owned = take_at(test, 150, 10);
	before = tmm_test_ranges_fingerprint(test);
	for (i = 0; i < ARRAY_SIZE(nths); i++) {
		tmm_test_fail_alloc(test, nths[i]);
		err = tmm_range_allocator_move_to_heap(&tr->ra);
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, nr_early_ranges(test), 2);
		KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
		KUNIT_EXPECT_EQ(test, try_without_heap(test, 110, 10), 0);
	}
	tmm_test_ranges_release(test, owned);
}

static void move_without_early_memory(struct kunit *test)
{
	int err;

	add_general(test, 100, 100);
	tmm_test_fail_alloc(test, 1);
	err = tmm_range_allocator_move_to_heap(ra_of(test));
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, 0);
	tmm_test_ranges_release(test, take_at(test, 150, 10));
}

/* Early memory has no room for a reserve. */
static void deferred_allocations_need_a_heap(struct kunit *test)
{
	struct tmm_allocation_request req = tmm_request_at(150, 10);
	struct tmm_deferred_action action = {};
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	u64 before;

	start_early(test, NR_OBJECTS);
	add_general(test, 100, 100);
	before = tmm_test_ranges_fingerprint(test);
	chunk = tmm_range_request_allocate_deferred(ra_of(test), &req, &region, &action);
	KUNIT_EXPECT_EQ(test, PTR_ERR(chunk), -ENOMEM);
	KUNIT_EXPECT_EQ(test, action.nr_owed, 0);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	KUNIT_ASSERT_EQ(test, tmm_range_allocator_move_to_heap(ra_of(test)), 0);
	chunk = tmm_range_request_allocate_deferred(ra_of(test), &req, &region, &action);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chunk);
	KUNIT_EXPECT_FALSE(test, is_early(test, chunk));
	tmm_deferred_action_finish(&action);
	tmm_test_ranges_release(test, chunk);
}

static struct kunit_case range_early_cases[] = {
	KUNIT_CASE(early_objects_need_no_heap),
	KUNIT_CASE(exhausted_early_memory),
	KUNIT_CASE(misaligned_early_memory),
	KUNIT_CASE(move_replaces_free_ranges_only),
	KUNIT_CASE(early_object_is_freed_after_the_move),
	KUNIT_CASE(move_without_memory),
	KUNIT_CASE(move_without_early_memory),
	KUNIT_CASE(deferred_allocations_need_a_heap),
	{}
};

static struct kunit_suite range_early_suite = {
	.name = "theseus_mm_range_early",
	.init = tmm_test_ranges_init,
	.exit = tmm_test_ranges_exit,
	.test_cases = range_early_cases,
};

kunit_test_suite(range_early_suite);
