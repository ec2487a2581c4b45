// SPDX-License-Identifier: GPL-2.0
/*
 * The cleaner of a frame allocator: free frames become clean, no use of a frame leaves it clean,
 * and the piece that is being cleared is free for every kind of request.
 */
#include "alloc/cleaner.h"

#include "alloc/bad_frames.h"
#include "alloc/cleaner_thread.h"
#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"
#include "alloc/magazine.h"
#include "alloc/table_frames.h"
#include "support/frames_fixture.h"
#include "support/invariants.h"

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/string.h>

#define FIRST		1024
#define NR		2048
#define PATTERN		0xa5
#define TIMEOUT		(60 * HZ)

/* The module's parameter before the case */
static bool was_on;

/* General frames [FIRST, FIRST + NR), which begin at a multiple of 2 MiB, none of them zero. */
static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);

	test->priv = tf;
	was_on = READ_ONCE(tmm_cleaner_is_on);
	tmm_test_frames_add_backed(test, tf, TMM_REGION_GENERAL, FIRST, NR);
	memset(tf->regions[0].window, PATTERN, NR << TMM_PAGE_SHIFT);
	return tmm_magazines_create(&tf->fa.ra);
}

static void exit_case(struct kunit *test)
{
	if (!test->priv)
		return;
	tmm_cleaner_stop(tmm_test_fa(test));
	WRITE_ONCE(tmm_cleaner_is_on, was_on);
	tmm_cleaner_recall(&tmm_test_fa(test)->ra);
	tmm_bad_frames_end(tmm_test_fa(test));
	tmm_test_frames_destroy(test, test->priv);
}

static void *memory_of(struct kunit *test, u64 number)
{
	struct tmm_test_frames *tf = test->priv;

	return tf->regions[0].window + ((number - FIRST) << TMM_PAGE_SHIFT);
}

static void spoil(struct kunit *test, const struct tmm_frames *frames)
{
	memset(memory_of(test, frames->chunk.start), PATTERN, frames->chunk.nr << TMM_PAGE_SHIFT);
}

/* Clears the frames for a new owner, who finds zeros. */
static void zero_new(struct kunit *test, struct tmm_allocated_frames *frames)
{
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero_new(frames), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(memory_of(test, frames->f.chunk.start), 0,
					     frames->f.chunk.nr << TMM_PAGE_SHIFT), NULL);
}

static u64 nr_clean(struct kunit *test)
{
	return tmm_cleaner_count(tmm_test_fa(test));
}

static u64 nr_free(struct kunit *test)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&tmm_test_fa(test)->ra, &totals);
	return totals.nr_free;
}

/* Does what the thread does. */
static void clean_all(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	enum tmm_cleaner_found found;
	u64 cursor = 0;

	do {
		found = tmm_cleaner_take(fa, &cursor);
		KUNIT_ASSERT_NE(test, found, TMM_CLEANER_BUSY);
		while (tmm_cleaner_clear_one(fa, &cursor))
			cond_resched();
	} while (found != TMM_CLEANER_NOTHING);
}

/* Takes the first block, all of it free and dirty, as a piece, and clears a few of its frames. */
static void begin_piece(struct kunit *test, u64 nr_done)
{
	struct tmm_allocated_frames *block = tmm_test_frames_take_at(test, FIRST, 512);
	u64 cursor = 0;

	spoil(test, &block->f);
	tmm_allocated_frames_drop(&block);
	KUNIT_ASSERT_EQ(test, tmm_cleaner_take(tmm_test_fa(test), &cursor), TMM_CLEANER_PIECE);
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->cleaner.nr, 512);
	for (; nr_done; nr_done--)
		KUNIT_EXPECT_TRUE(test, tmm_cleaner_clear_one(tmm_test_fa(test), &cursor));
}

/* All frames hold zeros for a new owner, whatever the map says of them. */
static void expect_sound(struct kunit *test)
{
	struct tmm_allocated_frames *all;

	tmm_check_frame_allocator(test, tmm_test_fa(test));
	all = tmm_test_frames_take_at(test, FIRST, NR);
	zero_new(test, all);
	spoil(test, &all->f);
	tmm_allocated_frames_drop(&all);
	KUNIT_EXPECT_EQ(test, nr_clean(test), 0);
}

static void free_frames_become_clean(struct kunit *test)
{
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, nr_clean(test), 0);
	clean_all(test);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(memory_of(test, FIRST), 0, NR << TMM_PAGE_SHIFT),
			    NULL);
	/* clean and dirty runs are one free run */
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	expect_sound(test);
}

static void only_free_frames_are_cleared(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST + 100, 600);

	clean_all(test);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 600);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(memory_of(test, FIRST + 100), PATTERN,
					     600 << TMM_PAGE_SHIFT), NULL);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 600);
	expect_sound(test);
}

static void freed_frames_are_dirty(struct kunit *test)
{
	struct tmm_allocated_frames *frames;

	clean_all(test);
	frames = tmm_test_frames_take_at(test, FIRST + 500, 700);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 700);
	zero_new(test, frames);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 700);
	clean_all(test);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR);
	expect_sound(test);
}

