// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "alloc/account.h"
#include "alloc/chunk.h"
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "alloc/pins.h"
#include "alloc/quarantine.h"
#include "alloc/trace.h"
#include "core/bug.h"
#include "mapping/mapped_pages_memory.h"
#include "paging/mapper.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
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
	INIT_LIST_HEAD(&mp->link);
	mp->flags = flags;
	return mp;
}

/* What is left of a mapping that has neither pages nor frames. */
static void free_mapping(struct tmm_mapped_pages *mp)
{
	atomic64_dec(&mp->pt->nr_mappings);
	tmm_page_table_put(mp->pt);
	tmm_account_uncharge(mp->account, TMM_RESOURCE_FRAMES, mp->nr_tables);
	tmm_account_put(mp->account);
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

/* When this returns, no CPU uses the first @nr pages of @mp. */
static void clear_entries(struct tmm_mapped_pages *mp, u64 nr)
{
	if (nr)
		trace_tmm_unmap(first_page(mp), nr, mp->flags);
	tmm_mapper_unmap(mp->pt, first_page(mp), nr);
}

/* Give back what the pages of @mp mapped to; the entries are cleared. */
static void release_frames(struct tmm_mapped_pages *mp)
{
	struct tmm_allocated_frames *run;

	while ((run = take_frames(mp))) {
		if (mp->is_tainted)
			tmm_allocated_frames_quarantine(&run);
		else
			tmm_allocated_frames_drop(&run);
		cond_resched();
	}
	if (mp->borrowed)
		tmm_allocated_frames_unborrow(mp->borrowed);
	mp->borrowed = NULL;
}

/**
 * tmm_mapping_new() - a mapping of pages that are not mapped yet
 * @pt: the root
 * @pages: the mapping's pages; the caller's until the mapping is complete. Their account is
 *         charged for the mapping's page tables. A table counts for the mapping that needed
 *         it first, as long as that mapping exists, even if others come to use the table. A
 *         table that a split of a large leaf takes does not count: it is one frame for 512
 *         that do.
 * @flags: flags of the mapping; checked already
 *
 * Context: Process context, may sleep.
 * Return: the mapping, exclusive so far, or NULL if the kernel heap is exhausted
 */
struct tmm_mapped_pages *tmm_mapping_new(struct tmm_page_table *pt,
					 struct tmm_allocated_pages *pages, tmm_pte_flags_t flags)
{
	struct tmm_mapped_pages *mp;

	flags = (flags & ~TMM_PTE_OURS) | TMM_PTE_VALID | TMM_PTE_EXCLUSIVE;
	mp = new_mapping(pt, flags);
	if (!mp)
		return NULL;
	mp->pages = pages;
	mp->account = tmm_account_get(pages->chunk.account);
	return mp;
}

/**
 * tmm_mapping_extend() - map the next pages of a mapping in the making
 * @mp: from tmm_mapping_new()
 * @done: pages mapped so far
 * @frames: what the next as many pages map to; consumed on success
 * @largest: of the leaves
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: 0, or an error of tmm_mapper_map()
 */
int tmm_mapping_extend(struct tmm_mapped_pages *mp, u64 done, struct tmm_allocated_frames **frames,
		       enum tmm_page_size largest)
{
	const struct tmm_frames *f = &(*frames)->f;
	const u64 page = first_page(mp) + done;
	u64 bits = tmm_pte_leaf_bits(mp->flags, true) |
		   tmm_memory_type_bits(f->region->memory_type);
	int err = tmm_mapper_map_counted(mp->pt, page, f->chunk.start, f->chunk.nr, bits, largest,
					 mp->account, &mp->nr_tables);

	if (err)
		return err;
	trace_tmm_map(page, f->chunk.start, f->chunk.nr, mp->flags);
	append_frames(mp, tmm_frames_into_mapped(frames));
	return 0;
}

/**
 * tmm_mapping_abandon() - undo a mapping in the making
 * @mp: from tmm_mapping_new(); gone. Its pages stay the caller's, its frames go
 *      back.
 * @done: pages mapped so far
 *
 * Context: Process context. Cannot fail.
 */
void tmm_mapping_abandon(struct tmm_mapped_pages *mp, u64 done)
{
	clear_entries(mp, done);
	release_frames(mp);
	free_mapping(mp);
}

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
 * DIRTY are not read from the entries: see tmm_mapped_pages_collect_flags().
 */
tmm_pte_flags_t tmm_mapped_pages_flags(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->flags);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_flags);

