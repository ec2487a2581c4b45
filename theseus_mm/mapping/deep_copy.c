// SPDX-License-Identifier: GPL-2.0
#include "mapping/deep_copy.h"

#include "alloc/device_region.h"
#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/bug.h"
#include "core/compat.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/window_copy.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>

/*
 * Returns the length of the run of pages of @mp that starts at index @done and has leaves of one
 * size. Sets @size to that size.
 */
static u64 equal_leaves(const struct tmm_mapped_pages *mp, u64 done, enum tmm_page_size *size)
{
	const u64 first = mp->pages->chunk.start;
	const u64 nr = mp->pages->chunk.nr;
	u64 end;

	*size = tmm_mapper_leaf_size(mp->pt, tmm_page_4k(first + done));
	end = done + tmm_page_size_4k_pages(*size);
	while (end < nr && tmm_mapper_leaf_size(mp->pt, tmm_page_4k(first + end)) == *size) {
		end += tmm_page_size_4k_pages(*size);
		cond_resched();
	}
	return end - done;
}

/* Map the next pages of @copy to new frames, with leaves of the same size as those of @mp. */
static int extend_like(struct tmm_mapped_pages *copy, const struct tmm_mapped_pages *mp, u64 *done)
{
	struct tmm_allocated_frames *frames;
	enum tmm_page_size size;
	u64 left = equal_leaves(mp, *done, &size);
	u64 leaf = tmm_page_size_4k_pages(size);

	while (left) {
		struct tmm_allocation_request req = tmm_request_aligned(leaf, left);
		u64 nr = left;
		int err;

		req.account = tmm_mapped_pages_account(copy);
		frames = tmm_frame_allocator_allocate(copy->pt->fa, &req);
		if (frames == ERR_PTR(-ENOSPC)) {
			/* No such run is free, so allocate one leaf at a time. */
			nr = leaf;
			req = tmm_request_aligned(leaf, leaf);
			req.account = tmm_mapped_pages_account(copy);
			frames = tmm_frame_allocator_allocate(copy->pt->fa, &req);
		}
		if (IS_ERR(frames))
			return PTR_ERR(frames);
		err = tmm_mapped_pages_extend(copy, *done, &frames, size);
		tmm_allocated_frames_drop(&frames);
		if (err)
			return err;
		*done += nr;
		left -= nr;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Copy at most 2 MiB. A device region is not closed during the step. */
static int copy_step(const struct tmm_mapped_pages *mp, void *dst, const void *src, size_t step,
		     size_t *left)
{
	const enum tmm_memory_type type = tmm_mapped_pages_memory_type(mp);
	int token = tmm_device_region_access_begin();
	int err = -ENODEV;

	if (!tmm_mapped_pages_is_closed(mp))
		err = tmm_window_transfer(mp->pt, type, dst, src, step, left);
	tmm_device_region_access_end(token);
	return err;
}

static int copy_content(const struct tmm_mapped_pages *copy, const struct tmm_mapped_pages *mp)
{
	const struct tmm_page_range to = tmm_mapped_pages_range(copy);
	const struct tmm_page_range from = tmm_mapped_pages_range(mp);
	const u64 nr_bytes = tmm_mapped_pages_nr_bytes(mp);
	const u64 step_max = tmm_page_size_bytes(TMM_2M);
	u64 offset, step;

	for (offset = 0; offset < nr_bytes; offset += step) {
		void *dst = (void *)(tmm_page_range_start_address(&to).v + offset);
		const void *src = (void *)(tmm_page_range_start_address(&from).v + offset);
		size_t left;
		int err;

		if (fatal_signal_pending(current))
			return -EINTR;
		step = min(nr_bytes - offset, step_max);
		err = copy_step(mp, dst, src, step, &left);
		if (err)
			return err;
		if (left)
			return -EIO;
	}
	return 0;
}

/*
 * Copy @mp to @pages, which are consumed on success. The caller has borrowed @mp, so @mp does not
 * change.
 */
static struct tmm_mapped_pages *copy_to(const struct tmm_mapped_pages *mp,
					struct tmm_allocated_pages **pages, tmm_pte_flags_t flags)
{
	/* The copy is writable while the module fills it, and gets @flags afterwards. */
	struct tmm_mapped_pages *copy =
		tmm_mapped_pages_begin(mp->pt, *pages, TMM_DMA_FLAGS);
	const u64 nr = tmm_allocated_pages_nr(*pages);
	u64 done = 0;
	int err;

	if (!copy)
		return ERR_PTR(-ENOMEM);
	while (done < nr) {
		err = extend_like(copy, mp, &done);
		if (err)
			goto err_abandon;
	}
	err = copy_content(copy, mp);
	if (err)
		goto err_abandon;
	*pages = NULL;
	TMM_BUG_IF(tmm_mapped_pages_remap(copy, flags));
	return copy;

err_abandon:
	tmm_mapped_pages_abandon(copy, done);
	return ERR_PTR(err);
}

/**
 * tmm_mapped_pages_deep_copy() - copy a mapping to new pages and frames
 * @mp: the mapping; borrowed during the call
 * @new_flags: flags of the copy; NULL means those of @mp
 *
 * The copy is RAM under the same root. The copy has leaves of the same sizes, or smaller
 * leaves if no suitable pages are free. After the module has filled the copy, the copy is
 * writable only if its flags say so.
 *
 * Theseus: MappedPages::deep_copy(), which copies 4 KiB pages only.
 *
 * Context: Process context, may sleep. O(bytes).
 * Return:
 * * the copy             - the caller owns the copy until tmm_mapped_pages_drop()
 * * ERR_PTR(-EINVAL)     - @mp is empty, or the flags are malformed
 * * ERR_PTR(-EOPNOTSUPP) - DEVICE_MEMORY: the copy is RAM
 * * ERR_PTR(-ENODEV)     - the device of the memory of @mp was removed
 * * ERR_PTR(-EIO)        - some memory of @mp is known to fail
 * * ERR_PTR(-EBUSY)      - @mp is being changed, or mutably borrowed and not shareable
 * * ERR_PTR(-ENOSPC)     - too few pages, or frames of the needed sizes, are free
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 * * ERR_PTR(-EINTR)      - the task is being killed
 * * ERR_PTR(-EIO)        - memory failed during the copy
 */
struct tmm_mapped_pages *tmm_mapped_pages_deep_copy(struct tmm_mapped_pages *mp,
						    const tmm_pte_flags_t *new_flags)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *copy;
	tmm_pte_flags_t flags;
	int err;

	err = tmm_mapped_pages_borrow(mp, false);
	if (err)
		return ERR_PTR(err);
	flags = new_flags ? *new_flags : mp->flags;
	err = tmm_mapping_request_check_ram_flags(flags);
	if (err) {
		copy = ERR_PTR(err);
		goto out;
	}
	if (tmm_mapped_pages_any_bad(mp, 0, mp->pages->chunk.nr)) {
		copy = ERR_PTR(-EIO);
		goto out;
	}
	pages = tmm_placement_allocate_congruent(mp->pages->allocator, mp->pages->chunk.start,
						 mp->pages->chunk.nr);
	if (IS_ERR(pages)) {
		copy = ERR_CAST(pages);
		goto out;
	}
	copy = copy_to(mp, &pages, flags);
	tmm_allocated_pages_drop(&pages);
out:
	tmm_mapped_pages_unborrow(mp, false);
	return copy;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_deep_copy);
