// SPDX-License-Identifier: GPL-2.0
#include "paging/mapper.h"

#include "alloc/account.h"
#include "core/bug.h"
#include "core/range.h"
#include "paging/page_table.h"
#include "paging/tlb.h"

#include <asm/cpufeature.h>
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/sched.h>

/**
 * struct leaves - leaves of one size that lie one after the other in one table
 * @path: how the table is reached
 * @entry: the first; NULL if there is none
 * @nr: how many
 * @level: of the table
 * @nr_pages: pages that they are for, no more than were asked for
 */
struct leaves {
	struct tmm_table_path path;
	u64 *entry;
	unsigned int nr;
	unsigned int level;
	u64 nr_pages;
};

static struct tmm_page_range page_range(u64 page, u64 nr)
{
	return (struct tmm_page_range){ { page, nr, TMM_4K } };
}

/* Leaves of @level from @page on that share a table, for at most @nr pages. */
static unsigned int span_of(u64 page, u64 nr, unsigned int level)
{
	return min_t(u64, nr / tmm_entry_nr_pages(level),
		     TMM_TABLE_ENTRIES - tmm_entry_table_index(page, level));
}

/*
 * The leaves that @page and those behind it are mapped by, as far as they share a
 * table and a size. If the @nr pages begin or end inside of a leaf, which no
 * caller lets happen, all of the leaf is meant: less would leave frames mapped
 * that are about to be free.
 */
static struct leaves leaves_at(struct tmm_page_table *pt, u64 page, u64 nr)
{
	struct leaves found = { .level = 1 };
	u64 *table = tmm_table_find(pt, page, &found.path, &found.level);
	u64 size, begin;

	if (TMM_BUG_IF(!table)) {
		found.nr_pages = span_of(page, nr, 1);
		return found;
	}
	size = tmm_entry_nr_pages(found.level);
	begin = ALIGN_DOWN(page, size);
	TMM_BUG_IF(begin != page || nr < size);
	found.entry = &table[tmm_entry_table_index(page, found.level)];
	found.nr = max(span_of(page, nr, found.level), 1U);
	if (found.level > 1) {
		unsigned int i = 1;

		while (i < found.nr && tmm_entry_is_leaf(READ_ONCE(found.entry[i]), found.level))
			i++;
		found.nr = i;
	}
	found.nr_pages = min(begin + found.nr * size - page, nr);
	return found;
}

static void finish_unmap(struct tmm_page_table *pt, u64 page, u64 nr,
			 struct tmm_table_gather *gather)
{
	tmm_tlb_shootdown(page_range(page, nr));
	tmm_table_free_gathered(pt, gather);
}

/* The largest leaf that can begin here. */
static enum tmm_page_size choose_size(u64 page, u64 frame, u64 nr, enum tmm_page_size largest)
{
	enum tmm_page_size size = largest;

	while (size > TMM_4K && (!IS_ALIGNED(page | frame, tmm_page_size_4k_pages(size)) ||
				 nr < tmm_page_size_4k_pages(size)))
		size--;
	return size;
}

/*
 * Write leaves into one table; -EEXIST and none of them if an entry is used, by a
 * leaf, a frozen one or a table.
 */
static int fill_entries(u64 *entry, unsigned int nr, u64 frame, u64 bits, enum tmm_page_size size)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!tmm_entry_is_empty(READ_ONCE(entry[i])))
			return -EEXIST;
	bits = tmm_pte_leaf_bits_at(bits, size);
	for (i = 0; i < nr; i++)
		WRITE_ONCE(entry[i], (frame + i * tmm_page_size_4k_pages(size)) << TMM_PAGE_SHIFT |
				     bits);
	return 0;
}

/* Map @nr leaves of @size, which share a table. */
static int map_span(struct tmm_page_table *pt, u64 page, u64 frame, unsigned int nr, u64 bits,
		    enum tmm_page_size size, struct tmm_table_spares *spares,
		    struct tmm_table_gather *gather)
{
	const unsigned int level = tmm_entry_leaf_level(size);
	struct tmm_table_path path;
	u64 *table;
	int err;

