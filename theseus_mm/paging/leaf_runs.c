// SPDX-License-Identifier: GPL-2.0
/*
 * Runs of leaves: what is mapped, whoever asks, beside all changes.
 */
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

/* Tables that a run may go on in: then it ends, and another one begins. */
#define MAX_TABLES	1024

/* An entry as software sees it; 0 if it is not used, as all are of an unlinked table. */
static u64 used_entry(const u64 *table, unsigned int index, unsigned int level)
{
	u64 entry = READ_ONCE(table[index]);

	if (tmm_entry_is_frozen(entry, level))
		entry |= TMM_ENTRY_PRESENT;
	return tmm_entry_is_present(entry) ? entry : 0;
}

/*
 * The first used entry from @page on; @page becomes the first that it is for, or,
 * with 0 returned, the first behind all that @table is for.
 */
static u64 first_used(const u64 *table, unsigned int level, u64 *page)
{
	const u64 nr = tmm_entry_nr_pages(level);
	unsigned int i = tmm_entry_table_index(*page, level);
	u64 entry;

	for (;;) {
		entry = used_entry(table, i, level);
		if (entry)
			return entry;
		*page = ALIGN_DOWN(*page, nr) + nr;
		if (++i == TMM_TABLE_ENTRIES)
			return 0;
	}
}

/* The leaf that @entry is, from @page on. */
static struct tmm_leaf_run run_of_leaf(u64 entry, unsigned int level, u64 page)
{
	const enum tmm_page_size size = tmm_entry_leaf_size(level);
	const u64 nr = tmm_page_size_4k_pages(size);
	const u64 offset = page & (nr - 1);

	return (struct tmm_leaf_run){
		.page = page,
		/* In a larger leaf bit 12 is part of the memory type. */
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

/* The leaves behind the first one of @run, as far as they share its table. */
static void extend_in_table(const u64 *table, unsigned int level, struct tmm_leaf_run *run)
{
	unsigned int i = tmm_entry_table_index(run->page, level);
	struct tmm_leaf_run next;
	u64 entry;

	while (++i < TMM_TABLE_ENTRIES) {
		entry = used_entry(table, i, level);
		if (!entry || !tmm_entry_is_leaf(entry, level))
			break;
		next = run_of_leaf(entry, level, run->page + run->nr);
		if (!continues_run(run, &next))
			break;
		run->nr += next.nr;
	}
}

/*
 * One walk down, looking at each table once: interrupts are off meanwhile. Returns
 * the page to go on at if nothing was found on the way.
 */
static u64 find_in_one_walk(struct tmm_page_table *pt, u64 page, u64 end, struct tmm_leaf_run *run)
{
	const u64 *table = tmm_page_table_top(pt, page);
	const bool is_low = table == pt->low;
	unsigned int level = pt->levels;
	struct tmm_walk inside;

	tmm_tlb_walk_begin(&inside);
	for (; table; level--) {
		u64 entry = first_used(table, level, &page);

		/* The upper half has its own top-level table: go on there. */
		if (is_low && page >= tmm_private_first_page()) {
			page = tmm_private_first_page();
			break;
		}
		if (!entry || page >= end)
			break;
		if (tmm_entry_is_leaf(entry, level)) {
			*run = run_of_leaf(entry, level, page);
			extend_in_table(table, level, run);
			break;
		}
		table = tmm_table_of_entry(pt, entry);
		/* Linux's own table: no caller goes there. */
		if (!table)
			page = end;
	}
	tmm_tlb_walk_end(&inside);
	return page;
}

static bool find_in_table(struct tmm_page_table *pt, u64 page, u64 end, struct tmm_leaf_run *run)
{
	run->nr = 0;
	while (!run->nr && page < end) {
		page = find_in_one_walk(pt, page, end, run);
		cond_resched();
	}
	return run->nr;
}

/**
 * tmm_leaf_runs_find() - what is mapped first from a page on
 * @pt: the root
 * @page: number of the page
 * @end: number of the page to stop before; not above the guard hole's end
 * @run: the leaves from there on that are alike and lie one behind the other in both
 *       address spaces; set on success only. A mapping of several GiB may be more
 *       than one run.
 *
 * Others map and unmap meanwhile: each leaf was there at one moment.
 *
 * Context: Process context, may sleep. Interrupts are off for a few tables' entries at
 *          a time. O(tables).
 * Return: true if something is mapped there
 */
bool tmm_leaf_runs_find(struct tmm_page_table *pt, u64 page, u64 end, struct tmm_leaf_run *run)
{
	struct tmm_leaf_run next;
	unsigned int i;

	if (!find_in_table(pt, page, end, run))
		return false;
	for (i = 1; i < MAX_TABLES; i++) {
		const u64 behind = run->page + run->nr;

		/* Only what follows directly is wanted: one page is enough to look at. */
		if (behind >= end || !find_in_table(pt, behind, behind + 1, &next) ||
		    !continues_run(run, &next))
			break;
		run->nr += next.nr;
	}
	run->nr = min(run->nr, end - run->page);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_leaf_runs_find);

/**
 * tmm_leaf_runs_any_bad() - is memory that pages are mapped to known to fail?
 * @pt: the root
 * @page: number of the first page
 * @nr: number of pages
 *
 * Walks the page tables, which needs no lock and works with any number of runs of frames,
 * and with any part of borrowed frames. Others may map and unmap meanwhile.
 *
 * Context: Process context, may sleep. O(leaves) while there is a bad frame at all, else O(1).
 * Return: true if a frame behind one of the pages is known to be bad
 */
bool tmm_leaf_runs_any_bad(struct tmm_page_table *pt, u64 page, u64 nr)
{
	const u64 end = page + nr;
	struct tmm_leaf_run run;

	if (!tmm_bad_frames_exist(pt->fa))
		return false;
	while (page < end && tmm_leaf_runs_find(pt, page, end, &run)) {
		if (tmm_bad_frames_any(pt->fa, run.frame, run.nr))
			return true;
		page = run.page + run.nr;
	}
	return false;
}
