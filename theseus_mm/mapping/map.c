// SPDX-License-Identifier: GPL-2.0
#include "mapping/map.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/pages.h"
#include "core/compat.h"
#include "mapping/mapped_pages.h"
#include "mapping/placement.h"
#include "mapping/request.h"
#include "mapping/trace.h"
#include "paging/mapper.h"
#include "paging/page_table.h"

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sched.h>

/*
 * Check that all leaves of a mapping can have size @req->leaf. @numbers is the bitwise OR of the
 * start and the count of the pages, and also of the frames if the caller has chosen them.
 */
static int check_leaf(const struct tmm_mapping_request *req, u64 numbers)
{
	if (req->leaf >= TMM_NR_PAGE_SIZES || numbers & (tmm_page_size_4k_pages(req->leaf) - 1))
		return -EINVAL;
	return req->leaf <= tmm_mapper_largest_leaf() ? 0 : -EOPNOTSUPP;
}

/* Returns the size of the largest leaf that a mapping may have. */
static enum tmm_page_size largest_leaf(const struct tmm_mapping_request *req)
{
	return req->is_sized ? req->leaf : tmm_mapper_largest_leaf();
}

/* Check that the memory of @frames is still present, and has a type that suits @flags. */
static int check_region(const struct tmm_allocated_frames *frames, tmm_pte_flags_t flags)
{
	const struct tmm_frame_region *region = frames->f.region;

	if (READ_ONCE(region->range.is_closed))
		return -ENODEV;
	return tmm_pte_flags_check_memory_type(flags, region->memory_type);
}

/* Map @pages to @frames. The function consumes both on success, and neither on error. */
struct tmm_mapped_pages *tmm_map_pages_to(struct tmm_page_table *pt,
					  struct tmm_allocated_pages **pages,
					  struct tmm_allocated_frames **frames,
					  const struct tmm_mapping_request *req)
{
	struct tmm_mapped_pages *mp;
	int err;

	/* The region of an empty run may be gone, so check the count before the region. */
	if (!tmm_allocated_pages_nr(*pages) ||
	    tmm_allocated_pages_nr(*pages) != tmm_frames_nr(&(*frames)->f))
		return ERR_PTR(-EINVAL);
	err = check_region(*frames, req->flags);
	if (err)
		return ERR_PTR(err);
	if (tmm_allocated_frames_is_borrowed(*frames))
		return ERR_PTR(-EBUSY);
	mp = tmm_mapped_pages_begin(pt, *pages, req->flags);
	if (!mp)
		return ERR_PTR(-ENOMEM);
	err = tmm_mapped_pages_extend(mp, 0, frames, largest_leaf(req));
	if (err) {
		tmm_mapped_pages_abandon(mp, 0);
		return ERR_PTR(err);
	}
	*pages = NULL;
	return mp;
}

/**
 * tmm_map_allocated_pages_to() - map pages to frames
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @frames: as many frames as pages; consumed on success, untouched on error
 * @flags: permissions of the mapping
 *
 * The mapping has the largest leaves that the alignment of pages and frames allows.
 *
 * Theseus: Mapper::map_allocated_pages_to(). In Theseus a failure half-way frees frames that
 * are still mapped. Here a failure changes nothing.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return:
 * * the mapping          - @pages and @frames are then NULL
 * * ERR_PTR(-EINVAL)     - the counts differ or are 0, or the flags are malformed
 * * ERR_PTR(-EOPNOTSUPP) - DEVICE_MEMORY on RAM, or device memory without DEVICE_MEMORY
 * * ERR_PTR(-ENODEV)     - the device that has the frames was removed
 * * ERR_PTR(-EBUSY)      - the frames are lent to another mapping
 * * ERR_PTR(-EEXIST)     - a page is mapped already
 * * ERR_PTR(-ENOSPC)     - no frame is left for a table
 * * ERR_PTR(-EDQUOT)     - too many tables for the account of @pages
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 */
struct tmm_mapped_pages *tmm_map_allocated_pages_to(struct tmm_page_table *pt,
						    struct tmm_allocated_pages **pages,
						    struct tmm_allocated_frames **frames,
						    tmm_pte_flags_t flags)
{
	const struct tmm_mapping_request req = { .flags = flags };
	int err;

	err = tmm_pte_flags_check(flags);
	if (err)
		return ERR_PTR(err);
	return tmm_map_pages_to(pt, pages, frames, &req);
}
EXPORT_SYMBOL_TMM(tmm_map_allocated_pages_to);

