// SPDX-License-Identifier: GPL-2.0
#include "alloc/waiters.h"

#include "alloc/wake.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define ATTEMPTS_ORDER	4

/* A running call whose own releases are counted separately. */
struct attempt {
	/* the calling task; NULL if the slot is free */
	const struct task_struct *task;
	/* releases that the call itself caused */
	struct tmm_waiters_counts own;
};

/* Every release reads this number, which changes only when a waiter joins or leaves. */
atomic_t tmm_waiters_nr_joined __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_nr_joined);

static atomic64_t counts[TMM_NR_RESOURCES];
static DECLARE_WAIT_QUEUE_HEAD(queue);

static void wake_all(struct work_struct *work);

static struct workqueue_struct *wakers;
static DECLARE_WORK(wake_work, wake_all);

/* Slots by a hash of the task. A call whose slot is in use does not count its own releases. */
static struct attempt attempts[1 << ATTEMPTS_ORDER];

static struct attempt *place_of(const struct task_struct *task)
{
	return &attempts[hash_ptr(task, ATTEMPTS_ORDER)];
}

static void *wake_key(void)
{
	return poll_to_key(EPOLLIN | EPOLLRDNORM);
}

/* A waiter that comes during the walk needs no wake-up, because it sees the new counts. */
static void wake_all(struct work_struct *work)
{
	tmm_wake_all(&queue, wake_key());
}

/* Prepare for releases with many waiters. Return: 0 or -ENOMEM */
int __init tmm_waiters_init(void)
{
	wakers = alloc_workqueue("theseus_mm-wake", WQ_UNBOUND, 0);
	return wakers ? 0 : -ENOMEM;
}

/* Undo tmm_waiters_init() after the last release. May sleep. */
void tmm_waiters_exit(void)
{
	destroy_workqueue(wakers);
}

/*
 * Let releases be counted from here on, until tmm_waiters_leave(). An attempt that begins after
 * this function can use every resource whose release is not counted. Any context.
 */
void tmm_waiters_join(void)
{
	atomic_inc(&tmm_waiters_nr_joined);
	/*
	 * Pairs with the barrier in tmm_waiters_note(): either a release is counted, or the caller
	 * sees the released resource.
	 */
	smp_mb__after_atomic();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_join);

/* Undo tmm_waiters_join(). */
void tmm_waiters_leave(void)
{
	atomic_dec(&tmm_waiters_nr_joined);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_leave);

/*
 * Count a release, and wake the waiters. Not in interrupts.
 *
 * The caller wakes a few waiters itself, so that these need not wait for a kernel thread. If more
 * waiters are left, a work item wakes all of them. So the caller's work does not grow with the
 * number of waiters.
 */
void tmm_waiters_count(enum tmm_resource resource)
{
	struct attempt *place = place_of(current);

	atomic64_inc(&counts[resource]);
	if (READ_ONCE(place->task) == current)
		place->own.nr[resource]++;
	/*
	 * wq_has_sleeper() contains a barrier: either this CPU sees the waiter, or the waiter
	 * sees the new count. If the work item is already queued, its walk has not begun yet, and
	 * finds the waiter too.
	 */
	if (wq_has_sleeper(&queue) && tmm_wake_some(&queue, wake_key()))
		queue_work(wakers, &wake_work);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_count);

/* Read the counts of releases. */
void tmm_waiters_read(struct tmm_waiters_counts *now)
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		now->nr[i] = atomic64_read(&counts[i]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_read);

/* The wait queue for releases. */
struct wait_queue_head *tmm_waiters_queue(void)
{
	return &queue;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_queue);

/*
 * Count this task's own releases separately, until tmm_waiters_end() by the same task. @now
 * is set to the counts. A call that starts after this function can use every resource whose
 * release is in these counts. Process context; needs no lock.
 */
void tmm_waiters_begin(struct tmm_waiters_counts *now)
{
	struct attempt *place = place_of(current);

	if (!cmpxchg(&place->task, NULL, current))
		place->own = (struct tmm_waiters_counts){};
	tmm_waiters_read(now);
}

/*
 * Undo tmm_waiters_begin(), and add this call's own releases to @before, the counts of
 * tmm_waiters_begin(). The added number may be too small if another task uses the slot. Process
 * context; needs no lock.
 */
void tmm_waiters_end(struct tmm_waiters_counts *before)
{
	struct attempt *place = place_of(current);
	unsigned int i;

	if (READ_ONCE(place->task) != current)
		return;
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		before->nr[i] += place->own.nr[i];
	/*
	 * Pairs with the exchange in tmm_waiters_begin(); afterwards another task may use the
	 * slot. A compiler barrier is enough: on x86, a CPU reorders no load or store with a later
	 * store of its own.
	 */
	smp_store_release(&place->task, NULL);
}