/**
 * tmm_mapped_pages_collect_flags() - the flags, with what the hardware recorded
 * @mp: the mapping
 *
 * Context: Process context. O(leaves).
 * Return: as tmm_mapped_pages_flags(), with ACCESSED and DIRTY as the entries have
 * them: set if any page was read or written
 */
tmm_pte_flags_t tmm_mapped_pages_collect_flags(const struct tmm_mapped_pages *mp)
{
	tmm_pte_flags_t seen = tmm_mapper_collect_flags(mp->pt, first_page(mp), nr_pages(mp));

	return (tmm_mapped_pages_flags(mp) & ~TMM_PTE_HARDWARE) | (seen & TMM_PTE_HARDWARE);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_collect_flags);

/**
 * tmm_mapped_pages_root() - the root a mapping is under
 * @mp: the mapping
 *
 * Return: the root; stays as long as the mapping
 */
struct tmm_page_table *tmm_mapped_pages_root(const struct tmm_mapped_pages *mp)
{
	return mp->pt;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_root);

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
 * tmm_mapped_pages_nr_borrows() - how many are using the mapping
 * @mp: the mapping
 *
 * Return: its borrows at this moment; a change counts as one
 */
unsigned int tmm_mapped_pages_nr_borrows(const struct tmm_mapped_pages *mp)
{
	unsigned int users = atomic_read(&mp->users);

	return (users & (TMM_USERS_OWNER - 1)) + !!(users & TMM_USERS_CLAIMED);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_nr_borrows);

/**
 * tmm_mapped_pages_is_shareable() - may it have many mutable borrows?
 * @mp: the mapping
 *
 * Return: as tmm_mapped_pages_set_shareable() said last
 */
bool tmm_mapped_pages_is_shareable(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->is_shareable);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_is_shareable);

/**
 * tmm_mapped_pages_is_sealed() - is a mapping sealed against writing?
 * @mp: the mapping
 *
 * Return: true from tmm_mapped_pages_seal() on
 */
bool tmm_mapped_pages_is_sealed(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->is_sealed);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_is_sealed);

/**
 * tmm_mapped_pages_have_struct_pages() - may I/O pin what the pages map to?
 * @mp: the mapping; borrowed, or nobody changes it
 *
 * Context: Process context. O(runs of frames).
 * Return: true if it owns its frames, and Linux knows a struct page of each
 */
bool tmm_mapped_pages_have_struct_pages(const struct tmm_mapped_pages *mp)
{
	const struct tmm_mapped_frames *frames;

	/* It could not be asked whether others have let them be pinned. */
	if (mp->borrowed)
		return false;
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (!frames->f.region->has_struct_pages)
			return false;
		cond_resched();
	}
	return true;
}

/**
 * tmm_mapped_pages_get_struct_pages() - the struct pages of what pages map to
 * @mp: the mapping, borrowed; tmm_mapped_pages_have_struct_pages()
 * @pages: room for as many as it has pages; filled in their order
 *
 * Context: Process context, may sleep. O(pages).
 */
void tmm_mapped_pages_get_struct_pages(const struct tmm_mapped_pages *mp, struct page **pages)
{
	const struct tmm_mapped_frames *frames;
	u64 i;

	list_for_each_entry(frames, &mp->frames, f.link) {
		for (i = 0; i < tmm_frames_nr(&frames->f); i++) {
			*pages++ = pfn_to_page(frames->f.chunk.start + i);
			if (!(i & 0xfff))
				cond_resched();
		}
	}
}

/**
 * tmm_pin_search_begin() - begin a search for pinned pages
 * @search: filled in
 * @mp: the mapping, exclusive, and borrowed until the search is over; all of it has struct
 *      pages
 * @first: index of the first page in the mapping
 * @nr: number of pages
 *
 * Context: Any. O(1).
 */
void tmm_pin_search_begin(struct tmm_pin_search *search, struct tmm_mapped_pages *mp,
			  u64 first, u64 nr)
{
	search->run = list_first_entry_or_null(&mp->frames, struct tmm_mapped_frames, f.link);
	search->first = first;
	search->nr = search->run ? nr : 0;
	search->pinned = TMM_NOT_PINNED;
}

