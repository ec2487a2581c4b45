// SPDX-License-Identifier: GPL-2.0
/* QUERY, DROP, SPLIT and MERGE: calls on one or two objects. */
#include "device/call/objects.h"

#include "device/call/call.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "device/share/linger.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages_borrow.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>

int tmm_ioctl_query(struct tmm_call *call)
{
	int err;

	err = tmm_handle_query(call->client, &call->arg.query);
	return err ?: tmm_call_reply(call);
}

/*
 * A mapping may be dropped while only lingering loans borrow the mapping. The memory of the
 * mapping is freed when I/O has released the last pin of those loans.
 */
static bool may_drop(const struct tmm_object *object)
{
	if (object->kind != THESEUS_MM_KIND_MAPPING ||
	    !tmm_mapped_pages_is_borrowed(object->mapping))
		return true;
	return object->mf && tmm_linger_is_only_borrower(object->mf, object->mapping);
}

/*
 * Return @object, which the caller has taken in order to drop it. Lingering loans may borrow the
 * object's memory. A mapping with any other borrow becomes visible again, and the result is
 * ERR_PTR(-EBUSY). May sleep.
 */
struct tmm_object *tmm_object_allow_drop(struct tmm_client *client, struct tmm_object *object)
{
	/* No new borrow of a taken object can begin, so an allowed drop stays allowed. */
	if (likely(may_drop(object)))
		return object;
	tmm_handle_publish(client, object);
	return ERR_PTR(-EBUSY);
}

/*
 * Take an object in order to drop it, see tmm_object_allow_drop(). The caller drops the object, or
 * publishes the object again. Returns ERR_PTR(-ENOENT) for an unknown handle. May sleep.
 */
static struct tmm_object *take_to_drop(struct tmm_client *client, u32 handle)
{
	struct tmm_object *object;

	object = tmm_handle_take(client, handle, TMM_KIND_ANY);
	return IS_ERR(object) ? object : tmm_object_allow_drop(client, object);
}

int tmm_ioctl_drop(struct tmm_call *call)
{
	struct tmm_object *object;

	object = take_to_drop(call->client, call->arg.drop.handle);
	if (IS_ERR(object))
		return PTR_ERR(object);
	tmm_handle_drop(call->client, object);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_drop);

/* Split the pages, frames or mapping of @object between two new objects. */
static int split_into(struct tmm_call *call, struct tmm_object *object, struct tmm_object *first,
		      struct tmm_object *second)
{
	struct theseus_mm_split *request = &call->arg.split;
	const struct tmm_range chunks = tmm_object_chunks(object);
	const u64 at = request->offset >> TMM_PAGE_SHIFT;
	int err;

	if ((request->offset & (TMM_PAGE_SIZE - 1)) || !at || at >= chunks.nr)
		return -EINVAL;
	request->first = first->handle;
	request->second = second->handle;
	err = tmm_call_reply(call);
	if (err)
		return err;
	err = tmm_object_split_content(object, chunks.first + at, second);
	if (err)
		return err;
	first->kind = object->kind;
	/* All members of the union are pointers, so this assignment copies whichever is set. */
	first->pages = object->pages;
	object->kind = 0;
	return 0;
}

int tmm_ioctl_split(struct tmm_call *call)
{
	struct tmm_client *client = call->client;
	struct tmm_object *object, *first, *second;
	int err;

	object = tmm_handle_take(client, call->arg.split.handle, TMM_KIND_ANY);
	if (IS_ERR(object))
		return PTR_ERR(object);
	first = tmm_handle_reserve_in_place(client);
	err = PTR_ERR_OR_ZERO(first);
	if (err)
		goto err_publish;
	second = tmm_handle_reserve_beyond(client, tmm_handle_nr_files(object));
	err = PTR_ERR_OR_ZERO(second);
	if (err)
		goto err_forget_first;
	err = split_into(call, object, first, second);
	if (err)
		goto err_abandon_second;
	tmm_handle_forget(client, object);
	tmm_handle_publish(client, first);
	tmm_handle_publish(client, second);
	return 0;

err_abandon_second:
	tmm_handle_abandon(client, second);
err_forget_first:
	tmm_handle_forget(client, first);
err_publish:
	tmm_handle_publish(client, object);
	return err;
}

int tmm_ioctl_merge(struct tmm_call *call)
{
	const struct theseus_mm_merge *request = &call->arg.merge;
	const u32 handles[2] = { request->handle, request->other };
	struct tmm_client *client = call->client;
	struct tmm_object *objects[2];
	int err;

	if (request->reserved || request->handle == request->other)
		return -EINVAL;
	err = tmm_handle_take_two(client, handles, objects);
	if (err)
		return err;
	err = tmm_object_merge_content(objects[0], objects[1]);
	if (err) {
		tmm_handle_publish(client, objects[1]);
	} else {
		tmm_handle_abandon(client, objects[1]);
		tmm_handle_resize(client, objects[0]);
	}
	tmm_handle_publish(client, objects[0]);
	return err;
}
