// SPDX-License-Identifier: GPL-2.0
#include "paging/table.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/table_frames.h"
#include "core/bug.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/processor.h>

#define ENTRY_TABLE	(TMM_ENTRY_PRESENT | TMM_ENTRY_WRITABLE | TMM_ENTRY_ACCESSED)

/* Returns the entry that points to the table in @frame, which has @nr used entries. */
u64 tmm_table_entry(struct tmm_frame frame, unsigned int nr)
{
	return frame.number << TMM_PAGE_SHIFT | ENTRY_TABLE | FIELD_PREP(TMM_ENTRY_COUNT, nr);
}

/*
 * Returns the kernel alias of the table that @entry points to. @entry is present and not a
 * leaf. The result is NULL if the table is Linux's own. The caller holds a count of the table,
 * or this CPU is inside (paging/tlb.h).
 */
u64 *tmm_table_of_entry(struct tmm_page_table *pt, u64 entry)
{
	return tmm_frame_regions_ptr(pt->fa, tmm_entry_paddr(entry) >> TMM_PAGE_SHIFT);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_of_entry);

/*
 * Add @nr to the count of the table behind @entry. If there is no table, install a spare table
 * with that count. The caller has pinned the table that @entry is part of. If the table behind
 * @entry is missing, all tables below that table are missing too: @nr_missing tables in all.
 * The function installs a table only if there are spares for all missing tables.
 */
static int acquire_child(u64 *entry, unsigned int nr_missing, unsigned int nr,
			 struct tmm_table_spares *spares, bool *installed)
{
	u64 old = READ_ONCE(*entry);
	u64 new;

	for (;;) {
		/* The test is not for PRESENT: a frozen leaf is not present, but used. */
		*installed = tmm_entry_is_empty(old);
		if (*installed) {
			if (spares->nr < nr_missing)
				return -EAGAIN;
			new = tmm_table_entry(tmm_frame_4k(spares->numbers[spares->nr - 1]), nr);
		} else if (old & TMM_ENTRY_HUGE) {
			return -EEXIST;
		} else if (tmm_entry_count(old) + nr > TMM_ENTRY_COUNT_MAX) {
			/* Only pins can make the count this high, and pins are short. */
			cpu_relax();
			old = READ_ONCE(*entry);
			continue;
		} else {
			new = old + FIELD_PREP(TMM_ENTRY_COUNT, nr);
		}
		if (try_cmpxchg64(entry, &old, new))
			break;
	}
	if (*installed) {
		spares->nr--;
		spares->nr_used++;
	}
	return 0;
}

/*
 * Add @nr (1..512) to the count of the table that covers @page and holds leaves of the size of
 * @page. The caller then writes the leaves. @spares are cleared frames for missing tables; the
 * function removes the frames that it uses. @path is set to the entries that lead to the
 * table. @table is set on success only. @gather receives tables that this call emptied, also
 * on success; the caller frees these after a shootdown.
 *
 * On the way down the function pins each table during the lookup of the table's child. If the
 * function installs the child, the pin becomes the count for the child's entry. If the child
 * was present, the pin is dropped, because the parent's count already contains the child's
 * entry.
 *
 * Returns 0 on success; the table then stays until the caller gives @nr back with
 * tmm_table_release(). Returns -EAGAIN if there are too few spares, or -EEXIST if the page
 * lies in a larger leaf; after an error nothing has changed.
 *
 * Context: Preemption is off.
 */
int tmm_table_acquire(struct tmm_page_table *pt, struct tmm_page page, unsigned int nr,
		      struct tmm_table_spares *spares, struct tmm_table_path *path, u64 **table,
		      struct tmm_table_gather *gather)
{
	const unsigned int leaf_level = tmm_entry_leaf_level(page.size);
	u64 *parent = tmm_page_table_top(pt, page);
	unsigned int level;
	bool installed;
	int err;

	lockdep_assert_preemption_disabled();
	path->level = pt->levels;
	for (level = pt->levels - 1; level >= leaf_level; level--) {
		u64 *entry = &parent[tmm_entry_table_index(page, level + 1)];

		err = acquire_child(entry, level - leaf_level + 1, level == leaf_level ? nr : 1,
				    spares, &installed);
		if (err || !installed)
			tmm_table_release(pt, path, 1, gather);
		if (err)
			return err;
		path->entry[level] = entry;
		path->level = level;
		parent = tmm_table_of_entry(pt, READ_ONCE(*entry));
	}
	*table = parent;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_acquire);

