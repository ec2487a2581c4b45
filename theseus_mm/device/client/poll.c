// SPDX-License-Identifier: GPL-2.0
#include "device/client/poll.h"

#include "alloc/account.h"
#include "device/client/client.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/fs.h>

static bool is_shortage(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

/*
 * Note the counts of releases before a call of a waiter. The same task passes @attempt to
 * tmm_poll_attempt_end().
 */
void tmm_poll_attempt_begin(struct tmm_client *client, struct tmm_poll_attempt *attempt)
{
	/* A call that sees is_waiter set can use every resource whose release was not counted. */
	attempt->is_counted = smp_load_acquire(&client->is_waiter);
	if (unlikely(attempt->is_counted))
		tmm_waiters_begin(&attempt->before);
}

/*
 * Make the client a waiter if it was none when the attempt began, and @err is a refusal. Return:
 * true if the caller has to make the attempt once more, since a release may have come after the
 * refusal without being counted.
 */
bool tmm_poll_attempt_again(struct tmm_client *client, struct tmm_poll_attempt *attempt, int err)
{
	if (likely(!is_shortage(err)) || attempt->is_counted)
		return false;
	/* Join before setting is_waiter: another call that sees is_waiter relies on the join. */
	tmm_waiters_join();
	if (xchg(&client->is_waiter, true))
		tmm_waiters_leave();
	attempt->is_counted = true;
	tmm_waiters_begin(&attempt->before);
	return true;
}

/*
 * Remember the refusals of a call whose result is @err. @attempt is from tmm_poll_attempt_begin()
 * and must not be used again.
 */
void tmm_poll_attempt_end(struct tmm_client *client, struct tmm_poll_attempt *attempt, int err)
{
	/*
	 * A concurrent call of the client may have taken the refusals of this call. If so, any
	 * resource may have been refused.
	 */
	unsigned int refused = tmm_account_take_refusals(client->account) ?:
			       GENMASK(TMM_NR_RESOURCES - 1, 0);
	unsigned int i;

	if (likely(!attempt->is_counted))
		return;
	tmm_waiters_end(&attempt->before);
	if (!is_shortage(err))
		return;
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		WRITE_ONCE(client->failed_at.nr[i], attempt->before.nr[i]);
	WRITE_ONCE(client->waits_for, refused);
}

/* End the wait of a client. No call on the client is running. */
void tmm_poll_leave(struct tmm_client *client)
{
	if (client->is_waiter)
		tmm_waiters_leave();
	client->is_waiter = false;
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
	 * Pairs with tmm_waiters_count(): either tmm_waiters_count() sees this waiter, or this
	 * function sees the new count.
	 */
	smp_mb();
	return came_back(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}
