// SPDX-License-Identifier: GPL-2.0
#include "alloc/comebacks.h"

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/string.h>

static unsigned int place_of(const struct task_struct *task)
{
	return hash_ptr(task, TMM_COMEBACKS_ORDER);
}

/**
 * tmm_comebacks_init() - nothing came back yet
 * @comebacks: the count
 */
void tmm_comebacks_init(struct tmm_comebacks *comebacks)
{
	memset(comebacks, 0, sizeof(*comebacks));
	init_waitqueue_head(&comebacks->wait);
}

/**
 * tmm_comebacks_count() - something came back
 * @comebacks: the count
 *
 * Context: Any but interrupt; tmm_comebacks_wake() follows, where no lock is held. What
 *          came back is there already, or will be before the allocator's lock is
 *          released.
 */
void tmm_comebacks_count(struct tmm_comebacks *comebacks)
{
	unsigned int place = place_of(current);

	atomic64_inc(&comebacks->nr);
	if (READ_ONCE(comebacks->attempts[place].task) == current)
		comebacks->attempts[place].nr++;
}

/**
 * tmm_comebacks_wake() - wake those who wait, if there are any
 * @comebacks: was counted up
 *
 * Context: Any.
 */
void tmm_comebacks_wake(struct tmm_comebacks *comebacks)
{
	/* Has a barrier: the waiter is seen here, or sees the count there. */
	if (wq_has_sleeper(&comebacks->wait))
		wake_up_poll(&comebacks->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * tmm_comebacks_begin() - tell this task's comebacks from those of others
 * @comebacks: the count
 *
 * Context: Process context, no lock needed. tmm_comebacks_end() follows, by this task.
 * Return: the count now: whatever is counted in it, an allocation from now on can get
 */
u64 tmm_comebacks_begin(struct tmm_comebacks *comebacks)
{
	unsigned int place = place_of(current);

	if (!cmpxchg(&comebacks->attempts[place].task, NULL, current))
		comebacks->attempts[place].nr = 0;
	return tmm_comebacks_nr(comebacks);
}

/**
 * tmm_comebacks_end() - undo tmm_comebacks_begin()
 * @comebacks: the count
 * @before: what that returned
 *
 * Context: Process context, no lock needed.
 * Return: what the count would be had nobody else given anything back, or less
 */
u64 tmm_comebacks_end(struct tmm_comebacks *comebacks, u64 before)
{
	unsigned int place = place_of(current);

	if (READ_ONCE(comebacks->attempts[place].task) != current)
		return before;
	before += comebacks->attempts[place].nr;
	/* Pairs with the exchange in tmm_comebacks_begin(): the place is its next task's. */
	smp_store_release(&comebacks->attempts[place].task, NULL);
	return before;
}
