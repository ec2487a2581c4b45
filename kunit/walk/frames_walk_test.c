// SPDX-License-Identifier: GPL-2.0
/* Random walks over the frame allocator (walk/range_walk.h), with the byte model. */
#include "walk/range_walk.h"

#include "support/frames_fixture.h"

#include "alloc/frames_split.h"

static const struct model_region regions[] = {
	{ TMM_REGION_GENERAL, 100, 700 },
	{ TMM_REGION_DESIGNATED, 700, 900 },
	{ TMM_REGION_RESERVED, 900, 1000 },
	{ TMM_REGION_GENERAL, 1500, 3200 },
};

static struct tmm_allocated_frames *frames_of(struct tmm_chunk *chunk)
{
	return container_of(tmm_frames_of(chunk), struct tmm_allocated_frames, f);
}

static struct tmm_chunk *allocate_frames(struct tmm_range_allocator *ra,
					 const struct tmm_allocation_request *req,
					 struct tmm_deferred_action *action)
{
	struct tmm_frame_allocator *fa = container_of(ra, struct tmm_frame_allocator, ra);
	struct tmm_allocated_frames *frames;

	frames = action ? tmm_frame_allocator_allocate_deferred(fa, req, action) :
			  tmm_frame_allocator_allocate(fa, req);
	return IS_ERR(frames) ? ERR_CAST(frames) : &frames->f.chunk;
}

static void drop_frames(struct tmm_chunk *chunk)
{
	struct tmm_allocated_frames *frames = frames_of(chunk);

	tmm_allocated_frames_drop(&frames);
}

static int split_frames(struct tmm_chunk *chunk, u64 at, struct tmm_chunk **second)
{
	struct tmm_allocated_frames *half;
	int err;

	err = tmm_allocated_frames_split_at(frames_of(chunk), at, &half);
	if (!err)
		*second = &half->f.chunk;
	return err;
}

static int merge_frames(struct tmm_chunk *chunk, struct tmm_chunk **other)
{
	struct tmm_allocated_frames *consumed = frames_of(*other);
	int err;

	err = tmm_allocated_frames_merge(frames_of(chunk), &consumed);
	if (!err)
		*other = NULL;
	return err;
}

static void find_broken(struct tmm_range_allocator *ra, struct tmm_finding *finding)
{
	tmm_find_broken_frames(container_of(ra, struct tmm_frame_allocator, ra), finding);
}

/* Owned frames are marked as allocated. */
static void check_marks(struct tmm_range_allocator *ra, const struct tmm_chunk *chunk,
			struct tmm_finding *finding)
{
	struct tmm_range_region *region = tmm_range_allocator_region_at(ra, chunk->start);
	u64 number;

	for (number = chunk->start; region && number < tmm_chunk_end(chunk); number++) {
		const struct tmm_frame_table *table = &tmm_frame_region_of(region)->table;
		enum tmm_frame_mark mark = tmm_frame_table_get(table, number);

		if (mark != TMM_MARK_ALLOCATED)
			tmm_finding_note(finding, "owned frame %#llx is marked %u", number, mark);
	}
}

static const struct range_walk_ops frames_ops = {
	.allocate = allocate_frames,
	.drop = drop_frames,
	.split = split_frames,
	.merge = merge_frames,
	.find_broken = find_broken,
	.check_run = check_marks,
};

static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);
	unsigned int i;

	test->priv = tf;
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		tmm_test_frames_add(test, tf, regions[i].type, regions[i].first,
				    regions[i].end - regions[i].first);
	return 0;
}

static void exit_case(struct kunit *test)
{
	tmm_test_frames_destroy(test, test->priv);
}

TMM_ARRAY_PARAM(walk, range_walk_params);

static struct range_walk *make_walk(struct kunit *test)
{
	struct range_walk *walk = range_walk_create(test, &frames_ops, &tmm_test_fa(test)->ra,
						    TMM_RESOURCE_FRAMES);

	model_init_bytes(test, &walk->model,
			 (struct model_layout){ regions, ARRAY_SIZE(regions) });
	return walk;
}

static void one_walker(struct kunit *test)
{
	range_walk_alone(make_walk(test), 2 + range_walk_number(test));
}

static void walkers_on_all_cpus(struct kunit *test)
{
	range_walk_crew(make_walk(test), 0x300 + CREW_MAX * range_walk_number(test));
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE_PARAM(one_walker, walk_gen_params),
	KUNIT_CASE_PARAM(walkers_on_all_cpus, walk_gen_params),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "theseus_mm_frames_walk",
	.init = init_case,
	.exit = exit_case,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