/**
 * tmm_map_allocated_pages_to_sized() - map pages to frames, by leaves of one size
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @frames: as many frames as pages; consumed on success, untouched on error
 * @flags: permissions of the mapping
 * @size: size of every leaf
 *
 * Theseus: Mapper::map_allocated_pages_to() for AllocatedPages<P>
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_map_allocated_pages_to(); ERR_PTR(-EINVAL) also if start or
 * count do not suit @size, ERR_PTR(-EOPNOTSUPP) also if the CPU has no such leaves
 */
struct tmm_mapped_pages *tmm_map_allocated_pages_to_sized(struct tmm_page_table *pt,
							  struct tmm_allocated_pages **pages,
							  struct tmm_allocated_frames **frames,
							  tmm_pte_flags_t flags,
							  enum tmm_page_size size)
{
	const struct tmm_mapping_request req = { .flags = flags, .is_sized = true, .leaf = size };
	int err;

	err = check_leaf(&req, (*pages)->chunk.start | (*pages)->chunk.nr |
			       (*frames)->f.chunk.start | (*frames)->f.chunk.nr);
	if (err)
		return ERR_PTR(err);
	err = tmm_pte_flags_check(flags);
	if (err)
		return ERR_PTR(err);
	return tmm_map_pages_to(pt, pages, frames, &req);
}
EXPORT_SYMBOL_TMM(tmm_map_allocated_pages_to_sized);

/**
 * tmm_map_to_non_exclusive() - map pages to frames of another owner
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @frames: as many frames as pages, lent to the mapping. The owner keeps the frames, but
 *          cannot map, merge, split or clear the frames until the mapping is gone. If the
 *          owner drops the frames earlier, the frames become free with the mapping.
 * @flags: permissions of the mapping
 *
 * The function is the exception to the rule that only one page maps to a frame. Several such
 * mappings of the same frames may exist, and a write through one is visible through all.
 *
 * Theseus: Mapper::map_to_non_exclusive(), which is unsafe there, because the frames may be
 * freed while they are mapped.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: as tmm_map_allocated_pages_to(), but ERR_PTR(-EOVERFLOW) if the frames are lent to too
 * many mappings, and never ERR_PTR(-EBUSY)
 */
