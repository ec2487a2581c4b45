// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of memory that a call allocates. The call is decoded to a mapping request, which the
 * allocators and page tables serve. The new mapping is returned as a reserved object.
 */
#include "device/call/create.h"

#include "device/call/call.h"
#include "alloc/range_request.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/create.h"
#include "mapping/instance.h"
#include "mapping/mapped_pages.h"
#include "mapping/request.h"

#include <kunit/visibility.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>

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

	/*
	 * Clear the frames, so that a new owner never sees old content. Use pages of general
	 * regions only, because the lower half is for identity mappings.
	 */
	*req = (struct tmm_mapping_request){
		.frames = frames,
		.zero = true,
		.account = client->account,
		.general_only = true,
	};
	err = tmm_call_decode_flags(request->pte_flags, &req->flags);
	if (err)
		return err;
	err = tmm_chunks_of_bytes(0, request->size, &req->nr);
	if (err)
		return err;
	err = decode_leaf_size(request->leaf_size, req);
	if (err)
		return err;
	return tmm_call_decode_align(request->align, &req->align);
}

/*
 * Create a mapping in a reserved object. The caller copies the results out and publishes the
 * object, or drops the object.
 */
struct tmm_object *tmm_call_create(struct tmm_client *client,
				   const struct tmm_mapping_request *req,
				   enum tmm_handle_charge charge)
{
	const bool is_charged = charge == TMM_HANDLE_IS_CHARGED;
	struct tmm_object *object;
	int err;

	err = tmm_mapping_request_check(req);
	if (err)
		return ERR_PTR(err);
	object = is_charged ? tmm_handle_reserve_in_place(client) : tmm_handle_reserve(client);
	if (IS_ERR(object))
		return object;
	object->mapping = tmm_instance_create(client->inst, client->inst->root, req);
	if (IS_ERR(object->mapping)) {
		err = PTR_ERR(object->mapping);
		if (is_charged)
			tmm_handle_forget(client, object);
		else
			tmm_handle_abandon(client, object);
		return ERR_PTR(err);
	}
	object->kind = THESEUS_MM_KIND_MAPPING;
	return object;
}

/*
 * Decode a request for new RAM and serve it by tmm_call_create(). The out fields of @request
 * are filled in on success only.
 */
struct tmm_object *tmm_call_create_mapping(struct tmm_client *client,
					   struct theseus_mm_create_mapping *request,
					   enum tmm_frames_choice frames,
					   enum tmm_handle_charge charge)
{
	struct tmm_mapping_request req;
	struct tmm_page_range pages;
	struct tmm_object *object;
	int err;

	err = decode_request(client, request, frames, &req);
	if (err)
		return ERR_PTR(err);
	object = tmm_call_create(client, &req, charge);
	if (IS_ERR(object))
		return object;
	pages = tmm_mapped_pages_range(object->mapping);
	request->handle = object->handle;
	request->start = tmm_page_range_start_address(&pages).v;
	request->nr_pages = tmm_page_range_size_in_pages(&pages);
	request->paddr = 0;
	/* The frames of TMM_FRAMES_ANY may be several runs, which have several addresses. */
	if (frames != TMM_FRAMES_ANY && tmm_identity_sees_all())
		request->paddr = tmm_mapped_pages_first_paddr(object->mapping).v;
	return object;
}

static int create_mapping(struct tmm_call *call, enum tmm_frames_choice frames)
{
	struct tmm_object *object;

	object = tmm_call_create_mapping(call->client, &call->arg.create, frames,
					 TMM_CHARGE_HANDLE);
	return IS_ERR(object) ? PTR_ERR(object) : tmm_call_deliver(call, object);
}

int tmm_ioctl_create_mapping(struct tmm_call *call)
{
	return create_mapping(call, TMM_FRAMES_ANY);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_create_mapping);

int tmm_ioctl_create_contiguous_mapping(struct tmm_call *call)
{
	return create_mapping(call, TMM_FRAMES_CONTIGUOUS);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_create_contiguous_mapping);

int tmm_ioctl_create_identity_mapping(struct tmm_call *call)
{
	return capable(CAP_SYS_RAWIO) ? create_mapping(call, TMM_FRAMES_IDENTITY) : -EPERM;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_create_identity_mapping);
