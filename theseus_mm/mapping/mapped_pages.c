// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "alloc/account.h"
#include "alloc/chunk.h"
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "alloc/quarantine.h"
#include "core/compat.h"
#include "mapping/trace.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/translate.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>

static struct kmem_cache *mappings_cache;

/* Create the slab cache of mappings. Return: 0 or -ENOMEM. */
int __init tmm_mapped_pages_init(void)
{
	mappings_cache = kmem_cache_create("tmm_mapped_pages", sizeof(struct tmm_mapped_pages), 0,
					   0, NULL);
	return mappings_cache ? 0 : -ENOMEM;
}

/* Undo tmm_mapped_pages_init(). */
void tmm_mapped_pages_exit(void)
{
	kmem_cache_destroy(mappings_cache);
}

static struct tmm_mapped_frames *mapped_of_link(struct list_head *link)
{
	return list_entry(link, struct tmm_mapped_frames, f.link);
}

/*
 * Allow one change at a time, and none during a borrow. The end of a borrow is one atomic step.
 * So if the count is that of the owner alone, no other code accesses the mapping any more.
 */
int tmm_mapped_pages_claim(struct tmm_mapped_pages *mp)
{
	int users = atomic_cmpxchg(&mp->users, TMM_USERS_OWNER,
				   TMM_USERS_OWNER + TMM_USERS_CLAIMED);

	return users == TMM_USERS_OWNER ? 0 : -EBUSY;
}

/* The owner still holds the mapping, so the count does not become 0. */
void tmm_mapped_pages_unclaim(struct tmm_mapped_pages *mp)
{
	atomic_sub_return_release(TMM_USERS_CLAIMED, &mp->users);
}

struct tmm_mapped_pages *tmm_mapped_pages_new(struct tmm_page_table *pt, tmm_pte_flags_t flags)
{
	struct tmm_mapped_pages *mp = kmem_cache_alloc(mappings_cache, GFP_KERNEL_ACCOUNT);

	if (!mp)
		return NULL;
	tmm_page_table_add_mapping(pt);
	*mp = (struct tmm_mapped_pages){
		.users = ATOMIC_INIT(TMM_USERS_OWNER),
		.pt = pt,
		.flags = flags,
		.frames = LIST_HEAD_INIT(mp->frames),
		.link = LIST_HEAD_INIT(mp->link),
	};
	return mp;
}

/* Free the object of a mapping whose pages, frames and tables are gone. */
void tmm_mapped_pages_free(struct tmm_mapped_pages *mp)
{
	tmm_page_table_remove_mapping(mp->pt);
	kmem_cache_free(mappings_cache, mp);
}

/* Uncharge the tables of @mp, whose entries are cleared, but whose pages are still there. */
static void uncharge_tables(struct tmm_mapped_pages *mp)
{
	if (mp->nr_tables)
		tmm_account_uncharge(tmm_mapped_pages_account(mp), TMM_RESOURCE_FRAMES,
				     mp->nr_tables);
}

/* Append frames that are mapped directly after the frames of @mp. */
void tmm_mapped_pages_append_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_frames *frames)
{
	if (!list_empty(&mp->frames) &&
	    !tmm_mapped_frames_append(mapped_of_link(mp->frames.prev), &frames))
		return;
	list_add_tail(&frames->f.link, &mp->frames);
	mp->nr_frame_ranges++;
}

/*
 * Take the first run of frames from a mapping whose entries are cleared. Returns NULL if no run is
 * left.
 */
static struct tmm_mapped_frames *take_frames(struct tmm_mapped_pages *mp)
{
	struct tmm_mapped_frames *mapped;

	if (list_empty(&mp->frames))
		return NULL;
	mapped = mapped_of_link(mp->frames.next);
	list_del_init(&mapped->f.link);
	mp->nr_frame_ranges--;
	return mapped;
}

/*
 * Clear the entries of the first @nr pages of @mp. When the function returns, no CPU uses these
 * pages.
 */
static void clear_entries(struct tmm_mapped_pages *mp, u64 nr)
{
	const struct tmm_page page = tmm_page_4k(tmm_mapped_pages_first(mp));

	if (!nr)
		return;
	trace_tmm_unmap(page.number, nr, mp->flags);
	tmm_mapper_unmap(mp->pt, tmm_page_range_of(page, nr));
}

