// SPDX-License-Identifier: GPL-2.0
/*
 * LIST_HANDLES: the handles of a client, and the mappings that the client exported.
 *
 * A few entries at a time are collected under the lock of the client's table, and are copied
 * out after the lock is released. Handles may come and go between two such steps.
 */
#include "device/call/call.h"

#include "core/address.h"
#include "device/call/entries.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/show/snapshot.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

/* A list that is being written. */
struct list {
	struct tmm_client *client;	/* the client whose objects are listed */
	bool is_exports;		/* list exported mappings instead of handles */
	bool shows_frames;		/* the caller may know physical addresses */
	struct tmm_entries to;		/* the caller's array */
	u32 room;			/* number of entries that fit the array */
	u32 nr;				/* number of entries that were written */
	u64 from;			/* next number to look for; at the end, above all numbers */
};

static unsigned int look_at_objects(const struct list *list, struct tmm_snapshot *looks,
				    unsigned int nr)
{
	return list->is_exports ?
	       tmm_snapshot_exports(list->client, list->from, looks, nr) :
	       tmm_snapshot_objects(list->client, list->from, looks, nr);
}

static struct theseus_mm_handle_info describe_handle(const struct list *list,
						     const struct tmm_snapshot *look)
{
	struct theseus_mm_handle_info info = {
		.handle = list->is_exports ? 0 : look->handle,
		.kind = look->kind,
		.attributes = look->attributes,
		.nr_borrows = look->nr_borrows,
		.start = look->start << TMM_PAGE_SHIFT,
		.nr_pages = look->nr,
		.pte_flags = (__force u64)look->flags,
		.nr_frame_ranges = look->nr_frame_ranges,
		.export_id = list->is_exports ? look->handle : 0,
	};

	if (look->kind == THESEUS_MM_KIND_MAPPING &&
	    tmm_client_pages_are_bad(list->client, look->start, look->nr))
		info.attributes |= THESEUS_MM_ATTRIBUTE_BAD;
	if (look->kind != THESEUS_MM_KIND_FRAMES)
		info.start = tmm_vaddr_new_canonical(info.start).v;
	else if (!list->shows_frames)
		info.start = 0;
	return info;
}

static int tell_some(struct list *list)
{
	const unsigned int nr_wanted = min_t(u32, list->room - list->nr, TMM_LOOKS);
	struct theseus_mm_handle_info info;
	struct tmm_snapshot looks[TMM_LOOKS];
	unsigned int nr = look_at_objects(list, looks, nr_wanted), i;
	int err;

	for (i = 0; i < nr; i++) {
		info = describe_handle(list, &looks[i]);
		err = tmm_entries_write(&list->to, list->nr, &info);
		if (err)
			return err;
		list->nr++;
		list->from = (u64)looks[i].handle + 1;
	}
	if (nr < nr_wanted)
		list->from = (u64)U32_MAX + 1;
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* Return the number of the next entry that exists now, or 0 if no entry is left. */
static u32 find_next(const struct list *list)
{
	struct tmm_snapshot next;

	return look_at_objects(list, &next, 1) ? next.handle : 0;
}

static int tell_handles(struct tmm_call *call, struct list *list)
{
	struct theseus_mm_handles *request = &call->arg.handles;
	int err;

	while (list->nr < list->room && list->from <= U32_MAX) {
		err = tell_some(list);
		if (err)
			return err;
	}
	request->from = find_next(list);
	if (request->from && !list->room)
		return -ENOBUFS;
	request->nr_handles = list->nr;
	return tmm_call_reply(call);
}

int tmm_ioctl_list_handles(struct tmm_call *call)
{
	const struct theseus_mm_handles *request = &call->arg.handles;
	struct list list = {
		.client = call->client,
		.is_exports = request->flags & THESEUS_MM_HANDLES_EXPORTS,
		.shows_frames = tmm_identity_sees_all(),
		.room = request->nr_handles,
		.from = request->from,
	};
	int err;

	err = TMM_ENTRIES_INIT(&list.to, request->handles, request->entry_size,
			       theseus_mm_handle_info, export_id);
	return err ?: tell_handles(call, &list);
}
