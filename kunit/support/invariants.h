/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each tmm_check_*() checks all invariants of a structure. If one is broken, the function fails
 * the running case and names the first wrong chunk.
 *
 * A fingerprint is equal before and after a call that changes nothing.
 */
#ifndef TMM_KUNIT_INVARIANTS_H
#define TMM_KUNIT_INVARIANTS_H

#include "alloc/frames.h"

#include <kunit/test.h>

void tmm_check_free_ranges(struct kunit *test, const struct tmm_free_ranges *set);
void tmm_check_range_allocator(struct kunit *test, const struct tmm_range_allocator *ra);
void tmm_check_frame_allocator(struct kunit *test, const struct tmm_frame_allocator *fa);

u64 tmm_fingerprint_set(const struct tmm_free_ranges *set);
u64 tmm_fingerprint_ranges(const struct tmm_range_allocator *ra);
u64 tmm_fingerprint_frames(const struct tmm_frame_allocator *fa);

#endif /* TMM_KUNIT_INVARIANTS_H */