/* Give back the frames of @mp, whose entries are already cleared. */
static void release_frames(struct tmm_mapped_pages *mp)
{
	struct tmm_mapped_frames *mapped;
	struct tmm_allocated_frames *run;

	while ((mapped = take_frames(mp))) {
		run = tmm_frames_unmap_into_allocated(&mapped);
		if (mp->is_tainted)
			tmm_allocated_frames_quarantine(&run);
		else
			tmm_allocated_frames_drop(&run);
		if (mp->nr_frame_ranges)
			cond_resched();
	}
	if (mp->borrowed)
		tmm_allocated_frames_unborrow(mp->borrowed);
	mp->borrowed = NULL;
}

/*
 * Begin a mapping of pages that are not mapped yet. The caller owns @pages until the mapping is
 * complete; @flags have been checked. Returns the mapping, which is exclusive so far, or NULL
 * if the kernel heap is exhausted.
 *
 * The account of @pages is charged for the mapping's page tables. A table counts for the first
 * mapping that needed it, as long as that mapping exists, even if other mappings come to use
 * the table. A table from a split of a large leaf does not count: it is one frame for 512 or
 * more frames that count.
 *
 * Context: Process context, may sleep.
 */
struct tmm_mapped_pages *tmm_mapped_pages_begin(struct tmm_page_table *pt,
						struct tmm_allocated_pages *pages,
						tmm_pte_flags_t flags)
{
	struct tmm_mapped_pages *mp;

	flags = (flags & ~TMM_PTE_OURS) | TMM_PTE_VALID | TMM_PTE_EXCLUSIVE;
	mp = tmm_mapped_pages_new(pt, flags);
	if (!mp)
		return NULL;
	mp->pages = pages;
	return mp;
}

/* Map pages of @mp from @page on to @frames, and count the new tables. */
static noinline int map_frames(struct tmm_mapped_pages *mp, u64 page,
			       const struct tmm_frames *frames, tmm_leaf_bits_t bits,
			       enum tmm_page_size largest)
{
	u64 nr_tables = 0;
	int err;

	err = tmm_mapper_map_counted(mp->pt, tmm_page_range_of(tmm_page_4k(page), frames->chunk.nr),
				     tmm_frame_4k(frames->chunk.start), bits, largest,
				     tmm_mapped_pages_account(mp), &nr_tables);
	if (!err)
		mp->nr_tables += nr_tables;
	return err;
}

/*
 * Map the pages after the first @done pages of an incomplete mapping to @frames, which is
 * consumed on success. @largest limits the size of leaves. Returns 0 or an error of
 * tmm_mapper_map_counted().
 *
 * Context: Process context, may sleep. O(leaves).
 */
int tmm_mapped_pages_extend(struct tmm_mapped_pages *mp, u64 done,
			    struct tmm_allocated_frames **frames, enum tmm_page_size largest)
{
	const struct tmm_frames *f = &(*frames)->f;
	const u64 page = tmm_mapped_pages_first(mp) + done;
	tmm_leaf_bits_t bits = tmm_pte_leaf_bits(mp->flags, true) |
			       tmm_pte_memory_type_bits(f->region->memory_type);
	int err = -EAGAIN;

	if (f->chunk.nr == 1)
		err = tmm_mapper_map_one(mp->pt, page, f->chunk.start, bits);
	if (err)
		err = map_frames(mp, page, f, bits, largest);
	if (err)
		return err;
	trace_tmm_map(page, f->chunk.start, f->chunk.nr, mp->flags);
	tmm_mapped_pages_append_frames(mp, tmm_frames_into_mapped(frames));
	return 0;
}

/*
 * Undo an incomplete mapping, of which @done pages are mapped. The caller keeps the pages, and
 * the frames go back to their allocator.
 *
 * Context: Process context. Cannot fail.
 */
