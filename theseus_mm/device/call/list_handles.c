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
#include <linux/sched/signal.h>

/* A list that is being written. */
struct list {
	struct tmm_snapshots all;	/* the objects or exported mappings to list */
	bool shows_frames;		/* the caller may know physical addresses */
	struct tmm_entries to;		/* the caller's array */
	u32 room;			/* number of entries that fit the array */
	u32 nr;				/* number of entries that were written */
};

static struct theseus_mm_handle_info describe_handle(const struct list *list,
						     const struct tmm_snapshot *look)
{
	struct theseus_mm_handle_info info = {
		.handle = list->all.is_exports ? 0 : look->handle,
		.kind = look->kind,
		.attributes = look->attributes,
		.nr_borrows = look->nr_borrows,
		.start = look->start << TMM_PAGE_SHIFT,
		.nr_pages = look->nr,
		.pte_flags = (__force u64)look->flags,
		.nr_frame_ranges = look->nr_frame_ranges,
		.export_id = list->all.is_exports ? look->handle : 0,
	};

	if (look->kind == THESEUS_MM_KIND_MAPPING &&
	    tmm_client_pages_are_bad(list->all.client, look->start, look->nr))
		info.attributes |= THESEUS_MM_ATTRIBUTE_BAD;
	if (look->kind != THESEUS_MM_KIND_FRAMES)
		info.start = tmm_vaddr_new_canonical(info.start).v;
	else if (!list->shows_frames)
		info.start = 0;
	return info;
}

static int tell_handles(struct tmm_call *call, struct list *list)
{
	struct theseus_mm_handles *request = &call->arg.handles;
	struct theseus_mm_handle_info info;
	const struct tmm_snapshot *look;
	int err;

	while ((look = tmm_snapshots_next(&list->all)) && list->nr < list->room) {
		info = describe_handle(list, look);
		err = tmm_entries_write(&list->to, list->nr, &info);
		if (err)
			return err;
		list->nr++;
	}
	if (fatal_signal_pending(current))
		return -EINTR;
	/* The next call goes on at the first entry that found no room. */
	request->from = look ? look->handle : 0;
	if (request->from && !list->room)
		return -ENOBUFS;
	request->nr_handles = list->nr;
	return tmm_call_reply(call);
}

int tmm_ioctl_list_handles(struct tmm_call *call)
{
	const struct theseus_mm_handles *request = &call->arg.handles;
	struct list list = {
		.all.client = call->client,
		.all.is_exports = request->flags & THESEUS_MM_HANDLES_EXPORTS,
		.all.from = request->from,
		.shows_frames = tmm_identity_sees_all(),
		.room = request->nr_handles,
	};
	int err;

	err = TMM_ENTRIES_INIT(&list.to, request->handles, request->entry_size,
			       theseus_mm_handle_info, export_id);
	return err ?: tell_handles(call, &list);
}
