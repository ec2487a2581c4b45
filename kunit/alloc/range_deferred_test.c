// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "support/range_fixture.h"
#include "support/invariants.h"

#include <linux/err.h>
#include <linux/spinlock.h>
#include <linux/string.h>

/* Under this lock nothing may sleep, but other spinlocks may be taken, also with PREEMPT_RT. */
static DEFINE_SPINLOCK(no_sleep);

/* Allocates where nothing may sleep, and expects no allocation from Linux's heap. */
static struct tmm_chunk *try_deferred(struct kunit *test, struct tmm_allocation_request req,
				      struct tmm_deferred_action *action)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk;

	tmm_test_fail_alloc(test, 1);
	spin_lock(&no_sleep);
	chunk = tmm_range_request_allocate_deferred(&tr->ra, &req, &region, action);
	spin_unlock(&no_sleep);
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

static void finish_action(struct kunit *test, struct tmm_deferred_action *action)
{
	struct tmm_test_ranges *tr = test->priv;

	tmm_deferred_action_finish(action);
	tmm_check_range_allocator(test, &tr->ra);
}

struct deferred_param {
	const char *name;
	u64 first;		/* first of the 10 chunks to allocate in [100, 200) */
	unsigned int nr_owed;
};

static const struct deferred_param deferred_params[] = {
	{ "at the beginning", 100, 1 },
	{ "one after the beginning", 101, 2 },
	{ "in the middle", 150, 2 },
	{ "one before the end", 189, 2 },
	{ "at the end", 190, 1 },
};

TMM_ARRAY_PARAM(deferred, deferred_params);

/*
 * After a deferred allocation, the allocator has the same state as after an ordinary one, except
 * that its reserve of objects is smaller until the action is finished.
 */
static void deferred_situations(struct kunit *test)
{
	const struct deferred_param *p = test->param_value;
	struct tmm_allocation_request req = tmm_request_at(p->first, 10);
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 plain;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = tmm_test_ranges_take(test, req, p->first);
	plain = tmm_test_ranges_fingerprint(test);
	tmm_test_ranges_release(test, chunk);

	chunk = take_deferred(test, req, p->first, &action);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), plain);
	KUNIT_EXPECT_EQ(test, action.nr_owed, p->nr_owed);
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, TMM_NR_RESERVE - p->nr_owed);
	tmm_test_ranges_refuse(test, req, -EADDRINUSE);
	finish_action(test, &action);
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, TMM_NR_RESERVE);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), plain);
	tmm_test_ranges_release(test, chunk);
}

/* While an action is unfinished, others can allocate all chunks except the run of the action. */
static void others_allocate_while_an_action_is_unfinished(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk, *before, *after, *all;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	before = tmm_test_ranges_take(test, tmm_request_any(50), 100);
	after = tmm_test_ranges_take(test, tmm_request_at(199, 1), 199);
	all = tmm_test_ranges_take(test, tmm_request_any(39), 160);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_free(&tr->regions[0].free), 0);
	tmm_test_ranges_release(test, before);
	tmm_test_ranges_release(test, after);
	finish_action(test, &action);
	tmm_test_ranges_release(test, all);
	tmm_test_ranges_release(test, chunk);
}

static void whole_range_leaves_nothing_to_do(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_any(100), 100, &action);
	KUNIT_EXPECT_EQ(test, action.nr_owed, 0);
	before = tmm_test_ranges_fingerprint(test);
	finish_action(test, &action);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	tmm_test_ranges_release(test, chunk);
}

static void used_up_reserve_is_refilled(struct kunit *test)
{
	struct tmm_deferred_action actions[TMM_NR_RESERVE / 2 + 1] = {};
	struct tmm_chunk *chunks[TMM_NR_RESERVE / 2 + 1], *none;
	struct tmm_test_ranges *tr = test->priv;
	const unsigned int last = TMM_NR_RESERVE / 2;
	unsigned int i;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 1000);
	for (i = 0; i < last; i++)
		chunks[i] = take_deferred(test, tmm_request_at(110 + 20 * i, 10), 110 + 20 * i,
					  &actions[i]);
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, 0);
	before = tmm_test_ranges_fingerprint(test);
	none = try_deferred(test, tmm_request_at(1000, 10), &actions[last]);
	KUNIT_EXPECT_EQ(test, PTR_ERR(none), -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&actions[last], 0, sizeof(actions[last])), NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	finish_action(test, &actions[0]);
	chunks[last] = take_deferred(test, tmm_request_at(1000, 10), 1000, &actions[last]);
	for (i = 0; i <= last; i++) {
		finish_action(test, &actions[i]);
		tmm_test_ranges_release(test, chunks[i]);
	}
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, TMM_NR_RESERVE);
}