void tmm_mapped_pages_abandon(struct tmm_mapped_pages *mp, u64 done)
{
	clear_entries(mp, done);
	release_frames(mp);
	uncharge_tables(mp);
	tmm_mapped_pages_free(mp);
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
EXPORT_SYMBOL_TMM(tmm_mapped_pages_range);

struct tmm_paddr tmm_mapped_pages_first_paddr(const struct tmm_mapped_pages *mp)
{
	const struct tmm_mapped_frames *first =
		list_first_entry(&mp->frames, struct tmm_mapped_frames, f.link);

	return (struct tmm_paddr){ first->f.chunk.start << TMM_PAGE_SHIFT };
}

/**
 * tmm_mapped_pages_nr_bytes() - size of a mapping
 * @mp: the mapping
 *
 * Return: bytes
 */
u64 tmm_mapped_pages_nr_bytes(const struct tmm_mapped_pages *mp)
{
	return tmm_mapped_pages_nr(mp) << TMM_PAGE_SHIFT;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_nr_bytes);

/**
 * tmm_mapped_pages_flags() - the flags of a mapping
 * @mp: the mapping
 *
 * Return: the requested flags, with the current VALID and EXCLUSIVE. ACCESSED and DIRTY are
 * not read from the entries: see tmm_mapped_pages_collect_flags().
 */
tmm_pte_flags_t tmm_mapped_pages_flags(const struct tmm_mapped_pages *mp)
{
	return READ_ONCE(mp->flags);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_flags);

/**
 * tmm_mapped_pages_collect_flags() - the flags, with ACCESSED and DIRTY from the entries
 * @mp: the mapping
 *
 * Context: Process context. O(leaves).
 * Return: as tmm_mapped_pages_flags(), with ACCESSED and DIRTY set if any entry has them,
 * because a page was read or written
 */
tmm_pte_flags_t tmm_mapped_pages_collect_flags(const struct tmm_mapped_pages *mp)
{
	tmm_pte_flags_t seen = tmm_translate_collect_flags(mp->pt, tmm_mapped_pages_range(mp));

	return (tmm_mapped_pages_flags(mp) & ~TMM_PTE_HARDWARE) | (seen & TMM_PTE_HARDWARE);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_collect_flags);

/**
 * tmm_mapped_pages_root() - the root of a mapping
 * @mp: the mapping
 *
 * Return: the root, which lives at least as long as the mapping
 */
struct tmm_page_table *tmm_mapped_pages_root(const struct tmm_mapped_pages *mp)
{
	return mp->pt;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_root);

/*
 * Do @flags require another kind of memory than the mapping has? An empty mapping has no
 * memory.
 */
static bool is_other_memory(const struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	return tmm_mapped_pages_nr(mp) &&
	       (flags ^ tmm_mapped_pages_flags(mp)) & TMM_PTE_DEVICE_MEMORY;
}

/**
 * tmm_mapped_pages_remap() - change the permissions of a mapping
 * @mp: the mapping; unchanged on error
 * @flags: the new flags; VALID and EXCLUSIVE stay as they are
 *
 * The function uses the mapping's own root, even if another root is active. If the flags are
 * the same already, the function does nothing. ACCESSED and DIRTY stay as the hardware set
 * them.
 *
 * Theseus: MappedPages::remap()
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
	int err;

	err = tmm_pte_flags_check(flags);
	if (err)
		return err;
	/* Another call may change the size of the mapping, so the check is repeated below. */
	if (data_race(is_other_memory(mp, flags)))
		return -EOPNOTSUPP;
	err = tmm_mapped_pages_claim(mp);
	if (err)
		return err;
	/* Check again, because a merge may have added memory to an empty mapping. */
	if (is_other_memory(mp, flags)) {
		tmm_mapped_pages_unclaim(mp);
		return -EOPNOTSUPP;
	}
	if (mp->is_sealed && tmm_pte_flags_is_writable(flags)) {
		tmm_mapped_pages_unclaim(mp);
		return -EACCES;
	}
	if (tmm_pte_flags_is_writable(flags) != tmm_pte_flags_is_writable(mp->flags))
		tmm_mapper_remap(mp->pt, tmm_mapped_pages_range(mp),
				 tmm_pte_flags_is_writable(flags));
	WRITE_ONCE(mp->flags, (flags & ~TMM_PTE_OURS) | (mp->flags & TMM_PTE_OURS));
	trace_tmm_remap(tmm_mapped_pages_first(mp), tmm_mapped_pages_nr(mp), mp->flags);
	tmm_mapped_pages_unclaim(mp);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_remap);

/**
 * tmm_mapped_pages_remap_under() - change the permissions of a mapping under a given root
 * @mp: the mapping; unchanged on error
 * @pt: the expected root of the mapping
 * @flags: the new flags
 *
 * Theseus: MappedPages::remap(), which does not check its mapper argument.
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: -EXDEV if @mp is under another root, else as tmm_mapped_pages_remap()
 */
