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

/**
 * tmm_table_entry() - the entry that points to a table
 * @number: the table's frame
 * @nr: used entries in it
 *
 * Return: the entry
 */
u64 tmm_table_entry(u64 number, unsigned int nr)
{
	return number << TMM_PAGE_SHIFT | ENTRY_TABLE | FIELD_PREP(TMM_ENTRY_COUNT, nr);
}

/**
 * tmm_table_of_entry() - the table that an entry points to
 * @pt: the root it hangs off
 * @entry: a present entry that is not a leaf
 *
 * Context: Holding a count of that table, or inside.
 * Return: its kernel alias
 */
u64 *tmm_table_of_entry(struct tmm_page_table *pt, u64 entry)
{
	return tmm_frame_regions_ptr(pt->fa, tmm_entry_paddr(entry) >> TMM_PAGE_SHIFT);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_of_entry);

/*
 * Count @nr into the table behind @entry, or install a spare there with that
 * count. The table that @entry is part of is pinned. If this one is missing so
 * are those below it, @nr_missing with this one: it is installed only if there
 * are spares for all.
 */
static int acquire_child(u64 *entry, unsigned int nr_missing, unsigned int nr,
			 struct tmm_table_spares *spares, bool *installed)
{
	u64 old = READ_ONCE(*entry);
	u64 new;

	for (;;) {
		/* Not a test for PRESENT: a frozen leaf is not present, but in use. */
		*installed = tmm_entry_is_empty(old);
		if (*installed) {
			if (spares->nr < nr_missing)
				return -EAGAIN;
			new = tmm_table_entry(spares->numbers[spares->nr - 1], nr);
		} else if (old & TMM_ENTRY_HUGE) {
			return -EEXIST;
		} else if (tmm_entry_count(old) + nr > TMM_ENTRY_COUNT_MAX) {
			/* Only pins can be so many, and they are short. */
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

/**
 * tmm_table_acquire() - count leaves into the table of a page
 * @pt: the root
 * @number: the page
 * @leaf_level: level of the table that the leaves are written in, 1..3
 * @nr: leaves about to be written in it, 1..512
 * @spares: cleared frames to make missing tables of; those used are taken out
 * @path: set to how the table is reached
 * @table: set to the table of @leaf_level, on success only
 * @gather: gets tables that this call emptied; the caller frees them after a
 *          shootdown, on success too
 *
 * On the way down each table is pinned while its child is looked up. A pin
 * becomes the count of the entry that installs a child; if the child was there,
 * the pin goes and the child's own count keeps its parent.
 *
 * Context: Preemption is off.
 * Return:
 * * 0       - the table is there until @nr is given back with tmm_table_release()
 * * -EAGAIN - more tables are missing than there are spares; nothing changed
 * * -EEXIST - the page lies in a larger leaf; nothing changed
 */
int tmm_table_acquire(struct tmm_page_table *pt, u64 number, unsigned int leaf_level,
		      unsigned int nr, struct tmm_table_spares *spares, struct tmm_table_path *path,
		      u64 **table, struct tmm_table_gather *gather)
{
	u64 *parent = tmm_page_table_top(pt, number);
	unsigned int level;
	bool installed;
	int err;

	lockdep_assert_preemption_disabled();
	for (level = pt->levels - 1; level >= leaf_level; level--) {
		u64 *entry = &parent[tmm_entry_table_index(number, level + 1)];

		err = acquire_child(entry, level - leaf_level + 1, level == leaf_level ? nr : 1,
				    spares, &installed);
		if (err || !installed)
			tmm_table_release(pt, path, level + 1, 1, gather);
		if (err)
			return err;
		path->entry[level] = entry;
		parent = tmm_table_of_entry(pt, READ_ONCE(*entry));
	}
	*table = parent;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_acquire);

/**
 * tmm_table_find() - the table that holds the leaf of a mapped page
 * @pt: the root
 * @number: the page; the caller owns its mapping, so the tables stay
 * @path: set to how the table is reached
 * @level: set to the table's level, on success only
 *
 * A frozen leaf is a leaf here.
 *
 * Context: Any. O(levels).
 * Return: the table; the page's entry in it may be empty if @level is 1. NULL if
 * a table is missing.
 */
u64 *tmm_table_find(struct tmm_page_table *pt, u64 number, struct tmm_table_path *path,
		    unsigned int *level)
{
	u64 *table = tmm_page_table_top(pt, number);
	unsigned int child;

	for (child = pt->levels - 1; child >= 1; child--) {
		u64 *entry = &table[tmm_entry_table_index(number, child + 1)];
		u64 value = READ_ONCE(*entry);

		if (tmm_entry_is_leaf(value, child + 1)) {
			*level = child + 1;
			return table;
		}
		if (!tmm_entry_is_present(value))
			return NULL;
		path->entry[child] = entry;
		table = tmm_table_of_entry(pt, value);
	}
	*level = 1;
	return table;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_find);

static void gather_table(struct tmm_page_table *pt, u64 entry, struct tmm_table_gather *gather)
{
	u64 *table = tmm_table_of_entry(pt, entry);

	WRITE_ONCE(table[0], gather->head);
	gather->head = tmm_entry_paddr(entry);
}

/**
 * tmm_table_release() - give counts of a table back
 * @pt: the root
 * @path: how the table is reached
 * @level: the table's level; the root's is never counted
 * @nr: counts to give back; the entries they stood for, leaves or tables, are
 *      cleared
 * @gather: gets the tables that this made empty: this one, and then those above
 *          whose last entry it was
 *
 * Context: Any. The caller does a shootdown before tmm_table_free_gathered().
 */
void tmm_table_release(struct tmm_page_table *pt, const struct tmm_table_path *path,
		       unsigned int level, unsigned int nr, struct tmm_table_gather *gather)
{
	for (; level < pt->levels; level++, nr = 1) {
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

/**
 * tmm_table_take_spare() - take a frame for one more table
 * @pt: the root
 * @spares: gets the frame; its account is charged
 *
 * Context: Process context, may sleep: so not during the walk that needs the table.
 * Return: 0, -EDQUOT if it exceeds a limit of the account, -ENOSPC if no frame is left, or
 * -ENOMEM
 */
int tmm_table_take_spare(struct tmm_page_table *pt, struct tmm_table_spares *spares)
{
	u64 *number = &spares->numbers[spares->nr];
	int err = tmm_account_check(spares->account, TMM_RESOURCE_FRAMES, 1, 0);

	if (!err)
		err = tmm_table_frames_take(pt->fa, number);
	if (err == -ENOSPC)
		tmm_account_note_refusal(spares->account, TMM_RESOURCE_FRAMES);
	if (err)
		return err;
	/* Charge after the frame was found, as range allocators do. It is not in use yet. */
	err = tmm_account_charge(spares->account, TMM_RESOURCE_FRAMES, 1);
	if (err)
		tmm_table_frames_give(pt->fa, *number);
	else
		spares->nr++;
	return err;
}

/**
 * tmm_table_give_spares() - give back spare frames that did not become tables
 * @pt: the root
 * @spares: emptied; its account stays charged for the tables that were made
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

/**
 * tmm_table_free_gathered() - give the frames of unlinked tables back
 * @pt: the root they hung off
 * @gather: emptied
 *
 * Context: Any but interrupt; after the shootdown that followed the unlinking.
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
