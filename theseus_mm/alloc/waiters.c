// SPDX-License-Identifier: GPL-2.0
#include "alloc/waiters.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/wait.h>

#define ATTEMPTS_ORDER	4

/**
 * struct attempt - a running call whose own releases are counted apart
 * @task: the calling task; NULL if the slot is free
 * @own: releases that the call itself caused
 */
struct attempt {
	const struct task_struct *task;
	struct tmm_waiters_counts own;
};

static atomic64_t counts[TMM_NR_RESOURCES];
static DECLARE_WAIT_QUEUE_HEAD(queue);
/* Slots by a hash of the task. A call that finds its slot taken does without. */
static struct attempt attempts[1 << ATTEMPTS_ORDER];

static struct attempt *place_of(const struct task_struct *task)
{
	return &attempts[hash_ptr(task, ATTEMPTS_ORDER)];
}

/**
 * tmm_waiters_note() - count a release, and wake the waiters
 * @resource: the resource; it must be available already
 *
 * Context: Any but interrupt.
 */
void tmm_waiters_note(enum tmm_resource resource)
{
	struct attempt *place = place_of(current);

	atomic64_inc(&counts[resource]);
	if (READ_ONCE(place->task) == current)
		place->own.nr[resource]++;
	/* Has a barrier: either we see the waiter here, or the waiter sees the new count. */
	if (wq_has_sleeper(&queue))
		wake_up_poll(&queue, EPOLLIN | EPOLLRDNORM);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_note);

/**
 * tmm_waiters_read() - read the counts of releases
 * @now: set
 *
 * Context: Any.
 */
void tmm_waiters_read(struct tmm_waiters_counts *now)
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		now->nr[i] = atomic64_read(&counts[i]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_waiters_read);

/**
 * tmm_waiters_queue() - the wait queue for releases
 *
 * Return: the wait queue
 */
struct wait_queue_head *tmm_waiters_queue(void)
{
	return &queue;
}

/**
 * tmm_waiters_begin() - count this task's releases apart from those of others
 * @now: set to the counts: a call from now on can get whatever they contain
 *
 * Context: Process context, no lock needed. tmm_waiters_end() follows, by this task.
 */
void tmm_waiters_begin(struct tmm_waiters_counts *now)
{
	struct attempt *place = place_of(current);

	if (!cmpxchg(&place->task, NULL, current))
		place->own = (struct tmm_waiters_counts){};
	tmm_waiters_read(now);
}

/**
 * tmm_waiters_end() - undo tmm_waiters_begin()
 * @before: the counts from tmm_waiters_begin(); this call's own releases are added, or
 *          fewer
 *
 * Context: Process context, no lock needed.
 */
void tmm_waiters_end(struct tmm_waiters_counts *before)
{
	struct attempt *place = place_of(current);
	unsigned int i;

	if (READ_ONCE(place->task) != current)
		return;
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		before->nr[i] += place->own.nr[i];
	/* Pairs with the exchange in tmm_waiters_begin(): the place is its next task's. */
	smp_store_release(&place->task, NULL);
}
