// SPDX-License-Identifier: GPL-2.0
#include "mapping/instance.h"

#include "mapping/mapped_pages.h"
#include "mapping/placement.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/**
 * tmm_instance_create_mapping() - new pages, mapped to new frames
 * @inst: the instance
 * @pt: the root
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 * @zero: clear the frames first
 *
 * From 2 MiB on the pages are placed for large leaves.
 *
 * Theseus: memory::create_mapping()
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 * Return: the mapping, ERR_PTR(-EINVAL) if @nr_bytes is 0, ERR_PTR(-EOVERFLOW),
 * or an error of tmm_page_allocator_allocate() or tmm_map_allocated_pages();
 * after an error nothing stays allocated
 */
struct tmm_mapped_pages *tmm_instance_create_mapping(struct tmm_instance *inst,
						     struct tmm_page_table *pt, u64 nr_bytes,
						     tmm_pte_flags_t flags, bool zero)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	u64 nr;
	int err = tmm_chunks_of_bytes(0, nr_bytes, &nr);

	if (err)
		return ERR_PTR(err);
	pages = tmm_allocate_congruent_pages(&inst->pa, 0, nr);
	if (IS_ERR(pages))
		return ERR_CAST(pages);
	mp = tmm_map_allocated_pages(pt, &pages, flags, zero);
	tmm_allocated_pages_drop(&pages);
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_mapping);

/* One run of @nr, aligned for the largest leaves that there is room for. */
static struct tmm_allocated_frames *allocate_contiguous(struct tmm_frame_allocator *fa, u64 nr)
{
	enum tmm_page_size size = tmm_largest_leaf_in(0, nr);
	struct tmm_allocated_frames *frames;

	for (;; size--) {
		const struct tmm_allocation_request req =
			tmm_request_aligned(tmm_page_size_4k_pages(size), nr);

		frames = tmm_frame_allocator_allocate(fa, &req);
		if (frames != ERR_PTR(-ENOSPC) || size == TMM_4K)
			return frames;
	}
}

/* @frames and new pages for them become a mapping, or both go back. */
static struct tmm_mapped_pages *map_frames(struct tmm_instance *inst, struct tmm_page_table *pt,
					   struct tmm_allocated_frames *frames,
					   tmm_pte_flags_t flags)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;

	if (IS_ERR(frames))
		return ERR_CAST(frames);
	pages = tmm_allocate_congruent_pages(&inst->pa, frames->f.chunk.start,
					     frames->f.chunk.nr);
	if (IS_ERR(pages))
		mp = ERR_CAST(pages);
	else
		mp = tmm_map_allocated_pages_to(pt, &pages, &frames, flags);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_frames_drop(&frames);
	return mp;
}

/**
 * tmm_instance_create_contiguous_mapping() - new pages, mapped to one run of frames
 * @inst: the instance
 * @pt: the root
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 * @zero: clear the frames first
 * @paddr: set to the physical address, on success only
 *
 * Theseus: memory::create_contiguous_mapping()
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 * Return: the mapping, or an error as tmm_instance_create_mapping(); after an
 * error nothing stays allocated
 */
struct tmm_mapped_pages *
tmm_instance_create_contiguous_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				       u64 nr_bytes, tmm_pte_flags_t flags, bool zero,
				       struct tmm_paddr *paddr)
{
	struct tmm_allocated_frames *frames;
	struct tmm_mapped_pages *mp;
	u64 nr, first;
	int err = tmm_chunks_of_bytes(0, nr_bytes, &nr);

	if (err)
		return ERR_PTR(err);
	frames = allocate_contiguous(&inst->fa, nr);
	if (IS_ERR(frames))
		return ERR_CAST(frames);
	err = zero ? tmm_allocated_frames_zero(frames) : 0;
	if (err) {
		tmm_allocated_frames_drop(&frames);
		return ERR_PTR(err);
	}
	first = frames->f.chunk.start;
	mp = map_frames(inst, pt, frames, flags);
	if (!IS_ERR(mp))
		paddr->v = first << TMM_PAGE_SHIFT;
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_contiguous_mapping);

/**
 * tmm_instance_map_frame_range() - new pages, mapped to the frames at an address
 * @inst: the instance
 * @pt: the root
 * @start: physical address; the mapping starts at the frame that contains it
 * @nr_bytes: bytes from @start on that it covers
 * @flags: what the mapping may be used for
 *
 * For device memory (tmm_instance_add_reserved_region()) with TMM_MMIO_FLAGS.
 *
 * Theseus: memory::map_frame_range()
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, ERR_PTR(-EINVAL) if @nr_bytes is 0, ERR_PTR(-EOVERFLOW),
 * or an error of tmm_frame_allocator_allocate() or tmm_map_allocated_pages_to();
 * after an error nothing stays allocated
 */
struct tmm_mapped_pages *
tmm_instance_map_frame_range(struct tmm_instance *inst, struct tmm_page_table *pt,
			     struct tmm_paddr start, u64 nr_bytes, tmm_pte_flags_t flags)
{
	struct tmm_allocation_request req;
	u64 nr;
	int err = tmm_chunks_of_bytes(tmm_paddr_frame_offset(start), nr_bytes, &nr);