/*
 * If a region is added before the action is finished, the addition fills the reserve. The action
 * then adds no object to the reserve.
 */
static void filled_reserve_takes_no_more(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 300, 100);
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, TMM_NR_RESERVE);
	finish_action(test, &action);
	KUNIT_EXPECT_EQ(test, tr->ra.nr_reserve, TMM_NR_RESERVE);
	tmm_test_ranges_release(test, chunk);
}

static void finish_twice_or_nothing(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;
	u64 before;

	finish_action(test, &action);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	finish_action(test, &action);
	before = tmm_test_ranges_fingerprint(test);
	finish_action(test, &action);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	/* A finished action can be used again. */
	tmm_test_ranges_release(test, take_deferred(test, tmm_request_at(110, 10), 110, &action));
	finish_action(test, &action);
	tmm_test_ranges_release(test, chunk);
}

/* In Theseus, finishing an action panics if there is no room for the rest of the range. */
static void finish_cannot_fail(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_chunk *chunk;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	tmm_test_fail_alloc(test, 1);
	tmm_deferred_action_finish(&action);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, action.nr_owed, 0);
	tmm_test_ranges_release(test, chunk);
}

static void release_before_it_is_finished(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	before = tmm_test_ranges_fingerprint(test);
	tmm_test_ranges_release(test, take_deferred(test, tmm_request_at(150, 10), 150, &action));
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	finish_action(test, &action);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
}

static void unfinished_action_is_refused(struct kunit *test)
{
	struct tmm_deferred_action action = {}, same;
	struct tmm_chunk *chunk;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 300, 100);
	chunk = take_deferred(test, tmm_request_at(150, 10), 150, &action);
	same = action;
	before = tmm_test_ranges_fingerprint(test);
	KUNIT_EXPECT_EQ(test, PTR_ERR(try_deferred(test, tmm_request_any(5), &action)), -EBUSY);
	KUNIT_EXPECT_EQ(test, memcmp(&action, &same, sizeof(same)), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	finish_action(test, &action);
	tmm_test_ranges_release(test, chunk);
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
	struct tmm_deferred_action action = {};
	struct tmm_chunk *owned;
	unsigned int i;
	u64 before;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	owned = tmm_test_ranges_take(test, tmm_request_at(150, 1), 150);
	before = tmm_test_ranges_fingerprint(test);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_chunk *none = try_deferred(test, refused[i].req, &action);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(none), refused[i].err, "request %u", i);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&action, 0, sizeof(action)), NULL);
		KUNIT_EXPECT_EQ(test, tmm_test_ranges_fingerprint(test), before);
	}
	tmm_test_ranges_release(test, owned);
}

/* An unfinished action does not prevent the removal of the region. */
static void region_is_removed_before_an_action_is_finished(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;
	struct tmm_deferred_action action = {};

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	tmm_test_ranges_release(test, take_deferred(test, tmm_request_at(150, 10), 150, &action));
	KUNIT_EXPECT_EQ(test, tmm_range_allocator_remove(&tr->ra, &tr->regions[0]), 0);
	finish_action(test, &action);
}

static struct kunit_case range_deferred_cases[] = {
	KUNIT_CASE_PARAM(deferred_situations, deferred_gen_params),
	KUNIT_CASE(whole_range_leaves_nothing_to_do),
	KUNIT_CASE(others_allocate_while_an_action_is_unfinished),
	KUNIT_CASE(used_up_reserve_is_refilled),
	KUNIT_CASE(filled_reserve_takes_no_more),
	KUNIT_CASE(finish_twice_or_nothing),
	KUNIT_CASE(finish_cannot_fail),
	KUNIT_CASE(release_before_it_is_finished),
	KUNIT_CASE(unfinished_action_is_refused),
	KUNIT_CASE(refused_request_changes_nothing),
	KUNIT_CASE(region_is_removed_before_an_action_is_finished),
	{}
};

static struct kunit_suite range_deferred_suite = {
	.name = "theseus_mm_range_deferred",
	.init = tmm_test_ranges_init,
	.exit = tmm_test_ranges_exit,
	.test_cases = range_deferred_cases,
};

kunit_test_suite(range_deferred_suite);
