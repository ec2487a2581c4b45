// SPDX-License-Identifier: GPL-2.0
/*
 * MAP_ALLOCATED_PAGES, MAP_ALLOCATED_PAGES_TO and REMAP: make a mapping of pages and frames
 * that the client owns, and change the flags of a mapping.
 */
#include "device/call/call.h"

#include "alloc/pages.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/request.h"

#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/errno.h>

/*
 * Map the pages of @pages, and let @object own the new mapping. The pages are mapped to the
 * frames of @frames, or to newly allocated frames if @frames is NULL.
 */
static int map_into(struct tmm_call *call, const struct tmm_mapping_request *req,
		    struct tmm_object *pages, struct tmm_object *frames, struct tmm_object *object)
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
		object->mapping = tmm_map_pages_to(client->inst->root, &pages->pages,
						   &frames->frames, req);
	else
		object->mapping = tmm_map_pages(client->inst->root, &pages->pages, req);
	if (IS_ERR(object->mapping))
		return PTR_ERR(object->mapping);
	object->kind = THESEUS_MM_KIND_MAPPING;
	return 0;
}

/* Map taken objects. The caller has taken @pages, and @frames unless @frames is NULL. */
static int map_taken(struct tmm_call *call, const struct tmm_mapping_request *req,
		     struct tmm_object *pages, struct tmm_object *frames)
{
	struct tmm_client *client = call->client;
	struct tmm_object *object = tmm_handle_reserve_in_place(client);
	int err;

	if (IS_ERR(object))
		return PTR_ERR(object);
	err = map_into(call, req, pages, frames, object);
	if (err) {
		tmm_handle_forget(client, object);
		return err;
	}
	tmm_handle_forget(client, pages);
	tmm_handle_abandon(client, frames);
	tmm_handle_publish(client, object);
	return 0;
}

int tmm_ioctl_map_allocated_pages(struct tmm_call *call)
{
	const struct theseus_mm_map *request = &call->arg.map;
	/* Clear the frames, so that a new owner never sees old content. */
	struct tmm_mapping_request req = { .zero = true };
	struct tmm_object *pages;
	int err;

	err = tmm_call_decode_flags(request->pte_flags, &req.flags);
	if (err)
		return err;
	err = tmm_mapping_request_check_ram_flags(req.flags);
	if (err)
		return err;
	if (request->frames)
		return -EINVAL;
	pages = tmm_handle_take(call->client, request->pages, THESEUS_MM_KIND_PAGES);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	err = map_taken(call, &req, pages, NULL);
	if (err)
		tmm_handle_publish(call->client, pages);
	return err;
}

int tmm_ioctl_map_allocated_pages_to(struct tmm_call *call)
{
	const struct theseus_mm_map *request = &call->arg.map;
	struct tmm_mapping_request req = {};
	struct tmm_object *pages, *frames;
	int err;

	err = tmm_call_decode_flags(request->pte_flags, &req.flags);
	if (err)
		return err;
	err = tmm_pte_flags_check(req.flags);
	if (err)
		return err;
	pages = tmm_handle_take(call->client, request->pages, THESEUS_MM_KIND_PAGES);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	frames = tmm_handle_take(call->client, request->frames, THESEUS_MM_KIND_FRAMES);
	err = PTR_ERR_OR_ZERO(frames);
	if (err)
		goto err_publish_pages;
	err = map_taken(call, &req, pages, frames);
	if (err)
		goto err_publish_frames;
	return 0;

err_publish_frames:
	tmm_handle_publish(call->client, frames);
err_publish_pages:
	tmm_handle_publish(call->client, pages);
	return err;
}

int tmm_ioctl_remap(struct tmm_call *call)
{
	struct tmm_object *object;
	tmm_pte_flags_t flags;
	int err;

	err = tmm_call_decode_flags(call->arg.remap.pte_flags, &flags);
	if (err)
		return err;
	object = tmm_handle_take(call->client, call->arg.remap.handle, THESEUS_MM_KIND_MAPPING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = tmm_mapped_pages_remap(object->mapping, flags);
	tmm_handle_publish(call->client, object);
	return err;
}
