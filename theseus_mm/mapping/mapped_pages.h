/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped pages: pages, the frames behind them, and the entries between.
 *
 * Invariants, of which Theseus names four:
 *   1. one page maps to one frame and, if EXCLUSIVE, no other page does;
 *   2. a mapping is unmapped exactly once, after its last borrow ended;
 *   3. nothing outside its bounds is accessed through it;
 *   4. it is written only while it is writable.
 * Exclusive: @frames, in order, are what its pages map to.
 *
 * Lock: none. One count holds the owner, the borrows and whether somebody
 * changes the mapping, so of two changes at a time one gets -EBUSY, as it does
 * while a borrow lasts.
 * Owner: whoever holds the pointer. Functions that take a T ** consume it: the
 * pointer is NULL after success and untouched after an error.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_H
#define TMM_MAPPING_MAPPED_PAGES_H

#include "core/pte_flags.h"
#include "core/range.h"

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>

struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_frame_allocator;
struct tmm_page_table;

#define TMM_USERS_OWNER		1
#define TMM_USERS_CLAIMED	BIT(30)

/**
 * struct tmm_mapped_pages - a mapping
 * @users: 1 for the owner and for each immutable borrow; TMM_USERS_CLAIMED for a
 *         mutable borrow or a change, which exclude all others
 * @pt: the root it was mapped under, by identity
 * @pages: its pages
 * @frames: struct tmm_mapped_frames, in the order of the pages
 * @nr_frame_ranges: how many
 * @flags: as asked for, with VALID and EXCLUSIVE as they are
 *
 * Theseus: MappedPages
 */
struct tmm_mapped_pages {
	/* private: */
	atomic_t users;
	struct tmm_page_table *pt;
	struct tmm_allocated_pages *pages;
	struct list_head frames;
	unsigned int nr_frame_ranges;
	tmm_pte_flags_t flags;
};

/* Constructors */
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages_to(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			   struct tmm_allocated_frames **frames, tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			tmm_pte_flags_t flags, bool zero);

/* Queries */
struct tmm_page_range tmm_mapped_pages_range(const struct tmm_mapped_pages *mp);
u64 tmm_mapped_pages_nr_bytes(const struct tmm_mapped_pages *mp);
tmm_pte_flags_t tmm_mapped_pages_flags(const struct tmm_mapped_pages *mp);
bool tmm_mapped_pages_is_borrowed(const struct tmm_mapped_pages *mp);

/* Transforms */
int __must_check tmm_mapped_pages_remap(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_merge(struct tmm_mapped_pages *mp,
					struct tmm_mapped_pages **other);
int __must_check tmm_mapped_pages_split(struct tmm_mapped_pages *mp, u64 at_page,
					struct tmm_mapped_pages **second);
int __must_check tmm_mapped_pages_unmap_into_parts(struct tmm_mapped_pages **mp,
						   struct tmm_allocated_pages **pages,
						   struct list_head *frames);

/* Destructor */
void tmm_mapped_pages_drop(struct tmm_mapped_pages **mp);

/* For borrow.c: the count that keeps changes and borrows apart */
int __must_check tmm_mapped_pages_borrow(struct tmm_mapped_pages *mp, bool is_mutable);
void tmm_mapped_pages_unborrow(struct tmm_mapped_pages *mp, bool is_mutable);

#endif /* TMM_MAPPING_MAPPED_PAGES_H */
