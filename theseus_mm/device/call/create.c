// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of memory that a call allocates. The call is decoded to a mapping request, which the
 * allocators and page tables serve. The new mapping is returned as a reserved object.
 */
#include "device/call/create.h"

#include "alloc/range_request.h"
#include "core/compat.h"
#include "device/call/call.h"
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

/*
 * Decode and check a request for new RAM. @req is valid on success only.
 * Return: 0, -EINVAL, -EOVERFLOW or -EOPNOTSUPP
 */
int tmm_call_decode_create(struct tmm_client *client, const struct tmm_create_wish *wish,
			   struct tmm_mapping_request *req)
{
	int err;

	/*
	 * Clear the frames, so that a new owner never sees old content. Use pages of general
	 * regions only, because the lower half is for identity mappings.
	 */
	req->frames = wish->frames;
	req->first = 0;
	req->zero = true;
	req->is_sized = false;
	req->leaf = TMM_4K;
	req->account = client->account;
	req->general_only = true;
	err = tmm_call_decode_flags(wish->pte_flags, &req->flags);
	if (err)
		return err;
	err = tmm_chunks_of_bytes(0, wish->size, &req->nr);
	if (err)
		return err;
	err = decode_leaf_size(wish->leaf_size, req);
	if (err)
		return err;
	err = tmm_call_decode_align(wish->align, &req->align);
	if (err)
		return err;
	return tmm_mapping_request_check(req);
}

/* Create a mapping in a reserved object. After an error, the object still owns nothing. */
int tmm_call_create_content(struct tmm_client *client, const struct tmm_mapping_request *req,
			    struct tmm_object *object)
{
	struct tmm_mapped_pages *mp = tmm_instance_create(client->inst, client->inst->root, req);

	if (IS_ERR(mp))
		return PTR_ERR(mp);
	object->mapping = mp;
	object->kind = THESEUS_MM_KIND_MAPPING;
	return 0;
}

/*
 * Create a mapping in a new, reserved object, for a request that has been checked. The caller
 * copies the results out and publishes the object, or drops the object.
 */
struct tmm_object *tmm_call_create(struct tmm_client *client,
				   const struct tmm_mapping_request *req)
{
	struct tmm_object *object;
	int err;

	object = tmm_handle_reserve(client);
	if (IS_ERR(object))
		return object;
	err = tmm_call_create_content(client, req, object);
	if (err) {
		tmm_handle_abandon(client, object);
		return ERR_PTR(err);
	}
	return object;
}

/* Describe a new mapping, which nobody else can find yet, to the program. */
void tmm_call_describe_created(const struct tmm_object *object, enum tmm_frames_choice frames,
			       struct tmm_created *created)
{
	const struct tmm_mapped_pages *mp = object->mapping;

	created->start = tmm_page_start_address(tmm_page_4k(tmm_mapped_pages_first(mp))).v;
	created->nr_pages = tmm_mapped_pages_nr(mp);
	created->paddr = 0;
	/* The frames of TMM_FRAMES_ANY may be several runs, which have several addresses. */
	if (frames != TMM_FRAMES_ANY && tmm_identity_sees_all())
		created->paddr = tmm_mapped_pages_first_paddr(mp).v;
}

static int create_mapping(struct tmm_call *call, enum tmm_frames_choice frames)
{
	struct theseus_mm_create_mapping *request = &call->arg.create;
	const struct tmm_create_wish wish = {
		.size = request->size,
		.pte_flags = request->pte_flags,
		.leaf_size = request->leaf_size,
		.align = request->align,
		.frames = frames,
	};
	struct tmm_mapping_request req TMM_UNINITIALIZED;
	struct tmm_created created TMM_UNINITIALIZED;
	struct tmm_object *object;
	int err;

	err = tmm_call_decode_create(call->client, &wish, &req);
	if (err)
		return err;
	object = tmm_call_create(call->client, &req);
	if (IS_ERR(object))
		return PTR_ERR(object);
	tmm_call_describe_created(object, frames, &created);
	request->handle = object->handle;
	request->start = created.start;
	request->nr_pages = created.nr_pages;
	request->paddr = created.paddr;
	return tmm_call_deliver(call, object);
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
