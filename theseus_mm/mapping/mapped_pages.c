// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/bug.h"
#include "paging/mapper.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

static u64 first_page(const struct tmm_mapped_pages *mp)
{
	return mp->pages->chunk.start;
}

static u64 nr_pages(const struct tmm_mapped_pages *mp)
{
	return mp->pages->chunk.nr;
}

static struct tmm_mapped_frames *mapped_of_link(struct list_head *link)
{
	return list_entry(link, struct tmm_mapped_frames, f.link);
}

/*
 * One change at a time, and none while a borrow lasts. Ending a borrow is one
 * atomic step, so once nobody but the owner is counted, nobody else will touch
 * the mapping again.
 */
static int claim(struct tmm_mapped_pages *mp)
{
	int users = atomic_cmpxchg(&mp->users, TMM_USERS_OWNER,
				   TMM_USERS_OWNER + TMM_USERS_CLAIMED);

	return users == TMM_USERS_OWNER ? 0 : -EBUSY;
}

/* The owner is still there. */
static void unclaim(struct tmm_mapped_pages *mp)
{
	atomic_sub_return_release(TMM_USERS_CLAIMED, &mp->users);
}

static struct tmm_mapped_pages *new_mapping(struct tmm_page_table *pt, tmm_pte_flags_t flags)
{
	struct tmm_mapped_pages *mp = kzalloc(sizeof(*mp), GFP_KERNEL_ACCOUNT);

	if (!mp)
		return NULL;
	atomic_set(&mp->users, TMM_USERS_OWNER);
	tmm_page_table_get(pt);
	atomic64_inc(&pt->nr_mappings);
	mp->pt = pt;
	INIT_LIST_HEAD(&mp->frames);
	mp->flags = (flags & ~TMM_PTE_OURS) | TMM_PTE_VALID | TMM_PTE_EXCLUSIVE;
	return mp;
}

/* What is left of a mapping that has neither pages nor frames. */
static void free_mapping(struct tmm_mapped_pages *mp)
{
	atomic64_dec(&mp->pt->nr_mappings);
	tmm_page_table_put(mp->pt);
	kfree(mp);
}

/* Append frames that are mapped right after those that @mp has. */
static void append_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_frames *frames)
{
	if (!list_empty(&mp->frames) &&
	    !tmm_mapped_frames_append(mapped_of_link(mp->frames.prev), &frames))
		return;
	list_add_tail(&frames->f.link, &mp->frames);
	mp->nr_frame_ranges++;
}

/* Take the frames of a mapping whose entries are cleared; NULL if none is left. */
static struct tmm_allocated_frames *take_frames(struct tmm_mapped_pages *mp)
{
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;

	if (list_empty(&mp->frames))
		return NULL;
	mapped = mapped_of_link(mp->frames.next);
	list_del_init(&mapped->f.link);
	mp->nr_frame_ranges--;
	unmapped = tmm_frames_into_unmapped(&mapped);
	return tmm_frames_into_allocated(&unmapped);
}

static void drop_frames_list(struct list_head *list)
{
	struct tmm_allocated_frames *frames, *next;

	list_for_each_entry_safe(frames, next, list, f.link) {
		list_del_init(&frames->f.link);
		tmm_allocated_frames_drop(&frames);
		cond_resched();
	}
}

/* Map each run of @list in turn; consumes all of it, or undoes everything. */
static int map_list(struct tmm_mapped_pages *mp, u64 page, struct list_head *list)
{
	const u64 bits = tmm_pte_leaf_bits(mp->flags, true);
	struct tmm_allocated_frames *frames, *next;
	u64 done = 0;
	int err;

	list_for_each_entry(frames, list, f.link) {
		u64 nr = tmm_frames_nr(&frames->f);

		err = tmm_mapper_map(mp->pt, page + done, frames->f.chunk.start, nr, bits, TMM_4K);
		if (err)
			goto err_unmap;
		done += nr;
	}
	list_for_each_entry_safe(frames, next, list, f.link) {
		list_del_init(&frames->f.link);
		append_frames(mp, tmm_frames_into_mapped(&frames));
		cond_resched();
	}
	return 0;

err_unmap:
	tmm_mapper_unmap(mp->pt, page, done);
	return err;
}

