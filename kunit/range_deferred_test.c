// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_allocator.h"

#include "fixture.h"
#include "invariants.h"

#include <linux/err.h>
#include <linux/preempt.h>
#include <linux/string.h>

static int init_case(struct kunit *test)
{
	test->priv = tmm_test_ranges_create(test);
	return 0;
}

static void exit_case(struct kunit *test)
{
	tmm_test_ranges_destroy(test, test->priv);
}

/* Where nothing may sleep, and with no memory to be had. */
static struct tmm_chunk *try_deferred(struct kunit *test, struct tmm_allocation_request req,
				      struct tmm_deferred_action *action)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk;

	tmm_test_fail_alloc(test, 1);
	preempt_disable();
	chunk = tmm_range_allocate_deferred(&tr->ra, &req, &region, action);
	preempt_enable();
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, !region, IS_ERR(chunk));
	tmm_check_range_allocator(test, &tr->ra);
	return chunk;
}

static struct tmm_chunk *take_deferred(struct kunit *test, struct tmm_allocation_request req,
				       u64 start, struct tmm_deferred_action *action)
{
	struct tmm_chunk *chunk = try_deferred(test, req, action);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, chunk);
	KUNIT_EXPECT_EQ(test, chunk->start, start);
	KUNIT_EXPECT_EQ(test, chunk->nr, req.nr);
	return chunk;
}

static void finish(struct kunit *test, struct tmm_deferred_action *action)
{
	struct tmm_test_ranges *tr = test->priv;

	tmm_deferred_action_finish(action);
	tmm_check_range_allocator(test, &tr->ra);
}

static void release(struct kunit *test, struct tmm_chunk *chunk)
{
	tmm_test_ranges_release(test, test->priv, chunk);
}

static u64 fingerprint(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;

	return tmm_fingerprint_ranges(&tr->ra);
}

struct deferred_param {
	const char *name;
	u64 first;		/* of 10, in [100, 200) */
	unsigned int nr_rests;
};

static const struct deferred_param deferred_params[] = {
	{ "at the beginning", 100, 1 },
	{ "one after the beginning", 101, 2 },
	{ "in the middle", 150, 2 },
	{ "one before the end", 189, 2 },
	{ "at the end", 190, 1 },
};

TMM_ARRAY_PARAM(deferred, deferred_params);

/* Until it is finished nobody gets the rests; then all is as if it had not been deferred. */
static void deferred_situations(struct kunit *test)
{
	const struct deferred_param *p = test->param_value;
	struct tmm_allocation_request req = tmm_request_at(p->first, 10);
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 plain;

	tmm_test_ranges_add(test, tr, TMM_REGION_GENERAL, 100, 100);
	chunk = tmm_test_ranges_take(test, tr, req, p->first);
	plain = fingerprint(test);
	release(test, chunk);

	chunk = take_deferred(test, req, p->first, &action);
	KUNIT_EXPECT_EQ(test, !!action.rests[0].nr + !!action.rests[1].nr, p->nr_rests);
	KUNIT_EXPECT_EQ(test, action.rests[0].nr + action.rests[1].nr, 90);
	KUNIT_EXPECT_EQ(test, tr->regions[0].free.nr_free, 0);
	tmm_test_ranges_refuse(test, tr, tmm_request_any(1), -ENOSPC);
	tmm_test_ranges_refuse(test, tr, tmm_request_at(p->first == 100 ? 199 : 100, 1),
			       -EADDRINUSE);
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, fingerprint(test), plain);
	tmm_test_ranges_refuse(test, tr, req, -EADDRINUSE);
	release(test, chunk);
}

static void whole_range_leaves_nothing_to_do(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, test->priv, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_any(100), 100, &action);
	KUNIT_EXPECT_EQ(test, action.rests[0].nr + action.rests[1].nr, 0);
	before = fingerprint(test);
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, fingerprint(test), before);
	release(test, chunk);
}

/* Only the range around the run is taken. */
static void other_ranges_stay_free(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *owned, *chunk;

	tmm_test_ranges_add(test, tr, TMM_REGION_GENERAL, 100, 100);
	owned = tmm_test_ranges_take(test, tr, tmm_request_at(120, 1), 120);
	chunk = take_deferred(test, tmm_request_aligned(64, 8), 128, &action);
	KUNIT_EXPECT_EQ(test, tr->regions[0].free.nr_free, 20);
	release(test, tmm_test_ranges_take(test, tr, tmm_request_any(20), 100));
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, tr->regions[0].free.nr_free, 91);
	release(test, chunk);
	release(test, owned);
}

