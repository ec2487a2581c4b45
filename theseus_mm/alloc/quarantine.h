/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Quarantine: frames that are not given out again until the allocator is destroyed.
 *
 * Invariant: frames in quarantine stay allocated, and charged to their account.
 * Lock: the frame allocator's @quarantine_lock.
 * Owner: the frame allocator.
 */
#ifndef TMM_ALLOC_QUARANTINE_H
#define TMM_ALLOC_QUARANTINE_H

struct tmm_allocated_frames;
struct tmm_frame_allocator;

void tmm_allocated_frames_quarantine(struct tmm_allocated_frames **frames);
void tmm_quarantine_end(struct tmm_frame_allocator *fa);

#endif /* TMM_ALLOC_QUARANTINE_H */
