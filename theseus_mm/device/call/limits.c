// SPDX-License-Identifier: GPL-2.0
/* GET_LIMITS and SET_LIMITS: read the limits of a user and a client, and set the client's. */
#include "device/call/call.h"

#include "alloc/account.h"
#include "device/client/client.h"

#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mutex.h>

/*
 * The lock makes the check and the change of a limit one step. Without the lock, two callers
 * could both pass the check and then lower the same limit. The second change could raise the
 * limit that the first change has set, without CAP_SYS_RESOURCE.
 */
static DEFINE_MUTEX(set_lock);

static void describe_limits(const struct tmm_account *account, struct theseus_mm_limits *limits)
{
	const struct tmm_account *user = account->parent;

	limits->client_frames = tmm_account_count(account, TMM_RESOURCE_FRAMES);
	limits->client_pages = tmm_account_count(account, TMM_RESOURCE_PAGES);
	limits->client_handles = tmm_account_count(account, TMM_RESOURCE_HANDLES);
	limits->user_frames_max = tmm_account_max(user, TMM_RESOURCE_FRAMES);
	limits->user_pages_max = tmm_account_max(user, TMM_RESOURCE_PAGES);
	limits->user_handles_max = tmm_account_max(user, TMM_RESOURCE_HANDLES);
	limits->user_frames = tmm_account_count(user, TMM_RESOURCE_FRAMES);
	limits->user_pages = tmm_account_count(user, TMM_RESOURCE_PAGES);
	limits->user_handles = tmm_account_count(user, TMM_RESOURCE_HANDLES);
}

int tmm_ioctl_get_limits(struct tmm_call *call)
{
	struct theseus_mm_limits *limits = &call->arg.limits;
	const struct tmm_account *account = call->client->account;

	if (limits->reserved)
		return -EINVAL;
	limits->client_frames_max = tmm_account_max(account, TMM_RESOURCE_FRAMES);
	limits->client_pages_max = tmm_account_max(account, TMM_RESOURCE_PAGES);
	limits->client_handles_max = tmm_account_max(account, TMM_RESOURCE_HANDLES);
	describe_limits(account, limits);
	return tmm_call_reply(call);
}

static bool raises_limit(const struct tmm_account *account, unsigned int which, const u64 *max)
{
	unsigned int i;

	for (i = 0; i < TMM_NR_RESOURCES; i++)
		if (which & BIT(i) && max[i] > tmm_account_max(account, i))
			return true;
	return false;
}

/* Set the limit of each enum tmm_resource that has its bit set in @which. */
static int set_limits(struct tmm_account *account, unsigned int which, const u64 *max)
{
	unsigned int i;
	int err = 0;

	mutex_lock(&set_lock);
	if (raises_limit(account, which, max) && !capable(CAP_SYS_RESOURCE)) {
		err = -EPERM;
		goto out;
	}
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		if (which & BIT(i))
			tmm_account_set_max(account, i, max[i]);
out:
	mutex_unlock(&set_lock);
	return err;
}

int tmm_ioctl_set_limits(struct tmm_call *call)
{
	struct theseus_mm_limits *limits = &call->arg.limits;
	const u64 max[TMM_NR_RESOURCES] = {
		[TMM_RESOURCE_FRAMES] = limits->client_frames_max,
		[TMM_RESOURCE_PAGES] = limits->client_pages_max,
		[TMM_RESOURCE_HANDLES] = limits->client_handles_max,
	};
	int err;

	BUILD_BUG_ON(BIT(TMM_RESOURCE_FRAMES) != THESEUS_MM_SET_FRAMES);
	BUILD_BUG_ON(BIT(TMM_RESOURCE_PAGES) != THESEUS_MM_SET_PAGES);
	BUILD_BUG_ON(BIT(TMM_RESOURCE_HANDLES) != THESEUS_MM_SET_HANDLES);
	if (limits->reserved || !limits->flags)
		return -EINVAL;
	describe_limits(call->client->account, limits);
	err = tmm_call_reply(call);
	return err ?: set_limits(call->client->account, limits->flags, max);
}
