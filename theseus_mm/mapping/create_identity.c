// SPDX-License-Identifier: GPL-2.0
#include "mapping/create_identity.h"

#include "alloc/account.h"
#include "alloc/chunk.h"
#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

static struct tmm_allocated_pages *allocate_pages_at(struct tmm_page_allocator *pa, u64 first,
						     u64 nr, struct tmm_account *account)
{
	struct tmm_allocation_request req = tmm_request_at(first, nr);

	req.account = account;
	return tmm_page_allocator_allocate(pa, &req);
}

static bool are_taken(const struct tmm_allocated_pages *pages)
{
	return pages == ERR_PTR(-EADDRINUSE) || pages == ERR_PTR(-EADDRNOTAVAIL);
}

/*
 * Find the first run of allocated pages among the pages that have the numbers of @chunk. The
 * function finds the run by trying to allocate the pages.
 */
static int find_taken(struct tmm_page_allocator *pa, const struct tmm_chunk *chunk,
		      struct tmm_frame_range *taken)
{
	u64 end = tmm_chunk_end(chunk), nr_free = 0, nr = chunk->nr;
	struct tmm_allocation_request req;
	struct tmm_allocated_pages *pages;
	u64 first;

	/* The first @nr_free pages are all free. Of the first @nr, at least one is taken. */
	while (nr - nr_free > 1) {
		u64 middle = nr_free + (nr - nr_free) / 2;

		pages = allocate_pages_at(pa, chunk->start, middle, NULL);
		if (IS_ERR(pages) && !are_taken(pages))
			return PTR_ERR(pages);
		if (IS_ERR(pages))
			nr = middle;
		else
			nr_free = middle;
		tmm_allocated_pages_drop(&pages);
	}
	first = chunk->start + nr_free;
	if (first + 1 < end) {
		req = tmm_request_in_range(first + 1, end - 1, 1);
		pages = tmm_page_allocator_allocate(pa, &req);
		if (!IS_ERR(pages))
			end = pages->chunk.start;
		else if (pages != ERR_PTR(-ENOSPC))
			return PTR_ERR(pages);
		tmm_allocated_pages_drop(&pages);
	}
	*taken = tmm_frame_range_of(tmm_frame_4k(first), end - first);
	return 0;
}

/* Frames that are held only until the search ends are charged to no account. */
static void uncharge_frames(struct tmm_frames *frames)
{
	tmm_account_uncharge(frames->chunk.account, TMM_RESOURCE_FRAMES, frames->chunk.nr);
	tmm_chunk_set_account(&frames->chunk, NULL);
}

/*
 * Hold the part of @frames whose pages are taken, so that the next try gets other frames. Free
 * the rest.
 */
static int pass_over(struct tmm_instance *inst, struct tmm_allocated_frames *frames,
		     struct list_head *passed_over)
{
	struct tmm_allocated_frames *before, *after;
	struct tmm_frame_range taken;
	int err;

