// SPDX-License-Identifier: GPL-2.0
/* Allocations in which a function of the caller chooses the frames, and deferred allocations. */
#include "alloc/frames.h"
#include "alloc/frames_split.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"

#define MAX_SEEN 8

/*
 * general [1000, 1100), of which [1010, 1020) is owned, designated [1100, 1150),
 * reserved [1150, 1200), general [2000, 2100).
 */
struct fixture {
	struct tmm_test_frames *tf;
	struct tmm_allocated_frames *owned;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	test->priv = f;
	f->tf = tmm_test_frames_create(test);
	tmm_test_frames_add(test, f->tf, TMM_REGION_GENERAL, 2000, 100);
	tmm_test_frames_add(test, f->tf, TMM_REGION_RESERVED, 1150, 50);
	tmm_test_frames_add(test, f->tf, TMM_REGION_DESIGNATED, 1100, 50);
	tmm_test_frames_add(test, f->tf, TMM_REGION_GENERAL, 1000, 100);
	f->owned = tmm_test_frames_take(test, f->tf, tmm_request_at(1010, 10));
	return 0;
}

static void exit_case(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	tmm_allocated_frames_drop(&f->owned);
	tmm_test_frames_destroy(test, f->tf);
}

static struct tmm_frame_allocator *fa_of(struct kunit *test)
{
	struct fixture *f = test->priv;

	return &f->tf->fa;
}

/* The runs that a choosing function was shown, and the choice that it makes. */
struct chooser {
	unsigned int nr_seen;
	struct tmm_frame_range seen[MAX_SEEN];
	bool sound;		/* each run was free, and belongs to @fa */
	unsigned int choose;	/* index of the run to choose; MAX_SEEN to choose none */
	struct tmm_allocation_request req;
	struct tmm_frame_allocator *fa;
};

static bool inspect_frames(const struct tmm_free_frames *frames, void *context,
			   struct tmm_allocation_request *req)
{
	const struct tmm_frame_region *region = frames->f.region;
	struct chooser *c = context;

	c->sound = c->sound && frames->f.state == TMM_STATE_FREE && frames->f.allocator == c->fa &&
		   region->range.type == TMM_REGION_GENERAL && !req->nr && !req->is_at &&
		   frames->f.chunk.start - region->range.first < region->range.nr;
	if (c->nr_seen == MAX_SEEN)
		return true;
	c->seen[c->nr_seen] = tmm_frames_range(&frames->f);
	*req = c->req;
	return c->nr_seen++ == c->choose;
}

static struct tmm_allocated_frames *choose_run(struct kunit *test, struct chooser *c,
					       unsigned int index,
					       struct tmm_allocation_request req)
{
	struct tmm_allocated_frames *frames;

	*c = (struct chooser){ .sound = true, .choose = index, .req = req, .fa = fa_of(test) };
	frames = tmm_frame_allocator_inspect_then_allocate(fa_of(test), inspect_frames, c);
	KUNIT_EXPECT_TRUE(test, c->sound);
	return frames;
}

static void inspect_sees_what_is_free_in_order(struct kunit *test)
{
	static const struct tmm_range free[] = {
		{ 1000, 10, TMM_4K }, { 1020, 80, TMM_4K }, { 2000, 100, TMM_4K },
	};
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct chooser c;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, PTR_ERR(choose_run(test, &c, MAX_SEEN, tmm_request_at(1000, 1))),
			-ENOENT);
	KUNIT_ASSERT_EQ(test, c.nr_seen, ARRAY_SIZE(free));
	for (i = 0; i < ARRAY_SIZE(free); i++) {
		KUNIT_EXPECT_EQ(test, c.seen[i].r.first, free[i].first);
		KUNIT_EXPECT_EQ(test, c.seen[i].r.nr, free[i].nr);
		KUNIT_EXPECT_EQ(test, c.seen[i].r.size, free[i].size);
	}
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

struct choice_param {
	const char *name;
	unsigned int index;
	u64 at;
	u64 nr;
	int err;
};

static const struct choice_param choice_params[] = {
	{ "the first run, all of it", 0, 1000, 10, 0 },
	{ "the beginning of a run", 1, 1020, 1, 0 },
	{ "the middle of a run", 1, 1050, 10, 0 },
	{ "the end of a run", 1, 1099, 1, 0 },
	{ "the last run, all of it", 2, 2000, 100, 0 },
	{ "nothing", 1, 1050, 0, -EINVAL },
	{ "before the run", 1, 1019, 1, -EINVAL },
	{ "from before the run on", 1, 1019, 2, -EINVAL },
	{ "after the run", 1, 1100, 1, -EINVAL },
	{ "past the end of the run", 1, 1099, 2, -EINVAL },
	{ "more than the run", 1, 1020, 81, -EINVAL },
	{ "of a run that was shown before", 1, 1005, 1, -EINVAL },
	{ "of a run to be shown later", 1, 2000, 1, -EINVAL },
	{ "as many as can be counted", 1, 1050, U64_MAX, -EINVAL },
	{ "the last number", 1, U64_MAX, 2, -EINVAL },
};

