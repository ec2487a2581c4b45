// SPDX-License-Identifier: GPL-2.0
/* Runs of leaves, for any caller. A search may run at the same time as any change. */
#include "paging/leaf_runs.h"

#include "alloc/bad_frames.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched.h>

/*
 * The maximum number of unused entries that one walk skips, and of leaves that one walk collects.
 * Interrupts are off during a walk.
 */
#define MAX_ENTRIES	64
/* Maximum number of walks for a run. At the limit the run ends, and another run begins. */
#define MAX_WALKS	8192

/*
 * Returns an entry as software treats it: a frozen leaf is present. Returns 0 if the entry is
 * unused. All entries of an unlinked table are unused.
 */
static u64 used_entry(const u64 *table, unsigned int index, unsigned int level)
{
	u64 entry = READ_ONCE(table[index]);

	if (tmm_entry_is_frozen(entry, level))
		entry |= TMM_ENTRY_PRESENT;
	return tmm_entry_is_present(entry) ? entry : 0;
}

/*
 * Returns the first used entry at or after @page, and moves @page up to the start of that
 * entry if the entry begins later. If no entry is used, or if @budget unused entries have been
 * skipped, returns 0 and sets @page to the first page behind the skipped entries. Takes the number
 * of skipped entries from @budget.
 */
static u64 first_used(const u64 *table, unsigned int level, struct tmm_page *page,
		      unsigned int *budget)
{
	const u64 nr = tmm_entry_nr_pages(level);
	unsigned int i = tmm_entry_table_index(*page, level);
	u64 entry;

	for (; i < TMM_TABLE_ENTRIES; i++) {
		entry = used_entry(table, i, level);
		if (entry)
			return entry;
		page->number = ALIGN_DOWN(page->number, nr) + nr;
		if (!--*budget)
			break;
	}
	return 0;
}

/* A run of the one leaf @entry, from @page on. */
static struct tmm_leaf_run run_of_leaf(u64 entry, unsigned int level, struct tmm_page page)
{
	const enum tmm_page_size size = tmm_entry_leaf_size(level);
	const u64 nr = tmm_page_size_4k_pages(size);
	const u64 offset = page.number & (nr - 1);

	return (struct tmm_leaf_run){
		.page = page.number,
		/* Bit 12 of a leaf above 4 KiB is part of the memory type. */
		.frame = ALIGN_DOWN(tmm_entry_paddr(entry) >> TMM_PAGE_SHIFT, nr) + offset,
		.nr = nr - offset,
		.size = size,
		.flags = tmm_pte_flags_of_leaf(entry, size),
	};
}

static bool continues_run(const struct tmm_leaf_run *run, const struct tmm_leaf_run *next)
{
	return next->page == run->page + run->nr && next->frame == run->frame + run->nr &&
	       next->size == run->size && next->flags == run->flags;
}

/*
 * Extend @run, which is the leaf @entry, with the leaves that follow in the same table, MAX_ENTRIES
 * at most.
 */
static void extend_in_table(const u64 *table, unsigned int level, u64 entry,
			    struct tmm_leaf_run *run)
{
	const u64 nr = tmm_entry_nr_pages(level);
	const unsigned int first = tmm_entry_table_index(tmm_page_4k(run->page), level);
	const unsigned int end = min_t(unsigned int, first + MAX_ENTRIES, TMM_TABLE_ENTRIES);
	struct tmm_leaf_run next;
	unsigned int i;
	u64 previous;

	for (i = first + 1; i < end; i++) {
		previous = entry;
		entry = used_entry(table, i, level);
		/* The same bits and the next frame: a leaf that continues the run. */
		if (entry != previous + (nr << TMM_PAGE_SHIFT)) {
			if (!entry || !tmm_entry_is_leaf(entry, level))
				break;
			next = run_of_leaf(entry, level, tmm_page_4k(run->page + run->nr));
			if (!continues_run(run, &next))
				break;
		}
		run->nr += nr;
	}
}

