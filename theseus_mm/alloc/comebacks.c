// SPDX-License-Identifier: GPL-2.0
#include "alloc/comebacks.h"

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
 * Context: The allocator's lock is held; tmm_comebacks_wake() follows without it.
 */
void tmm_comebacks_count(struct tmm_comebacks *comebacks)
{
	unsigned int place = place_of(current);

	WRITE_ONCE(comebacks->nr, comebacks->nr + 1);
	if (comebacks->attempts[place].task == current)
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
 * Context: The allocator's lock is held. tmm_comebacks_end() follows, by this task.
 * Return: the count now
 */
u64 tmm_comebacks_begin(struct tmm_comebacks *comebacks)
{
	unsigned int place = place_of(current);

	if (!comebacks->attempts[place].task) {
		comebacks->attempts[place].task = current;
		comebacks->attempts[place].nr = 0;
	}
	return comebacks->nr;
}

/**
 * tmm_comebacks_end() - undo tmm_comebacks_begin()
 * @comebacks: the count
 * @before: what that returned
 *
 * Context: The allocator's lock is held.
 * Return: what the count would be had nobody else given anything back, or less
 */
u64 tmm_comebacks_end(struct tmm_comebacks *comebacks, u64 before)
{
	unsigned int place = place_of(current);

	if (comebacks->attempts[place].task != current)
		return before;
	comebacks->attempts[place].task = NULL;
	return before + comebacks->attempts[place].nr;
}