/* A run that comes back to dirty neighbours does not make them clean. */
static void dirty_frames_stay_dirty(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST, 1536), *rest;

	clean_all(test);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, FIRST + 1280, &rest), 0);
	tmm_allocated_frames_drop(&rest);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 1536);
	expect_sound(test);
}

/* Kernel code may use frames without clearing them. */
static void every_use_makes_dirty(struct kunit *test)
{
	struct tmm_allocated_frames *frames, *rest;
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;
	u64 number;

	clean_all(test);
	frames = tmm_test_frames_take_at(test, FIRST, 8);
	mapped = tmm_frames_into_mapped(&frames);
	spoil(test, &mapped->f);
	unmapped = tmm_frames_into_unmapped(&mapped);
	frames = tmm_frames_into_allocated(&unmapped);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, FIRST + 3, &rest), 0);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&rest);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 8);

	frames = tmm_test_frames_take_at(test, FIRST + 1000, 9);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	rest = frames;
	tmm_allocated_frames_drop(&frames);
	spoil(test, &rest->f);
	tmm_allocated_frames_unborrow(rest);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 17);

	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(tmm_test_fa(test), &number), 0);
	memset(memory_of(test, number), PATTERN, TMM_PAGE_SIZE);
	tmm_table_frames_give(tmm_test_fa(test), number);
	KUNIT_EXPECT_LE(test, nr_clean(test), NR - 17);
	expect_sound(test);
}

/* The frames are in the clean map while they are in a magazine, where nobody looks. */
static void cached_frames_are_cleared(struct kunit *test)
{
	struct tmm_allocated_frames *frames, *rest;
	unsigned int i;

	clean_all(test);
	migrate_disable();
	for (i = 0; i < 8; i++) {
		frames = tmm_test_frames_take_any(test, 1);
		zero_new(test, frames);
		spoil(test, &frames->f);
		tmm_allocated_frames_drop(&frames);
	}
	rest = tmm_test_frames_take_at(test, FIRST + 100, 8);
	while (rest->f.chunk.nr > 1) {
		KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(rest, rest->f.chunk.start + 1,
								    &frames), 0);
		spoil(test, &rest->f);
		tmm_allocated_frames_drop(&rest);
		rest = frames;
	}
	spoil(test, &rest->f);
	tmm_allocated_frames_drop(&rest);
	for (i = 0; i < 16; i++) {
		frames = tmm_test_frames_take_any(test, 1);
		zero_new(test, frames);
		spoil(test, &frames->f);
		tmm_allocated_frames_drop(&frames);
	}
	migrate_enable();
	expect_sound(test);
}

static bool choose_last(const struct tmm_free_frames *frames, void *context,
			struct tmm_allocation_request *req)
{
	*req = tmm_request_at(tmm_chunk_end(&frames->f.chunk) - 1, 1);
	return tmm_frames_nr(&frames->f) == NR;
}

/* Each request needs frames of the piece. */
static void requests_recall_the_piece(struct kunit *test)
{
	const struct tmm_allocation_request reqs[] = {
		tmm_request_any(NR),
		tmm_request_aligned(1024, NR),
		tmm_request_at(FIRST, 1),
		tmm_request_at(FIRST + 500, 100),
		tmm_request_in_range(FIRST, FIRST + 7, 8),
	};
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		begin_piece(test, 3);
		frames = tmm_test_frames_take(test, test->priv, reqs[i]);
		zero_new(test, frames);
		spoil(test, &frames->f);
		tmm_allocated_frames_drop(&frames);
		begin_piece(test, 3);
		frames = tmm_frame_allocator_allocate_deferred(tmm_test_fa(test), &reqs[i],
							       &action);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
		tmm_allocated_frames_drop(&frames);
		tmm_deferred_action_finish(&action);
	}
	begin_piece(test, 3);
	frames = tmm_frame_allocator_inspect_then_allocate(tmm_test_fa(test), choose_last, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	tmm_allocated_frames_drop(&frames);
	expect_sound(test);
}

/* If the piece is all that is free, tables and single frames come from the piece. */
static void last_frames_are_in_the_piece(struct kunit *test)
{
	struct tmm_allocated_frames *rest = tmm_test_frames_take_at(test, FIRST + 512, NR - 512);
	struct tmm_allocated_frames *frames;
	u64 number;

	begin_piece(test, 5);
	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(tmm_test_fa(test), &number), 0);
	tmm_table_frames_give(tmm_test_fa(test), number);
	begin_piece(test, 5);
	frames = tmm_test_frames_take_any(test, 1);
	tmm_allocated_frames_drop(&frames);
	begin_piece(test, 5);
	KUNIT_EXPECT_EQ(test, nr_free(test), 512);
	tmm_allocated_frames_drop(&rest);
	expect_sound(test);
}

