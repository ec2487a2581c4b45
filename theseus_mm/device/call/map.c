// SPDX-License-Identifier: GPL-2.0
#include "device/call/call.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/bug.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/create.h"
#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/placement.h"

#include <kunit/visibility.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

/**
 * tmm_decode_flags() - the flags of a mapping that a client asks for
 * @user_flags: THESEUS_MM_PTE_*
 * @flags: set on success only
 *
 * Whether they suit the memory is seen where that is known.
 *
 * Return: 0 or -EINVAL
 */
int tmm_decode_flags(u64 user_flags, tmm_pte_flags_t *flags)
{
	BUILD_BUG_ON((THESEUS_MM_PTE_SETTABLE | THESEUS_MM_PTE_VALID |
		      THESEUS_MM_PTE_EXCLUSIVE) != (__force u64)TMM_PTE_ALL);
	if (user_flags & ~THESEUS_MM_PTE_SETTABLE)
		return -EINVAL;
	*flags = (__force tmm_pte_flags_t)user_flags;
	return tmm_pte_flags_check(*flags);
}

/* For new frames, which are RAM. */
static int decode_ram_flags(u64 user_flags, tmm_pte_flags_t *flags)
{
	int err = tmm_decode_flags(user_flags, flags);

	return err ?: tmm_pte_flags_check_memory_type(*flags, TMM_WRITE_BACK);
}

static int decode_leaf_size(u64 nr_bytes, struct tmm_mapping_request *req)
{
	if (!nr_bytes)
		return 0;
	req->is_sized = true;
	for (req->leaf = TMM_4K; req->leaf < TMM_NR_PAGE_SIZES; req->leaf++)
		if (nr_bytes == tmm_page_size_bytes(req->leaf))
			return 0;
	return -EINVAL;
}

static int decode_request(struct tmm_client *client,
			  const struct theseus_mm_create_mapping *request,
			  enum tmm_frames_choice frames, struct tmm_mapping_request *req)
{
	int err;

	/* A new owner never sees old content; the lower half is for identity mappings. */
	*req = (struct tmm_mapping_request){
		.frames = frames,
		.zero = true,
		.account = client->account,
		.general_only = true,
	};
	err = decode_ram_flags(request->pte_flags, &req->flags);
	if (!err)
		err = tmm_chunks_of_bytes(0, request->size, &req->nr);
	if (!err)
		err = decode_leaf_size(request->leaf_size, req);
	return err ?: tmm_decode_align(request->align, &req->align);
}

/**
 * tmm_create_mapping_object() - make a mapping for a client
 * @client: the client
 * @request: size and pte_flags are set; the out fields are filled in, on success only
 * @frames: how the frames are chosen
 *
 * Context: Process context, may sleep.
 * Return: a reserved object that owns the mapping: the caller publishes it after the
 * results were copied out, or drops it; or an error pointer
 */
struct tmm_object *tmm_create_mapping_object(struct tmm_client *client,
					     struct theseus_mm_create_mapping *request,
					     enum tmm_frames_choice frames)
{
	struct tmm_paddr paddr = {};
	struct tmm_mapping_request req;
	struct tmm_page_range pages;
	struct tmm_object *object;
	int err = decode_request(client, request, frames, &req);

	if (err)
		return ERR_PTR(err);
	object = tmm_object_reserve(client);
	if (IS_ERR(object))
		return object;
	object->mapping = tmm_instance_create(client->inst, client->inst->root, &req, &paddr);
	if (IS_ERR(object->mapping)) {
		err = PTR_ERR(object->mapping);
		tmm_object_abandon(client, object);
		return ERR_PTR(err);
	}
	object->kind = THESEUS_MM_KIND_MAPPING;
	pages = tmm_mapped_pages_range(object->mapping);
	request->handle = object->handle;
	request->start = tmm_page_range_start_address(&pages).v;
	request->nr_pages = tmm_page_range_size_in_pages(&pages);
	request->paddr = paddr.v && tmm_sees_all() ? paddr.v : 0;
	return object;
}

static int create_mapping(struct tmm_call *call, enum tmm_frames_choice frames)
{
	struct tmm_client *client = call->client;
	struct tmm_object *object = tmm_create_mapping_object(client, &call->arg.create, frames);
	int err;

	if (IS_ERR(object))
		return PTR_ERR(object);
	err = tmm_call_reply(call);
	if (err)
		tmm_object_drop(client, object);
	else
		tmm_object_publish(client, object);
	return err;
}

int tmm_ioctl_create_mapping(struct tmm_call *call)
{
	return create_mapping(call, TMM_FRAMES_ANY);
}

int tmm_ioctl_create_contiguous_mapping(struct tmm_call *call)
{
	return create_mapping(call, TMM_FRAMES_CONTIGUOUS);
}

int tmm_ioctl_create_identity_mapping(struct tmm_call *call)
{
	return capable(CAP_SYS_RAWIO) ? create_mapping(call, TMM_FRAMES_IDENTITY) : -EPERM;
}

/* Map what @pages owns, to what @frames owns if it is not NULL, as @object. */
static int map_into(struct tmm_call *call, tmm_pte_flags_t flags, struct tmm_object *pages,
		    struct tmm_object *frames, struct tmm_object *object)
{
	struct theseus_mm_map *request = &call->arg.map;
	struct tmm_page_range range = tmm_allocated_pages_range(pages->pages);
	struct tmm_client *client = call->client;
	int err;

