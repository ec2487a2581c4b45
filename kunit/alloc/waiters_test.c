// SPDX-License-Identifier: GPL-2.0
/* Releases wake every waiter, and the releasing task wakes only a few. */
#include "alloc/waiters.h"
#include "alloc/wake.h"

#include "support/fixture.h"

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/wait.h>

#define NR_WAITERS	(16 * TMM_WAKE_AT_ONCE + 1)

/* A queue full of waiters. */
struct crowd {
	struct wait_queue_entry waiters[NR_WAITERS];
	unsigned int nr_woken[NR_WAITERS];	/* by waiter, under the lock of the queue */
	struct task_struct *releaser;
	unsigned int nr_by_releaser;	/* wake-ups by the releasing task */
	unsigned int nr_missing;	/* waiters that were not woken */
	struct completion all_woken;
};

static int note_wake_up(struct wait_queue_entry *waiter, unsigned int mode, int flags, void *key)
{
	struct crowd *crowd = waiter->private;

	crowd->nr_by_releaser += current == crowd->releaser;
	if (!crowd->nr_woken[waiter - crowd->waiters]++ && !--crowd->nr_missing)
		complete(&crowd->all_woken);
	return 1;
}

/* A waiter that leaves the queue when it is woken, as after POLLFREE. */
static int note_and_leave(struct wait_queue_entry *waiter, unsigned int mode, int flags, void *key)
{
	list_del_init(&waiter->entry);
	return note_wake_up(waiter, mode, flags, key);
}

static struct crowd *make_crowd(struct kunit *test, wait_queue_func_t func)
{
	struct crowd *crowd = kunit_kzalloc(test, sizeof(*crowd), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, crowd);
	tmm_waiters_join();
	init_completion(&crowd->all_woken);
	crowd->releaser = current;
	crowd->nr_missing = NR_WAITERS;
	for (i = 0; i < NR_WAITERS; i++) {
		init_waitqueue_func_entry(&crowd->waiters[i], func);
		crowd->waiters[i].private = crowd;
		if (i % 3)
			add_wait_queue(tmm_waiters_queue(), &crowd->waiters[i]);
		else
			add_wait_queue_exclusive(tmm_waiters_queue(), &crowd->waiters[i]);
	}
	return crowd;
}

static void expect_all_woken(struct kunit *test, struct crowd *crowd)
{
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&crowd->all_woken, 20 * HZ));
	KUNIT_EXPECT_LE(test, crowd->nr_by_releaser, TMM_WAKE_AT_ONCE);
	KUNIT_EXPECT_GT(test, crowd->nr_by_releaser, 0);
}

static void send_away(struct crowd *crowd)
{
	unsigned int i;

	for (i = 0; i < NR_WAITERS; i++)
		remove_wait_queue(tmm_waiters_queue(), &crowd->waiters[i]);
	tmm_waiters_leave();
}

static u64 nr_counted(void)
{
	struct tmm_waiters_counts now;

	tmm_waiters_read(&now);
	return now.nr[TMM_RESOURCE_PAGES];
}

/* Without waiters, a release writes nothing that other CPUs read. */
static void releases_count_while_a_waiter_has_joined(struct kunit *test)
{
	const bool is_alone = !atomic_read(&tmm_waiters_nr_joined);
	const u64 before = nr_counted();

	tmm_waiters_note(TMM_RESOURCE_PAGES);
	if (is_alone)
		KUNIT_EXPECT_EQ(test, nr_counted(), before);
	tmm_waiters_join();
	tmm_waiters_join();
	tmm_waiters_note(TMM_RESOURCE_PAGES);
	KUNIT_EXPECT_GE(test, nr_counted(), before + 1);
	tmm_waiters_leave();
	tmm_waiters_note(TMM_RESOURCE_PAGES);
	KUNIT_EXPECT_GE(test, nr_counted(), before + 2);
	tmm_waiters_leave();
	tmm_waiters_note(TMM_RESOURCE_PAGES);
	if (is_alone)
		KUNIT_EXPECT_EQ(test, nr_counted(), before + 2);
}

