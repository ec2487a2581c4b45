// SPDX-License-Identifier: GPL-2.0
#include "paging/mapper.h"

#include "alloc/frames.h"
#include "core/bug.h"
#include "core/range.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/sched.h>

static struct tmm_page_range page_range(u64 page, u64 nr)
{
	return (struct tmm_page_range){ { page, nr, TMM_4K } };
}

/* Pages from @page on that share its leaf table, at most @nr. */
static unsigned int span(u64 page, u64 nr)
{
	return min_t(u64, nr, TMM_TABLE_ENTRIES - tmm_table_index(page, 1));
}

static void finish(struct tmm_page_table *pt, u64 page, u64 nr, struct tmm_table_gather *gather)
{
	tmm_tlb_shootdown(page_range(page, nr));
	tmm_table_free_gathered(pt, gather);
}

/* Write the entries of one leaf table; -EEXIST and none of them if one is used. */
static int fill(u64 *table, u64 page, u64 frame, unsigned int nr, u64 bits)
{
	u64 *entry = &table[tmm_table_index(page, 1)];
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (READ_ONCE(entry[i]))
			return -EEXIST;
	for (i = 0; i < nr; i++)
		WRITE_ONCE(entry[i], (frame + i) << TMM_PAGE_SHIFT | bits);
	return 0;
}

static int map_span(struct tmm_page_table *pt, u64 page, u64 frame, unsigned int nr, u64 bits,
		    struct tmm_table_spares *spares, struct tmm_table_gather *gather)
{
	struct tmm_table_path path;
	u64 *table;
	int err;

	preempt_disable();
	err = tmm_table_acquire(pt, page, nr, spares, &path, &table, gather);
	if (!err) {
		err = fill(table, page, frame, nr, bits);
		if (err)
			tmm_table_release(pt, &path, 1, nr, gather);
	}
	preempt_enable();
	return err;
}

/* Outside of the walk, which must not sleep. */
static int take_spare(struct tmm_page_table *pt, struct tmm_table_spares *spares)
{
	int err = tmm_frame_allocator_take_table(pt->fa, &spares->numbers[spares->nr]);

	if (!err)
		spares->nr++;
	return err;
}

static void give_spares(struct tmm_page_table *pt, struct tmm_table_spares *spares)
{
	while (spares->nr)
		tmm_frame_allocator_give_table(pt->fa, spares->numbers[--spares->nr]);
}

/**
 * tmm_mapper_map() - write the entries of a run of pages
 * @pt: the root
 * @page: number of the first page; the caller owns the pages
 * @frame: number of the first frame
 * @nr: how many of both, 1 or more
 * @bits: tmm_pte_leaf_bits()
 *
 * Entries that were not present are in no TLB, so nobody has to be waited for.
 *
 * Context: Process context, may sleep. O(nr), and a table now and then.
 * Return:
 * * 0       - all are mapped
 * * -EEXIST - a page is mapped already
 * * -ENOSPC - no frame is left for a table
 * * -ENOMEM - the kernel heap is exhausted
 * After an error none of them is mapped, and no table is left over.
 */
int tmm_mapper_map(struct tmm_page_table *pt, u64 page, u64 frame, u64 nr, u64 bits)
{
	struct tmm_table_gather gather = {};
	struct tmm_table_spares spares = {};
	u64 done = 0;
	int err = 0;

	while (done < nr) {
		unsigned int step = span(page + done, nr - done);

		err = map_span(pt, page + done, frame + done, step, bits, &spares, &gather);
		if (err == -EAGAIN)
			err = take_spare(pt, &spares);
		else if (!err)
			done += step;
		if (err)
			break;
		cond_resched();
	}
	give_spares(pt, &spares);
	/* Emptied beside others, by taking a pin back: no entry changed. */
	if (gather.head) {
		tmm_tlb_wait();
		tmm_table_free_gathered(pt, &gather);
	}
	if (err && done)
		tmm_mapper_unmap(pt, page, done);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_map);

/**
 * tmm_mapper_unmap() - clear the entries of a run of pages
 * @pt: the root
 * @page: number of the first page; the caller owns the pages, all are mapped
 * @nr: how many; 0 does nothing
 *
 * Tables that become empty are freed. When this returns, no CPU can reach the
 * frames through these pages.
 *
 * Context: Process context, not inside a window. Cannot fail. O(nr).
 */
void tmm_mapper_unmap(struct tmm_page_table *pt, u64 page, u64 nr)
{
	struct tmm_table_gather gather = {};
	u64 done;
	unsigned int i, step;

	for (done = 0; done < nr; done += step) {
		struct tmm_table_path path;
		u64 *table = tmm_table_find(pt, page + done, &path);
		u64 *entry;

		step = span(page + done, nr - done);
		if (TMM_BUG_IF(!table))
			continue;
		entry = &table[tmm_table_index(page + done, 1)];
		for (i = 0; i < step; i++)
			TMM_BUG_IF(!tmm_entry_is_present(xchg(&entry[i], 0)));
		tmm_table_release(pt, &path, 1, step, &gather);
		cond_resched();
	}
	if (nr)
		finish(pt, page, nr, &gather);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_unmap);

static void remap_entry(u64 *entry, bool is_writable)
{
	u64 old = READ_ONCE(*entry);
	u64 new;

	/* The hardware sets ACCESSED and DIRTY meanwhile: neither may be lost. */
	do {
		new = is_writable ? old | TMM_ENTRY_WRITABLE : old & ~TMM_ENTRY_WRITABLE;
	} while (!try_cmpxchg64(entry, &old, new));
}

