// SPDX-License-Identifier: GPL-2.0
/*
 * Who is there, and what the frames of a region are used for, and by whom.
 */
#include "device/ioctl.h"

#include "alloc/account.h"
#include "device/client.h"
#include "device/clients.h"
#include "mapping/instance.h"
#include "paging/mapper.h"

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uidgid.h>

static struct theseus_mm_client_info describe(const struct tmm_client *client)
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

/* A client that goes meanwhile is there or not; no lock is held while it is told. */
int tmm_ioctl_get_clients(struct tmm_call *call)
{
	struct theseus_mm_clients *request = &call->arg.clients;
	struct theseus_mm_client_info __user *to = u64_to_user_ptr(request->clients);
	const u32 room = request->nr_clients;
	struct theseus_mm_client_info info;
	struct tmm_client *client;

	if (request->reserved)
		return -EINVAL;
	request->nr_clients = 0;
	request->nr_hidden = 0;
	request->hidden_frames = 0;
	tmm_clients_for_each(client) {
		if (!tmm_client_is_visible(client, call->client)) {
			request->nr_hidden++;
			request->hidden_frames += tmm_account_count(client->account, TMM_RESOURCE_FRAMES);
			continue;
		}
		info = describe(client);
		if (request->nr_clients < room &&
		    copy_to_user(to + request->nr_clients, &info, sizeof(info))) {
			tmm_client_put(client);
			return -EFAULT;
		}
		request->nr_clients++;
	}
	return tmm_call_reply(call);
}

/**
 * struct picture - a region in equal parts
 * @inst: the instance
 * @index: of the region
 * @first: number of its first frame
 * @nr_frames: its frames
 * @nr: parts
 */
struct picture {
	struct tmm_instance *inst;
	u32 index;
	u64 first;
	u64 nr_frames;
	unsigned int nr;
};

/**
 * struct share - what clients own of a part of a region
 * @now: frames of the client that is being looked at
 * @most: frames of the one that has most so far
 * @owner: that one, as the caller may know it
 */
struct share {
	u32 now;
	u32 most;
	u32 owner;
};

/* First frame of part @i, counted from the region's start. */
static u64 part_start(const struct picture *picture, unsigned int i)
{
	return picture->nr_frames / picture->nr * i +
	       picture->nr_frames % picture->nr * i / picture->nr;
}

