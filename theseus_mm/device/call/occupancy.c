// SPDX-License-Identifier: GPL-2.0
/*
 * GET_OCCUPANCY: divide a region into parts, and show for each part the use of its frames and
 * the client that owns most of its frames.
 */
#include "device/call/occupancy.h"

#include "alloc/account.h"
#include "device/call/call.h"
#include "device/call/entries.h"
#include "device/client/client.h"
#include "device/show/snapshot.h"
#include "mapping/instance.h"
#include "paging/leaf_runs.h"
#include "paging/mapper.h"

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

/* A region that is divided into parts of equal size. The last part may be smaller. */
struct picture {
	struct tmm_instance *inst;
	u32 index;		/* of the region */
	u64 first;		/* number of the region's first frame */
	u64 nr_frames;		/* frames of the region */
	unsigned int shift;	/* a part has 1 << @shift frames */
	u32 nr;			/* number of parts */
};

/* The frames that clients own in a part of a region. */
struct share {
	u32 now;	/* frames of the client that is being counted */
	u32 most;	/* frames of the client that owns most so far */
	u32 owner;	/* number of the client that owns most, or THESEUS_MM_OWNER_* */
};

/* Return the index of the first frame of part @i, counted from the region's start. */
static u64 part_start(const struct picture *picture, u32 i)
{
	return (u64)i << picture->shift;
}

/* The result fits 32 bits: a physical address has 52 bits, and a part has at least 2 MiB. */
static u64 nr_parts(u64 nr_frames, unsigned int shift)
{
	return ((nr_frames - 1) >> shift) + 1;
}

/*
 * Choose the size of the parts that every client may see. The result is a shift: a part has 1 <<
 * shift frames. @nr_frames is the number of frames of the region, and at least 1.
 *
 * An unprivileged client must not choose the size. Otherwise the client could divide a region
 * in many ways, intersect the parts that hold its frame, and so learn the frame's address.
 */
unsigned int tmm_occupancy_shift(u64 nr_frames)
{
	unsigned int shift = ilog2(THESEUS_MM_MIN_BUCKET_FRAMES);

	while (nr_parts(nr_frames, shift) > THESEUS_MM_MAX_BUCKETS)
		shift++;
	return shift;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_occupancy_shift);

static int choose_parts(struct picture *picture, u64 asked)
{
	unsigned int shift = tmm_occupancy_shift(picture->nr_frames);

	if (asked && (!is_power_of_2(asked) || asked < THESEUS_MM_MIN_BUCKET_FRAMES ||
		      asked > THESEUS_MM_MAX_BUCKET_FRAMES))
		return -EINVAL;
	if (asked && ilog2(asked) != shift) {
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		shift = ilog2(asked);
	}
	picture->shift = shift;
	picture->nr = nr_parts(picture->nr_frames, shift);
	return 0;
}

