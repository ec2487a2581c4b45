// SPDX-License-Identifier: GPL-2.0
/* Walks of one address through the tables. A walk may run at the same time as any change. */
#include "core/compat.h"
#include "paging/translate.h"

#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/table.h"
#include "paging/tlb.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/sched.h>

/* Walk from the root down. Returns true if the walk ended at a leaf. */
static bool walk_tables(struct tmm_page_table *pt, struct tmm_vaddr vaddr, struct tmm_pte_dump *out)
{
	const struct tmm_page page = tmm_page_containing_address(vaddr, TMM_4K);
	const u64 *table = tmm_page_table_top(pt, page);
	struct tmm_walk inside;
	unsigned int level;
	bool found = false;

	out->nr_levels = 0;
	/*
	 * Table indices ignore the upper bits of an address, so check for a canonical address
	 * here.
	 */
	if (!tmm_vaddr_is_canonical(vaddr.v))
		return false;
	tmm_tlb_walk_begin(&inside);
	for (level = pt->levels; level >= 1; level--) {
		u64 entry = READ_ONCE(table[tmm_entry_table_index(page, level)]);

		/*
		 * A split is replacing this leaf. The address stays mapped throughout the
		 * split.
		 */
		if (tmm_entry_is_frozen(entry, level))
			entry |= TMM_ENTRY_PRESENT;
		out->entries[out->nr_levels++] = entry;
		if (!tmm_entry_is_present(entry))
			break;
		found = tmm_entry_is_leaf(entry, level);
		if (found)
			break;
		table = tmm_table_of_entry(pt, entry);
		/* The mirror points to Linux's tables, which the module must not read. */
		if (!table)
			break;
	}
	tmm_tlb_walk_end(&inside);
	return found;
}

/**
 * tmm_mapper_translate() - the physical address behind a virtual one
 * @pt: the root
 * @vaddr: the address
 * @out: set on success only
 *
 * Theseus: Mapper::translate()
 *
 * Context: Any but NMI. Mapping and unmapping may run at the same time. O(levels).
 * Return: 0, or -ENOENT if the module maps nothing at @vaddr, or @vaddr is not canonical
 */
int tmm_mapper_translate(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
			 struct tmm_translation *out)
{
	struct tmm_pte_dump dump;
	u64 entry, mask;

	if (!walk_tables(pt, vaddr, &dump))
		return -ENOENT;
	entry = dump.entries[dump.nr_levels - 1];
	out->size = pt->levels - dump.nr_levels;
	out->flags = tmm_pte_flags_of_leaf(entry, out->size);
	mask = tmm_page_size_bytes(out->size) - 1;
	/* In a larger leaf bit 12 is part of the memory type, not of the address. */
	out->paddr.v = (tmm_entry_paddr(entry) & ~mask) | (vaddr.v & mask);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapper_translate);

/*
 * Do what tmm_mapper_translate() does for the first byte of @page, whose mapping the caller has
 * borrowed: the tables stay, so the walk needs no protection. @out->flags is not set.
 *
 * Context: Any. O(levels).
 */
int tmm_translate_borrowed(struct tmm_page_table *pt, struct tmm_page page,
			   struct tmm_translation *out)
{
	struct tmm_table_path path TMM_UNINITIALIZED;
	const u64 *table = tmm_table_find(pt, page, &path);
	u64 entry, mask;

	if (!table)
		return -ENOENT;
	entry = READ_ONCE(table[tmm_entry_table_index(page, path.level)]);
	if (tmm_entry_is_empty(entry))
		return -ENOENT;
	out->size = tmm_entry_leaf_size(path.level);
	mask = tmm_page_size_bytes(out->size) - 1;
	/* In a larger leaf bit 12 is part of the memory type, not of the address. */
	out->paddr.v = (tmm_entry_paddr(entry) & ~mask) | ((page.number << TMM_PAGE_SHIFT) & mask);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_translate_borrowed);

/**
 * tmm_mapper_translate_page() - the frame behind a page
 * @pt: the root
 * @page: the page
 * @out: the frame that holds the page's first byte, of the page's size; set on
 *       success only
 *
 * Theseus: Mapper::translate_page()
 *
 * Context: Any but NMI. Mapping and unmapping may run at the same time. O(levels).
 * Return: 0, or -ENOENT if the module maps nothing at @page, or only smaller leaves
 */
int tmm_mapper_translate_page(struct tmm_page_table *pt, struct tmm_page page,
			      struct tmm_frame *out)
{
	struct tmm_translation found;
	int err;

	err = tmm_mapper_translate(pt, tmm_page_start_address(page), &found);
	if (err)
		return err;
	if (found.size < page.size)
		return -ENOENT;
	*out = tmm_frame_containing_address(found.paddr, page.size);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_mapper_translate_page);

/*
 * Returns the flags of all leaves of @pages, ORed. The result has ACCESSED or DIRTY if any
 * page has that flag. Pages that are not mapped add no flag.
 *
 * Context: Process context, may sleep. Mapping, unmapping and splitting may run at the same
 * time. O(leaves * levels).
 */
tmm_pte_flags_t tmm_translate_collect_flags(struct tmm_page_table *pt, struct tmm_page_range pages)
{
	const u64 end = tmm_range_end(&pages.r);
	struct tmm_page page = tmm_page_4k(pages.r.first);
	tmm_pte_flags_t flags = TMM_PTE_NONE;
	struct tmm_pte_dump dump;

	while (page.number < end) {
		bool found = walk_tables(pt, tmm_page_start_address(page), &dump);
		unsigned int level = pt->levels - dump.nr_levels + 1;

		if (found)
			flags |= tmm_pte_flags_of_leaf(dump.entries[dump.nr_levels - 1],
						       tmm_entry_leaf_size(level));
		/*
		 * Go to the next entry of the same level, after a leaf and after an empty
		 * entry.
		 */
		page.number = ALIGN(page.number + 1, tmm_entry_nr_pages(level));
		cond_resched();
	}
	return flags;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_translate_collect_flags);

/*
 * Collect the entries that translate @vaddr, down to the level where the walk ends. The walk
 * does not enter Linux's own tables. @out is empty if @vaddr is not canonical.
 *
 * Context: Any but NMI. Mapping and unmapping may run at the same time. O(levels).
 */
void tmm_translate_dump(struct tmm_page_table *pt, struct tmm_vaddr vaddr, struct tmm_pte_dump *out)
{
	walk_tables(pt, vaddr, out);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_translate_dump);
