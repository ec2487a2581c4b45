// SPDX-License-Identifier: GPL-2.0
/*
 * GET_CLIENTS: list the clients that the caller may know of, and count the frames that all other
 * clients own.
 */
#include "device/call/call.h"

#include "alloc/account.h"
#include "device/call/entries.h"
#include "device/client/client.h"

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uidgid.h>

static struct theseus_mm_client_info describe_client(const struct tmm_client *client)
{
	const struct tmm_client_identity *identity = &client->identity;
	struct theseus_mm_client_info info = {
		.id = identity->id,
		.uid = from_kuid_munged(current_user_ns(), identity->uid),
		.pid = pid_vnr(identity->pid),
		.nr_handles = tmm_account_count(client->account, TMM_RESOURCE_HANDLES),
		.nr_mappings = atomic_read(&client->nr_mappings),
		.nr_exported = atomic_read(&client->nr_exported),
		.nr_frames = tmm_account_count(client->account, TMM_RESOURCE_FRAMES),
	};

	BUILD_BUG_ON(sizeof(info.comm) != sizeof(identity->comm));
	memcpy(info.comm, identity->comm, sizeof(info.comm));
	return info;
}

/*
 * A hidden or closed client is not listed. Add the frames charged to the client to a total, and
 * count the client if it is hidden and open.
 */
static void count_others(struct theseus_mm_clients *request, const struct tmm_client *client,
			 bool is_visible)
{
	const u64 nr_frames = tmm_account_count(client->account, TMM_RESOURCE_FRAMES);

	if (is_visible) {
		request->orphan_frames += nr_frames;
		return;
	}
	request->hidden_frames += nr_frames;
	if (!READ_ONCE(client->is_closed))
		request->nr_hidden++;
}

/*
 * A client that opens or closes during the call may be listed or missing. No lock is held while
 * a client is described and copied out.
 */
int tmm_ioctl_get_clients(struct tmm_call *call)
{
	struct theseus_mm_clients *request = &call->arg.clients;
	const u32 room = request->nr_clients;
	struct theseus_mm_client_info info;
	struct tmm_client *client;
	struct tmm_entries to;
	int err;

	err = TMM_ENTRIES_INIT(&to, request->clients, request->entry_size,
			       theseus_mm_client_info, comm);
	if (err)
		return err;
	request->nr_clients = 0;
	request->nr_hidden = 0;
	request->hidden_frames = 0;
	request->orphan_frames = 0;
	tmm_clients_for_each(client) {
		const bool is_visible = tmm_client_is_visible(client, call->client);

		if (!is_visible || READ_ONCE(client->is_closed)) {
			count_others(request, client, is_visible);
			continue;
		}
		info = describe_client(client);
		if (request->nr_clients < room)
			err = tmm_entries_write(&to, request->nr_clients, &info);
		if (err) {
			tmm_client_put(client);
			return err;
		}
		request->nr_clients++;
	}
	return tmm_call_reply(call);
}
