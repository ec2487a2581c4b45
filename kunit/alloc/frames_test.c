// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"

/* A general region [1000, 3000) and a reserved one right after it, [3000, 3100). */
static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);

	test->priv = tf;
	tmm_test_frames_add(test, tf, TMM_REGION_GENERAL, 1000, 2000);
	tmm_test_frames_add(test, tf, TMM_REGION_RESERVED, 3000, 100);
	return 0;
}

static void expect_marks(struct kunit *test, u64 first, u64 nr, enum tmm_frame_mark mark)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_frame_range range = { { first, nr, TMM_4K } };
	u64 counts[TMM_NR_MARKS] = {};

	tmm_check_frame_allocator(test, &tf->fa);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(&tf->fa, &range, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[mark], nr);
}

static void allocate_marks_and_drop_gives_back(struct kunit *test)
{
	u64 before = tmm_test_frames_fingerprint(test);
	struct tmm_allocated_frames *frames = tmm_test_frames_take_any(test, 600);
	struct tmm_frame_range range = tmm_frames_range(&frames->f);

	KUNIT_EXPECT_EQ(test, range.r.first, 1000);
	KUNIT_EXPECT_EQ(test, range.r.nr, 600);
	KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
	expect_marks(test, 1000, 600, TMM_MARK_ALLOCATED);
	expect_marks(test, 1600, 1400, TMM_MARK_FREE);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void allocate_exactly_all(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocation_request one = tmm_request_any(1);
	struct tmm_allocated_frames *all = tmm_test_frames_take_any(test, 2000);

	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_frame_allocator_allocate(&tf->fa, &one)), -ENOSPC);
	tmm_allocated_frames_drop(&all);
}

/* In Theseus, a range of exactly n frames never serves a request for n frames. */
static void allocate_exact_fits(struct kunit *test)
{
	const struct {
		struct tmm_allocation_request req;
		u64 start;
	} fits[] = {
		{ tmm_request_any(2000), 1000 },
		{ tmm_request_aligned(8, 2000), 1000 },
		{ tmm_request_sized(TMM_2M, 2), 1536 },
		{ tmm_request_in_range(1777, 1779, 3), 1777 },
		{ tmm_request_in_range(1000, 2999, 2000), 1000 },
		{ tmm_request_aligned_in_range(512, 2048, 2559, 512), 2048 },
		{ tmm_request_at(1000, 2000), 1000 },
		{ tmm_request_at(2999, 1), 2999 },
		{ tmm_request_at(3000, 100), 3000 },
	};
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fits); i++) {
		frames = tmm_test_frames_take(test, test->priv, fits[i].req);
		KUNIT_EXPECT_EQ_MSG(test, frames->f.chunk.start, fits[i].start, "request %u", i);
		tmm_allocated_frames_drop(&frames);
	}
}

/* In Theseus, a request at an address that spans three free pieces panics. */
static void allocate_at_across_many_pieces(struct kunit *test)
{
	struct tmm_allocated_frames *pieces[5], *frames;
	unsigned int i;

	for (i = 0; i < 5; i++)
		pieces[i] = tmm_test_frames_take_at(test, 1500 + 10 * i, 10);
	for (i = 0; i < 5; i++)
		tmm_allocated_frames_drop(&pieces[i * 2 % 5]);
	frames = tmm_test_frames_take_at(test, 1500, 50);
	expect_marks(test, 1500, 50, TMM_MARK_ALLOCATED);
	tmm_allocated_frames_drop(&frames);
}

/* Theseus offers neither alignment nor ranges for frames. */
static void allocate_aligned_in_range(struct kunit *test)
{
	struct tmm_allocation_request req = tmm_request_in_range(1100, 2100, 20);
	struct tmm_allocated_frames *small, *huge;

	req.align = 64;
	small = tmm_test_frames_take(test, test->priv, req);
	KUNIT_EXPECT_EQ(test, small->f.chunk.start, 1152);
	req = tmm_request_in_range(1000, 2047, 512);
	req.align = 512;
	huge = tmm_test_frames_take(test, test->priv, req);
	KUNIT_EXPECT_EQ(test, huge->f.chunk.start, 1536);
	tmm_allocated_frames_drop(&small);
	tmm_allocated_frames_drop(&huge);
}

static void refused_allocation_changes_nothing(struct kunit *test)
{
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_any(2001), -ENOSPC },
		{ tmm_request_at(1500, 1), -EADDRINUSE },
		{ tmm_request_at(1499, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(2999, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(999, 1), -ERANGE },
		{ tmm_request_at(3100, 1), -ERANGE },
		{ tmm_request_in_range(3000, 3099, 1), -ERANGE },
		{ tmm_request_at(1000, U64_MAX), -EOVERFLOW },
	};
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1500, 1);
	u64 before = tmm_test_frames_fingerprint(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_frames *none =
			tmm_frame_allocator_allocate(&tf->fa, &refused[i].req);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(none), refused[i].err, "request %u", i);
		KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	}
	tmm_allocated_frames_drop(&frames);
}

