// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"

#include "support/frames_fixture.h"

#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/sched.h>

static struct tmm_allocated_frames *take_borrowed(struct kunit *test, u64 number, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, number, nr);

	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	KUNIT_EXPECT_TRUE(test, tmm_allocated_frames_is_borrowed(frames));
	return frames;
}

static void merge_of_borrowed_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_borrowed(test, 1010, 10);
	struct tmm_allocated_frames *other = tmm_test_frames_take_at(test, 1020, 10);
	struct tmm_allocated_frames *borrowed = frames;

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &other), -EBUSY);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(other, &borrowed), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, borrowed, frames);
	TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	TMM_EXPECT_FRAMES(test, other, 1020, 10);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &other), 0);
	TMM_EXPECT_FRAMES(test, frames, 1010, 20);
	tmm_allocated_frames_drop(&frames);
}

static void split_of_borrowed_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_borrowed(test, 1010, 10);
	struct tmm_frame_range middle = { { 1012, 2, TMM_4K } };
	struct tmm_allocated_frames *before = NULL, *after = NULL;

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(frames, 1015, &after), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_range(frames, middle, &before, &after),
			-EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, before, NULL);
	KUNIT_EXPECT_PTR_EQ(test, after, NULL);
	TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_range(frames, middle, &before, &after),
			0);
	/* The borrow ended before the split, so none of the parts is borrowed. */
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(before));
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(after));
	tmm_allocated_frames_drop(&before);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&after);
}

static void zero_of_borrowed_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_borrowed(test, 1010, 10);
	struct tmm_test_frames *tf = test->priv;
	u8 *window = tf->regions[0].window;

	memset(window, 0xa5, 100 * 4096);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(window, 0xa5, 100 * 4096), NULL);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), 0);
	tmm_allocated_frames_drop(&frames);
}

static void drop_waits_for_the_last_borrow(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct tmm_allocation_request req = tmm_request_at(1015, 1);
	u64 before = tmm_test_frames_fingerprint(test);
	struct tmm_allocated_frames *frames = take_borrowed(test, 1010, 10);
	struct tmm_allocated_frames *owner = frames;
	u64 owned = tmm_test_frames_fingerprint(test);

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	tmm_allocated_frames_drop(&owner);
	KUNIT_EXPECT_PTR_EQ(test, owner, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), owned);
	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_frame_allocator_allocate(&tf->fa, &req)), -EADDRINUSE);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), owned);
	tmm_test_fail_alloc(test, 1);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void borrow_is_counted(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_borrowed(test, 1010, 10);

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_TRUE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	tmm_allocated_frames_drop(&frames);
}

static void borrow_of_no_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *empty;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, 1020, &empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_borrow(empty), -EINVAL);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(empty));
	tmm_allocated_frames_drop(&empty);
	tmm_allocated_frames_drop(&frames);
}

static void borrow_too_often(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);

	atomic_set(&frames->f.users, INT_MAX);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_borrow(frames), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, atomic_read(&frames->f.users), INT_MAX);
	atomic_set(&frames->f.users, 1);
	tmm_allocated_frames_drop(&frames);
}

/* The object of a run becomes a node of the free set, and then an owned run again. */
static void recycled_objects_are_not_borrowed(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_borrowed(test, 1000, 100);
	struct tmm_allocated_frames *owner = frames;

	tmm_allocated_frames_drop(&owner);
	tmm_allocated_frames_unborrow(frames);
	frames = tmm_test_frames_take_at(test, 1000, 100);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_drop(&frames);
}

#define NR_ROUNDS 2000

/* An owner drops frames while a borrower returns them. */
struct race {
	struct tmm_allocated_frames *frames;
	unsigned int round;	/* the owner sets this to begin a round */
	unsigned int done;	/* the borrower sets this to end the round */
};

static int borrow_often(void *context)
{
	struct race *race = context;
	unsigned int round;

	for (round = 1; !kthread_should_stop(); round++) {
		/* Pairs with the owner's release of @round: @frames belongs to this round. */
		while (smp_load_acquire(&race->round) != round) {
			if (kthread_should_stop())
				return 0;
			cond_resched();
		}
		tmm_allocated_frames_unborrow(race->frames);
		/* Pairs with the owner's acquire: the borrow has ended. */
		smp_store_release(&race->done, round);
	}
	return 0;
}

static void drop_races_with_the_end_of_a_borrow(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	struct race *race = tmm_test_kvzalloc(test, sizeof(*race));
	struct task_struct *thread = kthread_run(borrow_often, race, "tmm_borrower");
	struct tmm_allocated_frames *frames;
	unsigned int round;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	for (round = 1; round <= NR_ROUNDS; round++) {
		struct tmm_allocation_request req = tmm_request_at(1000 + round % 90, 10);

		frames = tmm_frame_allocator_allocate(&tf->fa, &req);
		if (IS_ERR(frames) || tmm_allocated_frames_borrow(frames))
			break;
		race->frames = frames;
		/* Pairs with the borrower's acquire. */
		smp_store_release(&race->round, round);
		tmm_allocated_frames_drop(&frames);
		/* Pairs with the borrower's release. */
		while (smp_load_acquire(&race->done) != round)
			cond_resched();
		if (tmm_free_set_nr_free(&tf->regions[0].range.free) != 100)
			break;
	}
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, round, NR_ROUNDS + 1);
}

static struct kunit_case frames_borrow_cases[] = {
	KUNIT_CASE(merge_of_borrowed_frames),
	KUNIT_CASE(split_of_borrowed_frames),
	KUNIT_CASE(zero_of_borrowed_frames),
	KUNIT_CASE(drop_waits_for_the_last_borrow),
	KUNIT_CASE(borrow_is_counted),
	KUNIT_CASE(borrow_of_no_frames),
	KUNIT_CASE(borrow_too_often),
	KUNIT_CASE(recycled_objects_are_not_borrowed),
	KUNIT_CASE(drop_races_with_the_end_of_a_borrow),
	{}
};

static struct kunit_suite frames_borrow_suite = {
	.name = "theseus_mm_frames_borrow",
	.init = tmm_test_frames_init,
	.exit = tmm_test_frames_exit,
	.test_cases = frames_borrow_cases,
};

kunit_test_suite(frames_borrow_suite);
