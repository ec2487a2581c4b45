/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range allocators on made-up regions. A made-up region is numbers only.
 *
 * The functions that are not told which allocator use the case's own, which
 * tmm_test_ranges_init() puts into test->priv.
 */
#ifndef TMM_KUNIT_RANGE_FIXTURE_H
#define TMM_KUNIT_RANGE_FIXTURE_H

#include "alloc/range_request.h"
#include "support/fixture.h"

#define TMM_TEST_MAX_REGIONS 4

/* A macro, so that a failure names the line of the case. */
#define TMM_EXPECT_CHUNK(test, chunk, _start, _nr)			\
do {									\
	const struct tmm_chunk *_chunk = (chunk);			\
									\
	KUNIT_EXPECT_EQ(test, _chunk->start, _start);			\
	KUNIT_EXPECT_EQ(test, _chunk->nr, _nr);				\
} while (0)

/**
 * struct tmm_test_ranges - a range allocator on made-up regions, with hooks of
 *			    its own that record what they are told
 * @ra: the allocator
 * @hooks: its hooks
 * @cache: where its chunk objects come from
 * @regions: its regions
 * @nr_regions: how many are in use
 */
struct tmm_test_ranges {
	struct tmm_range_allocator ra;
	struct tmm_range_hooks hooks;
	struct kmem_cache *cache;
	struct tmm_range_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

/* The last run that was taken from or given back to a struct tmm_test_ranges. */
extern u64 tmm_test_hook_start, tmm_test_hook_nr;

/* The .init and .exit of a suite. */
int tmm_test_ranges_init(struct kunit *test);
void tmm_test_ranges_exit(struct kunit *test);
int tmm_test_ranges_try_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr);
void tmm_test_ranges_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr);
/* Ends the case unless @req gives the run at @start. */
struct tmm_chunk *tmm_test_ranges_take(struct kunit *test, struct tmm_allocation_request req,
				       u64 start);
void tmm_test_ranges_release(struct kunit *test, struct tmm_chunk *chunk);
/* Takes the run, and gives it back. */
void tmm_test_ranges_probe(struct kunit *test, struct tmm_allocation_request req, u64 start);
/* Expects @req to be refused with @err and to change nothing. */
void tmm_test_ranges_refuse(struct kunit *test, struct tmm_allocation_request req, int err);
/* Checks the allocator too. */
u64 tmm_test_ranges_fingerprint(struct kunit *test);

/* Ends a case unless all of an allocator's chunks are free again. */
bool tmm_test_all_free(struct kunit *test, const struct tmm_range_allocator *ra);

#endif /* TMM_KUNIT_RANGE_FIXTURE_H */
