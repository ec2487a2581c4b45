/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables: 512 entries each, made when first needed and freed when empty.
 *
 * How many entries of a table are used is kept in the entry that points to it,
 * in bits the hardware ignores:
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
 */
#ifndef TMM_PAGING_TABLE_H
#define TMM_PAGING_TABLE_H

#include "core/types.h"

#include <linux/bitfield.h>

struct tmm_page_table;

#define TMM_ENTRY_PRESENT	BIT_ULL(0)
#define TMM_ENTRY_WRITABLE	BIT_ULL(1)
#define TMM_ENTRY_ACCESSED	BIT_ULL(5)
#define TMM_ENTRY_DIRTY		BIT_ULL(6)
#define TMM_ENTRY_HUGE		BIT_ULL(7)
#define TMM_ENTRY_COUNT		GENMASK_ULL(62, 52)
/* A table with all entries used, and room for the pins of 700 CPUs. */
#define TMM_ENTRY_COUNT_MAX	2047

#define TMM_MAX_LEVELS		5

/**
 * struct tmm_table_path - how a page is reached
 * @entry: by level: the entry that points to the table of that level; not set
 *         for the root's
 */
struct tmm_table_path {
	u64 *entry[TMM_MAX_LEVELS + 1];
};

/**
 * struct tmm_table_spares - frames that tables are made of
 * @numbers: of the frames, which are cleared
 * @nr: how many; a page needs one for each level below the root at most
 */
struct tmm_table_spares {
	u64 numbers[TMM_MAX_LEVELS - 1];
	unsigned int nr;
};

/**
 * struct tmm_table_gather - tables that were unlinked and wait for the shootdown
 * @head: physical address of the first, 0 if there is none; each one's first
 *        entry, not present, holds the address of the next
 */
struct tmm_table_gather {
	u64 head;
};

static inline bool tmm_entry_is_present(u64 entry)
{
	return entry & TMM_ENTRY_PRESENT;
}

/* Does an entry at @level end the walk? */
static inline bool tmm_entry_is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (entry & TMM_ENTRY_HUGE);
}

static inline u64 tmm_entry_paddr(u64 entry)
{
	return entry & TMM_PTE_FRAME_MASK;
}

static inline unsigned int tmm_entry_count(u64 entry)
{
	return FIELD_GET(TMM_ENTRY_COUNT, entry);
}

/* Index of 4 KiB page @number in a table of @level. */
static inline unsigned int tmm_table_index(u64 number, unsigned int level)
{
	return (number >> (TMM_INDEX_BITS * (level - 1))) & (TMM_TABLE_ENTRIES - 1);
}

u64 *tmm_table_of_entry(struct tmm_page_table *pt, u64 entry);
int __must_check tmm_table_acquire(struct tmm_page_table *pt, u64 number, unsigned int nr,
				   struct tmm_table_spares *spares, struct tmm_table_path *path,
				   u64 **table, struct tmm_table_gather *gather);
u64 *tmm_table_find(struct tmm_page_table *pt, u64 number, struct tmm_table_path *path);
void tmm_table_release(struct tmm_page_table *pt, const struct tmm_table_path *path,
		       unsigned int level, unsigned int nr, struct tmm_table_gather *gather);
void tmm_table_free_gathered(struct tmm_page_table *pt, struct tmm_table_gather *gather);

#endif /* TMM_PAGING_TABLE_H */