/**
 * tmm_map_allocated_pages_to() - map pages to frames
 * @pt: the root
 * @pages: not empty; consumed on success, untouched on error
 * @frames: as many; consumed on success, untouched on error
 * @flags: what the mapping may be used for
 *
 * Theseus: Mapper::map_allocated_pages_to(). There a failure half-way frees
 * frames that are still mapped; here it changes nothing.
 *
 * Context: Process context, may sleep. O(pages).
 * Return:
 * * the mapping          - @pages and @frames are NULL now
 * * ERR_PTR(-EINVAL)     - the counts differ or are 0, or the flags are malformed
 * * ERR_PTR(-EOPNOTSUPP) - a memory type on RAM
 * * ERR_PTR(-EEXIST)     - a page is mapped already
 * * ERR_PTR(-ENOSPC)     - no frame is left for a table
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 */
struct tmm_mapped_pages *tmm_map_allocated_pages_to(struct tmm_page_table *pt,
						    struct tmm_allocated_pages **pages,
						    struct tmm_allocated_frames **frames,
						    tmm_pte_flags_t flags)
{
	struct tmm_mapped_pages *mp;
	LIST_HEAD(list);
	int err;

	err = tmm_pte_flags_check(flags);
	if (!err)
		err = tmm_pte_flags_check_memory_type(flags, TMM_WRITE_BACK);
	if (err)
		return ERR_PTR(err);
	if (!tmm_allocated_pages_nr(*pages) ||
	    tmm_allocated_pages_nr(*pages) != tmm_frames_nr(&(*frames)->f))
		return ERR_PTR(-EINVAL);
	mp = new_mapping(pt, flags);
	if (!mp)
		return ERR_PTR(-ENOMEM);

	list_add(&(*frames)->f.link, &list);
	err = map_list(mp, (*pages)->chunk.start, &list);
	if (err) {
		list_del_init(&(*frames)->f.link);
		free_mapping(mp);
		return ERR_PTR(err);
	}
	mp->pages = *pages;
	*pages = NULL;
	*frames = NULL;
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_map_allocated_pages_to);

/* The next run for a mapping that needs @nr more: all at once, or the longest. */
static struct tmm_allocated_frames *allocate_some(struct tmm_frame_allocator *fa, u64 nr)
{
	struct tmm_allocated_frames *frames;
	struct tmm_allocation_request req;
	struct tmm_range_totals totals;

	for (;;) {
		req = tmm_request_any(nr);
		frames = tmm_frame_allocator_allocate(fa, &req);
		if (frames != ERR_PTR(-ENOSPC))
			return frames;
		tmm_range_allocator_totals(&fa->ra, &totals);
		if (!totals.largest[TMM_4K])
			return frames;
		/* Others allocate too: what was there may be gone, so ask for less. */
		nr = min(nr - 1, totals.largest[TMM_4K]);
		if (!nr)
			return frames;
	}
}

/* Take @nr frames in as few runs as there is room for; all or nothing. */
static int allocate_list(struct tmm_frame_allocator *fa, u64 nr, bool zero, struct list_head *list)
{
	struct tmm_allocated_frames *frames;
	int err = 0;

	while (nr && !err) {
		frames = allocate_some(fa, nr);
		if (IS_ERR(frames)) {
			err = PTR_ERR(frames);
			break;
		}
		list_add_tail(&frames->f.link, list);
		nr -= tmm_frames_nr(&frames->f);
		if (zero)
			err = tmm_allocated_frames_zero(frames);
	}
	if (err)
		drop_frames_list(list);
	return err;
}

/**
 * tmm_map_allocated_pages() - map pages to any frames
 * @pt: the root; its allocator gives the frames, in as many runs as it takes
 * @pages: not empty; consumed on success, untouched on error
 * @flags: what the mapping may be used for
 * @zero: clear the frames first, else they hold what their last owner left
 *
 * Theseus: Mapper::map_allocated_pages(). There running out half-way leaks; here
 * it changes nothing.
 *
 * Context: Process context, may sleep. O(pages).
 * Return:
 * * the mapping          - @pages is NULL now
 * * ERR_PTR(-EINVAL)     - no pages, or the flags are malformed
 * * ERR_PTR(-EOPNOTSUPP) - a memory type on RAM
 * * ERR_PTR(-EEXIST)     - a page is mapped already
 * * ERR_PTR(-ENOSPC)     - too few frames are free, those for tables included
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 * * ERR_PTR(-EINTR)      - the task is being killed
 */
