// SPDX-License-Identifier: GPL-2.0
/* UNMAP_INTO_PARTS: a mapping becomes one handle for the pages and one per run of frames. */
#include "device/call/call.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* The parts of a mapping that is being unmapped: objects for the pages and the runs of frames. */
struct parts {
	struct tmm_object *pages;
	struct tmm_object **frames;
	unsigned int nr_frames;
};

static void abandon_parts(struct tmm_client *client, struct parts *parts)
{
	while (parts->nr_frames) {
		tmm_handle_abandon(client, parts->frames[--parts->nr_frames]);
		cond_resched();
	}
	kvfree(parts->frames);
	tmm_handle_forget(client, parts->pages);
}

/*
 * Reserve the objects for the parts of @mapping. The object of the pages replaces the object of
 * the mapping, so only the objects of the frames are charged.
 */
static int reserve_parts(struct tmm_client *client, const struct tmm_object *mapping,
			 struct parts *parts)
{
	const unsigned int nr_frames = mapping->mapping->nr_frame_ranges;
	const u64 nr_files = tmm_handle_nr_files(mapping);
	struct tmm_object *object;
	int err;

	memset(parts, 0, sizeof(*parts));
	/*
	 * Check the whole charge before charging a part. Undoing a part would wake the waiters
	 * in poll(), whose retries would wake waiters again, for ever.
	 */
	err = tmm_account_check(client->account, TMM_RESOURCE_HANDLES, nr_frames, nr_files);
	if (err)
		return err;
	object = tmm_handle_reserve_in_place(client);
	if (IS_ERR(object))
		return PTR_ERR(object);
	parts->pages = object;
	/* A mapping above 1 TiB in single frames needs an array for which kvmalloc() warns. */
	parts->frames = kvcalloc(nr_frames, sizeof(*parts->frames),
				 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!parts->frames) {
		object = ERR_PTR(-ENOMEM);
		goto err_abandon;
	}
	while (parts->nr_frames < nr_frames) {
		object = tmm_handle_reserve_beyond(client, nr_files);
		if (IS_ERR(object))
			goto err_abandon;
		parts->frames[parts->nr_frames++] = object;
		cond_resched();
	}
	return 0;

err_abandon:
	abandon_parts(client, parts);
	return PTR_ERR(object);
}

static int reply_parts(struct tmm_call *call, const struct parts *parts)
{
	struct theseus_mm_unmap *request = &call->arg.unmap;
	u32 __user *handles = u64_to_user_ptr(request->frames);
	unsigned int i;

	for (i = 0; i < parts->nr_frames; i++) {
		if (put_user(parts->frames[i]->handle, &handles[i]))
			return -EFAULT;
		cond_resched();
	}
	request->pages = parts->pages->handle;
	request->nr_frames = parts->nr_frames;
	return tmm_call_reply(call);
}

static void publish_parts(struct tmm_client *client, struct parts *parts, struct list_head *list)
{
	struct tmm_allocated_frames *frames, *next;
	unsigned int i = 0;

	list_for_each_entry_safe(frames, next, list, f.link) {
		list_del_init(&frames->f.link);
		parts->frames[i]->kind = THESEUS_MM_KIND_FRAMES;
		parts->frames[i]->frames = frames;
		tmm_handle_publish(client, parts->frames[i++]);
		cond_resched();
	}
	kvfree(parts->frames);
	tmm_handle_publish(client, parts->pages);
}

static int unmap_taken(struct tmm_call *call, struct tmm_object *object)
{
	struct tmm_client *client = call->client;
	struct tmm_allocated_pages *pages;
	struct parts parts;
	LIST_HEAD(list);
	int err;

	if (tmm_mapped_pages_is_borrowed(object->mapping))
		return -EBUSY;
	if (call->arg.unmap.nr_frames < object->mapping->nr_frame_ranges)
		return -ENOBUFS;
	err = reserve_parts(client, object, &parts);
	if (err)
		return err;
	err = reply_parts(call, &parts);
	if (err)
		goto err_abandon;
	err = tmm_mapped_pages_unmap_into_parts(&object->mapping, &pages, &list);
	if (err)
		goto err_abandon;
	parts.pages->kind = THESEUS_MM_KIND_PAGES;
	parts.pages->pages = pages;
	publish_parts(client, &parts, &list);
	tmm_handle_forget(client, object);
	return 0;

err_abandon:
	abandon_parts(client, &parts);
	return err;
}

int tmm_ioctl_unmap_into_parts(struct tmm_call *call)
{
	struct tmm_object *object;
	int err;

	object = tmm_handle_take(call->client, call->arg.unmap.handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = unmap_taken(call, object);
	if (err)
		tmm_handle_publish(call->client, object);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_unmap_into_parts);
