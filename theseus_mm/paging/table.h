/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables: 512 entries each, made when first needed and freed when empty.
 *
 * A used entry of a table of level 1 is a leaf; of level 2 or 3 it is a leaf of
 * 2 MiB or 1 GiB, or it points to a table one level down; above that it always
 * points to a table. How many entries of a table are used, of either kind, is kept
 * in the entry that points to it, in bits the hardware ignores:
 *
 *	63  62        52 51                  12 11         0
 *	+--+------------+----------------------+------------+
 *	| 0| used count | frame of the table   | P RW A     |
 *	+--+------------+----------------------+------------+
 *
 * so one compare-and-exchange both counts and unlinks: the change that would
 * make the count 0 stores 0, and the table is gone for everyone who has not
 * counted themselves in. There is no lock, and two CPUs fill one table at once.
 *
 * Invariant: the count is at least the number of used entries. Whoever holds a
 * count (a used entry, or a pin for the length of tmm_table_acquire(), taken
 * with preemption off) may use the table. Readers without a count are inside
 * (paging/tlb.h) and see an unlinked table as empty until they leave.
 *
 * Whoever owns the pages of a leaf is the only one to write it, at every level:
 * another's table can be in its place only while another's pages lie below, and
 * another's pin on such a table only while they map such pages. So an entry for
 * a leaf is looked at and written without a lock, beside others that count
 * themselves into the table it is part of.
 *
 * A *frozen* leaf is one that is being replaced by a table of smaller ones
 * (tmm_split_leaf_at()): HUGE and not PRESENT. To the hardware it is nothing;
 * to all software it is in use, and the leaf that it was.
 */
#ifndef TMM_PAGING_TABLE_H
#define TMM_PAGING_TABLE_H

#include "paging/entry.h"

struct tmm_account;
struct tmm_page_table;

/**
 * struct tmm_table_path - how a page is reached
 * @entry: by level: the entry that points to the table of that level; not set
 *         for the root's
 */
struct tmm_table_path {
	u64 *entry[TMM_MAX_LEVELS + 1];
};

/**
 * struct tmm_table_spares - spare frames for new tables
 * @numbers: numbers of the frames, which are cleared
 * @nr: number of spare frames; a page needs at most one for each level below the root
 * @nr_used: number of tables that were made of spare frames
 * @account: account charged for spare frames and for these tables; NULL for none
 */
struct tmm_table_spares {
	u64 numbers[TMM_MAX_LEVELS - 1];
	unsigned int nr;
	u64 nr_used;
	struct tmm_account *account;
};

/**
 * struct tmm_table_gather - tables that were unlinked and wait for the shootdown
 * @head: physical address of the first, 0 if there is none; each one's first
 *        entry, not present, holds the address of the next
 */
struct tmm_table_gather {
	u64 head;
};

u64 tmm_table_entry(u64 number, unsigned int nr);
u64 *tmm_table_of_entry(struct tmm_page_table *pt, u64 entry);
int __must_check tmm_table_acquire(struct tmm_page_table *pt, u64 number, unsigned int leaf_level,
				   unsigned int nr, struct tmm_table_spares *spares,
				   struct tmm_table_path *path, u64 **table,
				   struct tmm_table_gather *gather);
u64 *tmm_table_find(struct tmm_page_table *pt, u64 number, struct tmm_table_path *path,
		    unsigned int *level);
void tmm_table_release(struct tmm_page_table *pt, const struct tmm_table_path *path,
		       unsigned int level, unsigned int nr, struct tmm_table_gather *gather);
int __must_check tmm_table_take_spare(struct tmm_page_table *pt, struct tmm_table_spares *spares);
void tmm_table_give_spares(struct tmm_page_table *pt, struct tmm_table_spares *spares);
void tmm_table_free_gathered(struct tmm_page_table *pt, struct tmm_table_gather *gather);

#endif /* TMM_PAGING_TABLE_H */
