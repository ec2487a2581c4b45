/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wake-ups of any number of waiters. Linux wakes all waiters of a queue with interrupts off; these
 * functions wake a few waiters at a time.
 *
 * Invariant: a walk wakes every waiter that was in the queue when the walk began, and has not left.
 * Lock: that of the queue, with interrupts off, for TMM_WAKE_AT_ONCE waiters at a time.
 * Owner: the caller owns the queue, which exists until the walk has ended.
 */
#ifndef TMM_ALLOC_WAKE_H
#define TMM_ALLOC_WAKE_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

/* Waiters that are woken while the lock of the queue is held. */
#define TMM_WAKE_AT_ONCE	4

bool tmm_wake_some(struct wait_queue_head *queue, void *key);
void tmm_wake_all(struct wait_queue_head *queue, void *key);

#endif /* TMM_ALLOC_WAKE_H */
