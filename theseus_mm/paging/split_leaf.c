// SPDX-License-Identifier: GPL-2.0
/*
 * Demotion: a leaf becomes a table of 512 smaller ones that map the same, so that
 * a part of it can be changed.
 *
 * The hardware must not see two sizes for one address at a time, so the change
 * goes through not-present:
 *
 *	leaf -> frozen, wait until no CPU uses the leaf -> table
 *
 * Nothing else is visible: same frames, same bits. The entry stays used
 * throughout, so no count changes but that of the new table, which begins at 512.
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

/* Take PRESENT away, and nothing of what the hardware recorded until then. */
static u64 freeze_leaf(u64 *entry)
{
	u64 old = READ_ONCE(*entry);

	while (!try_cmpxchg64(entry, &old, old & ~TMM_ENTRY_PRESENT))
		;
	return old;
}

/*
 * Make a table of what the leaf @entry of @level maps, and of the leaf around
 * @page in it another one, unless that begins there. Returns the entry for it.
 */
static u64 build_table(struct tmm_page_table *pt, u64 entry, unsigned int level, u64 page,
		       struct tmm_table_spares *spares)
{
	const enum tmm_page_size size = tmm_entry_leaf_size(level);
	const u64 small = tmm_page_size_bytes(size - 1);
	u64 bits = tmm_pte_leaf_bits_at(tmm_pte_bits_of_leaf(entry, size), size - 1);
	u64 paddr = tmm_entry_paddr(entry) & ~(tmm_page_size_bytes(size) - 1);
	u64 new = tmm_table_entry(spares->numbers[--spares->nr], TMM_TABLE_ENTRIES);
	u64 *table = tmm_table_of_entry(pt, new);
	unsigned int i;

	for (i = 0; i < TMM_TABLE_ENTRIES; i++)
		table[i] = (paddr + i * small) | bits;
	if (!IS_ALIGNED(page, tmm_entry_nr_pages(level - 1))) {
		i = tmm_entry_table_index(page, level - 1);
		table[i] = build_table(pt, table[i], level - 1, page, spares);
	}
	return new;
}

/* A table for each level at which @page lies inside of a leaf; all or nothing. */
static int take_spares(struct tmm_page_table *pt, unsigned int level, u64 page,
		       struct tmm_table_spares *spares)
{
	int err = 0;

	for (; !err && !IS_ALIGNED(page, tmm_entry_nr_pages(level)); level--)
		err = tmm_table_take_spare(pt, spares);
	if (err)
		tmm_table_give_spares(pt, spares);
	return err;
}

/**
 * tmm_split_leaf_at() - make a page the start of a leaf
 * @pt: the root
 * @page: the page. The caller has the mapping around it for itself: nobody
 *        accesses, remaps, unmaps or splits it meanwhile.
 *
 * The leaf around @page becomes 512 of the next size and, if @page lies inside of
 * one of those, that one again. They inherit ACCESSED and DIRTY. Translations go
 * on beside it, and so do windows on other pages.
 *
 * Context: Process context, may sleep; not inside a window. O(levels).
 * Return:
 * * 0       - a leaf begins at @page, or did already, or none is there
 * * -ENOSPC - no frame is left for a table; nothing changed
 * * -ENOMEM - the kernel heap is exhausted; nothing changed
 */
int tmm_split_leaf_at(struct tmm_page_table *pt, u64 page)
{
	struct tmm_table_spares spares = {};
	struct tmm_table_path path;
	unsigned int level;
	u64 *entry, *table;
	u64 leaf;
	int err;

	table = tmm_table_find(pt, page, &path, &level);
	if (!table || IS_ALIGNED(page, tmm_entry_nr_pages(level)))
		return 0;
	err = take_spares(pt, level, page, &spares);
	if (err)
		return err;
	entry = &table[tmm_entry_table_index(page, level)];
	leaf = freeze_leaf(entry);
	TMM_BUG_IF(!tmm_entry_is_present(leaf));
	tmm_tlb_wait();
	/* Pairs with the address dependency of those who walk through it. */
	smp_store_release(entry, build_table(pt, leaf, level, page, &spares));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_split_leaf_at);