	list_add(&frames->f.link, passed_over);
	err = find_taken(&inst->pa, &frames->f.chunk, &taken);
	if (err)
		return err;
	err = tmm_allocated_frames_split_range(frames, taken, &before, &after);
	if (err)
		return err;
	uncharge_frames(&frames->f);
	tmm_allocated_frames_drop(&before);
	tmm_allocated_frames_drop(&after);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Map the pages with the numbers of @frames to @frames, and consume @frames on success. If
 * another owner has one of the pages, the function fails and sets @taken.
 */
static struct tmm_mapped_pages *map_identity(struct tmm_instance *inst, struct tmm_page_table *pt,
					     struct tmm_allocated_frames **frames,
					     const struct tmm_mapping_request *req, bool *taken)
{
	const struct tmm_chunk *chunk = &(*frames)->f.chunk;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	*taken = false;
	/* Pages of the upper half have numbers in this range too, but their addresses differ. */
	if (tmm_chunk_end(chunk) > tmm_page_number_limit() / 2)
		return ERR_PTR(-ERANGE);
	pages = allocate_pages_at(&inst->pa, chunk->start, chunk->nr, req->account);
	*taken = are_taken(pages);
	if (IS_ERR(pages))
		return ERR_CAST(pages);
	err = req->zero ? tmm_allocated_frames_zero_new(*frames) : 0;
	mp = err ? ERR_PTR(err) : tmm_map_pages_to(pt, &pages, frames, req);
	tmm_allocated_pages_drop(&pages);
	return mp;
}

/* Do what tmm_instance_create_identity_mapping() does. The flags have been checked. */
static struct tmm_mapped_pages *create_identity_at(struct tmm_instance *inst,
						   struct tmm_page_table *pt,
						   const struct tmm_allocation_request *where,
						   const struct tmm_mapping_request *req)
{
	struct tmm_allocated_frames *frames;
	struct tmm_mapped_pages *mp;
	LIST_HEAD(passed_over);
	bool taken;
	int err;

	for (;;) {
		frames = tmm_frame_allocator_allocate(&inst->fa, where);
		if (IS_ERR(frames)) {
			mp = ERR_CAST(frames);
			break;
		}
		mp = map_identity(inst, pt, &frames, req, &taken);
		if (!taken || where->is_at) {
			tmm_allocated_frames_drop(&frames);
			break;
		}
		err = pass_over(inst, frames, &passed_over);
		if (err) {
			mp = ERR_PTR(err);
			break;
		}
		cond_resched();
	}
	tmm_allocated_frames_drop_list(&passed_over);
	return mp;
}

/*
 * Map new frames, which @req selects, at virtual addresses equal to their physical addresses.
 * If @zero, clear the frames first. Unless @req names an address, the function passes over
 * frames whose pages have another owner. The allocators' locks are never held together.
 *
 * Returns an error of tmm_frame_allocator_allocate(), tmm_allocated_frames_zero() or
 * tmm_map_allocated_pages_to(). If @req names an address and not all pages are free, returns
 * ERR_PTR(-EADDRINUSE) or ERR_PTR(-EADDRNOTAVAIL). Returns ERR_PTR(-ERANGE) if the frames have no
 * addresses in the lower half, or ERR_PTR(-EINTR) if the task is being killed. After an error
 * nothing stays allocated.
 *
 * Theseus: memory::create_identity_mapping(), which serves only 4 KiB pages of general regions.
 *
 * Context: Process context, may sleep. O(leaves), O(bytes) to clear, and O(log n) allocations
 * for each run of pages that is passed over.
 */
struct tmm_mapped_pages *
tmm_instance_create_identity_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				     const struct tmm_allocation_request *req,
				     tmm_pte_flags_t flags, bool zero)
{
	const struct tmm_mapping_request mapping = {
		.nr = req->nr,
		.flags = flags,
		.frames = TMM_FRAMES_IDENTITY,
		.zero = zero,
	};
	int err;

	err = tmm_pte_flags_check(flags);
	if (err)
		return ERR_PTR(err);
	return create_identity_at(inst, pt, req, &mapping);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_identity_mapping);

/*
 * Map frames at virtual addresses equal to their physical addresses, aligned for the requested
 * leaf size, or for the largest possible leaves. The request has been checked.
 */
struct tmm_mapped_pages *tmm_create_identity(struct tmm_instance *inst, struct tmm_page_table *pt,
					     const struct tmm_mapping_request *req)
{
	enum tmm_page_size size = tmm_placement_largest(req, 0);
	struct tmm_mapped_pages *mp;

	for (;; size--) {
		struct tmm_allocation_request where =
			tmm_request_aligned(tmm_placement_unit(req, size), req->nr);

		where.account = req->account;
		mp = create_identity_at(inst, pt, &where, req);
		if (mp != ERR_PTR(-ENOSPC) || size == tmm_placement_smallest(req))
			return mp;
	}
}
