// SPDX-License-Identifier: GPL-2.0
#include "alloc/wake.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

static int wake_nobody(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	return 0;
}

static void insert_mark(struct wait_queue_entry *mark, struct list_head *before)
{
	list_add_tail(&mark->entry, before);
}

/*
 * Wake up to TMM_WAKE_AT_ONCE waiters from @at on. The caller holds the queue's lock. Exclusive
 * waiters are woken like others, because each one may wait for another event. Return: the first
 * entry that is left, or @end.
 */
static struct list_head *wake_from(struct list_head *at, const struct list_head *end, void *key)
{
	struct wait_queue_entry *waiter;
	struct list_head *next;
	unsigned int nr;

	for (nr = 0; at != end && nr < TMM_WAKE_AT_ONCE; at = next, nr++) {
		/* The waiter may leave the queue. */
		next = at->next;
		waiter = list_entry(at, struct wait_queue_entry, entry);
		waiter->func(waiter, TASK_NORMAL, 0, key);
	}
	return at;
}

/*
 * Wake the first TMM_WAKE_AT_ONCE waiters of the queue. @key is passed to the waiters. Any context.
 * Return: true if the queue has more waiters.
 */
bool tmm_wake_some(struct wait_queue_head *queue, void *key)
{
	unsigned long flags;
	bool is_more;

	spin_lock_irqsave(&queue->lock, flags);
	is_more = wake_from(queue->head.next, &queue->head, key) != &queue->head;
	spin_unlock_irqrestore(&queue->lock, flags);
	return is_more;
}

/*
 * Wake a few waiters after @mark. Return: true if more are left before @end, or false if none is;
 * then @mark and @end have left the queue.
 */
static bool wake_piece(struct wait_queue_head *queue, struct wait_queue_entry *mark,
		       struct wait_queue_entry *end, void *key)
{
	struct list_head *at;
	unsigned long flags;
	bool is_more;

	spin_lock_irqsave(&queue->lock, flags);
	at = wake_from(mark->entry.next, &end->entry, key);
	is_more = at != &end->entry;
	list_del_init(&mark->entry);
	if (is_more)
		insert_mark(mark, at);
	else
		list_del_init(&end->entry);
	spin_unlock_irqrestore(&queue->lock, flags);
	return is_more;
}

/*
 * Wake all waiters of a queue, a few at a time. @key is passed to the waiters. Waiters that come
 * during the walk are not woken: new ones come before the mark, and exclusive ones after the end.
 * So the walk ends, whatever other tasks do. May sleep.
 */
void tmm_wake_all(struct wait_queue_head *queue, void *key)
{
	struct wait_queue_entry mark = { .func = wake_nobody };
	struct wait_queue_entry end = { .func = wake_nobody };
	unsigned long flags;

	might_sleep();
	spin_lock_irqsave(&queue->lock, flags);
	insert_mark(&mark, queue->head.next);
	insert_mark(&end, &queue->head);
	spin_unlock_irqrestore(&queue->lock, flags);
	while (wake_piece(queue, &mark, &end, key))
		cond_resched();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_wake_all);
