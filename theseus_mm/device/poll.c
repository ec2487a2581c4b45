// SPDX-License-Identifier: GPL-2.0
#include "device/poll.h"

#include "device/client.h"
#include "mapping/instance.h"

#include <linux/errno.h>
#include <linux/fs.h>

/* The client has waited before: is about to fail again, perhaps. */
static bool is_waiter(const struct tmm_client *client)
{
	return READ_ONCE(client->failed_at) != TMM_NEVER_FAILED;
}

/**
 * tmm_attempt_begin() - before a call
 * @client: whose
 *
 * Context: Process context.
 * Return: for tmm_attempt_end(), by the same task
 */
u64 tmm_attempt_begin(struct tmm_client *client)
{
	struct tmm_comebacks *comebacks = &client->inst->fa.ra.comebacks;

	/* The first time, what it gives back itself may wake it once. */
	return is_waiter(client) ? tmm_comebacks_begin(comebacks) : tmm_comebacks_nr(comebacks);
}

/**
 * tmm_attempt_end() - after a call
 * @client: whose
 * @before: from tmm_attempt_begin()
 * @err: what came out
 *
 * Context: Process context.
 */
void tmm_attempt_end(struct tmm_client *client, u64 before, int err)
{
	if (is_waiter(client))
		before = tmm_comebacks_end(&client->inst->fa.ra.comebacks, before);
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
