/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames made of parts of frames: merging and splitting runs.
 *
 * Invariant: each frame is in one run before and after, in the same state, and charged to
 * the same account. Frames that are borrowed are neither merged nor split.
 * Lock: none; the owner of the frames is the only one to change them.
 * Owner: the caller, of each part.
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
