/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each tmm_check_*() checks all invariants of a structure. If one is broken, the function fails
 * the running case and names the first wrong chunk. Each tmm_find_broken_*() makes the same checks
 * and notes the first broken invariant. These functions neither sleep nor use KUnit, so a thread
 * can call them under the allocator's lock.
 *
 * A fingerprint is equal before and after a call that changes nothing. Fingerprints read free sets
 * only: with a cache of free chunks, the cache has to be emptied before a fingerprint is taken.
 */
#ifndef TMM_KUNIT_INVARIANTS_H
#define TMM_KUNIT_INVARIANTS_H

#include "alloc/frames.h"
#include "support/finding.h"

#include <kunit/test.h>

/*
 * Calls @visit for each run that is free, but in a cache and not in the free set. The checks see
 * such a run as free, and fail if an owner has it, or if it is also in the free set. No check
 * empties a cache: a walk whose caches are empty after each step would not test them. The caller
 * holds the allocator's lock, or nobody else uses the allocator. Returns the number of chunks.
 */
typedef void (*tmm_visit_fn)(u64 start, u64 nr, void *context);
u64 tmm_visit_cached(const struct tmm_range_allocator *ra, tmm_visit_fn visit, void *context);

/*
 * Takes the locks of all magazines, and the allocator's. The machine has at most eight CPUs, the
 * number of subclasses that lockdep knows.
 */
void tmm_test_lock_all(struct tmm_range_allocator *ra)
	__acquires(&ra->lock);
void tmm_test_unlock_all(struct tmm_range_allocator *ra)
	__releases(&ra->lock);

/* Loops over the free runs [@run_first, @run_end) of a struct tmm_range_region, lowest first. */
#define tmm_for_each_free_run(region, run_first, run_end)				\
	for ((run_end) = (region)->first;							\
	     tmm_free_set_next_run(&(region)->free, run_end, &(run_first), &(run_end));)

void tmm_find_broken_map(const struct tmm_free_map *map, struct tmm_finding *finding);
void tmm_find_broken_maps(const struct tmm_frame_maps *maps, struct tmm_finding *finding);
void tmm_find_broken_ranges(const struct tmm_range_allocator *ra, struct tmm_finding *finding);
void tmm_find_broken_frames(const struct tmm_frame_allocator *fa, struct tmm_finding *finding);

void tmm_check_free_map(struct kunit *test, const struct tmm_free_map *map);
void tmm_check_frame_maps(struct kunit *test, const struct tmm_frame_maps *maps);
void tmm_check_free_ranges(struct kunit *test, const struct tmm_free_ranges *set);
void tmm_check_range_allocator(struct kunit *test, const struct tmm_range_allocator *ra);
void tmm_check_frame_allocator(struct kunit *test, const struct tmm_frame_allocator *fa);

u64 tmm_fingerprint_set(const struct tmm_free_ranges *set);
u64 tmm_fingerprint_ranges(const struct tmm_range_allocator *ra);
u64 tmm_fingerprint_frames(const struct tmm_frame_allocator *fa);

#endif /* TMM_KUNIT_INVARIANTS_H */
