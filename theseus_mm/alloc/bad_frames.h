/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bad frames: frames whose memory fails and which are never given out again.
 *
 * Invariant: a frame that is known to be bad is not in the free set. A free frame is taken out
 * at once, an owned frame when its owner frees it. The frame stays out as long as the allocator
 * exists.
 * Lock: the range allocator's; tmm_bad_frames_any() takes no lock.
 * Owner: the frame allocator.
 */
#ifndef TMM_ALLOC_BAD_FRAMES_H
#define TMM_ALLOC_BAD_FRAMES_H

#include "alloc/frame_regions.h"

#include <linux/types.h>
#include <linux/xarray.h>

struct tmm_pools;

int __must_check tmm_bad_frames_parse(const char *text, u64 **frames, unsigned int *nr);
int __must_check tmm_bad_frames_read(const char *text, const struct tmm_pools *pools,
				     u64 **frames, unsigned int *nr);

int __must_check tmm_bad_frames_retire(struct tmm_frame_allocator *fa, u64 number);
void tmm_bad_frames_end(struct tmm_frame_allocator *fa);
void tmm_bad_frames_came_back(struct tmm_range_allocator *ra, struct tmm_range_region *range,
			      u64 start, u64 nr);

bool tmm_bad_frames_any(struct tmm_frame_allocator *fa, u64 start, u64 nr);

/* False if there is no bad frame at all, so that callers can skip their checks. */
static inline bool tmm_bad_frames_exist(const struct tmm_frame_allocator *fa)
{
	return unlikely(!xa_empty(&fa->bad));
}

#endif /* TMM_ALLOC_BAD_FRAMES_H */