int tmm_mapped_pages_remap_under(struct tmm_mapped_pages *mp, const struct tmm_page_table *pt,
				 tmm_pte_flags_t flags)
{
	return mp->pt == pt ? tmm_mapped_pages_remap(mp, flags) : -EXDEV;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_remap_under);

/**
 * tmm_mapped_pages_unmap_into_parts() - unmap, and keep the parts
 * @mp: consumed on success, untouched on error
 * @pages: set to the pages of the mapping, on success only
 * @frames: a list head; receives all frames of the mapping, in the order of the pages, as
 *          struct tmm_allocated_frames linked by f.link. The caller then owns the frames.
 *          The caller removes a run from the list (list_del_init()) before mapping, merging
 *          or dropping the run, or drops all with tmm_allocated_frames_drop_list().
 *
 * If the mapping borrows its frames, @frames is unchanged, and the borrow of the frames ends.
 *
 * Theseus: MappedPages::unmap_into_parts(), which gives back only the first run of frames
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: 0; -EBUSY if the mapping is borrowed now, or was ever tainted (tmm_mapped_pages_taint());
 * or -EACCES if the mapping is sealed
 */
int tmm_mapped_pages_unmap_into_parts(struct tmm_mapped_pages **mp,
				      struct tmm_allocated_pages **pages,
				      struct list_head *frames)
{
	struct tmm_mapped_pages *doomed = *mp;
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;
	struct tmm_allocated_frames *run;
	int err;

	err = tmm_mapped_pages_claim(doomed);
	if (err)
		return err;
	if (doomed->is_tainted || doomed->is_sealed) {
		err = doomed->is_sealed ? -EACCES : -EBUSY;
		tmm_mapped_pages_unclaim(doomed);
		return err;
	}
	clear_entries(doomed, tmm_mapped_pages_nr(doomed));
	while ((mapped = take_frames(doomed))) {
		unmapped = tmm_frames_into_unmapped(&mapped);
		run = tmm_frames_into_allocated(&unmapped);
		list_add_tail(&run->f.link, frames);
		cond_resched();
	}
	release_frames(doomed);
	uncharge_tables(doomed);
	*pages = doomed->pages;
	*mp = NULL;
	tmm_mapped_pages_free(doomed);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_unmap_into_parts);

/**
 * tmm_mapped_pages_unmap_into_parts_under() - unmap under a given root, and keep the parts
 * @mp: consumed on success, untouched on error
 * @pt: the expected root of the mapping
 * @pages: set to the pages of the mapping, on success only
 * @frames: a list head; receives all frames of the mapping
 *
 * Context: Process context, may sleep. O(leaves).
 * Return: -EXDEV if @mp is under another root (@mp stays mapped), else as
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
EXPORT_SYMBOL_TMM(tmm_mapped_pages_unmap_into_parts_under);

/*
 * Charge @account for a mapping, in place of the mapping's present account. No other code uses
 * the mapping. The function does nothing if no account is charged for the mapping. Returns
 * -EDQUOT, with nothing changed, if the charge exceeds a limit.
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
int tmm_mapped_pages_move_account(struct tmm_mapped_pages *mp, struct tmm_account *account)
{
	struct tmm_account *from = tmm_mapped_pages_account(mp);
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
	nr[TMM_RESOURCE_PAGES] = tmm_mapped_pages_nr(mp);
	err = tmm_account_move(from, account, nr);
	if (err)
		return err;
	list_for_each_entry(frames, &mp->frames, f.link) {
		if (frames->f.chunk.account)
			tmm_chunk_set_account(&frames->f.chunk, account);
		cond_resched();
	}
	tmm_chunk_set_account(&mp->pages->chunk, account);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_pages_move_account);

/* Free a mapping that has no owner and no borrow. */
void tmm_mapped_pages_destroy(struct tmm_mapped_pages *mp)
{
	/* First clear the entries, so that no CPU uses them. Then free frames and pages. */
	clear_entries(mp, tmm_mapped_pages_nr(mp));
	release_frames(mp);
	uncharge_tables(mp);
	tmm_allocated_pages_drop(&mp->pages);
	tmm_mapped_pages_free(mp);
}

/**
 * tmm_mapped_pages_drop() - give a mapping back
 * @mp: consumed; may be NULL or an error pointer
 *
 * The module unmaps and frees pages and frames exactly once: immediately, or when the last
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
		tmm_mapped_pages_destroy(doomed);
}
EXPORT_SYMBOL_TMM(tmm_mapped_pages_drop);