/*
 * Walk down once, and search from @page on, but not past page number @end. Interrupts are off
 * during the walk, so the walk is short: it skips and collects MAX_ENTRIES entries at most. If the
 * walk finds nothing, the returned page is the page where the search continues, behind @page.
 */
static struct tmm_page find_in_one_walk(struct tmm_page_table *pt, struct tmm_page page, u64 end,
					struct tmm_leaf_run *run)
{
	const u64 *table = tmm_page_table_top(pt, page);
	const bool is_low = table == pt->low;
	unsigned int level = pt->levels, budget = MAX_ENTRIES;
	struct tmm_walk inside;

	tmm_tlb_walk_begin(&inside);
	for (; table; level--) {
		u64 entry = first_used(table, level, &page, &budget);

		/* The upper half has its own top-level table, so the search continues there. */
		if (is_low && page.number >= tmm_private_first_page()) {
			page.number = tmm_private_first_page();
			break;
		}
		if (!entry || page.number >= end)
			break;
		if (tmm_entry_is_leaf(entry, level)) {
			*run = run_of_leaf(entry, level, page);
			extend_in_table(table, level, entry, run);
			break;
		}
		table = tmm_table_of_entry(pt, entry);
		/* The entry points to a table of Linux, where no caller searches. */
		if (!table)
			page.number = end;
	}
	tmm_tlb_walk_end(&inside);
	return page;
}

static bool find_in_table(struct tmm_page_table *pt, struct tmm_page page, u64 end,
			  struct tmm_leaf_run *run)
{
	run->nr = 0;
	while (!run->nr && page.number < end) {
		page = find_in_one_walk(pt, page, end, run);
		cond_resched();
	}
	return run->nr;
}

/*
 * Find the first run in @pages, which do not reach past the end of the guard hole. All leaves
 * of a run have the same size and flags, and are consecutive in both address spaces. A mapping
 * of several GiB may be more than one run. The function walks down anew for every few entries, so
 * interrupts are off for a bounded time only. Other CPUs may map and unmap during the search, so
 * each leaf of the run was present at some moment, but perhaps not all leaves at the same
 * moment. @run is set only if the function returns true.
 *
 * Context: Process context, may sleep. Interrupts are off while the function reads up to
 * MAX_ENTRIES entries. O(entries).
 */
bool tmm_leaf_runs_find(struct tmm_page_table *pt, struct tmm_page_range pages,
			struct tmm_leaf_run *run)
{
	const u64 end = tmm_range_end(&pages.r);
	struct tmm_leaf_run next;
	unsigned int i;

	if (!find_in_table(pt, tmm_page_4k(pages.r.first), end, run))
		return false;
	for (i = 1; i < MAX_WALKS; i++) {
		const u64 behind = run->page + run->nr;

		/* Only a leaf that follows directly can extend the run, so search one page. */
		if (behind >= end ||
		    !find_in_table(pt, tmm_page_4k(behind), behind + 1, &next) ||
		    !continues_run(run, &next))
			break;
		run->nr += next.nr;
	}
	run->nr = min(run->nr, end - run->page);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_leaf_runs_find);

/*
 * True if a frame behind one of @pages is known to be bad. The function walks the page
 * tables. A walk needs no lock, and works for any number of runs of frames and for any part
 * of borrowed frames. Other CPUs may map and unmap at the same time.
 *
 * Context: Process context, may sleep. O(leaves) if any bad frame is known, else O(1).
 */
bool tmm_leaf_runs_any_bad(struct tmm_page_table *pt, struct tmm_page_range pages)
{
	const u64 end = tmm_range_end(&pages.r);
	struct tmm_leaf_run run;

	if (!tmm_bad_frames_exist(pt->fa))
		return false;
	while (tmm_leaf_runs_find(pt, pages, &run)) {
		if (tmm_bad_frames_any(pt->fa, run.frame, run.nr))
			return true;
		pages.r.first = run.page + run.nr;
		pages.r.nr = end - pages.r.first;
	}
	return false;
}
