/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped pages: pages, the frames behind the pages, and the entries that map them.
 *
 * Invariants. Theseus names these four:
 *
 *   1. one page maps to one frame and, if EXCLUSIVE, no other page maps to that frame;
 *   2. a mapping is unmapped exactly once, after its last borrow ended;
 *   3. a mapping gives access only within its bounds;
 *   4. a mapping is written only while it is writable.
 *
 * An exclusive mapping's pages map to @frames, in order. The first and the last page of a
 * mapping are boundaries of leaves, so only a split has to break a leaf. All memory of a
 * mapping is RAM, or all is device memory of one memory type.
 *
 * Lock: none. One count holds the owner, the borrows and a change in progress. If two changes
 * compete, one gets -EBUSY, and so does a change during a borrow.
 * Owner: the holder of the pointer. Functions that take a T ** consume the mapping: the pointer
 * is NULL after success and untouched after an error.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_H
#define TMM_MAPPING_MAPPED_PAGES_H

#include "alloc/pages.h"
#include "core/pte_flags.h"
#include "core/range.h"

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/init.h>
#include <linux/list.h>

struct tmm_account;
struct tmm_allocated_frames;
struct tmm_mapped_frames;
struct tmm_page_table;

/* The value is far above any number of borrows, so borrows are never mistaken for the owner. */
#define TMM_USERS_OWNER		BIT(29)
#define TMM_USERS_CLAIMED	BIT(30)

/**
 * struct tmm_mapped_pages - a mapping
 * @users: TMM_USERS_OWNER until the drop, plus 1 for each borrow that allows others, plus
 *         TMM_USERS_CLAIMED for a change, or a borrow that excludes others
 * @nr_frame_ranges: number of entries of @frames
 * @pt: the root of the mapping
 * @pages: the pages of the mapping. Their account is charged for @nr_tables. The frames are charged
 *         to the same account, or to none.
 * @frames: struct tmm_mapped_frames, in the order of the pages
 * @borrowed: the frames of a mapping that does not own its frames; @frames is then empty
 * @flags: the requested flags, with the current VALID and EXCLUSIVE
 * @nr_tables: number of tables that were made for the mapping
 * @is_shareable: mutable borrows exclude changes, but no other borrows; does not change during a
 *                borrow
 * @is_sealed: read-only, and no owner can change that; does not change during a borrow
 * @is_tainted: a device or guest may keep the numbers of the frames forever, so a drop puts
 *              the frames into quarantine
 * @link: for the owner's list
 *
 * Theseus: MappedPages
 */
struct tmm_mapped_pages {
	/* private: */
	atomic_t users;
	unsigned int nr_frame_ranges;
	struct tmm_page_table *pt;
	struct tmm_allocated_pages *pages;
	struct list_head frames;
	struct tmm_allocated_frames *borrowed;
	tmm_pte_flags_t flags;
	unsigned int nr_tables;
	bool is_shareable;
	bool is_sealed;
	bool is_tainted;
	struct list_head link;
};

int __init tmm_mapped_pages_init(void);
void tmm_mapped_pages_exit(void);

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

/* Forms for callers that name the expected root: -EXDEV if the mapping is under another root */
int __must_check tmm_mapped_pages_remap_under(struct tmm_mapped_pages *mp,
					      const struct tmm_page_table *pt,
					      tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_unmap_into_parts_under(struct tmm_mapped_pages **mp,
							 const struct tmm_page_table *pt,
							 struct tmm_allocated_pages **pages,
							 struct list_head *frames);

/* The account that is charged for a mapping */
int __must_check tmm_mapped_pages_move_account(struct tmm_mapped_pages *mp,
					       struct tmm_account *account);

/* Destructor */
void tmm_mapped_pages_drop(struct tmm_mapped_pages **mp);

/* For mapped_pages_borrow.c, at the end of the last borrow of a dropped mapping */
void tmm_mapped_pages_destroy(struct tmm_mapped_pages *mp);

/* For the files that split and borrow mappings: one change at a time */
int __must_check tmm_mapped_pages_claim(struct tmm_mapped_pages *mp);
void tmm_mapped_pages_unclaim(struct tmm_mapped_pages *mp);

/* For mapped_pages_split.c: the parts of a mapping */
static inline u64 tmm_mapped_pages_first(const struct tmm_mapped_pages *mp)
{
	return mp->pages->chunk.start;
}

static inline u64 tmm_mapped_pages_nr(const struct tmm_mapped_pages *mp)
{
	return mp->pages->chunk.nr;
}

/* The account that is charged for the mapping; NULL for none. */
static inline struct tmm_account *tmm_mapped_pages_account(const struct tmm_mapped_pages *mp)
{
	return mp->pages->chunk.account;
}

/* Physical address of the first frame of RAM or device memory that the mapping owns */
struct tmm_paddr tmm_mapped_pages_first_paddr(const struct tmm_mapped_pages *mp);
struct tmm_mapped_pages * __must_check
tmm_mapped_pages_new(struct tmm_page_table *pt, tmm_pte_flags_t flags);
void tmm_mapped_pages_free(struct tmm_mapped_pages *mp);
void tmm_mapped_pages_append_frames(struct tmm_mapped_pages *mp, struct tmm_mapped_frames *frames);

/* For map.c and deep_copy.c: incomplete mappings */
struct tmm_mapped_pages * __must_check
tmm_mapped_pages_begin(struct tmm_page_table *pt, struct tmm_allocated_pages *pages,
		       tmm_pte_flags_t flags);
int __must_check tmm_mapped_pages_extend(struct tmm_mapped_pages *mp, u64 done,
					 struct tmm_allocated_frames **frames,
					 enum tmm_page_size largest);
void tmm_mapped_pages_abandon(struct tmm_mapped_pages *mp, u64 done);

#endif /* TMM_MAPPING_MAPPED_PAGES_H */
