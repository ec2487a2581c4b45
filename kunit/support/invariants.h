/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a whole structure sound? Each tmm_check_*() fails the running case itself
 * and names the first chunk that is wrong.
 *
 * The fingerprints tell whether anything changed: equal before and after.
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
