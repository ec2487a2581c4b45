/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames of page tables, which have no object of their own.
 *
 * Invariant: such a frame is neither in the free set nor in an object, and marked as a table.
 * Giving the frame back needs no memory.
 * Lock: the range allocator's.
 * Owner: the page tables (paging/table.h).
 */
#ifndef TMM_ALLOC_TABLE_FRAMES_H
#define TMM_ALLOC_TABLE_FRAMES_H

#include <linux/types.h>

struct tmm_frame_allocator;

int __must_check tmm_table_frames_take(struct tmm_frame_allocator *fa, u64 *number);
void tmm_table_frames_give(struct tmm_frame_allocator *fa, u64 number);

#endif /* TMM_ALLOC_TABLE_FRAMES_H */
