/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame allocators on made-up regions. A made-up region is frame numbers only;
 * nothing is behind them unless the case asks for a window, which is ordinary
 * kernel memory.
 *
 * The functions that are not told which allocator use the case's own, a struct
 * tmm_test_frames in test->priv.
 */
#ifndef TMM_KUNIT_FRAMES_FIXTURE_H
#define TMM_KUNIT_FRAMES_FIXTURE_H

#include "alloc/frames.h"
#include "support/range_fixture.h"

#define TMM_EXPECT_FRAMES(test, frames, start, nr)	\
	TMM_EXPECT_CHUNK(test, &(frames)->f.chunk, start, nr)

/**
 * struct tmm_test_frames - a frame allocator on made-up regions
 * @fa: the allocator
 * @regions: its regions
 * @nr_regions: how many are in use
 */
struct tmm_test_frames {
	struct tmm_frame_allocator fa;
	struct tmm_frame_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

/* The .init and .exit of a suite. */
int tmm_test_frames_init(struct kunit *test);
void tmm_test_frames_exit(struct kunit *test);
struct tmm_test_frames *tmm_test_frames_create(struct kunit *test);
void tmm_test_frames_destroy(struct kunit *test, struct tmm_test_frames *tf);
struct tmm_frame_region *tmm_test_frames_add(struct kunit *test, struct tmm_test_frames *tf,
					     enum tmm_region_type type, u64 first, u64 nr);
struct tmm_frame_region *tmm_test_frames_add_backed(struct kunit *test, struct tmm_test_frames *tf,
						    enum tmm_region_type type, u64 first, u64 nr);
struct tmm_allocated_frames *tmm_test_frames_take(struct kunit *test, struct tmm_test_frames *tf,
						  struct tmm_allocation_request req);
/* Ends the case unless the case's own allocator gives these. */
struct tmm_allocated_frames *tmm_test_frames_take_at(struct kunit *test, u64 number, u64 nr);
struct tmm_allocated_frames *tmm_test_frames_take_any(struct kunit *test, u64 nr);
struct tmm_frame_allocator *tmm_test_fa(struct kunit *test);
/* Each checks the allocator too. */
u64 tmm_test_fa_fingerprint(struct kunit *test, const struct tmm_frame_allocator *fa);
u64 tmm_test_frames_fingerprint(struct kunit *test);

#endif /* TMM_KUNIT_FRAMES_FIXTURE_H */
