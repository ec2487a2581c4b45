/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of page tables: plain values, without ownership and locks. paging/table.h explains
 * the meaning of an entry and its count.
 *
 * An entry is empty if all bits other than ACCESSED and DIRTY are clear. Some CPUs (Intel's
 * Knights Landing) may set these two bits in an entry that has just been cleared.
 */
#ifndef TMM_PAGING_ENTRY_H
#define TMM_PAGING_ENTRY_H

#include "core/address.h"
#include "core/page.h"

#include <linux/bitfield.h>
#include <linux/bits.h>

#define TMM_ENTRY_PRESENT	BIT_ULL(0)
#define TMM_ENTRY_WRITABLE	BIT_ULL(1)
#define TMM_ENTRY_ACCESSED	BIT_ULL(5)
#define TMM_ENTRY_DIRTY		BIT_ULL(6)
#define TMM_ENTRY_HUGE		BIT_ULL(7)
#define TMM_ENTRY_COUNT		GENMASK_ULL(62, 52)
/* Bits that the hardware may set in an unused entry. */
#define TMM_ENTRY_STRAY		(TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY)
/* This count is enough for a table with all entries used, plus the pins of 700 CPUs. */
#define TMM_ENTRY_COUNT_MAX	2047

#define TMM_MAX_LEVELS		5

/* True if the entry is empty. Linux's pXX_none() makes the same test. */
static inline bool tmm_entry_is_empty(u64 entry)
{
	return !(entry & ~TMM_ENTRY_STRAY);
}

static inline bool tmm_entry_is_present(u64 entry)
{
	return entry & TMM_ENTRY_PRESENT;
}

/* True if an entry at @level ends the walk. */
static inline bool tmm_entry_is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || (entry & TMM_ENTRY_HUGE);
}

/* True if an entry at a level above 1 points to a table. */
static inline bool tmm_entry_is_table(u64 entry)
{
	return (entry & (TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE)) == TMM_ENTRY_PRESENT;
}

static inline u64 tmm_entry_paddr(u64 entry)
{
	return entry & TMM_PTE_FRAME_MASK;
}

static inline unsigned int tmm_entry_count(u64 entry)
{
	return FIELD_GET(TMM_ENTRY_COUNT, entry);
}

/*
 * True if an entry at @level is a frozen leaf. Software treats a frozen leaf as a leaf; for
 * the hardware, the entry is not present.
 */
static inline bool tmm_entry_is_frozen(u64 entry, unsigned int level)
{
	return level > 1 && (entry & (TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE)) == TMM_ENTRY_HUGE;
}

/* Index of @page in a table of @level. */
static inline unsigned int tmm_entry_table_index(struct tmm_page page, unsigned int level)
{
	return (page.number >> (TMM_INDEX_BITS * (level - 1))) & (TMM_TABLE_ENTRIES - 1);
}

/* Number of 4 KiB pages that one entry of a table of @level covers. */
static inline u64 tmm_entry_nr_pages(unsigned int level)
{
	return 1ULL << (TMM_INDEX_BITS * (level - 1));
}

/* Leaves of 4 KiB, 2 MiB and 1 GiB are entries of tables of level 1, 2 and 3. */
static inline unsigned int tmm_entry_leaf_level(enum tmm_page_size size)
{
	return size + 1;
}

static inline enum tmm_page_size tmm_entry_leaf_size(unsigned int level)
{
	return level - 1;
}

#endif /* TMM_PAGING_ENTRY_H */
