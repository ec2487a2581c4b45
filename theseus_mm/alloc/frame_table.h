/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame table: the state of each frame. If all frames of an aligned block have the same state,
 * the table stores this state once for the block.
 *
 * The table has three arrays of bytes: one byte per 1 GiB, per 2 MiB and per 4 KiB. A byte of a
 * larger block that is not TMM_MARK_MIXED is the mark of all frames in the block, so marking 1
 * GiB writes one byte and not 262,144. A MIXED byte sends the reader to the next smaller block.
 * A frame costs 1 + 1/512 + 1/262144 bytes.
 *
 * Invariant: every frame has exactly one mark: the first byte that is not MIXED, from the
 * frame's 1 GiB block down to its 4 KiB block. A block is MIXED only while its frames differ. So
 * a run with one mark, even if merged from pieces, is read and marked in at most
 * TMM_FRAME_TABLE_MAX_STEPS steps plus one for each 1 GiB.
 * Lock: the frame allocator's, except for tmm_frame_table_count(), which reads while others
 * write. The writer writes the marks below a MIXED byte before MIXED itself. So below a MIXED
 * byte, a reader finds the mark that the frame has or recently had. The lowest array never
 * contains MIXED.
 */
#ifndef TMM_ALLOC_FRAME_TABLE_H
#define TMM_ALLOC_FRAME_TABLE_H

#include <linux/types.h>

/**
 * enum tmm_frame_mark - what a frame is used for
 * @TMM_MARK_FREE: in the free set
 * @TMM_MARK_ALLOCATED: owned, not mapped
 * @TMM_MARK_MAPPED: owned by a mapping
 * @TMM_MARK_UNMAPPED: taken out of a mapping, not yet allocated again
 * @TMM_MARK_TABLE: a page table
 * @TMM_MARK_BAD: out of use for good, since its memory fails
 * @TMM_NR_MARKS: number of the marks above
 * @TMM_MARK_MIXED: private: the next smaller blocks have the marks
 */
enum tmm_frame_mark {
	TMM_MARK_FREE,
	TMM_MARK_ALLOCATED,
	TMM_MARK_MAPPED,
	TMM_MARK_UNMAPPED,
	TMM_MARK_TABLE,
	TMM_MARK_BAD,
	TMM_NR_MARKS,
	TMM_MARK_MIXED = 0xff,
};

#define TMM_NR_MARK_LEVELS 3

/*
 * Maximum number of bytes that one call reads or writes, besides one byte for each block of 1
 * GiB. At each end of a run, a block of 2 MiB and a block of 1 GiB are pushed down, marked,
 * and searched for a second mark.
 */
#define TMM_FRAME_TABLE_MAX_STEPS (2 * 2 * 3 * 512)

/**
 * struct tmm_frame_table - marks of one region
 * @first: first frame of the region
 * @nr: frames in the region
 * @marks: private: the arrays, by enum tmm_page_size; index 0 is the block that contains frame
 *         @base
 * @base: private: @first rounded down to 1 GiB
 * @nr_steps: private: bytes that were read or written under the lock, for tests
 */
struct tmm_frame_table {
	u64 first;
	u64 nr;
	/* private: */
	u64 base;
	u8 *marks[TMM_NR_MARK_LEVELS];
	u64 nr_steps;
};

u64 tmm_frame_table_nr_bytes(u64 first, u64 nr);
void tmm_frame_table_init(struct tmm_frame_table *table, u64 first, u64 nr, void *memory);
void tmm_frame_table_set(struct tmm_frame_table *table, u64 start, u64 nr,
			 enum tmm_frame_mark mark);
enum tmm_frame_mark tmm_frame_table_get(const struct tmm_frame_table *table, u64 number);
bool tmm_frame_table_all(struct tmm_frame_table *table, u64 start, u64 nr,
			 enum tmm_frame_mark mark);
void tmm_frame_table_count(const struct tmm_frame_table *table, u64 start, u64 nr,
			   u64 counts[TMM_NR_MARKS]);

#endif /* TMM_ALLOC_FRAME_TABLE_H */
