// SPDX-License-Identifier: GPL-2.0
#include "mapping/create.h"

#include "alloc/account.h"
#include "alloc/chunk.h"
#include "alloc/frames_split.h"
#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "paging/mapper.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/* Check a request for RAM, before anything is taken. */
static int check_request(const struct tmm_mapping_request *req)
{
	int err = tmm_pte_flags_check(req->flags);

	if (!err)
		err = tmm_pte_flags_check_memory_type(req->flags, TMM_WRITE_BACK);
	if (err)
		return err;
	if (!req->nr || (req->is_sized && req->nr & (tmm_page_size_4k_pages(req->leaf) - 1)))
		return -EINVAL;
	return req->is_sized && req->leaf > tmm_mapper_largest_leaf() ? -EOPNOTSUPP : 0;
}

static struct tmm_mapped_pages *create_any(struct tmm_instance *inst, struct tmm_page_table *pt,
					   const struct tmm_mapping_request *req)
{
	struct tmm_allocated_pages *pages = tmm_place_pages(&inst->pa, 0, req);
	struct tmm_mapped_pages *mp;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	if (req->is_sized)
		mp = tmm_map_allocated_pages_sized(pt, &pages, req->flags, req->zero, req->leaf);
	else
		mp = tmm_map_allocated_pages(pt, &pages, req->flags, req->zero);
	tmm_allocated_pages_drop(&pages);
	return mp;
}

/* Allocate one run, aligned for the leaves asked for, or for the largest possible ones. */
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

static struct tmm_mapped_pages *map_to(struct tmm_page_table *pt,
				       struct tmm_allocated_pages **pages,
				       struct tmm_allocated_frames **frames,
				       const struct tmm_mapping_request *req)
{
	if (req->is_sized)
		return tmm_map_allocated_pages_to_sized(pt, pages, frames, req->flags, req->leaf);
	return tmm_map_allocated_pages_to(pt, pages, frames, req->flags);
}

/* @frames and new pages for them become a mapping, or both go back. */
static struct tmm_mapped_pages *map_frames(struct tmm_instance *inst, struct tmm_page_table *pt,
					   struct tmm_allocated_frames *frames,
					   const struct tmm_mapping_request *req)
{
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	if (IS_ERR(frames))
		return ERR_CAST(frames);
	pages = tmm_place_pages(&inst->pa, frames->f.chunk.start, req);
	/* Clear after the pages are there, since clearing is most of the work. */
	err = PTR_ERR_OR_ZERO(pages) ?: req->zero ? tmm_allocated_frames_zero(frames) : 0;
	mp = err ? ERR_PTR(err) : map_to(pt, &pages, &frames, req);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_frames_drop(&frames);
	return mp;
}

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
	*taken = (struct tmm_frame_range){ { first, end - first, TMM_4K } };
	return 0;
}

/* Frames that are held only until the search ends are charged to no account. */
static void uncharge_frames(struct tmm_frames *frames)
{
	tmm_account_uncharge(frames->chunk.account, TMM_RESOURCE_FRAMES, frames->chunk.nr);
	tmm_chunk_set_account(&frames->chunk, NULL);
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
	uncharge_frames(&frames->f);
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
					     const struct tmm_mapping_request *req, bool *taken)
{
	const struct tmm_chunk *chunk = &(*frames)->f.chunk;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	int err;

	*taken = false;
	/* The pages of the upper half have numbers too, but other addresses. */
	if (tmm_chunk_end(chunk) > tmm_page_number_limit() / 2)
		return ERR_PTR(-ERANGE);
	pages = allocate_pages_at(&inst->pa, chunk->start, chunk->nr, req->account);
	*taken = are_taken(pages);
	if (IS_ERR(pages))
		return ERR_CAST(pages);
	err = req->zero ? tmm_allocated_frames_zero(*frames) : 0;
	mp = err ? ERR_PTR(err) : map_to(pt, &pages, frames, req);
	tmm_allocated_pages_drop(&pages);
	return mp;
}

/* As tmm_instance_create_identity_mapping(); the flags have been checked. */
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
	const struct tmm_mapping_request mapping = {
		.nr = req->nr,
		.flags = flags,
		.frames = TMM_FRAMES_IDENTITY,
		.zero = zero,
	};
	int err = tmm_pte_flags_check(flags);

	return err ? ERR_PTR(err) : create_identity_at(inst, pt, req, &mapping);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_identity_mapping);