/* Continue in the present run of frames, and subtract the frames checked from @budget. */
static bool finds_pinned_here(struct tmm_pin_search *search, u64 *budget)
{
	const struct tmm_frames *f = &search->run->f;
	u64 part = min3(tmm_frames_nr(f) - search->first, search->nr, *budget);
	u64 start = f->chunk.start + search->first;
	u64 nr = tmm_frames_find_pinned(start, part);

	search->first += nr;
	search->nr -= nr;
	*budget -= nr;
	if (nr == part)
		return false;
	search->pinned = start + nr;
	return true;
}

/**
 * tmm_pin_search() - are some of the pages still pinned?
 * @search: continues where it stopped: the page that was found pinned is checked first, and
 *          pages before it are not checked again
 * @budget: how many pages, or runs of frames, may be checked; reduced by those checked
 *
 * Context: Process context, may sleep. O(@budget). The caller meets the conditions of
 *          tmm_frames_find_pinned().
 * Return: 1 if a page is pinned, 0 if none is, or -EAGAIN if @budget was used up before
 */
int tmm_pin_search(struct tmm_pin_search *search, u64 *budget)
{
	if (search->pinned != TMM_NOT_PINNED && !tmm_frames_find_pinned(search->pinned, 1))
		return 1;
	search->pinned = TMM_NOT_PINNED;
	while (search->nr) {
		if (!*budget)
			return -EAGAIN;
		if (search->first < tmm_frames_nr(&search->run->f)) {
			if (finds_pinned_here(search, budget))
				return 1;
			continue;
		}
		search->first -= tmm_frames_nr(&search->run->f);
		search->run = list_next_entry(search->run, f.link);
		--*budget;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_pin_search);

/**
 * tmm_mapped_pages_clear_file() - clear the file in the struct pages of a mapping
 * @mp: the mapping, borrowed, but in no process; all of it has struct pages, none is pinned
 * @first: index of the first page in the mapping
 * @nr: number of pages
 *
 * Context: Process context, may sleep. O(runs of frames + @nr).
 */
void tmm_mapped_pages_clear_file(const struct tmm_mapped_pages *mp, u64 first, u64 nr)
{
	const struct tmm_mapped_frames *frames;

	list_for_each_entry(frames, &mp->frames, f.link) {
		u64 here = tmm_frames_nr(&frames->f);
		u64 part = first < here ? min(here - first, nr) : 0;

		if (!nr)
			break;
		tmm_frames_clear_file(frames->f.chunk.start + first, part);
		nr -= part;
		first = part ? 0 : first - here;
		cond_resched();
	}
}

/* Do @flags ask for another kind of memory than the mapping has? An empty one has none. */
static bool is_other_memory(const struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	return nr_pages(mp) && (flags ^ tmm_mapped_pages_flags(mp)) & TMM_PTE_DEVICE_MEMORY;
}

/**
 * tmm_mapped_pages_remap() - change what a mapping may be used for
 * @mp: the mapping; unchanged on error
 * @flags: the new flags; VALID and EXCLUSIVE stay as they are
 *
 * Theseus: MappedPages::remap(). The root is the mapping's own, whichever is
 * active; flags that are the same already do nothing. ACCESSED and DIRTY as the
 * hardware set them stay.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return:
 * * 0           - no CPU uses the old permissions any more
 * * -EINVAL     - the flags are malformed
 * * -EOPNOTSUPP - DEVICE_MEMORY would change, but the memory stays the same. (An empty
 *   mapping has no memory, so it never gets this error.)
 * * -EACCES     - the mapping would become writable, and is sealed
 * * -EBUSY      - the mapping is borrowed
 */
int tmm_mapped_pages_remap(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	int err = tmm_pte_flags_check(flags);

	if (err)
		return err;
	if (is_other_memory(mp, flags))
		return -EOPNOTSUPP;
	err = claim(mp);
	if (err)
		return err;
	/* Check again: a merge may have made an empty mapping larger. */
	if (is_other_memory(mp, flags)) {
		unclaim(mp);
		return -EOPNOTSUPP;
	}
	if (mp->is_sealed && tmm_pte_flags_is_writable(flags)) {
		unclaim(mp);
		return -EACCES;
	}
	if (tmm_pte_flags_is_writable(flags) != tmm_pte_flags_is_writable(mp->flags))
		tmm_mapper_remap(mp->pt, first_page(mp), nr_pages(mp),
				 tmm_pte_flags_is_writable(flags));
	WRITE_ONCE(mp->flags, (flags & ~TMM_PTE_OURS) | (mp->flags & TMM_PTE_OURS));
	trace_tmm_remap(first_page(mp), nr_pages(mp), mp->flags);
	unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_remap);

/**
 * tmm_mapped_pages_set_shareable() - let a mapping have many mutable borrows, or not
 * @mp: the mapping
 * @is_shareable: a mutable borrow excludes changes only, not other borrows
 *
 * The stated exception to one writer at a time; who writes when is up to those
 * who do. Theseus has none for borrows; map_to_non_exclusive() is its like.
 *
 * Context: Any.
 * Return: 0, or -EBUSY if it is borrowed
 */
int tmm_mapped_pages_set_shareable(struct tmm_mapped_pages *mp, bool is_shareable)
{
	int err = claim(mp);

	if (err)
		return err;
	WRITE_ONCE(mp->is_shareable, is_shareable);
	unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_set_shareable);

/**
 * tmm_mapped_pages_seal() - make a mapping read-only for all later owners
 * @mp: the mapping
 *
 * A sealed mapping stays read-only through remap, split and merge. Its frames cannot be
 * separated from its pages, so they cannot be mapped writable elsewhere.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: 0, or -EBUSY if the mapping is borrowed
 */
int tmm_mapped_pages_seal(struct tmm_mapped_pages *mp)
{
	int err = tmm_mapped_pages_remap(mp, mp->flags & ~TMM_PTE_WRITABLE);

	if (!err)
		WRITE_ONCE(mp->is_sealed, true);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_seal);

/**
 * tmm_mapped_pages_unseal() - undo tmm_mapped_pages_seal()
 * @mp: the mapping; was not sealed before, and had no other owner since
 * @flags: its flags before it was sealed
 *
 * Context: Process context, may sleep. O(leaves).
 */
void tmm_mapped_pages_unseal(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	WRITE_ONCE(mp->is_sealed, false);
	TMM_BUG_IF(tmm_mapped_pages_remap(mp, flags & ~TMM_PTE_OURS));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unseal);

/**
 * tmm_mapped_pages_remap_under() - the same, under a root that is named
 * @mp: the mapping; unchanged on error
 * @pt: the root that the caller takes it to be under
 * @flags: the new flags
 *
 * Theseus: MappedPages::remap(), whose mapper argument is not checked there.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: -EXDEV if it is under another root, else as tmm_mapped_pages_remap()
 */
int tmm_mapped_pages_remap_under(struct tmm_mapped_pages *mp, const struct tmm_page_table *pt,
				 tmm_pte_flags_t flags)
{
	return mp->pt == pt ? tmm_mapped_pages_remap(mp, flags) : -EXDEV;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_remap_under);

static int check_merge(const struct tmm_mapped_pages *mp, const struct tmm_mapped_pages *other)
{
	if (mp->pt != other->pt)
		return -EXDEV;
	if ((mp->flags ^ other->flags) & ~TMM_PTE_HARDWARE || mp->borrowed != other->borrowed ||
	    mp->is_shareable != other->is_shareable || mp->is_sealed != other->is_sealed ||
	    mp->account != other->account ||
	    !tmm_mapped_pages_memory_is_same(mp, other))
		return -EMEDIUMTYPE;
	return first_page(mp) + nr_pages(mp) == first_page(other) ? 0 : -EDOM;
}

/* Append the frames of @second; its first run may continue the last one of @mp. */
static void join_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *second)
{
	struct tmm_mapped_frames *boundary;

	if (list_empty(&second->frames))
		return;
	boundary = mapped_of_link(second->frames.next);
	list_del_init(&boundary->f.link);
	append_frames(mp, boundary);
	list_splice_tail_init(&second->frames, &mp->frames);
	mp->nr_frame_ranges += second->nr_frame_ranges - 1;
}

