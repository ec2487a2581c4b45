// SPDX-License-Identifier: GPL-2.0
#include "mapping/create.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/pages.h"
#include "alloc/range_request.h"
#include "mapping/create_identity.h"
#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>

static struct tmm_mapped_pages *create_any(struct tmm_instance *inst, struct tmm_page_table *pt,
					   const struct tmm_mapping_request *req)
{
	struct tmm_allocated_pages *pages = tmm_placement_allocate_pages(&inst->pa, 0, req);
	struct tmm_mapped_pages *mp;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	mp = tmm_map_pages(pt, &pages, req);
	tmm_allocated_pages_drop(&pages);
	return mp;
}

/* Allocate one run, aligned for the requested leaf size, or for the largest possible leaves. */
static struct tmm_allocated_frames *allocate_contiguous(struct tmm_frame_allocator *fa,
							const struct tmm_mapping_request *req)
{
	enum tmm_page_size size = tmm_placement_largest(req, 0);
	struct tmm_allocated_frames *frames;

	for (;; size--) {
		struct tmm_allocation_request where =
			tmm_request_aligned(tmm_placement_unit(req, size), req->nr);

		where.account = req->account;
		frames = tmm_frame_allocator_allocate(fa, &where);
		if (frames != ERR_PTR(-ENOSPC) || size == tmm_placement_smallest(req))
			return frames;
	}
}

/* Map new pages to @frames. On error, the pages and the frames go back to their allocators. */
static struct tmm_mapped_pages *map_frames(struct tmm_instance *inst, struct tmm_page_table *pt,
					   struct tmm_allocated_frames *frames,
					   const struct tmm_mapping_request *req)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	if (IS_ERR(frames))
		return ERR_CAST(frames);
	pages = tmm_placement_allocate_pages(&inst->pa, frames->f.chunk.start, req);
	if (IS_ERR(pages)) {
		mp = ERR_CAST(pages);
		goto drop_frames;
	}
	/* Clear after the allocation of pages, since clearing is most of the work. */
	err = req->zero ? tmm_allocated_frames_zero_new(frames) : 0;
	mp = err ? ERR_PTR(err) : tmm_map_pages_to(pt, &pages, &frames, req);
	tmm_allocated_pages_drop(&pages);
drop_frames:
	tmm_allocated_frames_drop(&frames);
	return mp;
}

static struct tmm_allocated_frames *allocate_at(struct tmm_frame_allocator *fa,
						const struct tmm_mapping_request *req)
{
	const struct tmm_allocation_request where = tmm_request_at(req->first, req->nr);

	return tmm_frame_allocator_allocate(fa, &where);
}

/*
 * Allocate pages and frames, and map them. The request has been checked. After an error nothing
 * stays allocated. O(leaves), and O(bytes) to clear.
 */
struct tmm_mapped_pages *tmm_instance_create(struct tmm_instance *inst, struct tmm_page_table *pt,
					     const struct tmm_mapping_request *req)
{
	switch (req->frames) {
	case TMM_FRAMES_ANY:
		return create_any(inst, pt, req);
	case TMM_FRAMES_CONTIGUOUS:
		return map_frames(inst, pt, allocate_contiguous(&inst->fa, req), req);
	case TMM_FRAMES_IDENTITY:
		return tmm_create_identity(inst, pt, req);
	case TMM_FRAMES_AT:
		return map_frames(inst, pt, allocate_at(&inst->fa, req), req);
	}
	return ERR_PTR(-EINVAL);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create);

/*
 * Create a mapping for a kernel caller. The mapping has room for @nr_bytes bytes, from @offset in
 * the first page on.
 */
static struct tmm_mapped_pages *check_and_create(struct tmm_instance *inst,
						 struct tmm_page_table *pt, u64 offset,
						 u64 nr_bytes, struct tmm_mapping_request *req)
{
	int err;

	err = tmm_chunks_of_bytes(offset, nr_bytes, &req->nr);
	if (err)
		return ERR_PTR(err);
	err = tmm_mapping_request_check(req);
	if (err)
		return ERR_PTR(err);
	return tmm_instance_create(inst, pt, req);
}

/*
 * Map new pages to new frames, for @nr_bytes rounded up to whole pages. If @zero, clear the
 * frames first. The pages of a mapping of 2 MiB or more are placed for large leaves. Returns
 * ERR_PTR(-EINVAL) if @nr_bytes is 0, ERR_PTR(-EOVERFLOW), or an error of
 * tmm_mapping_request_check() or tmm_instance_create().
 *
 * Theseus: memory::create_mapping()
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 */
struct tmm_mapped_pages *tmm_instance_create_mapping(struct tmm_instance *inst,
						     struct tmm_page_table *pt, u64 nr_bytes,
						     tmm_pte_flags_t flags, bool zero)
{
	struct tmm_mapping_request req = { .flags = flags, .zero = zero };

	return check_and_create(inst, pt, 0, nr_bytes, &req);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_mapping);

/*
 * Do what tmm_instance_create_mapping() does, with one run of frames. On success @paddr is set
 * to the physical address.
 *
 * Theseus: memory::create_contiguous_mapping()
 */
struct tmm_mapped_pages *
tmm_instance_create_contiguous_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				       u64 nr_bytes, tmm_pte_flags_t flags, bool zero,
				       struct tmm_paddr *paddr)
{
	struct tmm_mapping_request req = {
		.flags = flags,
		.frames = TMM_FRAMES_CONTIGUOUS,
		.zero = zero,
	};
	struct tmm_mapped_pages *mp = check_and_create(inst, pt, 0, nr_bytes, &req);

	if (!IS_ERR(mp))
		*paddr = tmm_mapped_pages_first_paddr(mp);
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_contiguous_mapping);

/*
 * Map new pages to the frames that contain the @nr_bytes bytes at physical address @start. The
 * mapping starts at the frame that contains @start. For device memory
 * (tmm_instance_add_reserved_region()) @flags are TMM_MMIO_FLAGS. Returns ERR_PTR(-EINVAL) if
 * @nr_bytes is 0, ERR_PTR(-EOVERFLOW), or an error of tmm_mapping_request_check(),
 * tmm_frame_allocator_allocate(), tmm_placement_allocate_pages() or
 * tmm_map_allocated_pages_to().
 *
 * Theseus: memory::map_frame_range()
 *
 * Context: Process context, may sleep. O(leaves).
 */
struct tmm_mapped_pages *
tmm_instance_map_frame_range(struct tmm_instance *inst, struct tmm_page_table *pt,
			     struct tmm_paddr start, u64 nr_bytes, tmm_pte_flags_t flags)
{
	struct tmm_mapping_request req = {
		.flags = flags,
		.frames = TMM_FRAMES_AT,
		.first = start.v >> TMM_PAGE_SHIFT,
	};

	return check_and_create(inst, pt, tmm_paddr_frame_offset(start), nr_bytes, &req);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_map_frame_range);