static void allocate_without_memory(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocation_request req = tmm_request_aligned(8, 8);
	u64 before = tmm_test_frames_fingerprint(test);
	struct tmm_allocated_frames *frames;

	tmm_test_fail_alloc(test, 1);
	frames = tmm_frame_allocator_allocate(&tf->fa, &req);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, PTR_ERR(frames), -ENOMEM);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static int try_add(struct tmm_test_frames *tf, u64 first, u64 nr, void *table)
{
	struct tmm_frame_region *region = &tf->regions[tf->nr_regions];

	region->range.type = TMM_REGION_GENERAL;
	region->range.first = first;
	region->range.nr = nr;
	return tmm_frame_regions_add(&tf->fa, region, table);
}

/* The memory is too small for the tables of the refused regions, so a write would be noticed. */
static void add_refused_touches_nothing(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u8 *table = tmm_test_kvzalloc(test, tmm_frame_regions_nr_bytes(2950, 100));
	u64 before = tmm_test_frames_fingerprint(test);

	table[0] = 0xa5;
	KUNIT_EXPECT_EQ(test, try_add(tf, 500, 0, table), -EINVAL);
	KUNIT_EXPECT_EQ(test, try_add(tf, 5000, TMM_NUMBER_LIMIT, table), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, try_add(tf, 5000, TMM_FRAME_MAPS_MAX_NR + 1, table), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, try_add(tf, U64_MAX - 9, 100, table), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, table[0], 0xa5);
	KUNIT_EXPECT_EQ(test, try_add(tf, 2950, 100, table), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

/* The runs are freed in the order A, C, B. In Theseus that leaves two ranges. */
static void drop_joins_both_neighbours(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *a = tmm_test_frames_take_any(test, 10);
	struct tmm_allocated_frames *b = tmm_test_frames_take_any(test, 10);
	struct tmm_allocated_frames *c = tmm_test_frames_take_any(test, 10);
	struct tmm_allocated_frames *rest = tmm_test_frames_take_any(test, 1970);

	tmm_allocated_frames_drop(&a);
	tmm_allocated_frames_drop(&c);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_ranges(&tf->regions[0].range.free), 2);
	tmm_allocated_frames_drop(&b);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_ranges(&tf->regions[0].range.free), 1);
	KUNIT_EXPECT_EQ(test, tmm_free_set_largest(&tf->regions[0].range.free, TMM_4K), 30);
	tmm_allocated_frames_drop(&rest);
}

static void drop_of_nothing(struct kunit *test)
{
	struct tmm_allocated_frames *frames = NULL;
	u64 before = tmm_test_frames_fingerprint(test);

	tmm_allocated_frames_drop(&frames);
	frames = ERR_PTR(-ENOSPC);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void drop_needs_no_memory(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1234, 5);

	tmm_test_fail_alloc(test, 1);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
}

/* Calls the check that stops a wrong drop; the drop itself would warn. */
static int hook_given(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_test_frames *tf = test->priv;
	int err;

	spin_lock(&tf->fa.ra.lock);
	err = tf->fa.ra.hooks->given(&tf->regions[0].range, start, nr);
	spin_unlock(&tf->fa.ra.lock);
	return err;
}

