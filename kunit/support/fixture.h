/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What several suites need: random numbers that can be repeated, memory that
 * goes with the case, and allocators on made-up regions.
 *
 * A made-up region is frame numbers only; nothing is behind them unless the
 * case asks for a window, which is ordinary kernel memory.
 */
#ifndef TMM_KUNIT_FIXTURE_H
#define TMM_KUNIT_FIXTURE_H

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "support/fault.h"

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/string.h>

/* Begins each message of a random case. */
#define TMM_SEED_FMT "seed=%llu: "

#define TMM_TEST_MAX_REGIONS 4

/* KUNIT_ARRAY_PARAM() of an array of structs whose member @name describes each. */
#define TMM_ARRAY_PARAM(_name, _array)							\
static void _name##_param_desc(typeof(&(_array)[0]) param, char *desc)			\
{											\
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);				\
}											\
KUNIT_ARRAY_PARAM(_name, _array, _name##_param_desc)

u64 tmm_test_seed(void);
void tmm_test_random_start(struct kunit *test, struct rnd_state *rnd, u64 salt);
u64 tmm_test_random_below(struct rnd_state *rnd, u64 below);

void *tmm_test_kvzalloc(struct kunit *test, size_t nr_bytes);

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

/**
 * struct tmm_test_pages - a page allocator on made-up regions
 * @pa: the allocator
 * @regions: its regions
 * @nr_regions: how many are in use
 */
struct tmm_test_pages {
	struct tmm_page_allocator pa;
	struct tmm_range_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

struct tmm_test_ranges *tmm_test_ranges_create(struct kunit *test);
void tmm_test_ranges_destroy(struct kunit *test, struct tmm_test_ranges *tr);
int tmm_test_ranges_try_add(struct tmm_test_ranges *tr, enum tmm_region_type type, u64 first,
			    u64 nr);
void tmm_test_ranges_add(struct kunit *test, struct tmm_test_ranges *tr, enum tmm_region_type type,
			 u64 first, u64 nr);
/* Ends the case unless @req gives the run at @start. */
struct tmm_chunk *tmm_test_ranges_take(struct kunit *test, struct tmm_test_ranges *tr,
				       struct tmm_allocation_request req, u64 start);
void tmm_test_ranges_release(struct kunit *test, struct tmm_test_ranges *tr,
			     struct tmm_chunk *chunk);
/* Expects @req to be refused with @err and to change nothing. */
void tmm_test_ranges_refuse(struct kunit *test, struct tmm_test_ranges *tr,
			    struct tmm_allocation_request req, int err);

struct tmm_test_frames *tmm_test_frames_create(struct kunit *test);
void tmm_test_frames_destroy(struct kunit *test, struct tmm_test_frames *tf);
struct tmm_frame_region *tmm_test_frames_add(struct kunit *test, struct tmm_test_frames *tf,
					     enum tmm_region_type type, u64 first, u64 nr);
struct tmm_frame_region *tmm_test_frames_add_backed(struct kunit *test, struct tmm_test_frames *tf,
						    enum tmm_region_type type, u64 first, u64 nr);
struct tmm_allocated_frames *tmm_test_frames_take(struct kunit *test, struct tmm_test_frames *tf,
						  struct tmm_allocation_request req);

struct tmm_test_pages *tmm_test_pages_create(struct kunit *test);
void tmm_test_pages_destroy(struct kunit *test, struct tmm_test_pages *tp);
struct tmm_range_region *tmm_test_pages_add(struct kunit *test, struct tmm_test_pages *tp,
					    enum tmm_region_type type, u64 first, u64 nr);
struct tmm_allocated_pages *tmm_test_pages_take(struct kunit *test, struct tmm_test_pages *tp,
						struct tmm_allocation_request req);

/* Ends a case unless all of an allocator's chunks are free again. */
bool tmm_test_all_free(struct kunit *test, const struct tmm_range_allocator *ra);

#endif /* TMM_KUNIT_FIXTURE_H */
