// SPDX-License-Identifier: GPL-2.0
#include "support/range_fixture.h"

#include "support/invariants.h"

#include <linux/err.h>
#include <linux/list.h>
#include <linux/slab.h>

bool tmm_test_all_free(struct kunit *test, const struct tmm_range_allocator *ra)
{
	const struct tmm_range_region *region;
	bool all = true;

	list_for_each_entry(region, &ra->regions, link) {
		const u64 nr_free = tmm_free_set_nr_free(&region->free);
		const u64 nr_ranges = tmm_free_set_nr_ranges(&region->free);

		if (nr_free == region->nr && nr_ranges == 1)
			continue;
		all = false;
		KUNIT_FAIL(test, TMM_SEED_FMT "region %#llx: %llu of %llu chunks free, %llu ranges",
			   tmm_test_seed(), region->first, nr_free, region->nr, nr_ranges);
	}
	return all;
}

u64 tmm_test_hook_start, tmm_test_hook_nr;

static void record_taken(struct tmm_range_region *region, u64 start, u64 nr)
{
	tmm_test_hook_start = start;
	tmm_test_hook_nr = nr;
}

static int record_given(struct tmm_range_region *region, u64 start, u64 nr)
{
	tmm_test_hook_start = start;
	tmm_test_hook_nr = nr;
	return 0;
}

/* Gives the case an allocator without regions. */
int tmm_test_ranges_init(struct kunit *test)
{
	struct tmm_test_ranges *tr = tmm_test_kvzalloc(test, sizeof(*tr));

	tr->cache = kmem_cache_create("tmm_test_chunks", sizeof(struct tmm_range_node), 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, tr->cache);
	tr->hooks = (struct tmm_range_hooks){
		.cache = &tr->cache,
		.taken = record_taken,
		.given = record_given,
	};
	tmm_range_allocator_init(&tr->ra, &tr->hooks);
	test->priv = tr;
	return 0;
}

/* kmem_cache_destroy() reports each lost chunk object. */
void tmm_test_ranges_exit(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;

	if (!tr)
		return;
	tmm_check_range_allocator(test, &tr->ra);
	if (tmm_test_all_free(test, &tr->ra)) {
		tmm_range_allocator_destroy(&tr->ra);
		kmem_cache_destroy(tr->cache);
	}
}

int tmm_test_ranges_try_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region = &tr->regions[tr->nr_regions];
	int err;

	region->type = type;
	region->first = first;
	region->nr = nr;
	err = tmm_range_allocator_add(&tr->ra, region);
	tr->nr_regions += !err;
	return err;
}

void tmm_test_ranges_add(struct kunit *test, enum tmm_region_type type, u64 first, u64 nr)
{
	struct tmm_test_ranges *tr = test->priv;

	KUNIT_ASSERT_LT(test, tr->nr_regions, TMM_TEST_MAX_REGIONS);
	KUNIT_ASSERT_EQ(test, tmm_test_ranges_try_add(test, type, first, nr), 0);
}

struct tmm_chunk *tmm_test_ranges_take(struct kunit *test, struct tmm_allocation_request req,
				       u64 start)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate(&tr->ra, &req, &region);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(chunk), "error %ld", PTR_ERR(chunk));
	TMM_EXPECT_CHUNK(test, chunk, start, req.nr);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_start, start);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_nr, req.nr);
	KUNIT_EXPECT_TRUE(test, region && start - region->first < region->nr);
	tmm_check_range_allocator(test, &tr->ra);
	return chunk;
}

void tmm_test_ranges_release(struct kunit *test, struct tmm_chunk *chunk)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region;

	spin_lock(&tr->ra.lock);
	region = tmm_range_allocator_region_at(&tr->ra, chunk->start);
	spin_unlock(&tr->ra.lock);
	KUNIT_ASSERT_NOT_NULL(test, region);
	tmm_range_request_release(&tr->ra, region, chunk);
	tmm_check_range_allocator(test, &tr->ra);
}

u64 tmm_test_ranges_fingerprint(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;

	tmm_check_range_allocator(test, &tr->ra);
	return tmm_fingerprint_ranges(&tr->ra);
}

void tmm_test_ranges_refuse(struct kunit *test, struct tmm_allocation_request req, int err)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region = ERR_PTR(-1);
	u64 before = tmm_fingerprint_ranges(&tr->ra);
	struct tmm_chunk *chunk = tmm_range_request_allocate(&tr->ra, &req, &region);

	KUNIT_EXPECT_PTR_EQ(test, chunk, (struct tmm_chunk *)ERR_PTR(err));
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_ranges(&tr->ra), before);
	if (!IS_ERR(chunk))
		tmm_test_ranges_release(test, chunk);
}

void tmm_test_ranges_probe(struct kunit *test, struct tmm_allocation_request req, u64 start)
{
	tmm_test_ranges_release(test, tmm_test_ranges_take(test, req, start));
}
