// SPDX-License-Identifier: GPL-2.0
/*
 * Bad frames in a frame allocator: a free frame that goes bad leaves the free set at once, an owned
 * frame when its owner frees it.
 */
#include "alloc/bad_frames.h"

#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/quarantine.h"
#include "alloc/table_frames.h"
#include "support/frames_fixture.h"
#include "support/invariants.h"

#include <linux/slab.h>

#define FIRST	1000
#define NR	100

/*
 * Puts the retired frames back into the free set first, so that the final checks notice if one of
 * them is lost.
 */
static void exit_case(struct kunit *test)
{
	if (!test->priv)
		return;
	tmm_bad_frames_end(tmm_test_fa(test));
	tmm_test_frames_destroy(test, test->priv);
}

static u64 nr_free(struct kunit *test)
{
	struct tmm_range_totals totals;

	tmm_check_frame_allocator(test, tmm_test_fa(test));
	tmm_range_allocator_totals(&tmm_test_fa(test)->ra, &totals);
	return totals.nr_free;
}

static int try_take(struct kunit *test, u64 number)
{
	const struct tmm_allocation_request req = tmm_request_at(number, 1);
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate(tmm_test_fa(test), &req);
	int err = PTR_ERR_OR_ZERO(frames);

	tmm_allocated_frames_drop(&frames);
	return err;
}

static void retire_frame(struct kunit *test, u64 number, int err)
{
	KUNIT_EXPECT_EQ_MSG(test, tmm_bad_frames_retire(tmm_test_fa(test), number), err,
			    "frame %llu", number);
}

static void expect_bad(struct kunit *test, u64 nr_known, u64 nr_retired)
{
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->nr_bad, nr_known);
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->nr_retired, nr_retired);
}

static void a_free_frame_is_out_at_once(struct kunit *test)
{
	static const u64 numbers[] = { FIRST, FIRST + 50, FIRST + 51, FIRST + NR - 1 };
	u64 counts[TMM_NR_MARKS] = {};
	const struct tmm_frame_range all = { { FIRST, NR, TMM_4K } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		retire_frame(test, numbers[i], 0);
		KUNIT_EXPECT_EQ(test, nr_free(test), NR - 1 - i);
		KUNIT_EXPECT_EQ(test, try_take(test, numbers[i]), -EADDRINUSE);
		retire_frame(test, numbers[i], -EEXIST);
	}
	expect_bad(test, 4, 4);
	KUNIT_EXPECT_EQ(test, try_take(test, FIRST + 49), 0);
	KUNIT_EXPECT_EQ(test, try_take(test, FIRST + 52), 0);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(tmm_test_fa(test), &all, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_BAD], 4);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], NR - 4);
}

static void bad_frame_is_retired_when_freed(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST + 10, 10);
	unsigned int i;

	retire_frame(test, FIRST + 10, 0);
	retire_frame(test, FIRST + 15, 0);
	retire_frame(test, FIRST + 16, 0);
	retire_frame(test, FIRST + 19, 0);
	expect_bad(test, 4, 0);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 10);
	tmm_allocated_frames_drop(&frames);
	expect_bad(test, 4, 4);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 4);
	for (i = 10; i < 20; i++)
		KUNIT_EXPECT_EQ(test, try_take(test, FIRST + i),
				i == 10 || i == 15 || i == 16 || i == 19 ? -EADDRINUSE : 0);
}

static void all_of_a_run(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST, NR);
	unsigned int i;

	for (i = 0; i < NR; i++)
		retire_frame(test, FIRST + i, 0);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_free(test), 0);
	expect_bad(test, NR, NR);
}

/* A frame stays known as bad while its run is mapped, unmapped and split. */
static void an_owned_frame_changes_owners(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST + 10, 10);
	struct tmm_allocated_frames *second;
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;

	retire_frame(test, FIRST + 12, 0);
	mapped = tmm_frames_into_mapped(&frames);
	unmapped = tmm_frames_into_unmapped(&mapped);
	frames = tmm_frames_into_allocated(&unmapped);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, FIRST + 15, &second), 0);
	tmm_allocated_frames_drop(&second);
	expect_bad(test, 1, 0);
	tmm_allocated_frames_drop(&frames);
	expect_bad(test, 1, 1);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 1);
}

static void in_quarantine(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST + 10, 10);

	retire_frame(test, FIRST + 12, 0);
	tmm_allocated_frames_quarantine(&frames);
	retire_frame(test, FIRST + 13, 0);
	expect_bad(test, 2, 0);
	tmm_quarantine_end(tmm_test_fa(test));
	expect_bad(test, 2, 2);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 2);
}