struct tmm_mapped_pages *tmm_map_allocated_pages(struct tmm_page_table *pt,
						 struct tmm_allocated_pages **pages,
						 tmm_pte_flags_t flags, bool zero)
{
	struct tmm_mapped_pages *mp;
	struct tmm_range_totals totals;
	LIST_HEAD(list);
	int err;

	err = tmm_pte_flags_check(flags);
	if (!err)
		err = tmm_pte_flags_check_memory_type(flags, TMM_WRITE_BACK);
	if (err)
		return ERR_PTR(err);
	if (!tmm_allocated_pages_nr(*pages))
		return ERR_PTR(-EINVAL);
	/* A request that cannot be met shall not take, clear and return all there is. */
	tmm_range_allocator_totals(&pt->fa->ra, &totals);
	if (totals.nr_free < tmm_allocated_pages_nr(*pages))
		return ERR_PTR(-ENOSPC);
	mp = new_mapping(pt, flags);
	if (!mp)
		return ERR_PTR(-ENOMEM);

	err = allocate_list(pt->fa, tmm_allocated_pages_nr(*pages), zero, &list);
	if (err)
		goto err_free_mapping;
	err = map_list(mp, (*pages)->chunk.start, &list);
	if (err)
		goto err_drop_frames;
	mp->pages = *pages;
	*pages = NULL;
	return mp;

err_drop_frames:
	drop_frames_list(&list);
err_free_mapping:
	free_mapping(mp);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_map_allocated_pages);

/**
 * tmm_mapped_pages_range() - the pages of a mapping
 * @mp: the mapping
 *
 * Return: the range
 */
struct tmm_page_range tmm_mapped_pages_range(const struct tmm_mapped_pages *mp)
{
	return tmm_allocated_pages_range(mp->pages);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_range);

/**
 * tmm_mapped_pages_nr_bytes() - size of a mapping
 * @mp: the mapping
 *
 * Return: bytes
 */
u64 tmm_mapped_pages_nr_bytes(const struct tmm_mapped_pages *mp)
{
	return nr_pages(mp) << TMM_PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_nr_bytes);

/**
 * tmm_mapped_pages_flags() - the flags of a mapping
 * @mp: the mapping
 *
 * Return: what was asked for, with VALID and EXCLUSIVE as they are. ACCESSED and
 * DIRTY are not read from the entries: see tmm_mapper_collect_flags().
 */
tmm_pte_flags_t tmm_mapped_pages_flags(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->flags);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_flags);

/**
 * tmm_mapped_pages_is_borrowed() - is anyone using the mapping?
 * @mp: the mapping
 *
 * Return: true if it is borrowed, or being changed, at this moment
 */
bool tmm_mapped_pages_is_borrowed(const struct tmm_mapped_pages *mp)
{
	return atomic_read(&mp->users) != TMM_USERS_OWNER;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_is_borrowed);

/**
 * tmm_mapped_pages_remap() - change what a mapping may be used for
 * @mp: the mapping; unchanged on error
 * @flags: the new flags; VALID and EXCLUSIVE stay as they are
 *
 * Theseus: MappedPages::remap(). The root is the mapping's own, whichever is
 * active; flags that are the same already do nothing.
 *
 * Context: Process context, may sleep. O(pages).
 * Return:
 * * 0           - no CPU uses the old permissions any more
 * * -EINVAL     - the flags are malformed
 * * -EOPNOTSUPP - a memory type on RAM
 * * -EBUSY      - borrowed
 */
int tmm_mapped_pages_remap(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	int err = tmm_pte_flags_check(flags);

	if (!err)
		err = tmm_pte_flags_check_memory_type(flags, TMM_WRITE_BACK);
	if (err)
		return err;
	err = claim(mp);
	if (err)
		return err;
	if (tmm_pte_flags_is_writable(flags) != tmm_pte_flags_is_writable(mp->flags))
		tmm_mapper_remap(mp->pt, first_page(mp), nr_pages(mp),
				 tmm_pte_flags_is_writable(flags));
	WRITE_ONCE(mp->flags, (flags & ~TMM_PTE_OURS) | (mp->flags & TMM_PTE_OURS));
	unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_remap);

