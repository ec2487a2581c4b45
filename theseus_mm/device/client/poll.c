// SPDX-License-Identifier: GPL-2.0
#include "device/client/poll.h"

#include "alloc/account.h"
#include "device/client/client.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/fs.h>

/* The client has waited before: is about to fail again, perhaps. */
static bool is_waiter(const struct tmm_client *client)
{
	return READ_ONCE(client->waits_for);
}

/**
 * tmm_poll_attempt_begin() - note the releases before a call
 * @client: the calling client
 * @before: set, for tmm_poll_attempt_end() by the same task
 *
 * Context: Process context.
 */
void tmm_poll_attempt_begin(struct tmm_client *client, struct tmm_waiters_counts *before)
{
	/* The first time, what it gives back itself may wake it once. */
	if (is_waiter(client))
		tmm_waiters_begin(before);
	else
		tmm_waiters_read(before);
}

/**
 * tmm_poll_attempt_end() - remember a refusal after a call
 * @client: the calling client
 * @before: from tmm_poll_attempt_begin(); not to be used again
 * @err: the call's result
 *
 * Context: Process context.
 */
void tmm_poll_attempt_end(struct tmm_client *client, struct tmm_waiters_counts *before, int err)
{
	/* A concurrent call of the client may have taken the refusals of this one. */
	unsigned int refused = tmm_account_take_refusals(client->account) ?:
			       GENMASK(TMM_NR_RESOURCES - 1, 0);
	unsigned int i;

	if (is_waiter(client))
		tmm_waiters_end(before);
	if (err != -ENOSPC && err != -EDQUOT)
		return;
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		WRITE_ONCE(client->failed_at.nr[i], before->nr[i]);
	WRITE_ONCE(client->waits_for, refused);
}

/* Has a resource that was refused to the client come back? */
static bool came_back(const struct tmm_client *client)
{
	const unsigned int waits_for = READ_ONCE(client->waits_for);
	struct tmm_waiters_counts now;
	unsigned int i;

	tmm_waiters_read(&now);
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		if (waits_for & BIT(i) && now.nr[i] != READ_ONCE(client->failed_at.nr[i]))
			return true;
	return !waits_for;
}

/**
 * tmm_poll() - has a resource come back since it was refused to the client?
 * @file: the client's
 * @wait: the caller's poll table
 *
 * Return: EPOLLIN if it has, or if nothing was refused so far
 */
__poll_t tmm_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, tmm_waiters_queue(), wait);
	/* Pairs with tmm_waiters_note(): it sees this waiter, or we see its count here. */
	smp_mb();
	return came_back(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}