static void finish_twice_or_nothing(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 before;

	finish(test, &action);
	tmm_test_ranges_add(test, test->priv, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	finish(test, &action);
	before = fingerprint(test);
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, fingerprint(test), before);
	/* One that is finished can be used again. */
	release(test, take_deferred(test, tmm_request_at(110, 10), 110, &action));
	finish(test, &action);
	release(test, chunk);
}

/* In the original, finishing panics when there is no room for what is left. */
static void finish_cannot_fail(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;

	tmm_test_ranges_add(test, test->priv, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	tmm_test_fail_alloc(test, 1);
	tmm_deferred_action_finish(&action);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, action.rests[0].nr + action.rests[1].nr, 0);
	release(test, chunk);
}

static void release_before_it_is_finished(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	u64 before;

	tmm_test_ranges_add(test, tr, TMM_REGION_GENERAL, 100, 100);
	before = fingerprint(test);
	release(test, take_deferred(test, tmm_request_at(150, 10), 150, &action));
	KUNIT_EXPECT_EQ(test, tr->regions[0].free.nr_free, 10);
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, fingerprint(test), before);
}

static void unfinished_action_is_refused(struct kunit *test)
{
	struct tmm_deferred_action action = {}, same;
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, test->priv, TMM_REGION_GENERAL, 100, 100);
	tmm_test_ranges_add(test, test->priv, TMM_REGION_GENERAL, 300, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	same = action;
	before = fingerprint(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR(try_deferred(test, tmm_request_any(5), &action)), -EBUSY);
	KUNIT_EXPECT_EQ(test, memcmp(&action, &same, sizeof(same)), 0);
	KUNIT_EXPECT_EQ(test, fingerprint(test), before);
	finish(test, &action);
	release(test, chunk);
}

static void refused_request_changes_nothing(struct kunit *test)
{
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_any(101), -ENOSPC },
		{ tmm_request_in_range(120, 110, 1), -EINVAL },
		{ tmm_request_in_range(0, 99, 1), -ERANGE },
		{ tmm_request_at(150, 1), -EADDRINUSE },
		{ tmm_request_at(149, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(200, 1), -ERANGE },
		{ tmm_request_at(U64_MAX, 1), -EOVERFLOW },
		{ tmm_request_sized(TMM_1G, U64_MAX), -EOVERFLOW },
	};
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *owned;
	unsigned int i;
	u64 before;

	tmm_test_ranges_add(test, tr, TMM_REGION_GENERAL, 100, 100);
	owned = tmm_test_ranges_take(test, tr, tmm_request_at(150, 1), 150);
	before = fingerprint(test);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_chunk *none = try_deferred(test, refused[i].req, &action);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(none), refused[i].err, "request %u", i);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&action, 0, sizeof(action)), NULL);
		KUNIT_EXPECT_EQ(test, fingerprint(test), before);
	}
	release(test, owned);
}

/* The rests are owned, by the action. */
static void region_of_an_unfinished_action_stays(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};

	tmm_test_ranges_add(test, tr, TMM_REGION_GENERAL, 100, 100);
	release(test, take_deferred(test, tmm_request_at(150, 10), 150, &action));
	KUNIT_EXPECT_EQ(test, tmm_range_allocator_remove(&tr->ra, &tr->regions[0]), -EBUSY);
	finish(test, &action);
	KUNIT_EXPECT_EQ(test, tmm_range_allocator_remove(&tr->ra, &tr->regions[0]), 0);
}

static struct kunit_case range_deferred_cases[] = {
	KUNIT_CASE_PARAM(deferred_situations, deferred_gen_params),
	KUNIT_CASE(whole_range_leaves_nothing_to_do),
	KUNIT_CASE(other_ranges_stay_free),
	KUNIT_CASE(finish_twice_or_nothing),
	KUNIT_CASE(finish_cannot_fail),
	KUNIT_CASE(release_before_it_is_finished),
	KUNIT_CASE(unfinished_action_is_refused),
	KUNIT_CASE(refused_request_changes_nothing),
	KUNIT_CASE(region_of_an_unfinished_action_stays),
	{}
};

static struct kunit_suite range_deferred_suite = {
	.name = "theseus_mm_range_deferred",
	.init = init_case,
	.exit = exit_case,
	.test_cases = range_deferred_cases,
};

kunit_test_suite(range_deferred_suite);
