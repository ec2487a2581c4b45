// SPDX-License-Identifier: GPL-2.0
#include "paging/table.h"

#include "alloc/account.h"
#include "alloc/frames.h"
#include "alloc/table_frames.h"
#include "core/bug.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

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

/* Do what tmm_table_of_entry() does, for a table in any region of RAM. */
u64 *tmm_table_find_alias(const struct tmm_page_table *pt, u64 entry)
{
	return tmm_frame_regions_ptr(pt->fa, tmm_entry_paddr(entry) >> TMM_PAGE_SHIFT);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_find_alias);

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
 * Do what tmm_table_acquire() does, if all tables exist: one walk, and one change of a count.
 * Returns the table, or NULL if a table is missing or cannot be counted now; then nothing has
 * changed.
 *
 * The walk holds no pin. This CPU is inside, so no table that the walk reaches is freed. An
 * unlinked table has no entry that points to a table. So if the compare-and-exchange finds an
 * entry that points to a table, the table that contains the entry is linked, and stays linked
 * because its child is counted.
 *
 * Context: Preemption is off.
 */
u64 *tmm_table_acquire_existing(const struct tmm_page_table *pt, struct tmm_page page,
				unsigned int nr, struct tmm_table_path *path)
{
	const unsigned int leaf_level = tmm_entry_leaf_level(page.size);
	u64 *table = tmm_page_table_top(pt, page);
	unsigned int level = pt->levels;
	unsigned int shift = TMM_INDEX_BITS * (level - 1);
	struct tmm_walk inside;
	u64 *entry;
	u64 old;

	lockdep_assert_preemption_disabled();
	tmm_tlb_walk_begin(&inside);
	for (;; shift -= TMM_INDEX_BITS) {
		entry = &table[(page.number >> shift) & (TMM_TABLE_ENTRIES - 1)];
		path->entry[--level] = entry;
		old = READ_ONCE(*entry);
		if (level == leaf_level)
			break;
		if (!tmm_entry_is_table(old))
			goto missing;
		table = tmm_table_of_entry(pt, old);
	}
	do {
		if (!tmm_entry_is_table(old) || tmm_entry_count(old) + nr > TMM_ENTRY_COUNT_MAX)
			goto missing;
	} while (!try_cmpxchg64(entry, &old, old + FIELD_PREP(TMM_ENTRY_COUNT, nr)));
	tmm_tlb_walk_end(&inside);
	path->level = leaf_level;
	return tmm_table_of_entry(pt, old);

missing:
	tmm_tlb_walk_end(&inside);
	return NULL;
}

/*
 * Add @nr (1..512) to the count of the table that covers @page and holds leaves of the size of
 * @page. The caller then writes the leaves. @spares are cleared frames for missing tables; the
 * function removes the frames that it uses. @path is set to the entries that lead to the
 * table. @table is set on success only. @gather receives tables that this call emptied, also
 * on success; the caller frees these after a shootdown.
 *
 * If all tables exist, tmm_table_acquire_existing() does all of this. Otherwise the function pins
 * each table on the way down, during the lookup of the table's child. If the function installs the
 * child, the pin becomes the count for the child's entry. If the child was present, the pin is
 * dropped, because the parent's count already contains the child's entry.
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
	u64 *parent = tmm_table_acquire_existing(pt, page, nr, path);
	unsigned int level;
	bool installed;
	int err;

	lockdep_assert_preemption_disabled();
	if (parent) {
		*table = parent;
		return 0;
	}
	parent = tmm_page_table_top(pt, page);
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
 * Write @leaf, the leaf of 4 KiB of page @number, into an existing table, and count the leaf. The
 * caller owns the page. Returns -EAGAIN, with nothing changed, if a table is missing, the table
 * cannot be counted now, or the entry is used.
 *
 * The walk holds no pin, for the reason given at tmm_table_acquire_existing(). An unlinked table is
 * not freed before this CPU leaves, so no other table can take its place behind the same entry. So
 * if the compare-and-exchange finds the same frame, the table is linked, and counts the leaf.
 *
 * Context: Any. O(levels).
 */
