/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range allocators on made-up regions, which are only numbers.
 *
 * The functions use the case's own allocator, which tmm_test_ranges_init() puts into test->priv.
 */
#ifndef TMM_KUNIT_RANGE_FIXTURE_H
#define TMM_KUNIT_RANGE_FIXTURE_H

#include "alloc/range_request.h"
#include "support/fixture.h"

#define TMM_TEST_MAX_REGIONS 5

/* TMM_EXPECT_CHUNK() is a macro so that a failure names the line of the case. */
#define TMM_EXPECT_CHUNK(test, chunk, _start, _nr)			\
do {									\
	const struct tmm_chunk *_chunk = (chunk);			\
									\
	KUNIT_EXPECT_EQ(test, _chunk->start, _start);			\
	KUNIT_EXPECT_EQ(test, _chunk->nr, _nr);				\
} while (0)

/* A range allocator and its regions, of which the first @nr_regions are in use. */
struct tmm_test_ranges {
	struct tmm_range_allocator ra;
	struct tmm_range_hooks hooks;	/* the hooks set tmm_test_hook_start and tmm_test_hook_nr */
	struct kmem_cache *cache;	/* for the chunk objects */
	struct tmm_range_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

/* The last run that was allocated from or freed to a struct tmm_test_ranges. */
extern u64 tmm_test_hook_start, tmm_test_hook_nr;

/* The init and exit functions of a suite. */
int tmm_test_ranges_init(struct kunit *test);
void tmm_test_ranges_exit(struct kunit *test);
int tmm_test_ranges_try_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr);
void tmm_test_ranges_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr);
/* Allocates @req, and expects the run at @start. The case ends if the allocation fails. */
struct tmm_chunk *tmm_test_ranges_take(struct kunit *test, struct tmm_allocation_request req,
				       u64 start);
void tmm_test_ranges_release(struct kunit *test, struct tmm_chunk *chunk);
/* Like tmm_test_ranges_take(), but frees the run at once. */
void tmm_test_ranges_probe(struct kunit *test, struct tmm_allocation_request req, u64 start);
/* Expects @req to be refused with @err and to change nothing. */
void tmm_test_ranges_refuse(struct kunit *test, struct tmm_allocation_request req, int err);
/* The fingerprint also checks the allocator. */
u64 tmm_test_ranges_fingerprint(struct kunit *test);

/* Fails the case, and returns false, unless each region is one free range. */
bool tmm_test_all_free(struct kunit *test, const struct tmm_range_allocator *ra);

#endif /* TMM_KUNIT_RANGE_FIXTURE_H */
