/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped pages: pages, the frames behind them, and the entries between.
 *
 * Invariants, of which Theseus names four:
 *   1. one page maps to one frame and, if EXCLUSIVE, no other page does;
 *   2. a mapping is unmapped exactly once, after its last borrow ended;
 *   3. nothing outside its bounds is accessed through it;
 *   4. it is written only while it is writable.
 * Exclusive: @frames, in order, are what its pages map to. Its first and last page
 * are boundaries of leaves, so that a change never has to break one but in a split.
 * All that it maps to is RAM, or all is device memory of one memory type.
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

struct tmm_account;
struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_mapped_frames;
struct tmm_page_table;

/* Far above any number of borrows: one that lasts is not taken for the owner. */
#define TMM_USERS_OWNER		BIT(29)
#define TMM_USERS_CLAIMED	BIT(30)

/**
 * struct tmm_mapped_pages - a mapping
 * @users: TMM_USERS_OWNER until it is dropped, 1 for each immutable borrow;
 *         TMM_USERS_CLAIMED for a mutable borrow or a change, which exclude others
 * @pt: the root it was mapped under, by identity
 * @pages: its pages
 * @frames: struct tmm_mapped_frames, in the order of the pages
 * @nr_frame_ranges: number of entries of @frames
 * @borrowed: the frames that its pages map to, if it does not own them; @frames is empty
 * @is_shareable: mutable borrows exclude nothing; does not change during a borrow
 * @is_sealed: not writable, and no owner can make it so; does not change during a borrow
 * @nr_tables: number of tables that were made to map it
 * @account: account charged for @nr_tables, with a reference: that of its pages. Its frames
 *           are charged to the same account, or to none. NULL: nothing is charged.
 * @flags: as asked for, with VALID and EXCLUSIVE as they are
 * @is_tainted: a device or guest may keep the numbers of its frames for ever: when it is
 *              dropped, they go into quarantine
 * @link: for the owner's list
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
	struct tmm_allocated_frames *borrowed;
	bool is_shareable;
	bool is_sealed;
	u64 nr_tables;
	struct tmm_account *account;
	tmm_pte_flags_t flags;
	bool is_tainted;
	struct list_head link;
};

/* Queries */
struct tmm_page_range tmm_mapped_pages_range(const struct tmm_mapped_pages *mp);
u64 tmm_mapped_pages_nr_bytes(const struct tmm_mapped_pages *mp);
tmm_pte_flags_t tmm_mapped_pages_flags(const struct tmm_mapped_pages *mp);
tmm_pte_flags_t tmm_mapped_pages_collect_flags(const struct tmm_mapped_pages *mp);
struct tmm_page_table *tmm_mapped_pages_root(const struct tmm_mapped_pages *mp);

/* Transforms; a mapping is always changed under its own root */
int __must_check tmm_mapped_pages_remap(struct tmm_mapped_pages *mp, tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_unmap_into_parts(struct tmm_mapped_pages **mp,
						   struct tmm_allocated_pages **pages,
						   struct list_head *frames);

/* The same, for callers that name the root they believe it is under: else -EXDEV */
int __must_check tmm_mapped_pages_remap_under(struct tmm_mapped_pages *mp,
					      const struct tmm_page_table *pt,
					      tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_unmap_into_parts_under(struct tmm_mapped_pages **mp,
							 const struct tmm_page_table *pt,
							 struct tmm_allocated_pages **pages,
							 struct list_head *frames);

/* Who is charged for it */
int __must_check tmm_mapped_pages_move_account(struct tmm_mapped_pages *mp,
					       struct tmm_account *account);

/* Destructor */
void tmm_mapped_pages_drop(struct tmm_mapped_pages **mp);

/* For mapped_pages_borrow.c: the last borrow of a dropped mapping ends */
void tmm_mapped_pages_destroy(struct tmm_mapped_pages *mp);

/* For the files that split and borrow mappings: one change at a time */
int __must_check tmm_mapped_pages_claim(struct tmm_mapped_pages *mp);
void tmm_mapped_pages_unclaim(struct tmm_mapped_pages *mp);

/* For mapped_pages_split.c: the parts of a mapping */
u64 tmm_mapped_pages_first(const struct tmm_mapped_pages *mp);
/* Physical address of the first frame of RAM or device memory that the mapping owns */
struct tmm_paddr tmm_mapped_pages_first_paddr(const struct tmm_mapped_pages *mp);
u64 tmm_mapped_pages_nr(const struct tmm_mapped_pages *mp);
struct tmm_mapped_pages * __must_check
tmm_mapped_pages_new(struct tmm_page_table *pt, tmm_pte_flags_t flags);
void tmm_mapped_pages_free(struct tmm_mapped_pages *mp);
void tmm_mapped_pages_append_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_frames *frames);

/* For map.c and deep_copy.c: a mapping in the making */
struct tmm_mapped_pages * __must_check
tmm_mapped_pages_begin(struct tmm_page_table *pt, struct tmm_allocated_pages *pages,
		       tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_extend(struct tmm_mapped_pages *mp, u64 done,
					 struct tmm_allocated_frames **frames,
					 enum tmm_page_size largest);
void tmm_mapped_pages_abandon(struct tmm_mapped_pages *mp, u64 done);

#endif /* TMM_MAPPING_MAPPED_PAGES_H */
