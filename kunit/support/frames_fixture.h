/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame allocators on made-up regions. The frame numbers of such a region have no memory behind
 * them, unless the case adds the region as backed: then the frames are ordinary kernel memory.
 *
 * Functions without a parameter for the allocator use the case's own, in the struct
 * tmm_test_frames at test->priv.
 */
#ifndef TMM_KUNIT_FRAMES_FIXTURE_H
#define TMM_KUNIT_FRAMES_FIXTURE_H

#include "alloc/frames.h"
#include "support/range_fixture.h"

#define TMM_EXPECT_FRAMES(test, frames, start, nr)	\
	TMM_EXPECT_CHUNK(test, &(frames)->f.chunk, start, nr)

/* A frame allocator and its regions, of which the first @nr_regions are in use. */
struct tmm_test_frames {
	struct tmm_frame_allocator fa;
	struct tmm_frame_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

/* The init and exit functions of a suite. */
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
/* Allocate from the case's own allocator; the case ends if that fails. */
struct tmm_allocated_frames *tmm_test_frames_take_at(struct kunit *test, u64 number, u64 nr);
struct tmm_allocated_frames *tmm_test_frames_take_any(struct kunit *test, u64 nr);
struct tmm_frame_allocator *tmm_test_fa(struct kunit *test);
/* The fingerprints also check the allocator. */
u64 tmm_test_fa_fingerprint(struct kunit *test, const struct tmm_frame_allocator *fa);
u64 tmm_test_frames_fingerprint(struct kunit *test);

#endif /* TMM_KUNIT_FRAMES_FIXTURE_H */