/* The part that a frame is in. */
static unsigned int part_of(const struct picture *picture, u64 frame)
{
	unsigned int low = 0, high = picture->nr;

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (part_start(picture, middle) <= frame)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int fill_buckets(const struct picture *picture, struct theseus_mm_bucket *buckets)
{
	u64 counts[TMM_NR_MARKS];
	unsigned int i;
	int err;

	for (i = 0; i < picture->nr; i++) {
		u64 start = part_start(picture, i);
		u64 end = part_start(picture, i + 1);

		err = tmm_instance_count(picture->inst, picture->index, start, end - start, counts);
		if (err)
			return err;
		buckets[i] = (struct theseus_mm_bucket){
			.free = counts[TMM_MARK_FREE],
			.allocated = counts[TMM_MARK_ALLOCATED] + counts[TMM_MARK_UNMAPPED],
			.mapped = counts[TMM_MARK_MAPPED],
			.tables = counts[TMM_MARK_TABLE],
			.metadata = counts[TMM_MARK_METADATA],
		};
	}
	return 0;
}

/* The client that is being looked at has @nr frames from @first on. */
static void add_run(const struct picture *picture, struct share *shares, u64 first, u64 nr)
{
	const u64 limit = picture->first + picture->nr_frames;
	u64 frame = max(first, picture->first) - picture->first;
	u64 end = min(first + nr, limit);
	unsigned int i;

	if (first >= limit || end <= picture->first)
		return;
	end -= picture->first;
	for (i = part_of(picture, frame); frame < end; i++) {
		u64 next = min(part_start(picture, i + 1), end);

		shares[i].now += next - frame;
		frame = next;
	}
}

/*
 * The frames of a mapping, of which there may be any number of runs: asked of the
 * tables, which needs no lock. The mapping may be gone, and others be there.
 */
static void add_mapping(const struct picture *picture, struct share *shares, u64 first, u64 nr)
{
	const u64 end = first + nr;
	struct tmm_leaf_run run;

	while (first < end && tmm_mapper_find_run(picture->inst->root, first, end, &run)) {
		add_run(picture, shares, run.frame, run.nr);
		first = run.page + run.nr;
		if (fatal_signal_pending(current))
			return;
	}
}

/* What @look finds: the client's objects, or what it exported. */
static void add_client(const struct picture *picture, struct share *shares,
		       struct tmm_client *client,
		       unsigned int (*look)(struct tmm_client *client, u64 from,
					    struct tmm_look *looks, unsigned int nr))
{
	struct tmm_look looks[TMM_LOOKS];
	unsigned int nr, i;
	u64 from = 0;

	do {
		nr = look(client, from, looks, TMM_LOOKS);
		for (i = 0; i < nr; i++) {
			if (looks[i].kind == THESEUS_MM_KIND_FRAMES)
				add_run(picture, shares, looks[i].start, looks[i].nr);
			else if (looks[i].kind == THESEUS_MM_KIND_MAPPING)
				add_mapping(picture, shares, looks[i].start, looks[i].nr);
		}
		from = nr ? (u64)looks[nr - 1].handle + 1 : 0;
		cond_resched();
	} while (nr == TMM_LOOKS && !fatal_signal_pending(current));
}

static int find_owners(const struct picture *picture, const struct tmm_client *caller,
		       struct share *shares)
{
	struct tmm_client *client;
	unsigned int i;

	tmm_clients_for_each(client) {
		const u32 owner = tmm_client_is_visible(client, caller) ?
				  client->identity.id : THESEUS_MM_OWNER_HIDDEN;

		if (!tmm_account_count(client->account, TMM_RESOURCE_FRAMES))
			continue;
		add_client(picture, shares, client, tmm_client_look);
		add_client(picture, shares, client, tmm_client_look_at_exports);
		for (i = 0; i < picture->nr; i++) {
			if (shares[i].now > shares[i].most) {
				shares[i].most = shares[i].now;
				shares[i].owner = owner;
			}
			shares[i].now = 0;
		}
		if (fatal_signal_pending(current)) {
			tmm_client_put(client);
			return -EINTR;
		}
	}
	return 0;
}

static int tell_buckets(const struct picture *picture, u64 to)
{
	struct theseus_mm_bucket *buckets;
	int err;

	buckets = kvcalloc(picture->nr, sizeof(*buckets), GFP_KERNEL_ACCOUNT);
	if (!buckets)
		return -ENOMEM;
	err = fill_buckets(picture, buckets);
	if (!err && copy_to_user(u64_to_user_ptr(to), buckets,
				 array_size(picture->nr, sizeof(*buckets))))
		err = -EFAULT;
	kvfree(buckets);
	return err;
}

static int tell_owners(const struct picture *picture, const struct tmm_client *caller, u64 to)
{
	u32 __user *owners = u64_to_user_ptr(to);
	struct share *shares;
	unsigned int i;
	int err;

	shares = kvcalloc(picture->nr, sizeof(*shares), GFP_KERNEL_ACCOUNT);
	if (!shares)
		return -ENOMEM;
	BUILD_BUG_ON(THESEUS_MM_OWNER_NONE);
	err = find_owners(picture, caller, shares);
	for (i = 0; i < picture->nr && !err; i++)
		err = put_user(shares[i].owner, owners + i);
	kvfree(shares);
	return err;
}

int tmm_ioctl_get_occupancy(struct tmm_call *call)
{
	const struct theseus_mm_occupancy *request = &call->arg.occupancy;
	struct tmm_instance *inst = call->client->inst;
	struct picture picture = { .inst = inst, .nr = request->nr_buckets };
	const struct tmm_memory *memory;
	int err;

	if (request->reserved || !request->nr_buckets ||
	    request->nr_buckets > THESEUS_MM_MAX_BUCKETS)
		return -EINVAL;
	if (request->index >= inst->nr_memories)
		return -ERANGE;
	picture.index = array_index_nospec(request->index, inst->nr_memories);
	memory = &inst->memories[picture.index].memory;
	picture.first = memory->first;
	picture.nr_frames = memory->nr;
	err = tell_buckets(&picture, request->buckets);
	if (!err && request->owners)
		err = tell_owners(&picture, call->client, request->owners);
	return err;
}