	preempt_disable();
	err = tmm_table_acquire(pt, page, level, nr, spares, &path, &table, gather);
	if (!err) {
		err = fill_entries(&table[tmm_entry_table_index(page, level)], nr, frame, bits,
				   size);
		if (err)
			tmm_table_release(pt, &path, level, nr, gather);
	}
	preempt_enable();
	return err;
}

/**
 * tmm_mapper_largest_leaf() - the largest leaf that this machine knows
 *
 * Return: TMM_1G, or TMM_2M where the CPU has no larger ones
 */
enum tmm_page_size tmm_mapper_largest_leaf(void)
{
	return cpu_feature_enabled(X86_FEATURE_GBPAGES) ? TMM_1G : TMM_2M;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_largest_leaf);

/**
 * tmm_mapper_map() - write the leaves of a run of pages
 * @pt: the root
 * @page: number of the first page; the caller owns the pages
 * @frame: number of the first frame
 * @nr: how many of both, in 4 KiB, 1 or more
 * @bits: of a 4 KiB leaf: tmm_pte_leaf_bits() and tmm_pte_memory_type_bits()
 * @largest: size of leaf that may be used; at each page the largest is, up to this
 *           and tmm_mapper_largest_leaf(), that page and frame are aligned to and
 *           what is left fills
 *
 * Entries that were not present are in no TLB, so nobody has to be waited for.
 *
 * Context: Process context, may sleep. O(leaves), and a table now and then.
 * Return:
 * * 0       - all are mapped
 * * -EEXIST - a page is mapped already
 * * -ENOSPC - no frame is left for a table
 * * -ENOMEM - the kernel heap is exhausted
 * After an error none of them is mapped, and no table is left over.
 */
int tmm_mapper_map(struct tmm_page_table *pt, u64 page, u64 frame, u64 nr, u64 bits,
		   enum tmm_page_size largest)
{
	u64 nr_tables = 0;

	return tmm_mapper_map_counted(pt, page, frame, nr, bits, largest, NULL, &nr_tables);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_map);

/**
 * tmm_mapper_map_counted() - as tmm_mapper_map(), and charge and count the new tables
 * @pt: the root
 * @page: number of the first page; the caller owns the pages
 * @frame: number of the first frame
 * @nr: how many of both
 * @bits: of a 4 KiB leaf
 * @largest: size of leaf that may be used
 * @account: charged for each new table before the table is used; NULL for none
 * @nr_tables: increased by the number of new tables, on success only; the caller uncharges
 *             them in the end
 *
 * Context: Process context, may sleep. O(leaves), and a table now and then.
 * Return: as tmm_mapper_map(); or -EDQUOT if the tables exceed a limit of @account
 */
int tmm_mapper_map_counted(struct tmm_page_table *pt, u64 page, u64 frame, u64 nr, u64 bits,
			   enum tmm_page_size largest, struct tmm_account *account,
			   u64 *nr_tables)
{
	struct tmm_table_gather gather = {};
	struct tmm_table_spares spares = { .account = account };
	u64 done = 0;
	int err = 0;

	largest = min(largest, tmm_mapper_largest_leaf());
	while (done < nr) {
		enum tmm_page_size size = choose_size(page + done, frame + done, nr - done,
						      largest);
		unsigned int step = span_of(page + done, nr - done, tmm_entry_leaf_level(size));

		err = map_span(pt, page + done, frame + done, step, bits, size, &spares, &gather);
		if (err == -EAGAIN)
			err = tmm_table_take_spare(pt, &spares);
		else if (!err)
			done += step * tmm_page_size_4k_pages(size);
		if (err)
			break;
		cond_resched();
	}
	tmm_table_give_spares(pt, &spares);
	/* Emptied beside others, by taking a pin back: no entry changed. */
	if (gather.head) {
		tmm_tlb_wait();
		tmm_table_free_gathered(pt, &gather);
	}
	if (err && done)
		tmm_mapper_unmap(pt, page, done);
	if (err)
		tmm_account_uncharge(account, TMM_RESOURCE_FRAMES, spares.nr_used);
	else
		*nr_tables += spares.nr_used;
	return err;
}

