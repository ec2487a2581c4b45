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
 * Invariant: every frame has exactly one mark: the first byte that is not MIXED, from the frame's 1
 * GiB block down to its 4 KiB block. A block that lies in one owned run is not MIXED: whole blocks
 * of a run are marked as a whole, and joining two runs joins the blocks at the seam. So an owned
 * run, even if merged from pieces, is read and marked in at most TMM_FRAME_TABLE_MAX_STEPS steps
 * plus one for each 1 GiB. A block that several owners share stays MIXED, even if their frames have
 * the same mark, until the whole block is free or has one owner.
 * Lock: the frame allocator's, except for tmm_frame_table_count() and
 * tmm_frame_table_change_one(). tmm_frame_table_count() reads while others write. The writer writes
 * the marks below a MIXED byte before MIXED itself. So below a MIXED byte, a reader finds the mark
 * that the frame has or recently had. The lowest array never contains MIXED.
 * tmm_frame_table_change_one() writes the byte of a single frame in a MIXED block. Only the owner
 * of the frame writes this byte: others write their own frames, and the byte of the whole block is
 * written only when the whole block is free or has one owner.
 */
#ifndef TMM_ALLOC_FRAME_TABLE_H
#define TMM_ALLOC_FRAME_TABLE_H

#include "core/page.h"

#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/types.h>

/**
 * enum tmm_frame_mark - what a frame is used for
 * @TMM_MARK_FREE: in the free set, in a magazine, or in the piece of the cleaner
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
 * GiB. At each end of a run, a block of 2 MiB and a block of 1 GiB are pushed down and marked.
 */
#define TMM_FRAME_TABLE_MAX_STEPS (2 * 2 * 2 * 512)

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
void tmm_frame_table_set_block(struct tmm_frame_table *table, u64 number, enum tmm_page_size size,
			       enum tmm_frame_mark mark);
void tmm_frame_table_divide(struct tmm_frame_table *table, u64 start, u64 nr);
bool tmm_frame_table_is_to_join(const struct tmm_frame_table *table, u64 seam, u64 start, u64 end);
void tmm_frame_table_join(struct tmm_frame_table *table, u64 seam, u64 start, u64 end);
enum tmm_frame_mark tmm_frame_table_get(const struct tmm_frame_table *table, u64 number);
bool tmm_frame_table_all(struct tmm_frame_table *table, u64 start, u64 nr,
			 enum tmm_frame_mark mark);
void tmm_frame_table_count(const struct tmm_frame_table *table, u64 start, u64 nr,
			   u64 counts[TMM_NR_MARKS]);

/*
 * Change the mark of a single frame, whose owner is the caller, from @from to @to. The caller needs
 * no lock. O(1). Return: false if the frame shares its mark with a block, or has another mark than
 * @from; then nothing has changed, and the caller uses tmm_frame_table_set().
 */
static inline bool tmm_frame_table_change_one(struct tmm_frame_table *table, u64 number,
					      enum tmm_frame_mark from, enum tmm_frame_mark to)
{
	const u64 index = number - table->base;
	const u8 *of_1g = &table->marks[TMM_1G][index >> tmm_page_size_order(TMM_1G)];
	const u8 *of_2m = &table->marks[TMM_2M][index >> tmm_page_size_order(TMM_2M)];
	u8 *mark = &table->marks[TMM_4K][index];

	/* Pairs with push_down(): whoever sees MIXED also sees the marks below. */
	if (smp_load_acquire(of_1g) != TMM_MARK_MIXED)
		return false;
	/* likewise */
	if (smp_load_acquire(of_2m) != TMM_MARK_MIXED || READ_ONCE(*mark) != from)
		return false;
	WRITE_ONCE(*mark, to);
	return true;
}

#endif /* TMM_ALLOC_FRAME_TABLE_H */
