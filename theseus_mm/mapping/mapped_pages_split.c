// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages_split.h"

#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "core/bug.h"
#include "core/compat.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"
#include "paging/mapper.h"
#include "paging/split_leaf.h"

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/sched.h>

static int check_merge(const struct tmm_mapped_pages *mp, const struct tmm_mapped_pages *other)
{
	if (mp->pt != other->pt)
		return -EXDEV;
	if ((mp->flags ^ other->flags) & ~TMM_PTE_HARDWARE || mp->borrowed != other->borrowed ||
	    mp->is_shareable != other->is_shareable || mp->is_sealed != other->is_sealed ||
	    tmm_mapped_pages_account(mp) != tmm_mapped_pages_account(other) ||
	    !tmm_mapped_pages_memory_is_same(mp, other))
		return -EMEDIUMTYPE;
	return tmm_mapped_pages_first(mp) + tmm_mapped_pages_nr(mp) ==
	       tmm_mapped_pages_first(other) ? 0 : -EDOM;
}

/* Append the frames of @second. The first run of @second may continue the last run of @mp. */
static void join_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *second)
{
	struct tmm_mapped_frames *boundary;

	if (list_empty(&second->frames))
		return;
	boundary = list_first_entry(&second->frames, struct tmm_mapped_frames, f.link);
	list_del_init(&boundary->f.link);
	tmm_mapped_pages_append_frames(mp, boundary);
	list_splice_tail_init(&second->frames, &mp->frames);
	mp->nr_frame_ranges += second->nr_frame_ranges - 1;
}

/**
 * tmm_mapped_pages_merge() - append a mapping that follows directly
 * @mp: grows by @other; unchanged on error
 * @other: directly after @mp; consumed
 *
 * No entry changes: small leaves are never joined to a larger one.
 *
 * Theseus: MappedPages::merge()
 *
 * Context: Process context. O(1).
 * Return:
 * * 0            - @mp has both mappings
 * * -EXDEV       - the mappings are under different roots
 * * -EMEDIUMTYPE - the mappings' flags differ, apart from those that the hardware sets; or
 *   the mappings borrow different frames; or only one is shareable, or sealed; or different
 *   accounts are charged; or the kinds of memory differ
 * * -EDOM        - @other does not follow @mp
 * * -EBUSY       - one mapping is borrowed
 */
int tmm_mapped_pages_merge(struct tmm_mapped_pages *mp, struct tmm_mapped_pages **other)
{
	struct tmm_mapped_pages *second = *other;
	int err;

	if (mp == second)
		return -EDOM;
	err = tmm_mapped_pages_claim(mp);
	if (err)
		return err;
	err = tmm_mapped_pages_claim(second);
	if (err)
		goto out;
	err = check_merge(mp, second);
	if (err)
		goto err_unclaim;
	err = tmm_allocated_pages_append(mp->pages, &second->pages);
	if (err)
		goto err_unclaim;
	join_frames(mp, second);
	mp->is_tainted |= second->is_tainted;
	if (second->borrowed)
		tmm_allocated_frames_unborrow(second->borrowed);
	mp->nr_tables += second->nr_tables;
	second->nr_tables = 0;
	*other = NULL;
	tmm_mapped_pages_free(second);
	goto out;

err_unclaim:
	tmm_mapped_pages_unclaim(second);
out:
	tmm_mapped_pages_unclaim(mp);
	return err;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_merge);

/* Split the list of frames after @nr frames. The rest goes to @second. */
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
		cond_resched();
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

/* Split pages and frames, without regard to the entries. */
static int split_parts(struct tmm_mapped_pages *mp, u64 at_page, struct tmm_mapped_pages *half)
{
	int err;

	err = tmm_allocated_pages_split_at(mp->pages, at_page, &half->pages);
	if (err)
		return err;
	err = split_frames(mp, tmm_mapped_pages_nr(mp), half);
	if (err)
		TMM_BUG_IF(tmm_allocated_pages_merge(mp->pages, &half->pages));
	return err;
}

static void rejoin_parts(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *half)
{
	join_frames(mp, half);
	TMM_BUG_IF(tmm_allocated_pages_merge(mp->pages, &half->pages));
}

/* Split a leaf where needed, so that each part is mapped by leaves of its own. */
static int split_entries(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *half)
{
	if (!tmm_mapped_pages_nr(mp) || !tmm_mapped_pages_nr(half))
		return 0;
	return tmm_split_leaf_at(mp->pt, tmm_page_4k(tmm_mapped_pages_first(half)));
}

/**
 * tmm_mapped_pages_split() - make two mappings of one
 * @mp: becomes the first part; unchanged on error
 * @at_page: number of the first page of the second part. If @at_page is the start of @mp, the
 *           first part is empty; if @at_page is the end, the second part is empty.
 * @second: set to the second part, on success only
 *
 * A boundary inside a 2 MiB or 1 GiB leaf breaks that leaf, and no other leaf. Otherwise no
 * entry changes.
 *
 * Theseus: MappedPages::split(), which consumes the mapping and returns both parts. Here the
 * object stays and becomes the first part.
 *
 * Context: Process context, may sleep. O(runs of frames).
 * Return:
 * * 0       - the caller owns @second
 * * -EINVAL - @at_page lies outside of @mp, or @mp is empty
 * * -EBUSY  - @mp is borrowed
 * * -EOVERFLOW - the frames that @mp borrows are lent to too many mappings
 * * -ENOSPC - no frame is left for the table of a leaf that must be broken
 * * -ENOMEM - the kernel heap is exhausted
 */
int tmm_mapped_pages_split(struct tmm_mapped_pages *mp, u64 at_page,
			   struct tmm_mapped_pages **second)
{
	struct tmm_mapped_pages *half;
	int err;

	err = tmm_mapped_pages_claim(mp);
	if (err)
		return err;
	half = tmm_mapped_pages_new(mp->pt, mp->flags);
	if (!half) {
		err = -ENOMEM;
		goto out;
	}
	half->is_shareable = mp->is_shareable;
	half->is_sealed = mp->is_sealed;
	/* The first part stays charged for all tables, also for those of the second part. */
	half->is_tainted = mp->is_tainted;
	if (mp->borrowed) {
		err = tmm_allocated_frames_borrow(mp->borrowed);
		if (err)
			goto err_free;
		half->borrowed = mp->borrowed;
	}
	err = split_parts(mp, at_page, half);
	if (err)
		goto err_unborrow;
	err = split_entries(mp, half);
	if (err)
		goto err_rejoin;
	*second = half;
	goto out;

err_rejoin:
	rejoin_parts(mp, half);
err_unborrow:
	if (half->borrowed)
		tmm_allocated_frames_unborrow(half->borrowed);
err_free:
	tmm_mapped_pages_free(half);
out:
	tmm_mapped_pages_unclaim(mp);
	return err;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_split);