int tmm_table_set_one(const struct tmm_page_table *pt, u64 number, u64 leaf)
{
	unsigned int shift = TMM_INDEX_BITS * (pt->levels - 1);
	u64 *table = tmm_page_table_top(pt, tmm_page_4k(number));
	u64 *parent, old, seen;
	struct tmm_walk inside;
	int err = -EAGAIN;

	tmm_tlb_walk_begin(&inside);
	do {
		parent = &table[(number >> shift) & (TMM_TABLE_ENTRIES - 1)];
		old = READ_ONCE(*parent);
		if (!tmm_entry_is_table(old))
			goto out;
		table = tmm_table_of_entry(pt, old);
		shift -= TMM_INDEX_BITS;
	} while (shift);
	table += number & (TMM_TABLE_ENTRIES - 1);
	if (!tmm_entry_is_empty(READ_ONCE(*table)))
		goto out;
	for (seen = old; tmm_entry_count(old) < TMM_ENTRY_COUNT_MAX; old = seen) {
		if (try_cmpxchg64(parent, &seen, old + FIELD_PREP(TMM_ENTRY_COUNT, 1))) {
			WRITE_ONCE(*table, leaf);
			err = 0;
			break;
		}
		if ((seen ^ old) & ~TMM_ENTRY_COUNT)
			break;
	}
out:
	tmm_tlb_walk_end(&inside);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_set_one);

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
	unsigned int level = pt->levels;
	/* The index of @page in the present table is in the lowest bits of @page >> @shift. */
	unsigned int shift = TMM_INDEX_BITS * (level - 1);

	for (; shift; shift -= TMM_INDEX_BITS) {
		u64 *entry = &table[(page.number >> shift) & (TMM_TABLE_ENTRIES - 1)];
		u64 value = READ_ONCE(*entry);

		if (unlikely(!tmm_entry_is_table(value))) {
			if (!(value & TMM_ENTRY_HUGE))
				return NULL;
			path->level = level;
			return table;
		}
		path->entry[--level] = entry;
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

/* Give back a count of the table of @page. The table may become empty, and those above it too. */
static noinline void release_last(struct tmm_page_table *pt, struct tmm_page page,
				  struct tmm_table_gather *gather)
{
	struct tmm_table_path path;

	if (!TMM_BUG_IF(!tmm_table_find(pt, page, &path)))
		tmm_table_release(pt, &path, 1, gather);
}

/*
 * Clear the leaf of page @number, and give back the count of the leaf. The caller owns the page,
 * which is mapped. Returns false, with nothing changed, if the leaf is larger than 4 KiB. @gather
 * is as for tmm_table_release().
 *
 * Context: Any. O(levels). The caller does a shootdown.
 */
bool tmm_table_clear_one(struct tmm_page_table *pt, u64 number, struct tmm_table_gather *gather)
{
	unsigned int shift = TMM_INDEX_BITS * (pt->levels - 1);
	const struct tmm_page page = tmm_page_4k(number);
	u64 *table = tmm_page_table_top(pt, page);
	u64 *parent, old;

	do {
		parent = &table[(number >> shift) & (TMM_TABLE_ENTRIES - 1)];
		old = READ_ONCE(*parent);
		if (!tmm_entry_is_table(old))
			return false;
		table = tmm_table_of_entry(pt, old);
		shift -= TMM_INDEX_BITS;
	} while (shift);
	TMM_BUG_IF(!tmm_entry_is_present(xchg(&table[number & (TMM_TABLE_ENTRIES - 1)], 0)));
	do {
		if (unlikely(tmm_entry_count(old) <= 1)) {
			release_last(pt, page, gather);
			break;
		}
	} while (!try_cmpxchg64(parent, &old, old - FIELD_PREP(TMM_ENTRY_COUNT, 1)));
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_clear_one);

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
