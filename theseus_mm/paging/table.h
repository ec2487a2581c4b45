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
 * (tmm_mapper_split_leaf()): HUGE and not PRESENT. To the hardware it is nothing;
 * to all software it is in use, and the leaf that it was.
 *
 * An entry is empty if no bits but ACCESSED and DIRTY are set in it: some CPUs (Intel's
 * Knights Landing) may set these in an entry that has just been cleared.
 */
#ifndef TMM_PAGING_TABLE_H
#define TMM_PAGING_TABLE_H

#include "core/types.h"

#include <linux/bitfield.h>

struct tmm_account;
struct tmm_page_table;

#define TMM_ENTRY_PRESENT	BIT_ULL(0)
#define TMM_ENTRY_WRITABLE	BIT_ULL(1)
#define TMM_ENTRY_ACCESSED	BIT_ULL(5)
#define TMM_ENTRY_DIRTY		BIT_ULL(6)
#define TMM_ENTRY_HUGE		BIT_ULL(7)
#define TMM_ENTRY_COUNT		GENMASK_ULL(62, 52)
/* Bits that the hardware may set in an entry that is not used. */
#define TMM_ENTRY_STRAY		(TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY)
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

/* Is the entry empty? The same test as Linux's pXX_none(). */
static inline bool tmm_entry_is_empty(u64 entry)
{
	return !(entry & ~TMM_ENTRY_STRAY);
}

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

/* Is an entry at @level a leaf for all but the hardware? */
static inline bool tmm_entry_is_frozen(u64 entry, unsigned int level)
{
	return level > 1 && (entry & (TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE)) == TMM_ENTRY_HUGE;
}

/* Index of 4 KiB page @number in a table of @level. */
static inline unsigned int tmm_table_index(u64 number, unsigned int level)
{
	return (number >> (TMM_INDEX_BITS * (level - 1))) & (TMM_TABLE_ENTRIES - 1);
}

/* Pages of 4 KiB that one entry of a table of @level is for. */
static inline u64 tmm_entry_nr_pages(unsigned int level)
{
	return 1ULL << (TMM_INDEX_BITS * (level - 1));
}

/* Leaves of 4 KiB, 2 MiB and 1 GiB are entries of tables of level 1, 2 and 3. */
static inline unsigned int tmm_leaf_level(enum tmm_page_size size)
{
	return size + 1;
}

static inline enum tmm_page_size tmm_leaf_size_at(unsigned int level)
{
	return level - 1;
}

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
