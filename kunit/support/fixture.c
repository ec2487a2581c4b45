// SPDX-License-Identifier: GPL-2.0
#include "support/fixture.h"

#include "support/invariants.h"

#include <kunit/resource.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/slab.h>

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random cases; drawn and printed if not given");

/* Linux 6.1 runs the suites of a module before it parses the parameters. */
static u64 given_seed(void)
{
	const char *arg = THIS_MODULE->args ? strstr(THIS_MODULE->args, "seed=") : NULL;
	u64 value;

	return arg && sscanf(arg, "seed=%llu", &value) == 1 ? value : 0;
}

u64 tmm_test_seed(void)
{
	if (!seed)
		seed = given_seed();
	if (!seed)
		seed = get_random_u32() | 1;
	return seed;
}

/* @salt makes several cases of one seed differ. */
void tmm_test_random_start(struct kunit *test, struct rnd_state *rnd, u64 salt)
{
	prandom_seed_state(rnd, tmm_test_seed() + salt * 0x9e3779b97f4a7c15ULL);
	kunit_info(test, TMM_SEED_FMT "start\n", tmm_test_seed());
}

u64 tmm_test_random_below(struct rnd_state *rnd, u64 below)
{
	return ((u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd)) % below;
}

static int alloc_memory(struct kunit_resource *res, void *nr_bytes)
{
	res->data = kvzalloc(*(size_t *)nr_bytes, GFP_KERNEL);
	return res->data ? 0 : -ENOMEM;
}

static void free_memory(struct kunit_resource *res)
{
	kvfree(res->data);
}

void *tmm_test_kvzalloc(struct kunit *test, size_t nr_bytes)
{
	void *memory = kunit_alloc_resource(test, alloc_memory, free_memory, GFP_KERNEL, &nr_bytes);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, memory);
	return memory;
}

bool tmm_test_all_free(struct kunit *test, const struct tmm_range_allocator *ra)
{
	const struct tmm_range_region *region;
	bool all = true;

	list_for_each_entry(region, &ra->regions, link) {
		if (region->free.nr_free == region->nr && region->free.nr_ranges == 1)
			continue;
		all = false;
		KUNIT_FAIL(test, TMM_SEED_FMT "region %#llx: %llu of %llu chunks free, %llu ranges",
			   tmm_test_seed(), region->first, region->free.nr_free, region->nr,
			   region->free.nr_ranges);
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

struct tmm_test_ranges *tmm_test_ranges_create(struct kunit *test)
{
	struct tmm_test_ranges *tr = tmm_test_kvzalloc(test, sizeof(*tr));

	tr->cache = kmem_cache_create("tmm_test_chunks", sizeof(struct tmm_chunk), 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, tr->cache);
	tr->hooks = (struct tmm_range_hooks){ &tr->cache, record_taken, record_given };
	tmm_range_allocator_init(&tr->ra, &tr->hooks);
	return tr;
}

/* Destroying the cache reports each object that was lost. */
void tmm_test_ranges_destroy(struct kunit *test, struct tmm_test_ranges *tr)
{
	if (!tr)
		return;
	tmm_check_range_allocator(test, &tr->ra);
	if (tmm_test_all_free(test, &tr->ra)) {
		tmm_range_allocator_destroy(&tr->ra);
		kmem_cache_destroy(tr->cache);
	}
}

int tmm_test_ranges_try_add(struct tmm_test_ranges *tr, enum tmm_region_type type, u64 first,
			    u64 nr)
{
	struct tmm_range_region *region = &tr->regions[tr->nr_regions];
	int err;

	region->type = type;
	region->first = first;
	region->nr = nr;
	err = tmm_range_allocator_add(&tr->ra, region);
	tr->nr_regions += !err;
	return err;
}

void tmm_test_ranges_add(struct kunit *test, struct tmm_test_ranges *tr, enum tmm_region_type type,
			 u64 first, u64 nr)
{
	KUNIT_ASSERT_LT(test, tr->nr_regions, TMM_TEST_MAX_REGIONS);
	KUNIT_ASSERT_EQ(test, tmm_test_ranges_try_add(tr, type, first, nr), 0);
}

struct tmm_chunk *tmm_test_ranges_take(struct kunit *test, struct tmm_test_ranges *tr,
				       struct tmm_allocation_request req, u64 start)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_allocate(&tr->ra, &req, &region);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(chunk), "error %ld", PTR_ERR(chunk));
	KUNIT_EXPECT_EQ(test, chunk->start, start);
	KUNIT_EXPECT_EQ(test, chunk->nr, req.nr);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_start, start);
	KUNIT_EXPECT_EQ(test, tmm_test_hook_nr, req.nr);
	KUNIT_EXPECT_TRUE(test, region && start - region->first < region->nr);
	tmm_check_range_allocator(test, &tr->ra);
	return chunk;
}

