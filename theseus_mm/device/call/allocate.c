// SPDX-License-Identifier: GPL-2.0
/* ALLOCATE_PAGES and ALLOCATE_FRAMES: a client allocates pages or frames without a mapping. */
#include "device/call/call.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/pages.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/instance.h"

#include <kunit/visibility.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/overflow.h>

/* Check that the flags agree with each other, and that each field that no flag uses is 0. */
static int check_fields(const struct theseus_mm_allocate *request)
{
	bool is_at = request->flags & THESEUS_MM_ALLOCATE_AT;
	bool in_range = request->flags & THESEUS_MM_ALLOCATE_IN_RANGE;

	if (is_at && (in_range || request->align))
		return -EINVAL;
	if (!is_at && request->at)
		return -EINVAL;
	if (!in_range && (request->min || request->max))
		return -EINVAL;
	if (request->min > request->max)
		return -EINVAL;
	if (!request->size)
		return -EINVAL;
	return 0;
}

static int decode_size(const struct theseus_mm_allocate *request, u64 *nr)
{
	if (request->flags & THESEUS_MM_ALLOCATE_BY_BYTES)
		return tmm_chunks_of_bytes(request->at & (TMM_PAGE_SIZE - 1), request->size, nr);
	/* A size in chunks must also fit 64 bits as a size in bytes. */
	if (request->size > U64_MAX >> TMM_PAGE_SHIFT)
		return -EOVERFLOW;
	*nr = request->size;
	return 0;
}

/*
 * The address of the last byte must fit 64 bits. The number of the last chunk is smaller, and
 * fits even if the address does not.
 */
static int check_end(const struct theseus_mm_allocate *request, u64 nr)
{
	u64 start = request->at & ~(TMM_PAGE_SIZE - 1);
	u64 last;

	return check_add_overflow(start, (nr << TMM_PAGE_SHIFT) - 1, &last) ? -EOVERFLOW : 0;
}

/* A range may begin or end inside a chunk. Such a chunk must not be used. */
static int shrink_to_whole_chunks(const struct theseus_mm_allocate *request,
				  struct tmm_allocation_request *out)
{
	u64 end = out->max + 1;

	if (request->min & (TMM_PAGE_SIZE - 1))
		out->min++;
	if (~request->max & (TMM_PAGE_SIZE - 1))
		end--;
	if (out->min >= end)
		return -ENOSPC;
	out->max = end - 1;
	return 0;
}

/* Convert an address to the number of its chunk, or return an error for a bad address. */
typedef int (*number_fn)(u64 address, u64 *number);

static int decode_place(const struct theseus_mm_allocate *request, number_fn number_of,
			struct tmm_allocation_request *out)
{
	int err;

	if (request->flags & THESEUS_MM_ALLOCATE_AT) {
		out->is_at = true;
		return number_of(request->at, &out->at);
	}
	if (!(request->flags & THESEUS_MM_ALLOCATE_IN_RANGE))
		return 0;
	err = number_of(request->min, &out->min);
	if (err)
		return err;
	return number_of(request->max, &out->max);
}

static int decode_request(const struct tmm_call *call, number_fn number_of,
			  struct tmm_allocation_request *out)
{
	const struct theseus_mm_allocate *request = &call->arg.allocate;
	int err;

	err = check_fields(request);
	if (err)
		return err;
	*out = tmm_request_any(0);
	out->account = call->client->account;
	/*
	 * Use general regions only: the lower half is for identity mappings, and device memory is
	 * for MAP_FRAME_RANGE.
	 */
	out->general_only = true;
	err = tmm_call_decode_align(request->align, &out->align);
	if (err)
		return err;
	err = decode_place(request, number_of, out);
	if (err)
		return err;
	err = decode_size(request, &out->nr);
	if (err)
		return err;
	err = check_end(request, out->nr);
	if (err)
		return err;
	return request->flags & THESEUS_MM_ALLOCATE_IN_RANGE ?
	       shrink_to_whole_chunks(request, out) : 0;
}

static int page_number_of(u64 address, u64 *number)
{
	struct tmm_vaddr vaddr;
	int err;

	err = tmm_vaddr_new(address, &vaddr);
	if (err)
		return err;
	*number = tmm_page_containing_address(vaddr, TMM_4K).number;
	return 0;
}

static int frame_number_of(u64 address, u64 *number)
{
	struct tmm_paddr paddr;
	int err;

	err = tmm_paddr_new(address, &paddr);
	if (err)
		return err;
	*number = tmm_frame_containing_address(paddr, TMM_4K).number;
	return 0;
}

static int deliver_object(struct tmm_call *call, struct tmm_object *object, u64 start, u64 nr)
{
	struct theseus_mm_allocate *request = &call->arg.allocate;

	request->handle = object->handle;
	request->start = start;
	request->nr_pages = nr;
	return tmm_call_deliver(call, object);
}

int tmm_ioctl_allocate_pages(struct tmm_call *call)
{
	struct tmm_client *client = call->client;
	struct tmm_allocation_request request;
	struct tmm_page_range range;
	struct tmm_object *object;
	int err;

	err = decode_request(call, page_number_of, &request);
	if (err)
		return err;
	object = tmm_handle_reserve(client);
	if (IS_ERR(object))
		return PTR_ERR(object);
	object->pages = tmm_page_allocator_allocate(&client->inst->pa, &request);
	err = PTR_ERR_OR_ZERO(object->pages);
	if (err) {
		tmm_handle_abandon(client, object);
		return err;
	}
	object->kind = THESEUS_MM_KIND_PAGES;
	range = tmm_allocated_pages_range(object->pages);
	return deliver_object(call, object, tmm_page_range_start_address(&range).v,
			      tmm_page_range_size_in_pages(&range));
}

/* Allocate frames and clear the frames, so that a new owner never sees old content. */
static struct tmm_allocated_frames *take_frames(struct tmm_client *client,
						const struct tmm_allocation_request *request)
{
	struct tmm_allocated_frames *frames;
	int err;

	frames = tmm_frame_allocator_allocate(&client->inst->fa, request);
	if (IS_ERR(frames))
		return frames;
	err = tmm_allocated_frames_zero_new(frames);
	if (err) {
		tmm_allocated_frames_drop(&frames);
		return ERR_PTR(err);
	}
	return frames;
}

int tmm_ioctl_allocate_frames(struct tmm_call *call)
{
	struct tmm_client *client = call->client;
	struct tmm_allocation_request request;
	struct tmm_frame_range range;
	struct tmm_object *object;
	int err;

	if ((call->arg.allocate.flags & (THESEUS_MM_ALLOCATE_AT | THESEUS_MM_ALLOCATE_IN_RANGE)) &&
	    !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = decode_request(call, frame_number_of, &request);
	if (err)
		return err;
	object = tmm_handle_reserve(client);
	if (IS_ERR(object))
		return PTR_ERR(object);
	object->frames = take_frames(client, &request);
	err = PTR_ERR_OR_ZERO(object->frames);
	if (err) {
		tmm_handle_abandon(client, object);
		return err;
	}
	object->kind = THESEUS_MM_KIND_FRAMES;
	range = tmm_frames_range(&object->frames->f);
	return deliver_object(call, object,
			      tmm_identity_sees_all() ? tmm_frame_range_start_address(&range).v : 0,
			      tmm_frame_range_size_in_frames(&range));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_ioctl_allocate_frames);
