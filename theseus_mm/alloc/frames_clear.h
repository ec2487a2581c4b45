/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clearing frames. A new owner finds zeros: the frames are cleared when they are allocated, except
 * those that the cleaner (alloc/cleaner.h) has cleared before.
 *
 * Lock: none while memory is cleared; the frame allocator's to look for clean frames.
 * Owner: only the owner of frames clears them.
 */
#ifndef TMM_ALLOC_FRAMES_CLEAR_H
#define TMM_ALLOC_FRAMES_CLEAR_H

#include <linux/compiler.h>
#include <linux/types.h>

struct tmm_allocated_frames;

int __must_check tmm_allocated_frames_zero(struct tmm_allocated_frames *frames);
int __must_check tmm_allocated_frames_zero_new(struct tmm_allocated_frames *frames);

#endif /* TMM_ALLOC_FRAMES_CLEAR_H */
