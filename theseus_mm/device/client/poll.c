// SPDX-License-Identifier: GPL-2.0
#include "device/client/poll.h"

#include "alloc/account.h"
#include "device/client/client.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/fs.h>

/*
 * Returns true if an earlier call of the client failed for lack of a resource. The client then
 * waits for the resource, and its next call may fail again.
 */
static bool is_waiter(const struct tmm_client *client)
{
	return READ_ONCE(client->waits_for);
}

/*
 * Note the counts of releases before a call. The same task passes @before to
 * tmm_poll_attempt_end().
 */
void tmm_poll_attempt_begin(struct tmm_client *client, struct tmm_waiters_counts *before)
{
	/*
	 * Only a waiter's own releases are counted separately. So the releases of the client's
	 * first failed call may wake the client once.
	 */
	if (is_waiter(client))
		tmm_waiters_begin(before);
	else
		tmm_waiters_read(before);
}

/*
 * Remember the refusals of a call whose result is @err. @before is from
 * tmm_poll_attempt_begin() and must not be used again.
 */
void tmm_poll_attempt_end(struct tmm_client *client, struct tmm_waiters_counts *before, int err)
{
	/*
	 * A concurrent call of the client may have taken the refusals of this call. If so, any
	 * resource may have been refused.
	 */
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

/*
 * Returns true if a resource that was refused to the client came back, or if no resource was
 * refused.
 */
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

/*
 * Return EPOLLIN if a resource came back after the module refused the resource to a call of the
 * client, or if no call was refused so far.
 */
__poll_t tmm_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, tmm_waiters_queue(), wait);
	/*
	 * Pairs with tmm_waiters_note(): either tmm_waiters_note() sees this waiter, or this
	 * function sees the new count.
	 */
	smp_mb();
	return came_back(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}