/**
 * tmm_mapped_pages_merge() - append a mapping that follows directly
 * @mp: grows by @other; unchanged on error
 * @other: directly after @mp; consumed
 *
 * No entry changes: small leaves never become a larger one.
 * Theseus: MappedPages::merge()
 *
 * Context: Process context. O(1).
 * Return:
 * * 0            - @mp has both
 * * -EXDEV       - they are under different roots
 * * -EMEDIUMTYPE - their flags differ, apart from those that the hardware sets; or they do
 *   not own their frames and borrow different ones; or only one is shareable, or sealed; or
 *   they are charged to different accounts, or map to memory of different kinds
 * * -EDOM        - @other does not follow @mp
 * * -EBUSY       - one is borrowed
 */
int tmm_mapped_pages_merge(struct tmm_mapped_pages *mp, struct tmm_mapped_pages **other)
{
	struct tmm_mapped_pages *second = *other;
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
		err = tmm_allocated_pages_append(mp->pages, &second->pages);
	if (err) {
		unclaim(second);
		goto out;
	}
	join_frames(mp, second);
	mp->is_tainted |= second->is_tainted;
	if (second->borrowed)
		tmm_allocated_frames_unborrow(second->borrowed);
	mp->nr_tables += second->nr_tables;
	second->nr_tables = 0;
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

/* Cut pages and frames; the entries are not looked at. */
static int split_parts(struct tmm_mapped_pages *mp, u64 at_page, struct tmm_mapped_pages *half)
{
	int err = tmm_allocated_pages_split_at(mp->pages, at_page, &half->pages);

	if (err)
		return err;
	err = split_frames(mp, nr_pages(mp), half);
	if (err)
		TMM_BUG_IF(tmm_allocated_pages_merge(mp->pages, &half->pages));
	return err;
}

static void rejoin_parts(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *half)
{
	join_frames(mp, half);
	TMM_BUG_IF(tmm_allocated_pages_merge(mp->pages, &half->pages));
}

/* Both parts are mapped by leaves of their own. */
static int split_entries(struct tmm_mapped_pages *mp, struct tmm_mapped_pages *half)
{
	if (!nr_pages(mp) || !nr_pages(half))
		return 0;
	return tmm_mapper_split_leaf(mp->pt, first_page(half));
}

/**
 * tmm_mapped_pages_split() - make two mappings of one
 * @mp: becomes the first part; unchanged on error
 * @at_page: number of the first page of the second; @mp's start makes the first
 *           part empty, its end the second
 * @second: set to the second part, on success only
 *
 * A boundary inside a 2 MiB or 1 GiB leaf breaks that leaf, and no other; else no
 * entry changes. Theseus: MappedPages::split(), which consumes and returns both
 * parts; here the object stays and becomes the first.
 *
 * Context: Process context, may sleep. O(runs of frames).
 * Return:
 * * 0       - @second is the caller's
 * * -EINVAL - @at_page lies outside, or @mp is empty
 * * -EBUSY  - borrowed
 * * -ENOSPC - no frame is left for the table of a leaf that must be broken
 * * -ENOMEM - the kernel heap is exhausted
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
	half->is_shareable = mp->is_shareable;
	half->is_sealed = mp->is_sealed;
	/* All tables stay with the first part. */
	half->account = tmm_account_get(mp->account);
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
 *          tmm_allocated_frames linked by f.link, the caller's. One that is to be
 *          mapped, merged or dropped leaves the list first (list_del_init()); or
 *          all go with tmm_allocated_frames_drop_list().
 *
 * Theseus: MappedPages::unmap_into_parts(), which gives back the first run of
 * frames only. A mapping that does not own its frames has none to give: @frames
 * stays as it is, and the loan of their owner ends.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: 0; -EBUSY if the mapping is borrowed, or counts as borrowed for ever: see
 * tmm_mapped_pages_taint(); or -EACCES if it is sealed
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
	if (doomed->is_tainted || doomed->is_sealed) {
		err = doomed->is_sealed ? -EACCES : -EBUSY;
		unclaim(doomed);
		return err;
	}
	clear_entries(doomed, nr_pages(doomed));
	while ((run = take_frames(doomed))) {
		list_add_tail(&run->f.link, frames);
		cond_resched();
	}
	release_frames(doomed);
	*pages = doomed->pages;
	*mp = NULL;
	free_mapping(doomed);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_unmap_into_parts);