static int tell_buckets(const struct picture *picture, const struct tmm_entries *to)
{
	struct theseus_mm_bucket bucket;
	u64 counts[TMM_NR_COUNTS];
	int err;
	u32 i;

	for (i = 0; i < picture->nr; i++) {
		err = tmm_instance_count(picture->inst, picture->index, part_start(picture, i),
					 1ULL << picture->shift, counts);
		if (err)
			return err;
		bucket = (struct theseus_mm_bucket){
			.free = counts[TMM_MARK_FREE],
			.allocated = counts[TMM_MARK_ALLOCATED] + counts[TMM_MARK_UNMAPPED],
			.mapped = counts[TMM_MARK_MAPPED],
			.tables = counts[TMM_MARK_TABLE],
			.metadata = counts[TMM_COUNT_METADATA],
			.bad = counts[TMM_MARK_BAD],
		};
		err = tmm_entries_write(to, i, &bucket);
		if (err)
			return err;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* Count @nr frames, beginning with frame @first, for the client that is being counted. */
static void add_run(const struct picture *picture, struct share *shares, u64 first, u64 nr)
{
	const u64 limit = picture->first + picture->nr_frames;
	u64 frame = max(first, picture->first) - picture->first;
	u64 end = min(first + nr, limit);
	unsigned int i;

	if (first >= limit || end <= picture->first)
		return;
	end -= picture->first;
	for (i = frame >> picture->shift; frame < end; i++) {
		u64 next = min(part_start(picture, i + 1), end);

		shares[i].now += next - frame;
		frame = next;
	}
}

/*
 * Count the frames of a mapping, which may have any number of runs. The page tables are walked
 * without a lock, so the mapping may be gone, and other mappings may have taken its pages.
 */
static void add_mapping(const struct picture *picture, struct share *shares, u64 first, u64 nr)
{
	struct tmm_page_range pages = tmm_page_range_of(tmm_page_4k(first), nr);
	const u64 end = tmm_range_end(&pages.r);
	struct tmm_leaf_run run;

	while (tmm_leaf_runs_find(picture->inst->root, pages, &run)) {
		add_run(picture, shares, run.frame, run.nr);
		pages.r.first = run.page + run.nr;
		pages.r.nr = end - pages.r.first;
		cond_resched();
		if (fatal_signal_pending(current))
			return;
	}
}

/* Count the frames of a client's own objects, or those of its exports. */
static void add_client(const struct picture *picture, struct share *shares,
		       struct tmm_client *client, bool is_exports)
{
	struct tmm_snapshots all = { .client = client, .is_exports = is_exports };
	const struct tmm_snapshot *look;

	while ((look = tmm_snapshots_next(&all))) {
		if (look->kind == THESEUS_MM_KIND_FRAMES)
			add_run(picture, shares, look->start, look->nr);
		else if (look->kind == THESEUS_MM_KIND_MAPPING)
			add_mapping(picture, shares, look->start, look->nr);
	}
}

static int find_owners(const struct picture *picture, const struct tmm_client *caller,
		       struct share *shares)
{
	struct tmm_client *client;
	unsigned int i;

	tmm_clients_for_each(client) {
		const u32 owner = tmm_client_is_visible(client, caller) ?
				  client->identity.id : THESEUS_MM_OWNER_HIDDEN;

		if (READ_ONCE(client->is_closed) ||
		    !tmm_account_count(client->account, TMM_RESOURCE_FRAMES))
			continue;
		add_client(picture, shares, client, false);
		add_client(picture, shares, client, true);
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

static int tell_owners(const struct picture *picture, const struct tmm_client *caller, u64 to)
{
	u32 __user *owners = u64_to_user_ptr(to);
	struct share *shares;
	int err;
	u32 i;

	/* Small parts of a large region may need a huge array, so fail without a warning. */
	shares = kvcalloc(picture->nr, sizeof(*shares), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!shares)
		return -ENOMEM;
	BUILD_BUG_ON(THESEUS_MM_OWNER_NONE);
	err = find_owners(picture, caller, shares);
	if (err)
		goto out;
	for (i = 0; i < picture->nr; i++) {
		err = put_user(shares[i].owner, owners + i);
		if (err)
			goto out;
		cond_resched();
	}
out:
	kvfree(shares);
	return err;
}

static int tell_picture(struct tmm_call *call, const struct picture *picture,
			const struct tmm_entries *to)
{
	struct theseus_mm_occupancy *request = &call->arg.occupancy;
	const u32 room = request->nr_buckets;
	int err;

	request->nr_buckets = picture->nr;
	request->bucket_frames = 1ULL << picture->shift;
	err = tmm_call_reply(call);
	if (err)
		return err;
	if (room < picture->nr)
		return -ENOBUFS;
	err = tell_buckets(picture, to);
	if (err)
		return err;
	return request->owners ? tell_owners(picture, call->client, request->owners) : 0;
}

int tmm_ioctl_get_occupancy(struct tmm_call *call)
{
	const struct theseus_mm_occupancy *request = &call->arg.occupancy;
	struct tmm_instance *inst = call->client->inst;
	struct picture picture = { .inst = inst };
	const struct tmm_memory *memory;
	struct tmm_entries to;
	int err;

	err = TMM_ENTRIES_INIT(&to, request->buckets, request->bucket_size, theseus_mm_bucket,
			       bad);
	if (err)
		return err;
	if (request->index >= inst->nr_memories)
		return -ERANGE;
	picture.index = array_index_nospec(request->index, inst->nr_memories);
	memory = &inst->memories[picture.index].memory;
	picture.first = memory->first;
	picture.nr_frames = memory->nr;
	err = choose_parts(&picture, request->bucket_frames);
	return err ?: tell_picture(call, &picture, &to);
}
