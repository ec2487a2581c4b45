// SPDX-License-Identifier: GPL-2.0
#include "device/poll.h"

#include "device/client.h"
#include "mapping/instance.h"

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/spinlock.h>

/* The client has waited before: is about to fail again, perhaps. */
static bool is_waiter(const struct tmm_client *client)
{
	return READ_ONCE(client->failed_at) != TMM_NEVER_FAILED;
}

/**
 * tmm_attempt_begin() - before a call
 * @client: whose
 *
 * Context: Process context. Takes and releases the frame allocator's lock if the
 *          client has ever got no memory.
 * Return: for tmm_attempt_end(), by the same task
 */
u64 tmm_attempt_begin(struct tmm_client *client)
{
	struct tmm_range_allocator *ra = &client->inst->fa.ra;
	u64 before;

	/* The first time, what it gives back itself may wake it once. */
	if (!is_waiter(client))
		return tmm_comebacks_nr(&ra->comebacks);
	spin_lock(&ra->lock);
	before = tmm_comebacks_begin(&ra->comebacks);
	spin_unlock(&ra->lock);
	return before;
}

/**
 * tmm_attempt_end() - after a call
 * @client: whose
 * @before: from tmm_attempt_begin()
 * @err: what came out
 *
 * Context: Process context. Takes and releases the frame allocator's lock if the
 *          client has ever got no memory.
 */
void tmm_attempt_end(struct tmm_client *client, u64 before, int err)
{
	struct tmm_range_allocator *ra = &client->inst->fa.ra;

	if (is_waiter(client)) {
		spin_lock(&ra->lock);
		before = tmm_comebacks_end(&ra->comebacks, before);
		spin_unlock(&ra->lock);
	}
	if (err == -ENOSPC || err == -EDQUOT)
		WRITE_ONCE(client->failed_at, before);
}

/**
 * tmm_poll() - have frames come back since the client got none?
 * @file: the client's
 * @wait: who asks
 *
 * Return: EPOLLIN if so, or if there was no such failure
 */
__poll_t tmm_poll(struct file *file, poll_table *wait)
{
	struct tmm_client *client = file->private_data;
	struct tmm_comebacks *comebacks = &client->inst->fa.ra.comebacks;

	poll_wait(file, &comebacks->wait, wait);
	/* Pairs with tmm_comebacks_wake(): we are seen there, or see the count here. */
	smp_mb();
	if (tmm_comebacks_nr(comebacks) == READ_ONCE(client->failed_at))
		return 0;
	return EPOLLIN | EPOLLRDNORM;
}