static void a_table_stays_in_use(struct kunit *test)
{
	u64 number;

	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(tmm_test_fa(test), &number), 0);
	retire_frame(test, number, -EBUSY);
	retire_frame(test, number, -EEXIST);
	expect_bad(test, 1, 0);
	tmm_table_frames_give(tmm_test_fa(test), number);
	expect_bad(test, 1, 1);
	KUNIT_EXPECT_EQ(test, try_take(test, number), -EADDRINUSE);
	/* the next table gets a good frame */
	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(tmm_test_fa(test), &number), 0);
	KUNIT_EXPECT_FALSE(test, tmm_bad_frames_any(tmm_test_fa(test), number, 1));
	tmm_table_frames_give(tmm_test_fa(test), number);
}

static void retire_outside_of_ram_is_refused(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u64 before;

	tmm_test_frames_add(test, tf, TMM_REGION_RESERVED, 2000, 10);
	before = tmm_test_frames_fingerprint(test);
	retire_frame(test, FIRST - 1, -ERANGE);
	retire_frame(test, FIRST + NR, -ERANGE);
	retire_frame(test, 2005, -ERANGE);
	retire_frame(test, U64_MAX, -ERANGE);
	expect_bad(test, 0, 0);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void asking_about_runs(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);

	KUNIT_EXPECT_FALSE(test, tmm_bad_frames_any(fa, FIRST, NR));
	retire_frame(test, FIRST + 50, 0);
	KUNIT_EXPECT_TRUE(test, tmm_bad_frames_any(fa, FIRST, NR));
	KUNIT_EXPECT_TRUE(test, tmm_bad_frames_any(fa, FIRST + 50, 1));
	KUNIT_EXPECT_TRUE(test, tmm_bad_frames_any(fa, FIRST + 40, 11));
	KUNIT_EXPECT_FALSE(test, tmm_bad_frames_any(fa, FIRST + 40, 10));
	KUNIT_EXPECT_FALSE(test, tmm_bad_frames_any(fa, FIRST + 51, NR));
	KUNIT_EXPECT_FALSE(test, tmm_bad_frames_any(fa, FIRST + 50, 0));
}

/*
 * The entry in the xarray is all that retiring needs. Linux first tries to allocate its memory
 * without waiting, and such a try does not count as an allocation that can fail here.
 */
static void without_memory(struct kunit *test)
{
	u64 before = tmm_test_frames_fingerprint(test);
	bool hit;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_bad_frames_retire(tmm_test_fa(test), FIRST + 50);
	hit = tmm_test_fail_alloc_end();
	KUNIT_EXPECT_EQ(test, err, hit ? -ENOMEM : 0);
	expect_bad(test, !hit, !hit);
	if (hit)
		KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void parse_numbers(struct kunit *test)
{
	static const char *const malformed[] = { "x", "1,", ",1", "1,,2", "-1", "1 2", "0x" };
	unsigned int nr, i;
	u64 *frames;

	KUNIT_ASSERT_EQ(test, tmm_bad_frames_parse("4096,0x130005fff,0", &frames, &nr), 0);
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_EQ(test, frames[0], 1);
	KUNIT_EXPECT_EQ(test, frames[1], 0x130005);
	KUNIT_EXPECT_EQ(test, frames[2], 0);
	kfree(frames);
	for (i = 0; i < ARRAY_SIZE(malformed); i++)
		KUNIT_EXPECT_EQ_MSG(test, tmm_bad_frames_parse(malformed[i], &frames, &nr), -EINVAL,
				    "\"%s\"", malformed[i]);
	KUNIT_EXPECT_EQ(test, tmm_bad_frames_parse("18446744073709551616", &frames, &nr), -ERANGE);
}

static void parse_without_memory(struct kunit *test)
{
	unsigned int nr = 0, nth;
	u64 *frames = NULL;
	bool hit;
	int err;

	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = tmm_bad_frames_parse("4096,8192", &frames, &nr);
		hit = tmm_test_fail_alloc_end();
		KUNIT_EXPECT_TRUE(test, hit);
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	}
}

static struct kunit_case bad_frames_cases[] = {
	KUNIT_CASE(a_free_frame_is_out_at_once),
	KUNIT_CASE(bad_frame_is_retired_when_freed),
	KUNIT_CASE(all_of_a_run),
	KUNIT_CASE(an_owned_frame_changes_owners),
	KUNIT_CASE(in_quarantine),
	KUNIT_CASE(a_table_stays_in_use),
	KUNIT_CASE(retire_outside_of_ram_is_refused),
	KUNIT_CASE(asking_about_runs),
	KUNIT_CASE(without_memory),
	KUNIT_CASE(parse_numbers),
	KUNIT_CASE(parse_without_memory),
	{}
};

static struct kunit_suite bad_frames_suite = {
	.name = "theseus_mm_bad_frames",
	.init = tmm_test_frames_init,
	.exit = exit_case,
	.test_cases = bad_frames_cases,
};

kunit_test_suite(bad_frames_suite);
