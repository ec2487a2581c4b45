// SPDX-License-Identifier: GPL-2.0
#include "alloc/comebacks.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/wait.h>

#define ATTEMPTS_ORDER	4

/**
 * struct attempt - a call at work that tells its own comebacks from others'
 * @task: whose; NULL if the place is free
 * @own: comebacks of its own
 */
struct attempt {
	const struct task_struct *task;
	struct tmm_comebacks own;
};

static atomic64_t counts[TMM_NR_RESOURCES];
static DECLARE_WAIT_QUEUE_HEAD(queue);
/* By a hash of their task; one that finds its place taken does without. */
static struct attempt attempts[1 << ATTEMPTS_ORDER];

static struct attempt *place_of(const struct task_struct *task)
{
	return &attempts[hash_ptr(task, ATTEMPTS_ORDER)];
}

/**
 * tmm_comebacks_note() - something came back: count it, and wake those who wait
 * @resource: what; it can be had already
 *
 * Context: Any but interrupt.
 */
void tmm_comebacks_note(enum tmm_resource resource)
{
	struct attempt *place = place_of(current);

	atomic64_inc(&counts[resource]);
	if (READ_ONCE(place->task) == current)
		place->own.nr[resource]++;
	/* Has a barrier: the waiter is seen here, or sees the count there. */
	if (wq_has_sleeper(&queue))
		wake_up_poll(&queue, EPOLLIN | EPOLLRDNORM);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_comebacks_note);

/**
 * tmm_comebacks_read() - how often something came back so far
 * @now: set
 *
 * Context: Any.
 */
void tmm_comebacks_read(struct tmm_comebacks *now)
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		now->nr[i] = atomic64_read(&counts[i]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_comebacks_read);

/**
 * tmm_comebacks_queue() - where those wait who wait for a comeback
 *
 * Return: the wait queue
 */
struct wait_queue_head *tmm_comebacks_queue(void)
{
	return &queue;
}

/**
 * tmm_comebacks_begin() - tell this task's comebacks from those of others
 * @now: set to the counts: whatever is in them, a call from now on can get
 *
 * Context: Process context, no lock needed. tmm_comebacks_end() follows, by this task.
 */
void tmm_comebacks_begin(struct tmm_comebacks *now)
{
	struct attempt *place = place_of(current);

	if (!cmpxchg(&place->task, NULL, current))
		place->own = (struct tmm_comebacks){};
	tmm_comebacks_read(now);
}

/**
 * tmm_comebacks_end() - undo tmm_comebacks_begin()
 * @before: what that set; becomes what the counts would be had nobody else given
 *          anything back, or less
 *
 * Context: Process context, no lock needed.
 */
void tmm_comebacks_end(struct tmm_comebacks *before)
{
	struct attempt *place = place_of(current);
	unsigned int i;

	if (READ_ONCE(place->task) != current)
		return;
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		before->nr[i] += place->own.nr[i];
	/* Pairs with the exchange in tmm_comebacks_begin(): the place is its next task's. */
	smp_store_release(&place->task, NULL);
}
