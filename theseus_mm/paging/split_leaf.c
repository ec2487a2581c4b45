// SPDX-License-Identifier: GPL-2.0
/*
 * Splitting: the module replaces a leaf with a table of 512 smaller leaves that map the same
 * frames. Then a part of the mapping can be changed.
 *
 * The hardware must never see two leaf sizes for one address, so the entry is not present
 * between the two states:
 *
 *	leaf -> frozen, wait until no CPU uses the leaf -> table
 *
 * The split has no other visible effect: the frames and bits stay the same. The entry counts as
 * used throughout, so the count of its own table does not change. The count of the new table
 * begins at 512.
 */
#include "paging/split_leaf.h"

#include "core/bug.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>

/* Clear PRESENT, and keep the bits that the hardware sets up to that moment. */
static u64 freeze_leaf(u64 *entry)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg64(entry, &old, old & ~TMM_ENTRY_PRESENT))
		;
	return old;
}

/*
 * Build a table that maps what the leaf @entry of @level maps. If @page lies inside of a leaf
 * of the new table, that leaf becomes a table too. Returns the entry that points to the new
 * table.
 */
static u64 build_table(struct tmm_page_table *pt, u64 entry, unsigned int level,
		       struct tmm_page page, struct tmm_table_spares *spares)
{
	const enum tmm_page_size size = tmm_entry_leaf_size(level);
	const u64 small = tmm_page_size_bytes(size - 1);
	u64 bits = tmm_pte_leaf_bits_at(tmm_pte_bits_of_leaf(entry, size), size - 1);
	u64 paddr = tmm_entry_paddr(entry) & ~(tmm_page_size_bytes(size) - 1);
	struct tmm_frame frame = tmm_frame_4k(spares->numbers[--spares->nr]);
	u64 new = tmm_table_entry(frame, TMM_TABLE_ENTRIES);
	u64 *table = tmm_table_of_entry(pt, new);
	unsigned int i;

	for (i = 0; i < TMM_TABLE_ENTRIES; i++)
		table[i] = (paddr + i * small) | bits;
	if (!IS_ALIGNED(page.number, tmm_entry_nr_pages(level - 1))) {
		i = tmm_entry_table_index(page, level - 1);
		table[i] = build_table(pt, table[i], level - 1, page, spares);
	}
	return new;
}

/* Take a frame for each level at which @page lies inside of a leaf: all of them or none. */
static int take_spares(struct tmm_page_table *pt, unsigned int level, struct tmm_page page,
		       struct tmm_table_spares *spares)
{
	int err;

	for (; !IS_ALIGNED(page.number, tmm_entry_nr_pages(level)); level--) {
		err = tmm_table_take_spare(pt, spares);
		if (err) {
			tmm_table_give_spares(pt, spares);
			return err;
		}
	}
	return 0;
}

/*
 * Make @page the start of a leaf. The leaf around @page becomes 512 leaves of the next smaller
 * size. If @page lies inside of one of these, that leaf is split too. The new leaves inherit
 * ACCESSED and DIRTY. The caller has exclusive use of the mapping around @page: no other code
 * accesses, remaps, unmaps or splits the mapping at the same time. Translations, and windows
 * on other pages, may run at the same time.
 *
 * The function also returns 0 if a leaf begins at @page already, or if @page is not mapped.
 * After -ENOSPC (no frame is left for a table) or -ENOMEM, nothing has changed.
 *
 * Context: Process context, may sleep; not inside a window. O(levels).
 */
int tmm_split_leaf_at(struct tmm_page_table *pt, struct tmm_page page)
{
	struct tmm_table_spares spares = {};
	struct tmm_table_path path;
	u64 *entry, *table;
	u64 leaf;
	int err;

	table = tmm_table_find(pt, page, &path);
	if (!table || IS_ALIGNED(page.number, tmm_entry_nr_pages(path.level)))
		return 0;
	err = take_spares(pt, path.level, page, &spares);
	if (err)
		return err;
	entry = &table[tmm_entry_table_index(page, path.level)];
	leaf = freeze_leaf(entry);
	TMM_BUG_IF(!tmm_entry_is_present(leaf));
	tmm_tlb_wait();
	/*
	 * Pairs with the address dependency of the walks that go through this entry. A compiler
	 * barrier is enough: x86 makes the stores to the table visible before that to the entry.
	 */
	smp_store_release(entry, build_table(pt, leaf, path.level, page, &spares));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_split_leaf_at);