	request->handle = object->handle;
	request->start = tmm_page_range_start_address(&range).v;
	request->nr_pages = tmm_page_range_size_in_pages(&range);
	err = tmm_call_reply(call);
	if (err)
		return err;
	if (frames)
		object->mapping = tmm_map_allocated_pages_to(client->inst->root, &pages->pages,
							     &frames->frames, flags);
	else
		object->mapping = tmm_map_allocated_pages(client->inst->root, &pages->pages, flags,
							  true);
	if (IS_ERR(object->mapping))
		return PTR_ERR(object->mapping);
	object->kind = THESEUS_MM_KIND_MAPPING;
	return 0;
}

/* @frames is NULL, or owned by the caller and taken already. */
static int map_taken(struct tmm_call *call, tmm_pte_flags_t flags, struct tmm_object *pages,
		     struct tmm_object *frames)
{
	struct tmm_client *client = call->client;
	struct tmm_object *object = tmm_object_reserve_in_place(client);
	int err;

	if (IS_ERR(object))
		return PTR_ERR(object);
	err = map_into(call, flags, pages, frames, object);
	if (err) {
		tmm_object_forget(client, object);
		return err;
	}
	tmm_object_forget(client, pages);
	tmm_object_abandon(client, frames);
	tmm_object_publish(client, object);
	return 0;
}

int tmm_ioctl_map_allocated_pages(struct tmm_call *call)
{
	const struct theseus_mm_map *request = &call->arg.map;
	struct tmm_object *pages;
	tmm_pte_flags_t flags;
	int err = decode_ram_flags(request->pte_flags, &flags);

	if (err)
		return err;
	if (request->frames)
		return -EINVAL;
	pages = tmm_object_take(call->client, request->pages, THESEUS_MM_KIND_PAGES);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	err = map_taken(call, flags, pages, NULL);
	if (err)
		tmm_object_publish(call->client, pages);
	return err;
}

int tmm_ioctl_map_allocated_pages_to(struct tmm_call *call)
{
	const struct theseus_mm_map *request = &call->arg.map;
	struct tmm_object *pages, *frames;
	tmm_pte_flags_t flags;
	int err = tmm_decode_flags(request->pte_flags, &flags);

	if (err)
		return err;
	pages = tmm_object_take(call->client, request->pages, THESEUS_MM_KIND_PAGES);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	frames = tmm_object_take(call->client, request->frames, THESEUS_MM_KIND_FRAMES);
	err = PTR_ERR_OR_ZERO(frames);
	if (err)
		goto err_publish_pages;
	err = map_taken(call, flags, pages, frames);
	if (err)
		goto err_publish_frames;
	return 0;

err_publish_frames:
	tmm_object_publish(call->client, frames);
err_publish_pages:
	tmm_object_publish(call->client, pages);
	return err;
}

int tmm_ioctl_remap(struct tmm_call *call)
{
	struct tmm_object *object;
	tmm_pte_flags_t flags;
	int err = tmm_decode_flags(call->arg.remap.pte_flags, &flags);

	if (err)
		return err;
	object = tmm_object_take(call->client, call->arg.remap.handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = tmm_mapped_pages_remap(object->mapping, flags);
	tmm_object_publish(call->client, object);
	return err;
}

/*
 * The parts of a mapping that is being unmapped: one object for the pages, and
 * one for each run of frames.
 */
struct parts {
	struct tmm_object *pages;
	struct tmm_object **frames;
	unsigned int nr_frames;
};

static void abandon_parts(struct tmm_client *client, struct parts *parts)
{
	while (parts->nr_frames) {
		tmm_object_abandon(client, parts->frames[--parts->nr_frames]);
		cond_resched();
	}
	kvfree(parts->frames);
	tmm_object_forget(client, parts->pages);
}

/* For what becomes of @mapping: its pages in its place, and its frames. */
static int reserve_parts(struct tmm_client *client, const struct tmm_object *mapping,
			 struct parts *parts)
{
	const unsigned int nr_frames = mapping->mapping->nr_frame_ranges;
	const u64 nr_files = tmm_object_nr_files(mapping);
	struct tmm_object *object;
	/* Check all before charging any: taking charges back would wake waiters for ever. */
	int err = tmm_account_check(client->account, TMM_RESOURCE_HANDLES, nr_frames, nr_files);

	memset(parts, 0, sizeof(*parts));
	if (err)
		return err;
	object = tmm_object_reserve_in_place(client);
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
		object = tmm_object_reserve_beyond(client, nr_files);
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
		tmm_object_publish(client, parts->frames[i++]);
		cond_resched();
	}
	kvfree(parts->frames);
	tmm_object_publish(client, parts->pages);
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
	if (!err)
		err = tmm_mapped_pages_unmap_into_parts(&object->mapping, &pages, &list);
	if (err) {
		abandon_parts(client, &parts);
		return err;
	}
	parts.pages->kind = THESEUS_MM_KIND_PAGES;
	parts.pages->pages = pages;
	publish_parts(client, &parts, &list);
	tmm_object_forget(client, object);
	return 0;
}

int tmm_ioctl_unmap_into_parts(struct tmm_call *call)
{
	struct tmm_object *object;
	int err;

	object = tmm_object_take(call->client, call->arg.unmap.handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = unmap_taken(call, object);
	if (err)
		tmm_object_publish(call->client, object);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_unmap_into_parts);