/**
 * tmm_mapper_remap() - change whether a run of pages can be written
 * @pt: the root
 * @page: number of the first page; the caller owns the pages, all are mapped
 * @nr: how many; 0 does nothing
 * @is_writable: what they become
 *
 * What the hardware recorded (accessed, dirty) stays. When this returns, no CPU
 * writes a page that is no longer writable.
 *
 * Context: Process context, not inside a window. Cannot fail. O(nr).
 */
void tmm_mapper_remap(struct tmm_page_table *pt, u64 page, u64 nr, bool is_writable)
{
	struct tmm_table_path path;
	unsigned int i, step;
	u64 done;

	for (done = 0; done < nr; done += step) {
		u64 *table = tmm_table_find(pt, page + done, &path);

		step = span(page + done, nr - done);
		if (TMM_BUG_IF(!table))
			continue;
		for (i = 0; i < step; i++)
			remap_entry(&table[tmm_table_index(page + done, 1) + i], is_writable);
		cond_resched();
	}
	if (nr)
		tmm_tlb_shootdown(page_range(page, nr));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_remap);

/**
 * tmm_mapper_collect_flags() - what the entries of a run of pages show, together
 * @pt: the root
 * @page: number of the first page; the caller owns the pages, all are mapped
 * @nr: how many
 *
 * Context: Process context. O(nr).
 * Return: the flags of all entries, ORed: ACCESSED or DIRTY if any page was
 */
tmm_pte_flags_t tmm_mapper_collect_flags(struct tmm_page_table *pt, u64 page, u64 nr)
{
	struct tmm_table_path path;
	unsigned int i, step;
	u64 entries = 0;
	u64 done;

	for (done = 0; done < nr; done += step) {
		const u64 *table = tmm_table_find(pt, page + done, &path);

		step = span(page + done, nr - done);
		for (i = 0; table && i < step; i++)
			entries |= READ_ONCE(table[tmm_table_index(page + done, 1) + i]);
		cond_resched();
	}
	return tmm_pte_flags_of_leaf(entries, TMM_4K);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_collect_flags);

/* Walk from the root down; true if the walk ended at a leaf. */
static bool walk(struct tmm_page_table *pt, struct tmm_vaddr vaddr, struct tmm_pte_dump *out)
{
	const u64 number = tmm_page_containing_address(vaddr, TMM_4K).number;
	const u64 *table = pt->top;
	struct tmm_walk inside;
	unsigned int level;
	bool found = false;

	out->nr_levels = 0;
	/* The tables' indices are the same without the upper bits; it is no address. */
	if (!tmm_vaddr_is_canonical(vaddr.v))
		return false;
	tmm_walk_begin(&inside);
	for (level = pt->levels; level >= 1; level--) {
		u64 entry = READ_ONCE(table[tmm_table_index(number, level)]);

		out->entries[out->nr_levels++] = entry;
		if (!tmm_entry_is_present(entry))
			break;
		found = tmm_entry_is_leaf(entry, level);
		if (found)
			break;
		table = tmm_table_of_entry(pt, entry);
		/* Linux's own tables, under the mirror, are not ours to read. */
		if (!table)
			break;
	}
	tmm_walk_end(&inside);
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
 * Context: Any but NMI. Safe beside mapping and unmapping. O(levels).
 * Return: 0, or -ENOENT if nothing of ours is mapped there, or it is not canonical
 */
int tmm_mapper_translate(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
			 struct tmm_translation *out)
{
	struct tmm_pte_dump dump;
	u64 entry, mask;

	if (!walk(pt, vaddr, &dump))
		return -ENOENT;
	entry = dump.entries[dump.nr_levels - 1];
	out->size = pt->levels - dump.nr_levels;
	out->flags = tmm_pte_flags_of_leaf(entry, out->size);
	mask = tmm_page_size_bytes(out->size) - 1;
	/* In a larger leaf bit 12 is part of the memory type, not of the address. */
	out->paddr.v = (tmm_entry_paddr(entry) & ~mask) | (vaddr.v & mask);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_translate);

/**
 * tmm_mapper_translate_page() - the frame behind a page
 * @pt: the root
 * @page: the page
 * @out: the frame that holds the page's first byte, of the page's size; set on
 *       success only
 *
 * Theseus: Mapper::translate_page()
 *
 * Context: Any but NMI. Safe beside mapping and unmapping. O(levels).
 * Return: 0; -ENOENT if nothing of ours is mapped there, or only in smaller leaves
 */
int tmm_mapper_translate_page(struct tmm_page_table *pt, struct tmm_page page,
			      struct tmm_frame *out)
{
	struct tmm_translation found;
	int err = tmm_mapper_translate(pt, tmm_page_start_address(page), &found);

	if (err)
		return err;
	if (found.size < page.size)
		return -ENOENT;
	*out = tmm_frame_containing_address(found.paddr, page.size);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_translate_page);

/**
 * tmm_mapper_dump() - the entries that an address goes through
 * @pt: the root
 * @vaddr: the address
 * @out: the walk, as far as it goes; Linux's own tables are not entered. None if
 *       @vaddr is not canonical.
 *
 * Theseus: Mapper::dump_pte()
 *
 * Context: Any but NMI. Safe beside mapping and unmapping. O(levels).
 */
void tmm_mapper_dump(struct tmm_page_table *pt, struct tmm_vaddr vaddr, struct tmm_pte_dump *out)
{
	walk(pt, vaddr, out);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_dump);
