// SPDX-License-Identifier: GPL-2.0
#include "alloc/wake.h"

#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

static int wake_nobody(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	return 0;
}

/*
 * Wake the first TMM_WAKE_AT_ONCE waiters of the queue, or those after @mark if @mark is in the
 * queue. @mark may be NULL. Exclusive waiters are woken like others, because each one may wait for
 * another event. @key is passed to the waiters. Any context. Return: true if more waiters follow.
 * Then @mark is in the queue before these waiters, else @mark is in no queue.
 */
bool tmm_wake_some(struct wait_queue_head *queue, struct wait_queue_entry *mark, void *key)
{
	struct wait_queue_entry *waiter;
	struct list_head *at, *next;
	unsigned int nr = 0;
	unsigned long flags;
	bool is_more;

	spin_lock_irqsave(&queue->lock, flags);
	at = mark && !list_empty(&mark->entry) ? mark->entry.next : queue->head.next;
	for (; at != &queue->head && nr < TMM_WAKE_AT_ONCE; at = next, nr++) {
		/* The waiter may leave the queue. */
		next = at->next;
		waiter = list_entry(at, struct wait_queue_entry, entry);
		waiter->func(waiter, TASK_NORMAL, 0, key);
	}
	is_more = at != &queue->head;
	if (mark) {
		list_del_init(&mark->entry);
		if (is_more)
			list_add_tail(&mark->entry, at);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return is_more;
}

/*
 * Wake all waiters of a queue, a few at a time. @key is passed to the waiters. New waiters come
 * before the mark, so they do not make the walk longer, unless they are exclusive. May sleep.
 */
void tmm_wake_all(struct wait_queue_head *queue, void *key)
{
	struct wait_queue_entry mark = { .func = wake_nobody };

	might_sleep();
	INIT_LIST_HEAD(&mark.entry);
	while (tmm_wake_some(queue, &mark, key))
		cond_resched();
}
