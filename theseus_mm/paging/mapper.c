// SPDX-License-Identifier: GPL-2.0
#include "paging/mapper.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/compat.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/sched.h>

/* Consecutive leaves of one size in one table. */
struct leaves {
	u64 *entry;		/* of the first leaf */
	unsigned int nr;	/* 0 if there is none */
	u64 nr_pages;		/* pages that the leaves cover, at most as many as requested */
	struct tmm_table_path path;
};

/* Number of leaves of the size of @page that fit into @nr pages from @page on, and in one table. */
static unsigned int span_of(struct tmm_page page, u64 nr)
{
	const unsigned int level = tmm_entry_leaf_level(page.size);

	return min_t(u64, nr / tmm_entry_nr_pages(level),
		     TMM_TABLE_ENTRIES - tmm_entry_table_index(page, level));
}

/* Do what find_leaves() does, where @table has a leaf above 4 KiB. */
static void find_large_leaves(u64 *table, struct tmm_page page, u64 nr, struct leaves *found)
{
	const unsigned int level = found->path.level;
	const u64 size = tmm_entry_nr_pages(level);
	const u64 begin = ALIGN_DOWN(page.number, size);
	unsigned int end, i = 1;

	page.size = tmm_entry_leaf_size(level);
	TMM_BUG_IF(begin != page.number || nr < size);
	found->entry = &table[tmm_entry_table_index(page, level)];
	end = max(span_of(page, nr), 1U);
	while (i < end && tmm_entry_is_leaf(READ_ONCE(found->entry[i]), level))
		i++;
	found->nr = i;
	found->nr_pages = min(begin + i * size - page.number, nr);
}

/*
 * Find the leaves from @page on that share a table and a size. All callers pass whole leaves. If
 * @nr pages nevertheless begin or end inside of a leaf, the function finds the whole leaf, so that
 * no frame that is about to be freed stays mapped.
 */
static void find_leaves(struct tmm_page_table *pt, struct tmm_page page, u64 nr,
			struct leaves *found)
{
	u64 *table = tmm_table_find(pt, page, &found->path);

	found->nr_pages = span_of(page, nr);
	if (TMM_BUG_IF(!table)) {
		found->nr = 0;
	} else if (found->path.level > 1) {
		find_large_leaves(table, page, nr, found);
	} else {
		found->nr = found->nr_pages;
		found->entry = &table[tmm_entry_table_index(page, 1)];
	}
}

/*
 * Returns the largest leaf size, up to @largest, that can map @page to @frame if @nr pages are
 * left to map.
 */
static enum tmm_page_size choose_size(struct tmm_page page, struct tmm_frame frame, u64 nr,
				      enum tmm_page_size largest)
{
	const u64 both = page.number | frame.number;
	enum tmm_page_size size = largest;

	while (size > TMM_4K && (nr < tmm_page_size_4k_pages(size) ||
				 !IS_ALIGNED(both, tmm_page_size_4k_pages(size))))
		size--;
	return size;
}

/*
 * Write @nr leaves of the size of @frame into one table. If an entry is used (by a leaf, a
 * frozen leaf or a table), returns -EEXIST and writes none.
 */
static int fill_entries(u64 *entry, struct tmm_frame frame, unsigned int nr, tmm_leaf_bits_t bits)
{
	const u64 leaf = tmm_pte_leaf_bits_at(bits, frame.size);
	const u64 step = tmm_page_size_4k_pages(frame.size);
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!tmm_entry_is_empty(READ_ONCE(entry[i])))
			return -EEXIST;
	for (i = 0; i < nr; i++)
		WRITE_ONCE(entry[i], (frame.number + i * step) << TMM_PAGE_SHIFT | leaf);
	return 0;
}

/* Map @nr leaves in one table. Each leaf has the size of @page, and @frame has the same size. */
static int map_span(struct tmm_page_table *pt, struct tmm_page page, struct tmm_frame frame,
		    unsigned int nr, tmm_leaf_bits_t bits, struct tmm_table_spares *spares,
		    struct tmm_table_gather *gather)
{
	const unsigned int level = tmm_entry_leaf_level(page.size);
	struct tmm_table_path path;
	u64 *table;
	int err;

	preempt_disable();
	err = tmm_table_acquire(pt, page, nr, spares, &path, &table, gather);
	if (err)
		goto out;
	err = fill_entries(&table[tmm_entry_table_index(page, level)], frame, nr, bits);
	if (err)
		tmm_table_release(pt, &path, nr, gather);
out:
	preempt_enable();
	return err;
}

/* Free the tables that the release of a count has emptied. No present leaf has changed. */
static void free_emptied(struct tmm_page_table *pt, struct tmm_table_gather *gather)
{
	if (likely(!gather->head))
		return;
	tmm_tlb_wait();
	tmm_table_free_gathered(pt, gather);
}