	if (err)
		return ERR_PTR(err);
	req = tmm_request_at(start.v >> TMM_PAGE_SHIFT, nr);
	return map_frames(inst, pt, tmm_frame_allocator_allocate(&inst->fa, &req), flags);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_map_frame_range);

static struct tmm_allocated_pages *allocate_pages_at(struct tmm_page_allocator *pa, u64 first,
						     u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_at(first, nr);

	return tmm_page_allocator_allocate(pa, &req);
}

static bool are_taken(const struct tmm_allocated_pages *pages)
{
	return pages == ERR_PTR(-EADDRINUSE) || pages == ERR_PTR(-EADDRNOTAVAIL);
}

/*
 * The first pages in a row, of those with the numbers of @chunk, that somebody has:
 * found by trying to have them.
 */
static int find_taken(struct tmm_page_allocator *pa, const struct tmm_chunk *chunk,
		      struct tmm_frame_range *taken)
{
	u64 end = tmm_chunk_end(chunk), nr_free = 0, nr = chunk->nr;
	struct tmm_allocation_request req;
	struct tmm_allocated_pages *pages;
	u64 first;

	/* The first @nr_free are free, the first @nr are not. */
	while (nr - nr_free > 1) {
		u64 middle = nr_free + (nr - nr_free) / 2;

		pages = allocate_pages_at(pa, chunk->start, middle);
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
	*taken = (struct tmm_frame_range){ { first, end - first, TMM_4K } };
	return 0;
}

/* Hold those of @frames that cannot be used, so that the next try is for others. */
static int pass_over(struct tmm_instance *inst, struct tmm_allocated_frames *frames,
		     struct list_head *passed_over)
{
	struct tmm_allocated_frames *before, *after;
	struct tmm_frame_range taken;
	int err = find_taken(&inst->pa, &frames->f.chunk, &taken);

	if (!err)
		err = tmm_allocated_frames_split_range(frames, taken, &before, &after);
	list_add(&frames->f.link, passed_over);
	if (err)
		return err;
	tmm_allocated_frames_drop(&before);
	tmm_allocated_frames_drop(&after);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * The pages with the numbers of @frames, mapped to them; consumes @frames on success.
 * Sets @taken if it fails since somebody has one of the pages.
 */
static struct tmm_mapped_pages *map_identity(struct tmm_instance *inst, struct tmm_page_table *pt,
					     struct tmm_allocated_frames **frames,
					     tmm_pte_flags_t flags, bool zero, bool *taken)
{
	const struct tmm_chunk *chunk = &(*frames)->f.chunk;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	*taken = false;
	/* The pages of the upper half have numbers too, but other addresses. */
	if (tmm_chunk_end(chunk) > tmm_page_number_limit() / 2)
		return ERR_PTR(-ERANGE);
	pages = allocate_pages_at(&inst->pa, chunk->start, chunk->nr);
	*taken = are_taken(pages);
	if (IS_ERR(pages))
		return ERR_CAST(pages);
	err = zero ? tmm_allocated_frames_zero(*frames) : 0;
	mp = err ? ERR_PTR(err) : tmm_map_allocated_pages_to(pt, &pages, frames, flags);
	tmm_allocated_pages_drop(&pages);
	return mp;
}

/**
 * tmm_instance_create_identity_mapping() - new frames, mapped where virtual is physical
 * @inst: the instance
 * @pt: the root
 * @req: which frames
 * @flags: what the mapping may be used for
 * @zero: clear the frames first
 *
 * Frames whose pages somebody else has are passed over, unless @req says at. The
 * allocators' locks are never held together.
 *
 * Theseus: memory::create_identity_mapping(), for 4 KiB pages of general regions
 * only.
 *
 * Context: Process context, may sleep. O(leaves), O(bytes) to clear, and O(log n)
 *          allocations for each run of pages that is passed over.
 * Return: the mapping, or an error of tmm_frame_allocator_allocate() or
 * tmm_map_allocated_pages_to(); with at, ERR_PTR(-EADDRINUSE) or
 * ERR_PTR(-EADDRNOTAVAIL) if not all pages are free; ERR_PTR(-ERANGE) if the
 * frames have no addresses in the low half; ERR_PTR(-EINTR). After an error
 * nothing stays allocated.
 */
struct tmm_mapped_pages *
tmm_instance_create_identity_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				     const struct tmm_allocation_request *req,
				     tmm_pte_flags_t flags, bool zero)
{
	struct tmm_allocated_frames *frames;
	struct tmm_mapped_pages *mp;
	LIST_HEAD(passed_over);
	bool taken;
	int err;

	for (;;) {
		frames = tmm_frame_allocator_allocate(&inst->fa, req);
		if (IS_ERR(frames)) {
			mp = ERR_CAST(frames);
			break;
		}
		mp = map_identity(inst, pt, &frames, flags, zero, &taken);
		if (!taken || req->is_at) {
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
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_identity_mapping);
