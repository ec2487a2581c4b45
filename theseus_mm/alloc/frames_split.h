/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Merging and splitting runs of frames.
 *
 * Invariant: before and after, each frame is in one run, in the same state, and charged to the
 * same account. Borrowed frames are neither merged nor split.
 * Lock: none; only the owner of the frames changes the frames.
 * Owner: the caller owns each part.
 */
#ifndef TMM_ALLOC_FRAMES_SPLIT_H
#define TMM_ALLOC_FRAMES_SPLIT_H

#include "alloc/frames.h"

/* Transforms of allocated frames */
int __must_check tmm_allocated_frames_merge(struct tmm_allocated_frames *frames,
					    struct tmm_allocated_frames **other);
int __must_check tmm_allocated_frames_split_at(struct tmm_allocated_frames *frames, u64 at,
					       struct tmm_allocated_frames **second);
int __must_check tmm_allocated_frames_split_range(struct tmm_allocated_frames *frames,
						  struct tmm_frame_range middle,
						  struct tmm_allocated_frames **before,
						  struct tmm_allocated_frames **after);

/* Transforms of mapped frames */
int __must_check tmm_mapped_frames_append(struct tmm_mapped_frames *frames,
					  struct tmm_mapped_frames **other);
int __must_check tmm_mapped_frames_split_at(struct tmm_mapped_frames *frames, u64 at,
					    struct tmm_mapped_frames **second);

#endif /* TMM_ALLOC_FRAMES_SPLIT_H */