static int check_merge(const struct tmm_mapped_pages *mp, const struct tmm_mapped_pages *other)
{
	if (mp->pt != other->pt)
		return -EXDEV;
	if ((mp->flags ^ other->flags) & ~TMM_PTE_HARDWARE)
		return -EMEDIUMTYPE;
	return first_page(mp) + nr_pages(mp) == first_page(other) ? 0 : -EDOM;
}

/**
 * tmm_mapped_pages_merge() - append a mapping that follows directly
 * @mp: grows by @other; unchanged on error
 * @other: directly after @mp; consumed
 *
 * No entry changes. Theseus: MappedPages::merge()
 *
 * Context: Process context. O(1).
 * Return:
 * * 0            - @mp has both
 * * -EXDEV       - they are under different roots
 * * -EMEDIUMTYPE - their flags differ, those that the hardware sets aside
 * * -EDOM        - @other does not follow @mp
 * * -EBUSY       - one is borrowed
 */
int tmm_mapped_pages_merge(struct tmm_mapped_pages *mp, struct tmm_mapped_pages **other)
{
	struct tmm_mapped_pages *second = *other;
	struct tmm_mapped_frames *boundary;
	int err;

	if (mp == second)
		return -EDOM;
	err = claim(mp);
	if (err)
		return err;
	err = claim(second);
	if (err)
		goto out;
	err = check_merge(mp, second);
	if (!err)
		err = tmm_allocated_pages_merge(mp->pages, &second->pages);
	if (err) {
		unclaim(second);
		goto out;
	}
	/* The first run of @second may continue the last run of @mp. */
	if (!list_empty(&second->frames)) {
		boundary = mapped_of_link(second->frames.next);
		list_del_init(&boundary->f.link);
		append_frames(mp, boundary);
		list_splice_tail(&second->frames, &mp->frames);
		mp->nr_frame_ranges += second->nr_frame_ranges - 1;
	}
	*other = NULL;
	free_mapping(second);
out:
	unclaim(mp);
	return err;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_merge);

/* Cut the list of frames @nr frames from its start; the rest goes to @second. */
static int split_frames(struct tmm_mapped_pages *mp, u64 nr, struct tmm_mapped_pages *second)
{
	struct tmm_mapped_frames *frames, *rest = NULL;
	struct list_head *last = &mp->frames;
	unsigned int nr_kept = 0;
	LIST_HEAD(head);
	int err;

	list_for_each_entry(frames, &mp->frames, f.link) {
		u64 here = tmm_frames_nr(&frames->f);

		if (!nr)
			break;
		if (nr < here) {
			err = tmm_mapped_frames_split_at(frames, frames->f.chunk.start + nr, &rest);
			if (err)
				return err;
			here = nr;
		}
		nr -= here;
		nr_kept++;
		last = &frames->f.link;
	}
	list_cut_position(&head, &mp->frames, last);
	list_splice_init(&mp->frames, &second->frames);
	list_splice(&head, &mp->frames);
	second->nr_frame_ranges = mp->nr_frame_ranges - nr_kept;
	mp->nr_frame_ranges = nr_kept;
	if (rest) {
		list_add(&rest->f.link, &second->frames);
		second->nr_frame_ranges++;
	}
	return 0;
}

/**
 * tmm_mapped_pages_split() - make two mappings of one
 * @mp: becomes the first part; unchanged on error
 * @at_page: number of the first page of the second; @mp's start makes the first
 *           part empty, its end the second
 * @second: set to the second part, on success only
 *
 * No entry changes. Theseus: MappedPages::split(), which consumes and returns
 * both parts; here the object stays and becomes the first.
 *
 * Context: Process context, may sleep. O(runs of frames).
 * Return: 0, -EINVAL if @at_page lies outside or @mp is empty, -EBUSY if it is
 * borrowed, or -ENOMEM
 */
int tmm_mapped_pages_split(struct tmm_mapped_pages *mp, u64 at_page,
			   struct tmm_mapped_pages **second)
{
	struct tmm_mapped_pages *half;
	int err = claim(mp);