TMM_ARRAY_PARAM(choice, choice_params);

static void choose_situations(struct kunit *test)
{
	const struct choice_param *p = test->param_value;
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct tmm_allocated_frames *frames;
	struct chooser c;

	frames = choose_run(test, &c, p->index, tmm_request_at(p->at, p->nr));
	/* After the choice no further run was shown. */
	KUNIT_EXPECT_EQ(test, c.nr_seen, p->index + 1);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(frames), p->err);
	if (!p->err) {
		KUNIT_EXPECT_EQ(test, frames->f.chunk.start, p->at);
		KUNIT_EXPECT_EQ(test, frames->f.chunk.nr, p->nr);
		KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
		KUNIT_EXPECT_NE(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
		tmm_allocated_frames_drop(&frames);
	}
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

/*
 * The request that a choosing function returns must name an address. Callers without an address use
 * tmm_frame_allocator_allocate().
 */
static void choice_without_an_address_is_refused(struct kunit *test)
{
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct chooser c;

	KUNIT_EXPECT_EQ(test, PTR_ERR(choose_run(test, &c, 1, tmm_request_any(1))), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

static void inspect_where_nothing_is_free(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct tmm_allocated_frames *all[3];
	struct chooser c;
	unsigned int i;

	all[0] = tmm_test_frames_take(test, f->tf, tmm_request_at(1000, 10));
	all[1] = tmm_test_frames_take(test, f->tf, tmm_request_at(1020, 80));
	all[2] = tmm_test_frames_take(test, f->tf, tmm_request_at(2000, 100));
	KUNIT_EXPECT_EQ(test, PTR_ERR(choose_run(test, &c, 0, tmm_request_at(1000, 1))), -ENOENT);
	KUNIT_EXPECT_EQ(test, c.nr_seen, 0);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		tmm_allocated_frames_drop(&all[i]);
}

static void inspect_without_memory(struct kunit *test)
{
	struct chooser c = { .sound = true, .fa = fa_of(test) };
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct tmm_allocated_frames *frames;

	tmm_test_fail_alloc(test, 1);
	frames = tmm_frame_allocator_inspect_then_allocate(fa_of(test), inspect_frames, &c);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, PTR_ERR(frames), -ENOMEM);
	KUNIT_EXPECT_EQ(test, c.nr_seen, 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

/*
 * The choosing function is also shown runs that were freed, and runs next to those of a deferred
 * allocation.
 */
static void inspect_of_recycled_frames(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_allocation_request req = tmm_request_at(2050, 10);
	struct tmm_allocated_frames *frames, *second;
	struct chooser c;

	frames = tmm_frame_allocator_allocate_deferred(fa_of(test), &req, &action);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	tmm_deferred_action_finish(&action);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, 2055, &second), 0);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&f->owned);
	f->owned = tmm_test_frames_take(test, f->tf, tmm_request_at(1090, 5));
	KUNIT_EXPECT_EQ(test, PTR_ERR(choose_run(test, &c, MAX_SEEN, tmm_request_at(1000, 1))),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, c.nr_seen, 4);
	tmm_allocated_frames_drop(&second);
}

static void deferred_frames_are_marked(struct kunit *test)
{
	struct tmm_frame_range all = { { 2000, 100, TMM_4K } };
	struct tmm_allocation_request req = tmm_request_at(2050, 10);
	struct tmm_deferred_action action = {};
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	u64 counts[TMM_NR_MARKS] = {};
	struct tmm_allocated_frames *frames;

	frames = tmm_frame_allocator_allocate_deferred(fa_of(test), &req, &action);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(fa_of(test), &all, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_ALLOCATED], 10);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], 90);
	tmm_deferred_action_finish(&action);
	tmm_check_frame_allocator(test, fa_of(test));
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

static struct kunit_case frames_choose_cases[] = {
	KUNIT_CASE(inspect_sees_what_is_free_in_order),
	KUNIT_CASE_PARAM(choose_situations, choice_gen_params),
	KUNIT_CASE(choice_without_an_address_is_refused),
	KUNIT_CASE(inspect_where_nothing_is_free),
	KUNIT_CASE(inspect_without_memory),
	KUNIT_CASE(inspect_of_recycled_frames),
	KUNIT_CASE(deferred_frames_are_marked),
	{}
};

static struct kunit_suite frames_choose_suite = {
	.name = "theseus_mm_frames_choose",
	.init = init_case,
	.exit = exit_case,
	.test_cases = frames_choose_cases,
};

kunit_test_suite(frames_choose_suite);
