// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"

#include "alloc/frames_clear.h"
#include "alloc/table_frames.h"
#include "support/frames_fixture.h"
#include "support/invariants.h"

#include <linux/sched/signal.h>
#include <linux/string.h>

/* General [1000, 1100) and reserved [1100, 1150) have memory, [1200, 1210) is device memory. */
static int init_case(struct kunit *test)
{
	tmm_test_frames_init(test);
	tmm_test_frames_add_backed(test, test->priv, TMM_REGION_RESERVED, 1100, 50);
	tmm_test_frames_add(test, test->priv, TMM_REGION_RESERVED, 1200, 10);
	return 0;
}

static void ptr_of_frames(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 1000), tf->regions[0].window);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 1099),
			    tf->regions[0].window + 99 * 4096);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 1100), tf->regions[1].window);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 999), NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 1150), NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, 1200), NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(&tf->fa, U64_MAX), NULL);
}

/* A step of a table walk does not search the device regions, so their number does not matter. */
static void ptr_does_not_look_at_device_memory(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct list_head hidden;
	void *seen[3];

	/* Hide the list of all regions; nobody else uses this allocator. */
	list_replace_init(&tf->fa.ra.regions, &hidden);
	seen[0] = tmm_frame_regions_ptr(&tf->fa, 1000);
	seen[1] = tmm_frame_regions_ptr(&tf->fa, 1149);
	seen[2] = tmm_frame_regions_ptr(&tf->fa, 1200);
	list_replace(&hidden, &tf->fa.ra.regions);
	KUNIT_EXPECT_PTR_EQ(test, seen[0], tf->regions[0].window);
	KUNIT_EXPECT_PTR_EQ(test, seen[1], tf->regions[1].window + 49 * 4096);
	KUNIT_EXPECT_PTR_EQ(test, seen[2], NULL);
}

static void zero_clears_own_frames_only(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	u8 *window = tf->regions[0].window;

	memset(window, 0xa5, 100 * 4096);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(window, 0xa5, 10 * 4096), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(window + 10 * 4096, 0, 10 * 4096), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(window + 20 * 4096, 0xa5, 80 * 4096), NULL);
	tmm_allocated_frames_drop(&frames);
}

static void zero_of_device_memory(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1200, 10);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), -EOPNOTSUPP);
	tmm_allocated_frames_drop(&frames);
}

static void zero_of_a_task_being_killed(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	int err;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	err = tmm_allocated_frames_zero(frames);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, err, -EINTR);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), 0);
	tmm_allocated_frames_drop(&frames);
}

static void take_table_is_zeroed_and_comes_back(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u64 before = tmm_test_frames_fingerprint(test);
	u64 number = 0;

	memset(tf->regions[0].window, 0xa5, 100 * 4096);
	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(&tf->fa, &number), 0);
	KUNIT_EXPECT_EQ(test, tf->fa.nr_tables, 1);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_frame_regions_ptr(&tf->fa, number), 0, 4096),
			    NULL);
	KUNIT_EXPECT_EQ(test, tmm_frame_table_get(&tf->regions[0].table, number), TMM_MARK_TABLE);
	tmm_check_frame_allocator(test, &tf->fa);
	tmm_table_frames_give(&tf->fa, number);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

/* Only general frames become tables. The tables are freed in another order. */
static void take_table_until_exhausted(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u64 *numbers = tmm_test_kvzalloc(test, 100 * sizeof(*numbers));
	u64 before = tmm_test_frames_fingerprint(test);
	u64 full, number = 42;
	unsigned int i;

	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, tmm_table_frames_take(&tf->fa, &numbers[i]), 0);
	full = tmm_test_frames_fingerprint(test);
	KUNIT_EXPECT_EQ(test, tmm_table_frames_take(&tf->fa, &number), -ENOSPC);
	KUNIT_EXPECT_EQ(test, number, 42);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), full);
	for (i = 0; i < 100; i++) {
		tmm_table_frames_give(&tf->fa, numbers[i * 37 % 100]);
		tmm_check_frame_allocator(test, &tf->fa);
	}
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

/* Tables take frames of the next general region, but never frames of a designated one. */
static void take_tables_of_general_regions(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocated_frames *owned = tmm_test_frames_take_at(test, 1000, 99);
	u64 numbers[3], number = 42;
	unsigned int i;

	tmm_test_frames_add_backed(test, tf, TMM_REGION_DESIGNATED, 500, 5);
	tmm_test_frames_add_backed(test, tf, TMM_REGION_GENERAL, 2000, 2);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, tmm_table_frames_take(&tf->fa, &numbers[i]), 0);
		KUNIT_EXPECT_EQ(test, numbers[i], i ? 1999 + i : 1099);
	}
	KUNIT_EXPECT_EQ(test, tmm_table_frames_take(&tf->fa, &number), -ENOSPC);
	KUNIT_EXPECT_EQ(test, number, 42);
	for (i = 0; i < 3; i++)
		tmm_table_frames_give(&tf->fa, numbers[i]);
	tmm_allocated_frames_drop(&owned);
}

/* The frame of a table has no object, so neither call needs memory of Linux's heap. */
static void tables_need_no_heap(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u64 number;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_table_frames_take(&tf->fa, &number);
	if (!err)
		tmm_table_frames_give(&tf->fa, number);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, 0);
}

static struct kunit_case frames_window_cases[] = {
	KUNIT_CASE(ptr_of_frames),
	KUNIT_CASE(ptr_does_not_look_at_device_memory),
	KUNIT_CASE(zero_clears_own_frames_only),
	KUNIT_CASE(zero_of_device_memory),
	KUNIT_CASE(zero_of_a_task_being_killed),
	KUNIT_CASE(take_table_is_zeroed_and_comes_back),
	KUNIT_CASE(take_table_until_exhausted),
	KUNIT_CASE(take_tables_of_general_regions),
	KUNIT_CASE(tables_need_no_heap),
	{}
};

static struct kunit_suite frames_window_suite = {
	.name = "theseus_mm_frames_window",
	.init = init_case,
	.exit = tmm_test_frames_exit,
	.test_cases = frames_window_cases,
};

kunit_test_suite(frames_window_suite);
