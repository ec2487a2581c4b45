// SPDX-License-Identifier: GPL-2.0
/*
 * Random walks over the page allocator (walk/range_walk.h), with the list model. One region is as
 * large as the guard hole, so that page numbers need more than 32 bits.
 */
#include "walk/range_walk.h"

#include "support/pages_fixture.h"

static const struct model_region regions[] = {
	{ TMM_REGION_DESIGNATED, 1, 2000 },
	{ TMM_REGION_RESERVED, 2000, 2500 },
	{ TMM_REGION_GENERAL, 5000, 6500 },
	{ TMM_REGION_KERNEL, 1ULL << 35, (1ULL << 35) + (1ULL << 31) },
};

static struct tmm_allocated_pages *pages_of(struct tmm_chunk *chunk)
{
	return container_of(chunk, struct tmm_allocated_pages, chunk);
}

static struct tmm_chunk *allocate_pages(struct tmm_range_allocator *ra,
					const struct tmm_allocation_request *req,
					struct tmm_deferred_action *action)
{
	struct tmm_page_allocator *pa = container_of(ra, struct tmm_page_allocator, ra);
	struct tmm_allocated_pages *pages;

	pages = action ? tmm_page_allocator_allocate_deferred(pa, req, action) :
			 tmm_page_allocator_allocate(pa, req);
	return IS_ERR(pages) ? ERR_CAST(pages) : &pages->chunk;
}

static void drop_pages(struct tmm_chunk *chunk)
{
	struct tmm_allocated_pages *pages = pages_of(chunk);

	tmm_allocated_pages_drop(&pages);
}

static int split_pages(struct tmm_chunk *chunk, u64 at, struct tmm_chunk **second)
{
	struct tmm_allocated_pages *half;
	int err;

	err = tmm_allocated_pages_split_at(pages_of(chunk), at, &half);
	if (!err)
		*second = &half->chunk;
	return err;
}

static int merge_pages(struct tmm_chunk *chunk, struct tmm_chunk **other)
{
	struct tmm_allocated_pages *consumed = pages_of(*other);
	int err;

	err = tmm_allocated_pages_merge(pages_of(chunk), &consumed);
	if (!err)
		*other = NULL;
	return err;
}

static void find_broken(struct tmm_range_allocator *ra, struct tmm_finding *finding)
{
	tmm_find_broken_ranges(ra, finding);
}

static const struct range_walk_ops pages_ops = {
	.allocate = allocate_pages,
	.drop = drop_pages,
	.split = split_pages,
	.merge = merge_pages,
	.find_broken = find_broken,
};

static int init_case(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_pages_create(test);
	unsigned int i;

	test->priv = tp;
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		tmm_test_pages_add(test, tp, regions[i].type, regions[i].first,
				   regions[i].end - regions[i].first);
	return 0;
}

TMM_ARRAY_PARAM(walk, range_walk_params);

static struct range_walk *make_walk(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct range_walk *walk = range_walk_create(test, &pages_ops, &tp->pa.ra,
						    TMM_RESOURCE_PAGES);

	model_init_list(test, &walk->model,
			(struct model_layout){ regions, ARRAY_SIZE(regions) });
	return walk;
}

static void one_walker(struct kunit *test)
{
	range_walk_alone(make_walk(test), 0x400 + range_walk_number(test));
}

static void walkers_on_all_cpus(struct kunit *test)
{
	range_walk_crew(make_walk(test), 0x500 + CREW_MAX * range_walk_number(test));
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE_PARAM(one_walker, walk_gen_params),
	KUNIT_CASE_PARAM(walkers_on_all_cpus, walk_gen_params),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "theseus_mm_pages_walk",
	.init = init_case,
	.exit = tmm_test_pages_exit,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