static void second_free_is_refused(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1500, 10);
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, hook_given(test, 1200, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, hook_given(test, 1495, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, hook_given(test, 1505, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	tmm_allocated_frames_drop(&frames);
}

static void free_of_a_mapped_frame_is_refused(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1500, 10);
	struct tmm_mapped_frames *mapped = tmm_frames_into_mapped(&frames);
	struct tmm_unmapped_frames *unmapped;
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, hook_given(test, 1500, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, hook_given(test, 1509, 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	unmapped = tmm_frames_into_unmapped(&mapped);
	before = tmm_test_frames_fingerprint(test);
	KUNIT_EXPECT_EQ(test, hook_given(test, 1500, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	frames = tmm_frames_into_allocated(&unmapped);
	tmm_allocated_frames_drop(&frames);
}

static void states_in_order(struct kunit *test)
{
	struct tmm_allocated_frames *allocated = tmm_test_frames_take_at(test, 1500, 600);
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;

	mapped = tmm_frames_into_mapped(&allocated);
	KUNIT_EXPECT_PTR_EQ(test, allocated, NULL);
	KUNIT_EXPECT_EQ(test, mapped->f.state, TMM_STATE_MAPPED);
	expect_marks(test, 1500, 600, TMM_MARK_MAPPED);
	unmapped = tmm_frames_into_unmapped(&mapped);
	KUNIT_EXPECT_PTR_EQ(test, mapped, NULL);
	KUNIT_EXPECT_EQ(test, unmapped->f.state, TMM_STATE_UNMAPPED);
	expect_marks(test, 1500, 600, TMM_MARK_UNMAPPED);
	allocated = tmm_frames_into_allocated(&unmapped);
	KUNIT_EXPECT_PTR_EQ(test, unmapped, NULL);
	KUNIT_EXPECT_EQ(test, allocated->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&allocated->f), 600);
	expect_marks(test, 1500, 600, TMM_MARK_ALLOCATED);
	tmm_allocated_frames_drop(&allocated);
}

static void states_of_a_drop(struct kunit *test)
{
	struct tmm_allocated_frames *allocated = tmm_test_frames_take_at(test, 1500, 600);
	struct tmm_mapped_frames *mapped = tmm_frames_into_mapped(&allocated);

	allocated = tmm_frames_unmap_into_allocated(&mapped);
	KUNIT_EXPECT_PTR_EQ(test, mapped, NULL);
	KUNIT_EXPECT_EQ(test, allocated->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&allocated->f), 600);
	expect_marks(test, 1500, 600, TMM_MARK_ALLOCATED);
	tmm_allocated_frames_drop(&allocated);
}

static void count_of_a_run(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1500, 600);
	struct tmm_frame_range range = { { 1400, 1000, TMM_4K } };
	u64 counts[TMM_NR_MARKS] = {};

	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(&tf->fa, &range, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_ALLOCATED], 600);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 400);
	tmm_allocated_frames_drop(&frames);
}

/* Any client may count in a loop, so allocations must not wait for a lock that counting holds. */
static void count_takes_no_lock(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1500, 600);
	struct tmm_frame_range range = { { 1280, 256, TMM_4K } };
	u64 counts[TMM_NR_MARKS] = {};
	int err;

	spin_lock(&tf->fa.ra.lock);
	err = tmm_frame_regions_count(&tf->fa, &range, counts);
	spin_unlock(&tf->fa.ra.lock);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_ALLOCATED], 36);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 220);
	tmm_allocated_frames_drop(&frames);
}

static void count_of_a_run_that_is_not_in_one_region(struct kunit *test)
{
	const struct tmm_range outside[] = {
		{ 0, 10, TMM_4K }, { 999, 5, TMM_4K }, { 2990, 20, TMM_4K }, { 3050, 51, TMM_4K },
		{ 512, 4, TMM_2M }, { 1100, 2000, TMM_4K }, { 2048, 1024, TMM_4K },
	};
	struct tmm_test_frames *tf = test->priv;
	u64 counts[TMM_NR_MARKS] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		struct tmm_frame_range range = { outside[i] };

		KUNIT_EXPECT_EQ_MSG(test, tmm_frame_regions_count(&tf->fa, &range, counts),
				    -ERANGE, "run %u", i);
		KUNIT_EXPECT_PTR_EQ_MSG(test, memchr_inv(counts, 0, sizeof(counts)), NULL,
					"run %u", i);
	}
}

static struct kunit_case frames_cases[] = {
	KUNIT_CASE(allocate_marks_and_drop_gives_back),
	KUNIT_CASE(allocate_exactly_all),
	KUNIT_CASE(allocate_exact_fits),
	KUNIT_CASE(allocate_at_across_many_pieces),
	KUNIT_CASE(allocate_aligned_in_range),
	KUNIT_CASE(refused_allocation_changes_nothing),
	KUNIT_CASE(allocate_without_memory),
	KUNIT_CASE(add_refused_touches_nothing),
	KUNIT_CASE(drop_joins_both_neighbours),
	KUNIT_CASE(drop_of_nothing),
	KUNIT_CASE(drop_needs_no_memory),
	KUNIT_CASE(second_free_is_refused),
	KUNIT_CASE(free_of_a_mapped_frame_is_refused),
	KUNIT_CASE(states_in_order),
	KUNIT_CASE(states_of_a_drop),
	KUNIT_CASE(count_of_a_run),
	KUNIT_CASE(count_takes_no_lock),
	KUNIT_CASE(count_of_a_run_that_is_not_in_one_region),
	{}
};

static struct kunit_suite frames_suite = {
	.name = "theseus_mm_frames",
	.init = init_case,
	.exit = tmm_test_frames_exit,
	.test_cases = frames_cases,
};

kunit_test_suite(frames_suite);