/**
 * tmm_mapped_pages_unmap_into_parts_under() - the same, under a root that is named
 * @mp: consumed on success, untouched on error
 * @pt: the root that the caller takes it to be under
 * @pages: set to its pages, on success only
 * @frames: a list head; gets all its frames
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: -EXDEV if it is under another root (it stays mapped), else as
 * tmm_mapped_pages_unmap_into_parts()
 */
int tmm_mapped_pages_unmap_into_parts_under(struct tmm_mapped_pages **mp,
					    const struct tmm_page_table *pt,
					    struct tmm_allocated_pages **pages,
					    struct list_head *frames)
{
	if ((*mp)->pt != pt)
		return -EXDEV;
	return tmm_mapped_pages_unmap_into_parts(mp, pages, frames);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_unmap_into_parts_under);

/**
 * tmm_mapped_pages_move_account() - charge somebody else for a mapping
 * @mp: the mapping; the caller has it for himself
 * @account: the account; nothing is done for a mapping that nobody is charged for
 *
 * Context: Process context, may sleep. O(runs of frames).
 * Return: 0, or -EDQUOT if it is too much: nothing has changed
 */
int tmm_mapped_pages_move_account(struct tmm_mapped_pages *mp, struct tmm_account *account)
{
	struct tmm_account *from = mp->account;
	struct tmm_mapped_frames *frames;
	u64 nr[TMM_NR_RESOURCES] = { [TMM_RESOURCE_FRAMES] = mp->nr_tables };
	int err;

	if (!from)
		return 0;
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (frames->f.chunk.account)
			nr[TMM_RESOURCE_FRAMES] += tmm_frames_nr(&frames->f);
		cond_resched();
	}
	nr[TMM_RESOURCE_PAGES] = nr_pages(mp);
	err = tmm_account_move(from, account, nr);
	if (err)
		return err;
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (frames->f.chunk.account)
			tmm_chunk_set_account(&frames->f.chunk, account);
		cond_resched();
	}
	tmm_chunk_set_account(&mp->pages->chunk, account);
	mp->account = tmm_account_get(account);
	tmm_account_put(from);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_move_account);