/* True if @nr pages from @page on need only leaves of 4 KiB, all of them in one table. */
static bool fits_small_table(u64 page, u64 nr)
{
	return nr && nr < TMM_TABLE_ENTRIES &&
	       (page & (TMM_TABLE_ENTRIES - 1)) + nr <= TMM_TABLE_ENTRIES;
}

/*
 * Map @nr pages by leaves of 4 KiB in one table. Returns -EAGAIN, with nothing changed, if the
 * table does not exist, or -EEXIST if a page is mapped already.
 */
static int map_in_existing_table(struct tmm_page_table *pt, u64 number, u64 first, unsigned int nr,
				 tmm_leaf_bits_t bits)
{
	const struct tmm_page page = tmm_page_4k(number);
	struct tmm_table_gather gather = {};
	struct tmm_table_path path;
	int err = -EAGAIN;
	u64 *table;

	preempt_disable();
	table = tmm_table_acquire_existing(pt, page, nr, &path);
	if (likely(table)) {
		err = fill_entries(&table[tmm_entry_table_index(page, 1)], tmm_frame_4k(first), nr,
				   bits);
		if (err)
			tmm_table_release(pt, &path, nr, &gather);
	}
	preempt_enable();
	free_emptied(pt, &gather);
	return err;
}

/*
 * Map @pages, which the caller owns, to the frames from @first on. @bits are those of
 * tmm_pte_leaf_bits() and tmm_pte_memory_type_bits(). At each page the function uses the
 * largest leaf, up to @largest and tmm_mapper_largest_leaf(), for which page and frame are
 * aligned and enough pages are left. The entries were not present and so are in no TLB: the
 * function does not wait for other CPUs.
 *
 * Returns -EEXIST if a page is mapped already, -ENOSPC if no frame is left for a table, or
 * -ENOMEM. After an error, none of the pages is mapped, and no new table is left.
 *
 * Context: Process context, may sleep. O(leaves), plus the allocation of tables.
 */
int tmm_mapper_map(struct tmm_page_table *pt, struct tmm_page_range pages, struct tmm_frame first,
		   tmm_leaf_bits_t bits, enum tmm_page_size largest)
{
	u64 nr_tables = 0;

	return tmm_mapper_map_counted(pt, pages, first, bits, largest, NULL, &nr_tables);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_map);

/*
 * Do what tmm_mapper_map_counted() does, by leaves of any size, and make the tables. Not inline, so
 * that the short path has a small frame.
 */
static noinline int map_leaves(struct tmm_page_table *pt, struct tmm_page_range pages,
			       struct tmm_frame first, tmm_leaf_bits_t bits,
			       enum tmm_page_size largest, struct tmm_account *account,
			       u64 *nr_tables)
{
	const u64 nr = tmm_range_nr_4k(&pages.r);
	struct tmm_table_gather gather = {};
	struct tmm_table_spares spares = { .account = account };
	u64 done = 0;
	int err = 0;

	largest = min(largest, tmm_mapper_largest_leaf());
	while (done < nr) {
		struct tmm_page page = tmm_page_4k(pages.r.first + done);
		struct tmm_frame frame = tmm_frame_4k(first.number + done);
		unsigned int step;

		page.size = choose_size(page, frame, nr - done, largest);
		frame.size = page.size;
		step = span_of(page, nr - done);
		err = map_span(pt, page, frame, step, bits, &spares, &gather);
		if (err == -EAGAIN) {
			err = tmm_table_take_spare(pt, &spares);
			step = 0;	/* nothing is mapped yet: try again */
		}
		if (err)
			break;
		done += step * tmm_page_size_4k_pages(page.size);
		cond_resched();
	}
	tmm_table_give_spares(pt, &spares);
	free_emptied(pt, &gather);
	if (err && done)
		tmm_mapper_unmap(pt, tmm_page_range_of(tmm_page_4k(pages.r.first), done));
	if (err)
		tmm_account_uncharge(account, TMM_RESOURCE_FRAMES, spares.nr_used);
	else
		*nr_tables += spares.nr_used;
	return err;
}

/*
 * Do what tmm_mapper_map() does, and count the new tables. @account, if not NULL, is charged
 * for each new table before the table is used. On success @nr_tables increases by the number of
 * new tables, and the caller has to uncharge @account for these tables later. Returns -EDQUOT
 * if the tables exceed a limit of @account.
 *
 * Context: Process context, may sleep. O(leaves), plus the allocation of tables.
 */
int tmm_mapper_map_counted(struct tmm_page_table *pt, struct tmm_page_range pages,
			   struct tmm_frame first, tmm_leaf_bits_t bits,
			   enum tmm_page_size largest, struct tmm_account *account,
			   u64 *nr_tables)
{
	const u64 nr = tmm_range_nr_4k(&pages.r);
	int err;

	/* Most mappings are small, and most tables exist. */
	if (fits_small_table(pages.r.first, nr)) {
		err = map_in_existing_table(pt, pages.r.first, first.number, nr, bits);
		if (err != -EAGAIN)
			return err;
	}
	return map_leaves(pt, pages, first, bits, largest, account, nr_tables);
}