	if (err)
		return err;
	half = new_mapping(mp->pt, mp->flags);
	if (!half) {
		err = -ENOMEM;
		goto out;
	}
	half->flags = mp->flags;
	err = tmm_allocated_pages_split_at(mp->pages, at_page, &half->pages);
	if (err)
		goto err_free;
	err = split_frames(mp, nr_pages(mp), half);
	if (err)
		goto err_merge_pages;
	*second = half;
	goto out;

err_merge_pages:
	TMM_BUG_IF(tmm_allocated_pages_merge(mp->pages, &half->pages));
err_free:
	free_mapping(half);
out:
	unclaim(mp);
	return err;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_split);

/**
 * tmm_mapped_pages_unmap_into_parts() - unmap, and keep the parts
 * @mp: consumed on success, untouched on error
 * @pages: set to its pages, on success only
 * @frames: a list head; gets all its frames, in the order of the pages: struct
 *          tmm_allocated_frames linked by f.link, the caller's to drop
 *
 * Theseus: MappedPages::unmap_into_parts(), which gives back the first run of
 * frames only.
 *
 * Context: Process context, may sleep. O(pages).
 * Return: 0, or -EBUSY if it is borrowed
 */
int tmm_mapped_pages_unmap_into_parts(struct tmm_mapped_pages **mp,
				      struct tmm_allocated_pages **pages,
				      struct list_head *frames)
{
	struct tmm_mapped_pages *doomed = *mp;
	struct tmm_allocated_frames *run;
	int err = claim(doomed);

	if (err)
		return err;
	tmm_mapper_unmap(doomed->pt, first_page(doomed), nr_pages(doomed));
	while ((run = take_frames(doomed))) {
		list_add_tail(&run->f.link, frames);
		cond_resched();
	}
	*pages = doomed->pages;
	*mp = NULL;
	free_mapping(doomed);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_unmap_into_parts);

static void destroy(struct tmm_mapped_pages *mp)
{
	struct tmm_allocated_frames *run;

	/* Clear entries; no CPU uses them; frames and pages become free. */
	tmm_mapper_unmap(mp->pt, first_page(mp), nr_pages(mp));
	while ((run = take_frames(mp))) {
		tmm_allocated_frames_drop(&run);
		cond_resched();
	}
	tmm_allocated_pages_drop(&mp->pages);
	free_mapping(mp);
}

/**
 * tmm_mapped_pages_drop() - give a mapping back
 * @mp: consumed; may be NULL or an error pointer
 *
 * Unmaps and frees pages and frames, exactly once: at once, or when the last
 * borrow ends.
 *
 * Theseus: Drop for MappedPages
 *
 * Context: Process context, not inside a window. Cannot fail. O(pages).
 */
void tmm_mapped_pages_drop(struct tmm_mapped_pages **mp)
{
	struct tmm_mapped_pages *doomed = *mp;

	*mp = NULL;
	if (!IS_ERR_OR_NULL(doomed) && atomic_sub_and_test(TMM_USERS_OWNER, &doomed->users))
		destroy(doomed);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_drop);

/**
 * tmm_mapped_pages_borrow() - count a borrow
 * @mp: the mapping
 * @is_mutable: exclude all other borrows
 *
 * Context: Any.
 * Return: 0, -EACCES if @is_mutable and the mapping is not writable, or -EBUSY
 * for what Rust's borrow checker would refuse
 */
int tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	const int add = is_mutable ? TMM_USERS_CLAIMED : 1;
	int users = atomic_read(&mp->users);

	do {
		if (users >= TMM_USERS_CLAIMED - 1 || (is_mutable && users != TMM_USERS_OWNER))
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&mp->users, &users, users + add));
	/* From here on nobody can change the flags. */
	if (is_mutable && !tmm_pte_flags_is_writable(mp->flags)) {
		unclaim(mp);
		return -EACCES;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_borrow);

/**
 * tmm_mapped_pages_unborrow() - end a borrow; the last one of a dropped mapping
 * takes the mapping with it
 * @mp: the mapping
 * @is_mutable: as it was borrowed
 *
 * Context: Process context, not inside a window.
 */
void tmm_mapped_pages_unborrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	if (atomic_sub_and_test(is_mutable ? TMM_USERS_CLAIMED : 1, &mp->users))
		destroy(mp);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unborrow);