static void every_waiter_is_woken(struct kunit *test)
{
	struct crowd *crowd = make_crowd(test, note_wake_up);

	tmm_waiters_note(TMM_RESOURCE_FRAMES);
	expect_all_woken(test, crowd);
	send_away(crowd);
}

static void waiters_may_leave_when_woken(struct kunit *test)
{
	struct crowd *crowd = make_crowd(test, note_and_leave);

	tmm_waiters_note(TMM_RESOURCE_PAGES);
	expect_all_woken(test, crowd);
	send_away(crowd);
}

/* Few waiters are all woken before the release has ended. */
static void few_waiters_are_woken_at_once(struct kunit *test)
{
	struct crowd *crowd = make_crowd(test, note_wake_up);
	unsigned int i;

	for (i = TMM_WAKE_AT_ONCE; i < NR_WAITERS; i++)
		remove_wait_queue(tmm_waiters_queue(), &crowd->waiters[i]);
	crowd->nr_missing = TMM_WAKE_AT_ONCE;
	tmm_waiters_note(TMM_RESOURCE_HANDLES);
	KUNIT_EXPECT_EQ(test, crowd->nr_missing, 0);
	for (i = 0; i < TMM_WAKE_AT_ONCE; i++)
		remove_wait_queue(tmm_waiters_queue(), &crowd->waiters[i]);
	tmm_waiters_leave();
}

/*
 * A release during the walk of an earlier one wakes every waiter again. The other waiters are
 * added while the work item of the first releases may be running.
 */
static void releases_in_a_row_lose_no_wake_up(struct kunit *test)
{
	struct crowd *crowd;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		tmm_waiters_note(TMM_RESOURCE_FRAMES);
		crowd = make_crowd(test, note_wake_up);
		tmm_waiters_note(TMM_RESOURCE_FRAMES);
		KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&crowd->all_woken, 20 * HZ));
		tmm_waiters_note(TMM_RESOURCE_FRAMES);
		send_away(crowd);
		kunit_kfree(test, crowd);
	}
}

#define NR_RETURNING	(2 * TMM_WAKE_AT_ONCE + 1)

/* Waiters that queue again behind all others when they are woken. */
struct returning {
	struct wait_queue_head queue;
	struct wait_queue_entry waiters[NR_RETURNING];
	unsigned int nr_woken;
};

static int note_and_return(struct wait_queue_entry *waiter, unsigned int mode, int flags,
			   void *key)
{
	struct returning *r = waiter->private;

	/* So a walk without an end stops here, and the case fails. */
	if (++r->nr_woken < 1000)
		list_move_tail(&waiter->entry, &r->queue.head);
	return 1;
}

static void walk_ends_beside_new_waiters(struct kunit *test)
{
	struct returning *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	init_waitqueue_head(&r->queue);
	for (i = 0; i < NR_RETURNING; i++) {
		init_waitqueue_func_entry(&r->waiters[i], note_and_return);
		r->waiters[i].private = r;
		add_wait_queue_exclusive(&r->queue, &r->waiters[i]);
	}
	tmm_wake_all(&r->queue, NULL);
	KUNIT_EXPECT_EQ(test, r->nr_woken, NR_RETURNING);
	for (i = 0; i < NR_RETURNING; i++)
		remove_wait_queue(&r->queue, &r->waiters[i]);
	/* No mark is left. */
	KUNIT_EXPECT_TRUE(test, list_empty(&r->queue.head));
	tmm_wake_all(&r->queue, NULL);
	KUNIT_EXPECT_TRUE(test, list_empty(&r->queue.head));
}

static struct kunit_case waiters_cases[] = {
	KUNIT_CASE(releases_count_while_a_waiter_has_joined),
	KUNIT_CASE(every_waiter_is_woken),
	KUNIT_CASE(waiters_may_leave_when_woken),
	KUNIT_CASE(few_waiters_are_woken_at_once),
	KUNIT_CASE(releases_in_a_row_lose_no_wake_up),
	KUNIT_CASE(walk_ends_beside_new_waiters),
	{}
};

static struct kunit_suite waiters_suite = {
	.name = "theseus_mm_waiters",
	.test_cases = waiters_cases,
};

kunit_test_suite(waiters_suite);