/* Clear the leaves of @nr pages from @first on. @gather receives the tables that become empty. */
static noinline void clear_leaves(struct tmm_page_table *pt, u64 first, u64 nr,
				  struct tmm_table_gather *gather)
{
	struct leaves leaves;
	unsigned int i;
	u64 done = 0;

	while (done < nr) {
		find_leaves(pt, tmm_page_4k(first + done), nr - done, &leaves);
		for (i = 0; i < leaves.nr; i++)
			TMM_BUG_IF(!tmm_entry_is_present(xchg(&leaves.entry[i], 0)));
		if (leaves.nr)
			tmm_table_release(pt, &leaves.path, leaves.nr, gather);
		done += leaves.nr_pages;
		if (done < nr)
			cond_resched();
	}
}

/*
 * Clear the leaves of @pages, which the caller owns, and free the tables that become empty. All
 * pages are mapped, by whole leaves of any size. When the function returns, no CPU can reach
 * the frames through these pages. @pages may be empty.
 *
 * Context: Process context, not inside a window. Cannot fail. O(leaves).
 */
void tmm_mapper_unmap(struct tmm_page_table *pt, struct tmm_page_range pages)
{
	const u64 nr = tmm_range_nr_4k(&pages.r);
	struct tmm_table_gather gather = {};

	if (!nr)
		return;
	if (nr > 1 || !tmm_table_clear_one(pt, pages.r.first, &gather))
		clear_leaves(pt, pages.r.first, nr, &gather);
	tmm_tlb_shootdown(pages);
	if (gather.head)
		tmm_table_free_gathered(pt, &gather);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_unmap);

static void remap_entry(u64 *entry, bool is_writable)
{
	u64 old = READ_ONCE(*entry);
	u64 new;

	/*
	 * The hardware may set ACCESSED and DIRTY at the same time, and neither bit may be
	 * lost.
	 */
	do {
		new = is_writable ? old | TMM_ENTRY_WRITABLE : old & ~TMM_ENTRY_WRITABLE;
	} while (!try_cmpxchg64(entry, &old, new));
}

/*
 * Make @pages, which the caller owns, writable or read-only. All pages are mapped, by whole
 * leaves of any size. ACCESSED and DIRTY stay as the hardware set them. When the function
 * returns, no CPU writes a page that is no longer writable. @pages may be empty.
 *
 * Context: Process context, not inside a window. Cannot fail. O(leaves).
 */
void tmm_mapper_remap(struct tmm_page_table *pt, struct tmm_page_range pages, bool is_writable)
{
	const u64 nr = tmm_range_nr_4k(&pages.r);
	struct leaves leaves;
	unsigned int i;
	u64 done = 0;

	while (done < nr) {
		find_leaves(pt, tmm_page_4k(pages.r.first + done), nr - done, &leaves);
		for (i = 0; i < leaves.nr; i++)
			remap_entry(&leaves.entry[i], is_writable);
		done += leaves.nr_pages;
		if (done < nr)
			cond_resched();
	}
	if (nr)
		tmm_tlb_shootdown(pages);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_remap);

static void mark_entry(u64 *entry)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg64(entry, &old, old | TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY))
		;
}

/*
 * Set ACCESSED and DIRTY in all leaves that contain one of @pages. The caller owns the pages,
 * and all are mapped. The function is for writes that did not go through this root's entries,
 * so that the hardware did not set the bits. @pages may be empty.
 *
 * Context: Process context, may sleep. O(leaves), one table walk for the leaves of a table.
 */
void tmm_mapper_mark_dirty(struct tmm_page_table *pt, struct tmm_page_range pages)
{
	const u64 end = tmm_range_end(&pages.r);
	struct tmm_page page = tmm_page_4k(pages.r.first);
	struct tmm_table_path path TMM_UNINITIALIZED;
	unsigned int i;
	u64 *table, nr;

	while (page.number < end) {
		table = tmm_table_find(pt, page, &path);
		if (TMM_BUG_IF(!table))
			return;
		nr = tmm_entry_nr_pages(path.level);
		page.number = ALIGN_DOWN(page.number, nr);
		i = tmm_entry_table_index(page, path.level);
		do {
			mark_entry(&table[i]);
			page.number += nr;
		} while (page.number < end && ++i < TMM_TABLE_ENTRIES &&
			 tmm_entry_is_leaf(READ_ONCE(table[i]), path.level));
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_mark_dirty);

/*
 * Returns the size of the leaf that maps @page. The caller owns the page, and the page is
 * mapped.
 *
 * Context: Any. O(levels).
 */
enum tmm_page_size tmm_mapper_leaf_size(struct tmm_page_table *pt, struct tmm_page page)
{
	struct tmm_table_path path;

	if (TMM_BUG_IF(!tmm_table_find(pt, page, &path)))
		return TMM_4K;
	return tmm_entry_leaf_size(path.level);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_leaf_size);