/* Create it aligned for the leaves asked for, or for the largest possible ones. */
static struct tmm_mapped_pages *create_identity(struct tmm_instance *inst,
						struct tmm_page_table *pt,
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

static u64 first_frame(const struct tmm_mapped_pages *mp)
{
	return list_first_entry(&mp->frames, struct tmm_mapped_frames, f.link)->f.chunk.start;
}

/**
 * tmm_instance_create() - allocate pages and frames, and map them
 * @inst: the instance
 * @pt: the root
 * @req: the request
 * @paddr: set to the physical address of the one run of frames, on success only; to 0
 *         if there may be several
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 * Return: the mapping, ERR_PTR(-EINVAL) if the count is no multiple of the leaf size asked
 * for, ERR_PTR(-EOPNOTSUPP) if the CPU has no such leaves, or an error of tmm_place_pages(),
 * tmm_frame_allocator_allocate(), tmm_map_allocated_pages() or
 * tmm_instance_create_identity_mapping(); after an error nothing stays allocated
 */
struct tmm_mapped_pages *tmm_instance_create(struct tmm_instance *inst, struct tmm_page_table *pt,
					     const struct tmm_mapping_request *req,
					     struct tmm_paddr *paddr)
{
	struct tmm_mapped_pages *mp;
	int err = check_request(req);

	if (err)
		return ERR_PTR(err);
	if (req->frames == TMM_FRAMES_IDENTITY)
		mp = create_identity(inst, pt, req);
	else if (req->frames == TMM_FRAMES_CONTIGUOUS)
		mp = map_frames(inst, pt, allocate_contiguous(&inst->fa, req), req);
	else
		mp = create_any(inst, pt, req);
	if (!IS_ERR(mp))
		paddr->v = req->frames == TMM_FRAMES_ANY ? 0 : first_frame(mp) << TMM_PAGE_SHIFT;
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create);

/**
 * tmm_instance_create_mapping() - map new pages to new frames
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
 * Return: the mapping, or an error of tmm_instance_create(), ERR_PTR(-EINVAL) also
 * if @nr_bytes is 0, or ERR_PTR(-EOVERFLOW)
 */
struct tmm_mapped_pages *tmm_instance_create_mapping(struct tmm_instance *inst,
						     struct tmm_page_table *pt, u64 nr_bytes,
						     tmm_pte_flags_t flags, bool zero)
{
	struct tmm_mapping_request req = { .flags = flags, .zero = zero };
	struct tmm_paddr unused;
	int err = tmm_chunks_of_bytes(0, nr_bytes, &req.nr);

	return err ? ERR_PTR(err) : tmm_instance_create(inst, pt, &req, &unused);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_mapping);

/**
 * tmm_instance_create_contiguous_mapping() - map new pages to one run of new frames
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
 * Return: as tmm_instance_create_mapping()
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
	int err = tmm_chunks_of_bytes(0, nr_bytes, &req.nr);

	return err ? ERR_PTR(err) : tmm_instance_create(inst, pt, &req, paddr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_contiguous_mapping);

/**
 * tmm_instance_map_frames_at() - map new pages to the frames at an address
 * @inst: the instance
 * @pt: the root
 * @first: number of the first frame
 * @req: the request; @req->frames is ignored
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: the mapping, or an error of tmm_frame_allocator_allocate(), tmm_place_pages()
 * or tmm_map_allocated_pages_to(); after an error nothing stays allocated
 */
struct tmm_mapped_pages *tmm_instance_map_frames_at(struct tmm_instance *inst,
						    struct tmm_page_table *pt, u64 first,
						    const struct tmm_mapping_request *req)
{
	const struct tmm_allocation_request at = tmm_request_at(first, req->nr);

	return map_frames(inst, pt, tmm_frame_allocator_allocate(&inst->fa, &at), req);
}

/**
 * tmm_instance_map_frame_range() - map new pages to the frames of a range of bytes
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
 * or an error of tmm_instance_map_frames_at()
 */
struct tmm_mapped_pages *
tmm_instance_map_frame_range(struct tmm_instance *inst, struct tmm_page_table *pt,
			     struct tmm_paddr start, u64 nr_bytes, tmm_pte_flags_t flags)
{
	struct tmm_mapping_request req = { .flags = flags };
	int err = tmm_chunks_of_bytes(tmm_paddr_frame_offset(start), nr_bytes, &req.nr);

	return err ? ERR_PTR(err) :
	       tmm_instance_map_frames_at(inst, pt, start.v >> TMM_PAGE_SHIFT, &req);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_map_frame_range);