/* A recall keeps what is already cleared, and the same pass goes on with the rest. */
static void recall_keeps_clean_frames(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	u64 before = tmm_test_frames_fingerprint(test);
	u64 cursor = FIRST + 7;

	begin_piece(test, 7);
	KUNIT_EXPECT_FALSE(test, fa->cleaner.has_work);
	tmm_cleaner_recall(&fa->ra);
	KUNIT_EXPECT_FALSE(test, fa->cleaner.has_work);
	KUNIT_EXPECT_FALSE(test, tmm_cleaner_clear_one(fa, &cursor));
	KUNIT_EXPECT_EQ(test, cursor, FIRST + 7);
	KUNIT_EXPECT_EQ(test, nr_clean(test), 7);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_cleaner_take(fa, &cursor), TMM_CLEANER_PIECE);
	KUNIT_EXPECT_EQ(test, fa->cleaner.start, FIRST + 7);
	tmm_cleaner_recall(&fa->ra);
	clean_all(test);
	KUNIT_EXPECT_FALSE(test, fa->cleaner.has_work);
	expect_sound(test);
	KUNIT_EXPECT_TRUE(test, fa->cleaner.has_work);
}

static void drain_keeps_the_cleaner_away(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	u64 cursor = 0;

	begin_piece(test, 1);
	tmm_magazines_open_drain(&fa->ra);
	KUNIT_EXPECT_EQ(test, fa->cleaner.nr, 0);
	KUNIT_EXPECT_EQ(test, tmm_cleaner_take(fa, &cursor), TMM_CLEANER_BUSY);
	tmm_magazines_close_drain(&fa->ra);
	KUNIT_EXPECT_EQ(test, tmm_cleaner_take(fa, &cursor), TMM_CLEANER_PIECE);
}

static void frame_of_the_piece_goes_bad(struct kunit *test)
{
	struct tmm_allocated_frames *frames;

	begin_piece(test, 5);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(tmm_test_fa(test), FIRST + 3), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->nr_retired, 1);
	clean_all(test);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 1);
	frames = tmm_test_frames_take_at(test, FIRST + 4, NR - 4);
	zero_new(test, frames);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 1);
}

/* Waits until the thread has cleared @nr frames. */
static void await_clean(struct kunit *test, u64 nr)
{
	const unsigned long end = jiffies + TIMEOUT;

	while (nr_clean(test) < nr && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, nr_clean(test), nr);
}

static void thread_clears_what_is_freed(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	struct tmm_allocated_frames *frames;

	WRITE_ONCE(tmm_cleaner_is_on, true);
	KUNIT_ASSERT_EQ(test, tmm_cleaner_start(fa), 0);
	await_clean(test, NR);
	frames = tmm_test_frames_take_at(test, FIRST + 10, 1000);
	zero_new(test, frames);
	spoil(test, &frames->f);
	tmm_allocated_frames_drop(&frames);
	await_clean(test, NR);
	WRITE_ONCE(tmm_cleaner_is_on, false);
	frames = tmm_test_frames_take_at(test, FIRST + 10, 1000);
	tmm_allocated_frames_drop(&frames);
	msleep(500);
	KUNIT_EXPECT_EQ(test, nr_clean(test), NR - 1000);
	tmm_cleaner_stop(fa);
	expect_sound(test);
}

/* While the thread works, every request that fits succeeds, and the owner finds zeros. */
static void thread_causes_no_lack(struct kunit *test)
{
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	struct tmm_allocated_frames *all;
	unsigned int i;

	WRITE_ONCE(tmm_cleaner_is_on, true);
	KUNIT_ASSERT_EQ(test, tmm_cleaner_start(fa), 0);
	for (i = 0; i < 20; i++) {
		msleep(i % 4 * 40);
		all = tmm_test_frames_take_any(test, NR);
		zero_new(test, all);
		spoil(test, &all->f);
		tmm_allocated_frames_drop(&all);
	}
	tmm_cleaner_stop(fa);
	expect_sound(test);
}

static struct kunit_case cleaner_cases[] = {
	KUNIT_CASE(free_frames_become_clean),
	KUNIT_CASE(only_free_frames_are_cleared),
	KUNIT_CASE(freed_frames_are_dirty),
	KUNIT_CASE(dirty_frames_stay_dirty),
	KUNIT_CASE(every_use_makes_dirty),
	KUNIT_CASE(cached_frames_are_cleared),
	KUNIT_CASE(requests_recall_the_piece),
	KUNIT_CASE(last_frames_are_in_the_piece),
	KUNIT_CASE(recall_keeps_clean_frames),
	KUNIT_CASE(drain_keeps_the_cleaner_away),
	KUNIT_CASE(frame_of_the_piece_goes_bad),
	KUNIT_CASE(thread_clears_what_is_freed),
	KUNIT_CASE(thread_causes_no_lack),
	{}
};

static struct kunit_suite cleaner_suite = {
	.name = "theseus_mm_cleaner",
	.init = init_case,
	.exit = exit_case,
	.test_cases = cleaner_cases,
};

kunit_test_suite(cleaner_suite);
