/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables: 512 entries each. The module makes a table when it is first needed, and frees the
 * table when it is empty.
 *
 * A used entry of a table of level 1 is a leaf. A used entry of level 2 or 3 is a leaf of 2 MiB
 * or 1 GiB, or points to a table one level down. A used entry of a higher level always points
 * to a table. The entry that points to a table holds the number of used entries in that table,
 * in bits that the hardware ignores:
 *
 *	63  62        52 51                  12 11         0
 *	+--+------------+----------------------+------------+
 *	| 0| used count | frame of the table   | P RW A     |
 *	+--+------------+----------------------+------------+
 *
 * So one compare-and-exchange both counts and unlinks. A change that would make the count 0
 * stores 0 as the entry. Then nobody holds a count, and only CPUs that were inside
 * (paging/tlb.h) can still reach the table. There is no lock, and two CPUs can fill one table
 * at the same time.
 *
 * Invariant: the count is at least the number of used entries. Code that holds a count may use
 * the table. A count is a used entry, or an entry that its owner is about to write, or a pin that
 * tmm_table_acquire() holds with preemption off. A reader without a count is inside
 * (paging/tlb.h), and sees an unlinked table as empty until the reader leaves. Such a reader may
 * add to the count of an entry: an entry that points to a table is never part of an unlinked
 * table.
 *
 * At every level, only the owner of all pages that an entry covers makes the entry a leaf,
 * and only this owner writes the leaf. An owner installs or pins a table at an entry only if
 * the entry covers some of the owner's pages. So an entry whose pages all belong to one owner
 * is changed by that owner only. The owner reads and writes such an entry without a lock,
 * while other owners add to the count of the table that contains the entry.
 *
 * A *frozen* leaf is a leaf that tmm_split_leaf_at() is replacing with a table of smaller
 * leaves. Such an entry has HUGE set and PRESENT clear. For the hardware the entry is not
 * present. All software treats the entry as used, and as the leaf from before the split.
 */
#ifndef TMM_PAGING_TABLE_H
#define TMM_PAGING_TABLE_H

#include "paging/entry.h"
#include "paging/page_table.h"

struct tmm_account;

/**
 * struct tmm_table_path - the entries that lead to a page
 * @level: level of the last table on the path; after a whole walk, the level of the table that
 *         holds the page's leaf
 * @entry: for each level from @level on, the entry that points to the table of that level; not
 *         set for the root's level
 */
struct tmm_table_path {
	unsigned int level;
	u64 *entry[TMM_MAX_LEVELS + 1];
};

/**
 * struct tmm_table_spares - spare frames for new tables
 * @numbers: numbers of the frames, which are cleared
 * @nr: number of spare frames; a page needs at most one for each level below the root
 * @nr_used: number of tables that were made of spare frames
 * @account: account charged for the spare frames, and for the tables that were made of
 *           spare frames; NULL for none
 */
struct tmm_table_spares {
	u64 numbers[TMM_MAX_LEVELS - 1];
	unsigned int nr;
	u64 nr_used;
	struct tmm_account *account;
};

/**
 * struct tmm_table_gather - unlinked tables that wait for the shootdown
 * @head: physical address of the first table, or 0; the first entry of each table, which
 *        is not present, holds the address of the next table
 */
struct tmm_table_gather {
	u64 head;
};

u64 tmm_table_entry(struct tmm_frame frame, unsigned int nr);
u64 *tmm_table_find_alias(const struct tmm_page_table *pt, u64 entry);

/*
 * Returns the kernel alias of the table that @entry points to. @entry is present and not a
 * leaf. The result is NULL if the table is Linux's own. The caller holds a count of the table,
 * or this CPU is inside (paging/tlb.h).
 */
static inline u64 *tmm_table_of_entry(const struct tmm_page_table *pt, u64 entry)
{
	const u64 offset = tmm_entry_paddr(entry) - pt->ram_paddr;

	return likely(offset < pt->ram_bytes) ? pt->ram + offset : tmm_table_find_alias(pt, entry);
}

int __must_check tmm_table_acquire(struct tmm_page_table *pt, struct tmm_page page,
				   unsigned int nr, struct tmm_table_spares *spares,
				   struct tmm_table_path *path, u64 **table,
				   struct tmm_table_gather *gather);
u64 *tmm_table_acquire_existing(const struct tmm_page_table *pt, struct tmm_page page,
				unsigned int nr, struct tmm_table_path *path);
int __must_check tmm_table_set_one(const struct tmm_page_table *pt, u64 number, u64 leaf);
bool __must_check tmm_table_clear_one(struct tmm_page_table *pt, u64 number,
				      struct tmm_table_gather *gather);
u64 *tmm_table_find(struct tmm_page_table *pt, struct tmm_page page, struct tmm_table_path *path);
void tmm_table_release(struct tmm_page_table *pt, const struct tmm_table_path *path,
		       unsigned int nr, struct tmm_table_gather *gather);
int __must_check tmm_table_take_spare(struct tmm_page_table *pt, struct tmm_table_spares *spares);
void tmm_table_give_spares(struct tmm_page_table *pt, struct tmm_table_spares *spares);
void tmm_table_free_gathered(struct tmm_page_table *pt, struct tmm_table_gather *gather);

#endif /* TMM_PAGING_TABLE_H */