/*
 * Returns the table that holds the leaf of @page, or NULL if a table is missing. The caller
 * owns the page's mapping, so the tables stay. A frozen leaf counts as a leaf. If the level of
 * @path is 1, the page's entry may be empty. The level is set on success only.
 *
 * Context: Any. O(levels).
 */
u64 *tmm_table_find(struct tmm_page_table *pt, struct tmm_page page, struct tmm_table_path *path)
{
	u64 *table = tmm_page_table_top(pt, page);
	unsigned int child;

	for (child = pt->levels - 1; child >= 1; child--) {
		u64 *entry = &table[tmm_entry_table_index(page, child + 1)];
		u64 value = READ_ONCE(*entry);

		if (tmm_entry_is_leaf(value, child + 1)) {
			path->level = child + 1;
			return table;
		}
		if (!tmm_entry_is_present(value))
			return NULL;
		path->entry[child] = entry;
		table = tmm_table_of_entry(pt, value);
	}
	path->level = 1;
	return table;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_find);

static void gather_table(struct tmm_page_table *pt, u64 entry, struct tmm_table_gather *gather)
{
	u64 *table = tmm_table_of_entry(pt, entry);

	WRITE_ONCE(table[0], gather->head);
	gather->head = tmm_entry_paddr(entry);
}

/*
 * Give back @nr counts of the table at the end of @path. A count was a pin, or an entry that the
 * caller has cleared or has never written. @gather receives each table that becomes empty: the
 * table at the end of @path, and then each table above that loses its last entry. The root's
 * table has no count.
 *
 * Context: Any. The caller does a shootdown before tmm_table_free_gathered().
 */
void tmm_table_release(struct tmm_page_table *pt, const struct tmm_table_path *path,
		       unsigned int nr, struct tmm_table_gather *gather)
{
	unsigned int level;

	for (level = path->level; level < pt->levels; level++, nr = 1) {
		u64 *entry = path->entry[level];
		u64 old = READ_ONCE(*entry);
		u64 new;

		do {
			if (TMM_BUG_IF(tmm_entry_count(old) < nr))
				return;
			new = tmm_entry_count(old) == nr ? 0 :
			      old - FIELD_PREP(TMM_ENTRY_COUNT, nr);
		} while (!try_cmpxchg64(entry, &old, new));
		if (new)
			return;
		gather_table(pt, old, gather);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_release);

/*
 * Take a frame for one more table, and charge the account of @spares. Returns -EDQUOT if the
 * frame exceeds a limit of the account, -ENOSPC if no frame is left, or -ENOMEM.
 *
 * Context: Process context, may sleep, so the caller cannot be in the walk that needs the
 * table.
 */
int tmm_table_take_spare(struct tmm_page_table *pt, struct tmm_table_spares *spares)
{
	u64 *number = &spares->numbers[spares->nr];
	int err;

	err = tmm_account_check(spares->account, TMM_RESOURCE_FRAMES, 1, 0);
	if (err)
		return err;
	err = tmm_table_frames_take(pt->fa, number);
	if (err == -ENOSPC)
		tmm_account_note_refusal(spares->account, TMM_RESOURCE_FRAMES);
	if (err)
		return err;
	/*
	 * Charge only once a frame is found, so that a call that finds none takes no room from
	 * other clients. The frame is not in use yet.
	 */
	err = tmm_account_charge(spares->account, TMM_RESOURCE_FRAMES, 1);
	if (err) {
		tmm_table_frames_give(pt->fa, *number);
		return err;
	}
	spares->nr++;
	return 0;
}

/*
 * Give back the spare frames that did not become tables. The account stays charged for the
 * tables that were made.
 *
 * Context: Any but interrupt.
 */
void tmm_table_give_spares(struct tmm_page_table *pt, struct tmm_table_spares *spares)
{
	while (spares->nr) {
		tmm_table_frames_give(pt->fa, spares->numbers[--spares->nr]);
		tmm_account_uncharge(spares->account, TMM_RESOURCE_FRAMES, 1);
	}
}

/*
 * Free the frames of unlinked tables. The caller has done the shootdown after the unlinking.
 *
 * Context: Any but interrupt.
 */
void tmm_table_free_gathered(struct tmm_page_table *pt, struct tmm_table_gather *gather)
{
	while (gather->head) {
		u64 *table = tmm_table_of_entry(pt, gather->head);
		u64 number = gather->head >> TMM_PAGE_SHIFT;

		gather->head = tmm_entry_paddr(table[0]);
		table[0] = 0;
		tmm_table_frames_give(pt->fa, number);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_free_gathered);