void tmm_test_ranges_release(struct kunit *test, struct tmm_test_ranges *tr,
			     struct tmm_chunk *chunk)
{
	struct tmm_range_region *region;

	spin_lock(&tr->ra.lock);
	region = tmm_range_region_at(&tr->ra, chunk->start);
	spin_unlock(&tr->ra.lock);
	KUNIT_ASSERT_NOT_NULL(test, region);
	tmm_range_release(&tr->ra, region, chunk);
	tmm_check_range_allocator(test, &tr->ra);
}

void tmm_test_ranges_refuse(struct kunit *test, struct tmm_test_ranges *tr,
			    struct tmm_allocation_request req, int err)
{
	struct tmm_range_region *region = ERR_PTR(-1);
	u64 before = tmm_fingerprint_ranges(&tr->ra);
	struct tmm_chunk *chunk = tmm_range_allocate(&tr->ra, &req, &region);

	KUNIT_EXPECT_PTR_EQ(test, chunk, (struct tmm_chunk *)ERR_PTR(err));
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_ranges(&tr->ra), before);
	if (!IS_ERR(chunk))
		tmm_test_ranges_release(test, tr, chunk);
}

struct tmm_test_frames *tmm_test_frames_create(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_kvzalloc(test, sizeof(*tf));

	tmm_frame_allocator_init(&tf->fa);
	return tf;
}

/* A case that lost something has failed by then; its objects stay where they are. */
void tmm_test_frames_destroy(struct kunit *test, struct tmm_test_frames *tf)
{
	if (!tf)
		return;
	tmm_check_frame_allocator(test, &tf->fa);
	KUNIT_EXPECT_EQ(test, tf->fa.nr_tables, 0);
	if (tmm_test_all_free(test, &tf->fa.ra))
		tmm_frame_allocator_destroy(&tf->fa);
}

static struct tmm_frame_region *frames_add(struct kunit *test, struct tmm_test_frames *tf,
					   enum tmm_region_type type, u64 first, u64 nr,
					   void *window)
{
	void *table = tmm_test_kvzalloc(test, tmm_frame_table_nr_bytes(first, nr));
	struct tmm_frame_region *region;

	KUNIT_ASSERT_LT(test, tf->nr_regions, TMM_TEST_MAX_REGIONS);
	region = &tf->regions[tf->nr_regions];
	region->range.type = type;
	region->range.first = first;
	region->range.nr = nr;
	region->window = window;
	KUNIT_ASSERT_EQ(test, tmm_frame_allocator_add(&tf->fa, region, table), 0);
	tf->nr_regions++;
	return region;
}

struct tmm_frame_region *tmm_test_frames_add(struct kunit *test, struct tmm_test_frames *tf,
					     enum tmm_region_type type, u64 first, u64 nr)
{
	return frames_add(test, tf, type, first, nr, NULL);
}

struct tmm_frame_region *tmm_test_frames_add_backed(struct kunit *test, struct tmm_test_frames *tf,
						    enum tmm_region_type type, u64 first, u64 nr)
{
	return frames_add(test, tf, type, first, nr, tmm_test_kvzalloc(test, nr << TMM_PAGE_SHIFT));
}

struct tmm_allocated_frames *tmm_test_frames_take(struct kunit *test, struct tmm_test_frames *tf,
						  struct tmm_allocation_request req)
{
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate(&tf->fa, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), req.nr);
	return frames;
}

struct tmm_test_pages *tmm_test_pages_create(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_kvzalloc(test, sizeof(*tp));

	tmm_page_allocator_init(&tp->pa);
	return tp;
}

void tmm_test_pages_destroy(struct kunit *test, struct tmm_test_pages *tp)
{
	if (!tp)
		return;
	tmm_check_range_allocator(test, &tp->pa.ra);
	if (tmm_test_all_free(test, &tp->pa.ra))
		tmm_page_allocator_destroy(&tp->pa);
}

struct tmm_range_region *tmm_test_pages_add(struct kunit *test, struct tmm_test_pages *tp,
					    enum tmm_region_type type, u64 first, u64 nr)
{
	struct tmm_range_region *region;

	KUNIT_ASSERT_LT(test, tp->nr_regions, TMM_TEST_MAX_REGIONS);
	region = &tp->regions[tp->nr_regions];
	region->type = type;
	region->first = first;
	region->nr = nr;
	KUNIT_ASSERT_EQ(test, tmm_page_allocator_add(&tp->pa, region), 0);
	tp->nr_regions++;
	return region;
}

struct tmm_allocated_pages *tmm_test_pages_take(struct kunit *test, struct tmm_test_pages *tp,
						struct tmm_allocation_request req)
{
	struct tmm_allocated_pages *pages = tmm_page_allocator_allocate(&tp->pa, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), req.nr);
	return pages;
}
