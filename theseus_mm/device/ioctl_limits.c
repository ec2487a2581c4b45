// SPDX-License-Identifier: GPL-2.0
#include "device/ioctl.h"

#include "alloc/account.h"
#include "device/client.h"

#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/mutex.h>

/* Two who lower a limit: the second must not raise what the first has lowered. */
static DEFINE_MUTEX(set_lock);

static void describe(const struct tmm_client *client, struct theseus_mm_limits *limits)
{
	limits->client_frames = tmm_account_count(client->account, TMM_RESOURCE_FRAMES);
	limits->client_handles = tmm_account_count(client->account, TMM_RESOURCE_HANDLES);
	limits->user_frames_max = tmm_account_max(client->account->parent, TMM_RESOURCE_FRAMES);
	limits->user_handles_max = tmm_account_max(client->account->parent, TMM_RESOURCE_HANDLES);
	limits->user_frames = tmm_account_count(client->account->parent, TMM_RESOURCE_FRAMES);
	limits->user_handles = tmm_account_count(client->account->parent, TMM_RESOURCE_HANDLES);
}

int tmm_ioctl_get_limits(struct tmm_call *call)
{
	struct theseus_mm_limits *limits = &call->arg.limits;
	const struct tmm_client *client = call->client;

	if (limits->reserved)
		return -EINVAL;
	limits->client_frames_max = tmm_account_max(client->account, TMM_RESOURCE_FRAMES);
	limits->client_handles_max = tmm_account_max(client->account, TMM_RESOURCE_HANDLES);
	describe(client, limits);
	return tmm_call_reply(call);
}

static bool raises(const struct tmm_account *account, enum tmm_resource resource, u64 max)
{
	return max != TMM_NO_LIMIT && max > tmm_account_max(account, resource);
}

static void set(struct tmm_account *account, enum tmm_resource resource, u64 max)
{
	if (max != TMM_NO_LIMIT)
		tmm_account_set_max(account, resource, max);
}

static int set_limits(struct tmm_client *client, u64 frames_max, u64 handles_max)
{
	int err = 0;

	mutex_lock(&set_lock);
	if ((raises(client->account, TMM_RESOURCE_FRAMES, frames_max) ||
	     raises(client->account, TMM_RESOURCE_HANDLES, handles_max)) &&
	    !capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	if (!err) {
		set(client->account, TMM_RESOURCE_FRAMES, frames_max);
		set(client->account, TMM_RESOURCE_HANDLES, handles_max);
	}
	mutex_unlock(&set_lock);
	return err;
}

int tmm_ioctl_set_limits(struct tmm_call *call)
{
	struct theseus_mm_limits *limits = &call->arg.limits;
	int err;

	if (limits->reserved)
		return -EINVAL;
	describe(call->client, limits);
	err = tmm_call_reply(call);
	return err ?: set_limits(call->client, limits->client_frames_max,
				 limits->client_handles_max);
}