struct tmm_mapped_pages *tmm_map_to_non_exclusive(struct tmm_page_table *pt,
						  struct tmm_allocated_pages **pages,
						  struct tmm_allocated_frames *frames,
						  tmm_pte_flags_t flags)
{
	u64 nr = tmm_allocated_pages_nr(*pages);
	enum tmm_memory_type type;
	u64 nr_tables = 0;
	struct tmm_mapped_pages *mp;
	int err;

	if (!nr || nr != tmm_frames_nr(&frames->f))
		return ERR_PTR(-EINVAL);
	type = frames->f.region->memory_type;
	err = tmm_pte_flags_check(flags);
	if (err)
		return ERR_PTR(err);
	err = check_region(frames, flags);
	if (err)
		return ERR_PTR(err);
	err = tmm_allocated_frames_borrow(frames);
	if (err)
		return ERR_PTR(err);
	mp = tmm_mapped_pages_begin(pt, *pages, flags);
	if (!mp) {
		err = -ENOMEM;
		goto err_unborrow;
	}
	mp->flags &= ~TMM_PTE_EXCLUSIVE;
	err = tmm_mapper_map_counted(pt, tmm_allocated_pages_range(*pages),
				     tmm_frame_4k(frames->f.chunk.start),
				     tmm_pte_leaf_bits(flags, false) |
				     tmm_pte_memory_type_bits(type), tmm_mapper_largest_leaf(),
				     tmm_mapped_pages_account(mp), &nr_tables);
	if (err) {
		tmm_mapped_pages_abandon(mp, 0);
		goto err_unborrow;
	}
	trace_tmm_map((*pages)->chunk.start, frames->f.chunk.start, nr, mp->flags);
	mp->nr_tables = nr_tables;
	mp->borrowed = frames;
	*pages = NULL;
	return mp;

err_unborrow:
	tmm_allocated_frames_unborrow(frames);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_TMM(tmm_map_to_non_exclusive);

/* A part of the pages that are to be mapped to any frames. */
struct piece {
	u64 nr;				/* pages from the first unmapped page on */
	enum tmm_page_size size;	/* the frames are aligned for leaves of this size */
};

/*
 * Returns the next piece of @nr pages from @page on. If the largest leaf in the pages begins at
 * @page, the piece is all pages. Otherwise the piece is the pages before that leaf, which take
 * smaller leaves.
 */
static struct piece next_piece(u64 page, u64 nr, enum tmm_page_size largest)
{
	enum tmm_page_size size;

	for (size = largest; size > TMM_4K; size--) {
		u64 leaf = tmm_page_size_4k_pages(size);
		u64 start;

		if (nr < leaf)
			continue;
		start = round_up(page, leaf);
		if (start + leaf > page + nr)
			continue;
		if (start == page)
			break;
		nr = start - page;
	}
	return (struct piece){ nr, size };
}

/*
 * Allocate one run for @want: all frames, or else the longest free run. The function tries
 * smaller leaves before it fails.
 */
static struct tmm_allocated_frames *allocate_some(const struct tmm_mapped_pages *mp,
						  struct piece want, enum tmm_page_size smallest)
{
	struct tmm_frame_allocator *fa = mp->pt->fa;
	struct tmm_allocated_frames *frames;
	struct tmm_allocation_request req;
	struct tmm_range_totals totals;
	u64 nr = want.nr;

	for (;;) {
		u64 leaf = tmm_page_size_4k_pages(want.size);

		req = tmm_request_aligned(leaf, nr);
		req.account = tmm_mapped_pages_account(mp);
		frames = tmm_frame_allocator_allocate(fa, &req);
		if (frames != ERR_PTR(-ENOSPC))
			return frames;
		tmm_range_allocator_totals(&fa->ra, &totals);
		/*
		 * Other CPUs allocate at the same time, so the longest run may be gone. Ask for
		 * fewer frames. The last try is for one leaf, since other CPUs may have the free
		 * frames in their magazines now.
		 */
		if (nr > leaf) {
			nr = max(leaf, round_down(min(nr - 1, totals.largest[want.size]), leaf));
			continue;
		}
		if (want.size == smallest)
			return frames;
		want.size--;
		nr = want.nr;
	}
}

/* Do what allocate_whole() does, for a single page. */
static struct tmm_allocated_frames *allocate_one(const struct tmm_mapped_pages *mp)
{
	struct tmm_frame_allocator *fa = mp->pt->fa;
	struct tmm_account *account = tmm_mapped_pages_account(mp);
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate_one(fa, account);

	return likely(frames != ERR_PTR(-ENOSPC)) ? frames : NULL;
}

/*
 * Allocate one run for all pages of @mp. Most mappings are small, so this succeeds in most cases.
 * Returns NULL if no free run is long enough, or if the pages need more than one run for their
 * largest leaves.
 */
static struct tmm_allocated_frames *allocate_whole(const struct tmm_mapped_pages *mp,
						   const struct tmm_mapping_request *req)
{
	const u64 nr = tmm_mapped_pages_nr(mp);
	struct tmm_allocation_request where;
	struct tmm_allocated_frames *frames;
	struct piece piece;

	piece = next_piece(tmm_mapped_pages_first(mp), nr, largest_leaf(req));
	if (piece.nr < nr)
		return NULL;
	where = tmm_request_aligned(tmm_page_size_4k_pages(piece.size), nr);
	where.account = tmm_mapped_pages_account(mp);
	frames = tmm_frame_allocator_allocate(mp->pt->fa, &where);
	return frames == ERR_PTR(-ENOSPC) ? NULL : frames;
}

/* Map all pages of @mp to @frames, which the function consumes. */
static int map_whole(struct tmm_mapped_pages *mp, const struct tmm_mapping_request *req,
		     struct tmm_allocated_frames *frames)
{
	int err;

	err = req->zero ? tmm_allocated_frames_zero_new(frames) : 0;
	if (!err)
		err = tmm_mapped_pages_extend(mp, 0, &frames, largest_leaf(req));
	if (err)
		tmm_allocated_frames_drop(&frames);
	return err;
}

static int clear_list(struct list_head *list)
{
	struct tmm_allocated_frames *frames;
	int err;

	list_for_each_entry(frames, list, f.link) {
		err = tmm_allocated_frames_zero_new(frames);
		if (err)
			return err;
	}
	return 0;
}

/* Refuse a request that cannot succeed, before it allocates and clears all free frames. */
static int check_room(const struct tmm_mapped_pages *mp)
{
	struct tmm_account *account = tmm_mapped_pages_account(mp);
	const u64 nr = tmm_mapped_pages_nr(mp);
	struct tmm_range_totals totals;
	int err;

	err = tmm_account_check(account, TMM_RESOURCE_FRAMES, nr, 0);
	if (err)
		return err;
	tmm_range_allocator_totals(&mp->pt->fa->ra, &totals);
	if (totals.nr_free >= nr)
		return 0;
	tmm_account_note_refusal(account, TMM_RESOURCE_FRAMES);
	return -ENOSPC;
}

/* Allocate frames for all pages of @mp, in as few runs as possible; all or nothing. */
static int allocate_list(const struct tmm_mapped_pages *mp, const struct tmm_mapping_request *req,
			 struct list_head *list)
{
	const enum tmm_page_size smallest = tmm_placement_smallest(req);
	const enum tmm_page_size largest = largest_leaf(req);
	struct tmm_allocated_frames *frames;
	u64 page = mp->pages->chunk.start;
	u64 nr = mp->pages->chunk.nr;
	int err;

	while (nr) {
		frames = allocate_some(mp, next_piece(page, nr, largest), smallest);
		if (IS_ERR(frames)) {
			err = PTR_ERR(frames);
			goto err_drop;
		}
		list_add_tail(&frames->f.link, list);
		page += tmm_frames_nr(&frames->f);
		nr -= tmm_frames_nr(&frames->f);
		cond_resched();
	}
	if (!req->zero)
		return 0;
	/* Clear after the allocation of all frames, since clearing is most of the work. */
	err = clear_list(list);
	if (err)
		goto err_drop;
	return 0;

err_drop:
	tmm_allocated_frames_drop_list(list);
	return err;
}

/*
 * Map @mp to as many runs as needed. Allocate all frames before the first table, so that no table
 * lies between two runs. @done, which the caller sets to 0, grows by the number of mapped pages.
 */
static int map_to_list(struct tmm_mapped_pages *mp, const struct tmm_mapping_request *req,
		       u64 *done)
{
	struct tmm_allocated_frames *frames, *next;
	LIST_HEAD(list);
	int err;

	err = check_room(mp);
	if (err)
		return err;
	err = allocate_list(mp, req, &list);
	if (err)
		return err;
	list_for_each_entry_safe(frames, next, &list, f.link) {
		u64 here = tmm_frames_nr(&frames->f);

		list_del_init(&frames->f.link);
		err = tmm_mapped_pages_extend(mp, *done, &frames, largest_leaf(req));
		if (err) {
			tmm_allocated_frames_drop(&frames);
			break;
		}
		*done += here;
		cond_resched();
	}
	tmm_allocated_frames_drop_list(&list);
	return err;
}

/* Map @mp to new frames. After an error, @done is the number of mapped pages. */
static int map_to_any(struct tmm_mapped_pages *mp, const struct tmm_mapping_request *req,
		      u64 *done)
{
	struct tmm_allocated_frames *frames;

	frames = tmm_mapped_pages_nr(mp) == 1 ? allocate_one(mp) : allocate_whole(mp, req);
	*done = 0;
	if (IS_ERR(frames))
		return PTR_ERR(frames);
	return frames ? map_whole(mp, req, frames) : map_to_list(mp, req, done);
}

/* Map @pages to new frames. @pages is consumed on success, and untouched on error. */
struct tmm_mapped_pages *tmm_map_pages(struct tmm_page_table *pt,
				       struct tmm_allocated_pages **pages,
				       const struct tmm_mapping_request *req)
{
	struct tmm_mapped_pages *mp;
	u64 done;
	int err;

	if (!tmm_allocated_pages_nr(*pages))
		return ERR_PTR(-EINVAL);
	mp = tmm_mapped_pages_begin(pt, *pages, req->flags);
	if (!mp)
		return ERR_PTR(-ENOMEM);
	err = map_to_any(mp, req, &done);
	if (err) {
		tmm_mapped_pages_abandon(mp, done);
		return ERR_PTR(err);
	}
	*pages = NULL;
	return mp;
}

/**
 * tmm_map_allocated_pages() - map pages to any frames
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @flags: permissions of the mapping
 * @zero: clear the frames first
 *
 * The mapping has the largest leaves that the pages' alignment allows and for which there are
 * frames. Frames and tables are charged to the account of @pages.
 *
 * Theseus: Mapper::map_allocated_pages(). In Theseus a lack of memory half-way leaks the
 * pages mapped so far. Here the function unmaps these pages.
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 * Return:
 * * the mapping          - @pages is then NULL
 * * ERR_PTR(-EINVAL)     - no pages, or the flags are malformed
 * * ERR_PTR(-EOPNOTSUPP) - DEVICE_MEMORY: the frames are RAM
 * * ERR_PTR(-EEXIST)     - a page is mapped already
 * * ERR_PTR(-ENOSPC)     - too few frames are free, those for tables included
 * * ERR_PTR(-EDQUOT)     - the frames exceed a limit of the account
 * * ERR_PTR(-EIO)        - memory failed while the function cleared the frames
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 * * ERR_PTR(-EINTR)      - the task is being killed
 */
struct tmm_mapped_pages *tmm_map_allocated_pages(struct tmm_page_table *pt,
						 struct tmm_allocated_pages **pages,
						 tmm_pte_flags_t flags, bool zero)
{
	const struct tmm_mapping_request req = { .flags = flags, .zero = zero };
	int err;

	err = tmm_mapping_request_check_ram_flags(flags);
	if (err)
		return ERR_PTR(err);
	return tmm_map_pages(pt, pages, &req);
}
EXPORT_SYMBOL_TMM(tmm_map_allocated_pages);

/**
 * tmm_map_allocated_pages_sized() - map pages to any frames, by leaves of one size
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @flags: permissions of the mapping
 * @zero: clear the frames first
 * @size: size of every leaf
 *
 * Theseus: Mapper::map_allocated_pages() for AllocatedPages<P>
 *
 * Context: Process context, may sleep. O(leaves), and O(bytes) to clear.
 * Return: as tmm_map_allocated_pages(); ERR_PTR(-EINVAL) also if start or count
 * do not suit @size, ERR_PTR(-EOPNOTSUPP) also if the CPU has no such leaves, and
 * ERR_PTR(-ENOSPC) if too few frames of that size are free
 */
struct tmm_mapped_pages *tmm_map_allocated_pages_sized(struct tmm_page_table *pt,
						       struct tmm_allocated_pages **pages,
						       tmm_pte_flags_t flags, bool zero,
						       enum tmm_page_size size)
{
	const struct tmm_mapping_request req = {
		.flags = flags,
		.zero = zero,
		.is_sized = true,
		.leaf = size,
	};
	int err;

	err = check_leaf(&req, (*pages)->chunk.start | (*pages)->chunk.nr);
	if (err)
		return ERR_PTR(err);
	err = tmm_mapping_request_check_ram_flags(flags);
	if (err)
		return ERR_PTR(err);
	return tmm_map_pages(pt, pages, &req);
}
EXPORT_SYMBOL_TMM(tmm_map_allocated_pages_sized);