static void destroy(struct tmm_mapped_pages *mp)
{
	/* Clear entries; no CPU uses them; frames and pages become free. */
	clear_entries(mp, nr_pages(mp));
	release_frames(mp);
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
 * Context: Process context, not inside a window. Cannot fail. O(leaves).
 */
void tmm_mapped_pages_drop(struct tmm_mapped_pages **mp)
{
	struct tmm_mapped_pages *doomed = *mp;

	*mp = NULL;
	if (!IS_ERR_OR_NULL(doomed) && atomic_sub_and_test(TMM_USERS_OWNER, &doomed->users))
		destroy(doomed);
}
EXPORT_SYMBOL_GPL(tmm_mapped_pages_drop);

static bool is_exclusive(const struct tmm_mapped_pages *mp, bool is_mutable)
{
	return is_mutable && !tmm_mapped_pages_is_shareable(mp);
}

/**
 * tmm_mapped_pages_borrow() - count a borrow
 * @mp: the mapping
 * @is_mutable: exclude all other borrows, unless the mapping is shareable
 *
 * Context: Any.
 * Return: 0, -EACCES if @is_mutable and the mapping is not writable, or -EBUSY
 * for what Rust's borrow checker would refuse
 */
int tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable)
{
	const bool excludes = is_exclusive(mp, is_mutable);
	const int add = excludes ? TMM_USERS_CLAIMED : 1;
	int users = atomic_read(&mp->users);
	int err = 0;

	/* Not even for a moment, or others would be refused for nothing. */
	if (is_mutable && !tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)))
		return -EACCES;
	do {
		if (users >= TMM_USERS_CLAIMED - 1 || (excludes && users != TMM_USERS_OWNER))
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&mp->users, &users, users + add));
	/* From here on nobody can change the flags, or whether it is shareable. */
	if (excludes != is_exclusive(mp, is_mutable))
		err = -EBUSY;
	else if (is_mutable && !tmm_pte_flags_is_writable(mp->flags))
		err = -EACCES;
	/* The owner is still there. */
	if (err)
		atomic_sub_return_release(add, &mp->users);
	return err;
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
	if (atomic_sub_and_test(is_exclusive(mp, is_mutable) ? TMM_USERS_CLAIMED : 1, &mp->users))
		destroy(mp);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_unborrow);