/**
 * tmm_mapper_unmap() - clear the leaves of a run of pages
 * @pt: the root
 * @page: number of the first page; the caller owns the pages, all are mapped, by
 *        whole leaves of any size
 * @nr: how many; 0 does nothing
 *
 * Tables that become empty are freed. When this returns, no CPU can reach the
 * frames through these pages.
 *
 * Context: Process context, not inside a window. Cannot fail. O(leaves).
 */
void tmm_mapper_unmap(struct tmm_page_table *pt, u64 page, u64 nr)
{
	struct tmm_table_gather gather = {};
	struct leaves leaves;
	unsigned int i;
	u64 done;

	for (done = 0; done < nr; done += leaves.nr_pages) {
		leaves = leaves_at(pt, page + done, nr - done);
		if (!leaves.entry)
			continue;
		for (i = 0; i < leaves.nr; i++)
			TMM_BUG_IF(!tmm_entry_is_present(xchg(&leaves.entry[i], 0)));
		tmm_table_release(pt, &leaves.path, leaves.level, leaves.nr, &gather);
		cond_resched();
	}
	if (nr)
		finish_unmap(pt, page, nr, &gather);
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
 * @page: number of the first page; the caller owns the pages, all are mapped, by
 *        whole leaves of any size
 * @nr: how many; 0 does nothing
 * @is_writable: what they become
 *
 * What the hardware recorded (accessed, dirty) stays. When this returns, no CPU
 * writes a page that is no longer writable.
 *
 * Context: Process context, not inside a window. Cannot fail. O(leaves).
 */
void tmm_mapper_remap(struct tmm_page_table *pt, u64 page, u64 nr, bool is_writable)
{
	struct leaves leaves;
	unsigned int i;
	u64 done;

	for (done = 0; done < nr; done += leaves.nr_pages) {
		leaves = leaves_at(pt, page + done, nr - done);
		for (i = 0; i < leaves.nr; i++)
			remap_entry(&leaves.entry[i], is_writable);
		cond_resched();
	}
	if (nr)
		tmm_tlb_shootdown(page_range(page, nr));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_remap);

/**
 * tmm_mapper_mark_dirty() - note that a run of pages was written by other means
 * @pt: the root
 * @page: number of a page; the caller owns the pages, all are mapped
 * @nr: how many; 0 does nothing. All of the leaves they lie in are marked.
 *
 * For what was written without this root's entries, which the hardware would have
 * marked.
 *
 * Context: Process context. O(leaves).
 */
void tmm_mapper_mark_dirty(struct tmm_page_table *pt, u64 page, u64 nr)
{
	const u64 end = page + nr;

	while (page < end) {
		struct tmm_table_path path;
		unsigned int level;
		u64 *table = tmm_table_find(pt, page, &path, &level);
		u64 *entry, old;

		if (TMM_BUG_IF(!table))
			return;
		entry = &table[tmm_entry_table_index(page, level)];
		old = READ_ONCE(*entry);
		while (!try_cmpxchg64(entry, &old, old | TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY))
			;
		page = ALIGN_DOWN(page, tmm_entry_nr_pages(level)) + tmm_entry_nr_pages(level);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_mark_dirty);

/**
 * tmm_mapper_leaf_size() - the size of the leaf that a page is mapped by
 * @pt: the root
 * @page: the page; the caller owns it, and it is mapped
 *
 * Context: Any. O(levels).
 * Return: the size
 */
enum tmm_page_size tmm_mapper_leaf_size(struct tmm_page_table *pt, u64 page)
{
	struct tmm_table_path path;
	unsigned int level;

	if (TMM_BUG_IF(!tmm_table_find(pt, page, &path, &level)))
		return TMM_4K;
	return tmm_entry_leaf_size(level);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapper_leaf_size);
