// SPDX-License-Identifier: GPL-2.0
#include "alloc/account.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/chunk.h"
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_split.h"

#include <linux/jiffies.h>
#include <linux/kthread.h>

/* Two children of one parent. */
struct family {
	struct tmm_account *parent;	/* limit 10 */
	struct tmm_account *child;	/* limit 6 */
	struct tmm_account *sibling;	/* no limit */
};

/* The resource that most cases charge. An account treats all resources alike. */
#define OF	TMM_RESOURCE_FRAMES

/* Each resource gets the limit @max. */
static struct tmm_account *create_account(struct tmm_account *parent, u64 max)
{
	const u64 limits[TMM_NR_RESOURCES] = { max, max, max };

	return tmm_account_create(parent, limits);
}

static int move_charge(struct tmm_account *from, struct tmm_account *to, u64 nr)
{
	const u64 nrs[TMM_NR_RESOURCES] = { [OF] = nr };

	return tmm_account_move(from, to, nrs);
}

static struct family make_family(struct kunit *test)
{
	struct family f = { .parent = create_account(NULL, 10) };

	KUNIT_ASSERT_NOT_NULL(test, f.parent);
	f.child = create_account(f.parent, 6);
	f.sibling = tmm_account_create(f.parent, NULL);
	KUNIT_ASSERT_NOT_NULL(test, f.child);
	KUNIT_ASSERT_NOT_NULL(test, f.sibling);
	return f;
}

/*
 * No charge may be left: if an account is freed while something is charged to it, the module
 * reports a bug.
 */
static void put_family(struct kunit *test, struct family *f)
{
	KUNIT_EXPECT_EQ(test, tmm_account_count(f->parent, OF), 0);
	/* The children hold references to the parent. */
	tmm_account_put(f->parent);
	tmm_account_put(f->child);
	tmm_account_put(f->sibling);
}

#define EXPECT_COUNTS(test, f, _parent, _child, _sibling)			\
do {										\
	KUNIT_EXPECT_EQ(test, tmm_account_count((f).parent, OF), _parent);	\
	KUNIT_EXPECT_EQ(test, tmm_account_count((f).child, OF), _child);	\
	KUNIT_EXPECT_EQ(test, tmm_account_count((f).sibling, OF), _sibling);	\
} while (0)

static void charge_counts_in_the_parent_too(struct kunit *test)
{
	struct family f = make_family(test);

	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 5), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.sibling, OF, 4), 0);
	EXPECT_COUNTS(test, f, 9, 5, 4);
	/* the first charge exceeds the child's own limit, the second the parent's */
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.sibling, OF, 2), -EDQUOT);
	EXPECT_COUNTS(test, f, 9, 5, 4);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.sibling, OF, 1), -EDQUOT);
	EXPECT_COUNTS(test, f, 10, 6, 4);
	tmm_account_uncharge(f.child, OF, 6);
	EXPECT_COUNTS(test, f, 4, 0, 4);
	tmm_account_uncharge(f.sibling, OF, 4);
	put_family(test, &f);
}

static void charge_does_not_overflow(struct kunit *test)
{
	struct tmm_account *account = create_account(NULL, TMM_NO_LIMIT);

	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(account, OF, U64_MAX), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(account, OF, S64_MAX), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(account, OF, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(account, OF, U64_MAX), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge_beyond(account, OF, 1, U64_MAX), -EDQUOT);
	tmm_account_uncharge(account, OF, S64_MAX);
	tmm_account_put(account);
}

static void charge_without_an_account_succeeds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_account_charge(NULL, OF, U64_MAX), 0);
	tmm_account_uncharge(NULL, OF, 1);
	tmm_account_put(NULL);
}

/* A try changes nothing if there is no room, and does not note a refusal. */
static void try_charge_is_not_noted(struct kunit *test)
{
	struct family f = make_family(test);

	KUNIT_EXPECT_TRUE(test, tmm_account_try_charge(f.child, OF, 5));
	EXPECT_COUNTS(test, f, 5, 5, 0);
	KUNIT_EXPECT_FALSE(test, tmm_account_try_charge(f.child, OF, S64_MAX));
	EXPECT_COUNTS(test, f, 5, 5, 0);
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(f.child), 0);
	tmm_account_uncharge(f.child, OF, 5);
	put_family(test, &f);
}

static void charge_beyond_allows_for_a_coming_release(struct kunit *test)
{
	struct family f = make_family(test);

	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 6), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge_beyond(f.child, OF, 2, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge_beyond(f.child, OF, 2, 2), 0);
	EXPECT_COUNTS(test, f, 8, 8, 0);
	tmm_account_uncharge(f.child, OF, 8);
	put_family(test, &f);
}

static void limit_below_the_count(struct kunit *test)
{
	struct family f = make_family(test);

	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 5), 0);
	f.child->own_max[OF] = 2;
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 0), 0);
	EXPECT_COUNTS(test, f, 5, 5, 0);
	tmm_account_uncharge(f.child, OF, 4);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 1), 0);
	tmm_account_uncharge(f.child, OF, 2);
	put_family(test, &f);
}

/*
 * A move between two children succeeds even if their parent is at its limit. The move fails if
 * the child that is charged would exceed its own limit.
 */
static void move_does_not_charge_the_common_parent(struct kunit *test)
{
	struct family f = make_family(test);

	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.sibling, OF, 10), 0);
	KUNIT_EXPECT_EQ(test, move_charge(f.sibling, f.child, 7), -EDQUOT);
	EXPECT_COUNTS(test, f, 10, 0, 10);
	KUNIT_EXPECT_EQ(test, move_charge(f.sibling, f.child, 6), 0);
	EXPECT_COUNTS(test, f, 10, 6, 4);
	KUNIT_EXPECT_EQ(test, move_charge(f.child, f.child, 6), 0);
	EXPECT_COUNTS(test, f, 10, 6, 4);
	tmm_account_uncharge(f.child, OF, 6);
	tmm_account_uncharge(f.sibling, OF, 4);
	put_family(test, &f);
}

static void move_to_another_family(struct kunit *test)
{
	struct family f = make_family(test), g = make_family(test);

	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 6), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(g.sibling, OF, 7), 0);
	/* the charge would exceed the limit of the other parent */
	KUNIT_EXPECT_EQ(test, move_charge(f.child, g.child, 4), -EDQUOT);
	EXPECT_COUNTS(test, f, 6, 6, 0);
	EXPECT_COUNTS(test, g, 7, 0, 7);
	KUNIT_EXPECT_EQ(test, move_charge(f.child, g.child, 3), 0);
	EXPECT_COUNTS(test, f, 3, 3, 0);
	EXPECT_COUNTS(test, g, 10, 3, 7);
	tmm_account_uncharge(f.child, OF, 3);
	tmm_account_uncharge(g.child, OF, 3);
	tmm_account_uncharge(g.sibling, OF, 7);
	put_family(test, &f);
	put_family(test, &g);
}

/* Two threads charge one account. @max_seen must not exceed the account's limit. */
struct race {
	struct tmm_account *account;
	u64 nr_charged;
	u64 max_seen;
};

static void charge_and_uncharge(struct race *race)
{
	u64 nr = 1 + race->nr_charged % 3;

	if (!tmm_account_charge(race->account, OF, nr)) {
		tmm_test_count(race->nr_charged);
		race->max_seen = max(race->max_seen, tmm_account_count(race->account->parent, OF));
		tmm_account_uncharge(race->account, OF, nr);
	}
}

static int charge_all_the_time(void *context)
{
	while (!kthread_should_stop()) {
		charge_and_uncharge(context);
		cond_resched();
	}
	return 0;
}

/* On a busy machine, half a second may be too short. */
static bool both_have_charged(const struct race *ours, const struct race *theirs)
{
	return ours->nr_charged && READ_ONCE(theirs->nr_charged);
}

static void two_threads_stay_within_the_limit(struct kunit *test)
{
	struct race *theirs = tmm_test_kvzalloc(test, sizeof(*theirs));
	unsigned long start = jiffies;
	struct task_struct *task;
	struct race ours = {};
	struct family f;

	tmm_test_need_second_cpu(test);
	f = make_family(test);
	f.parent->own_max[OF] = 3;
	ours.account = f.sibling;
	theirs->account = f.child;
	task = tmm_test_thread_start(test, charge_all_the_time, theirs);
	while (time_before(jiffies, start + HZ / 2) ||
	       (!both_have_charged(&ours, theirs) && time_before(jiffies, start + 30 * HZ))) {
		charge_and_uncharge(&ours);
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_GT(test, ours.nr_charged, 0);
	KUNIT_EXPECT_GT(test, theirs->nr_charged, 0);
	KUNIT_EXPECT_LE(test, max(ours.max_seen, theirs->max_seen), 3);
	EXPECT_COUNTS(test, f, 0, 0, 0);
	put_family(test, &f);
}

/* --- waiters ------------------------------------------------------------------------ */

static u64 nr_releases(void)
{
	struct tmm_waiters_counts now;

	tmm_waiters_read(&now);
	return now.nr[OF];
}

/* The refusal is recorded in the account that was to be charged, not in its parent. */
static void uncharging_wakes(struct kunit *test)
{
	struct family f = make_family(test);
	u64 nr = nr_releases();

	tmm_waiters_join();
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 6), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_charge(f.child, OF, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_check(f.sibling, OF, 5, 0), -EDQUOT);
	/* a refused call has charged nothing, so it causes no release */
	KUNIT_EXPECT_EQ(test, nr_releases(), nr);
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(f.child), BIT(OF));
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(f.child), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(f.sibling), BIT(OF));
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(f.parent), 0);
	KUNIT_EXPECT_EQ(test, move_charge(f.child, f.sibling, 6), 0);
	KUNIT_EXPECT_GT(test, nr_releases(), nr);
	nr = nr_releases();
	tmm_account_uncharge(f.sibling, OF, 6);
	KUNIT_EXPECT_GT(test, nr_releases(), nr);
	nr = nr_releases();
	tmm_account_set_max(f.child, OF, 5);
	KUNIT_EXPECT_EQ(test, nr_releases(), nr);
	tmm_account_set_max(f.child, OF, 6);
	KUNIT_EXPECT_GT(test, nr_releases(), nr);
	tmm_waiters_leave();
	put_family(test, &f);
}

/* --- frames ------------------------------------------------------------------------ */

static struct tmm_allocated_frames *take_charged(struct kunit *test, struct tmm_account *account,
						 u64 nr)
{
	struct tmm_allocation_request req = tmm_request_any(nr);
	struct tmm_allocated_frames *frames;

	req.account = account;
	frames = tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	return frames;
}

static void frames_are_charged_until_they_are_free(struct kunit *test)
{
	struct family f = make_family(test);
	struct tmm_allocated_frames *frames = take_charged(test, f.child, 6), *second;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, frames->f.chunk.start + 2,
							    &second), 0);
	EXPECT_COUNTS(test, f, 6, 6, 0);
	tmm_allocated_frames_drop(&frames);
	EXPECT_COUNTS(test, f, 4, 4, 0);
	/* lent frames stay charged until the last borrower has returned them */
	frames = second;
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	tmm_allocated_frames_drop(&second);
	EXPECT_COUNTS(test, f, 4, 4, 0);
	tmm_allocated_frames_unborrow(frames);
	put_family(test, &f);
}

static void frames_are_merged_within_an_account(struct kunit *test)
{
	struct family f = make_family(test);
	struct tmm_allocated_frames *frames = take_charged(test, f.child, 6), *second, *third;
	const u64 start = frames->f.chunk.start;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, start + 2, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(second, start + 4, &third), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &second), 0);
	EXPECT_COUNTS(test, f, 6, 6, 0);
	KUNIT_ASSERT_EQ(test, move_charge(f.child, f.sibling, 2), 0);
	tmm_chunk_set_account(&third->f.chunk, f.sibling);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &third), -EMEDIUMTYPE);
	KUNIT_EXPECT_NOT_NULL(test, third);
	tmm_allocated_frames_drop(&frames);
	EXPECT_COUNTS(test, f, 2, 0, 2);
	tmm_allocated_frames_drop(&third);
	put_family(test, &f);
}

/* --- mappings ---------------------------------------------------------------------- */

#define NR_PAGES 4

/* The pages lie on both sides of a boundary between two tables. */
static struct tmm_allocated_pages *take_charged_pages(struct kunit *test,
						      struct tmm_account *account)
{
	struct tmm_allocation_request req =
		tmm_request_at(tmm_private_first_page() + 510, NR_PAGES);
	struct tmm_allocated_pages *pages;

	req.account = account;
	pages = tmm_page_allocator_allocate(&tmm_test_inst(test)->pa, &req);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pages));
	return pages;
}

/* The account of the pages is charged for the frames and the tables too. */
static struct tmm_mapped_pages *map_charged(struct kunit *test, struct tmm_account *account)
{
	struct tmm_allocated_pages *pages = take_charged_pages(test, account);
	struct tmm_mapped_pages *mp =
		tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_TEST_WRITABLE, true);

	KUNIT_ASSERT_FALSE(test, IS_ERR(mp));
	KUNIT_EXPECT_EQ(test, mp->nr_tables, tmm_test_nr_tables(test));
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_PAGES), NR_PAGES);
	return mp;
}

static void mapping_is_charged_with_its_tables(struct kunit *test)
{
	struct tmm_account *account = create_account(NULL, TMM_NO_LIMIT);
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp, *half;
	LIST_HEAD(frames);
	u64 nr;

	KUNIT_ASSERT_NOT_NULL(test, account);
	mp = map_charged(test, account);
	nr = tmm_test_nr_tables(test);
	KUNIT_EXPECT_GE(test, nr, 4);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), NR_PAGES + nr);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, tmm_private_first_page() + 511, &half), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), NR_PAGES + nr);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &half), 0);
	KUNIT_EXPECT_EQ(test, mp->nr_tables, nr);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, tmm_private_first_page() + 511, &half), 0);
	tmm_mapped_pages_drop(&half);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), 1 + nr);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &frames), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), 1);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_PAGES), NR_PAGES - 3);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_frames_drop_list(&frames);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), 0);
	tmm_account_put(account);
}

/* The limit grows by one frame a step, and suffices at the last step only. */
static void tables_are_refused_at_the_limit(struct kunit *test)
{
	struct tmm_account *account = create_account(NULL, NR_PAGES);
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_NOT_NULL(test, account);
	pages = take_charged_pages(test, account);
	while ((mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_TEST_WRITABLE,
					     true)) == ERR_PTR(-EDQUOT)) {
		KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), 0);
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
		account->own_max[OF]++;
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(mp));
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), NR_PAGES + mp->nr_tables);
	KUNIT_EXPECT_EQ(test, account->own_max[OF], NR_PAGES + mp->nr_tables);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, OF), 0);
	tmm_account_put(account);
}

/* A dropped mapping of a client that has ended stays charged until its last borrow ends. */
static void mapping_outlives_its_client(struct kunit *test)
{
	struct family f = { .parent = create_account(NULL, 100) };
	struct tmm_mapped_pages *mp;
	struct tmm_borrow borrow;

	KUNIT_ASSERT_NOT_NULL(test, f.parent);
	f.child = create_account(f.parent, 100);
	KUNIT_ASSERT_NOT_NULL(test, f.child);
	mp = map_charged(test, f.child);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, false, &borrow), 0);
	tmm_account_put(f.child);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_GT(test, tmm_account_count(f.parent, OF), NR_PAGES);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_account_count(f.parent, OF), 0);
	tmm_account_put(f.parent);
}

static void mapping_moves_to_another_account(struct kunit *test)
{
	struct tmm_account *from = create_account(NULL, 100);
	struct tmm_account *to = create_account(NULL, NR_PAGES);
	struct tmm_mapped_pages *mp;
	u64 nr;

	KUNIT_ASSERT_NOT_NULL(test, from);
	KUNIT_ASSERT_NOT_NULL(test, to);
	mp = map_charged(test, from);
	nr = NR_PAGES + tmm_test_nr_tables(test);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_move_account(mp, to), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_count(from, OF), nr);
	KUNIT_EXPECT_EQ(test, tmm_account_count(to, OF), 0);
	to->own_max[OF] = nr;
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_move_account(mp, to), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_count(from, OF), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_count(to, OF), nr);
	tmm_account_put(from);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_account_count(to, OF), 0);
	tmm_account_put(to);
}

static void move_that_one_resource_forbids_moves_nothing(struct kunit *test)
{
	const u64 nrs[TMM_NR_RESOURCES] = { 3, 4, 11 };
	struct tmm_account *from = create_account(NULL, 20);
	struct tmm_account *to = create_account(NULL, 10);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, from);
	KUNIT_ASSERT_NOT_NULL(test, to);
	for (i = 0; i < TMM_NR_RESOURCES; i++)
		KUNIT_EXPECT_EQ(test, tmm_account_charge(from, i, nrs[i]), 0);
	KUNIT_EXPECT_EQ(test, tmm_account_move(from, to, nrs), -EDQUOT);
	for (i = 0; i < TMM_NR_RESOURCES; i++) {
		KUNIT_EXPECT_EQ(test, tmm_account_count(from, i), nrs[i]);
		KUNIT_EXPECT_EQ(test, tmm_account_count(to, i), 0);
		tmm_account_uncharge(from, i, nrs[i]);
	}
	tmm_account_put(from);
	tmm_account_put(to);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(charge_counts_in_the_parent_too),
	KUNIT_CASE(charge_does_not_overflow),
	KUNIT_CASE(charge_without_an_account_succeeds),
	KUNIT_CASE(try_charge_is_not_noted),
	KUNIT_CASE(charge_beyond_allows_for_a_coming_release),
	KUNIT_CASE(limit_below_the_count),
	KUNIT_CASE(move_does_not_charge_the_common_parent),
	KUNIT_CASE(move_to_another_family),
	KUNIT_CASE(move_that_one_resource_forbids_moves_nothing),
	KUNIT_CASE(two_threads_stay_within_the_limit),
	KUNIT_CASE(uncharging_wakes),
	KUNIT_CASE(frames_are_charged_until_they_are_free),
	KUNIT_CASE(frames_are_merged_within_an_account),
	KUNIT_CASE(mapping_is_charged_with_its_tables),
	KUNIT_CASE(tables_are_refused_at_the_limit),
	KUNIT_CASE(mapping_outlives_its_client),
	KUNIT_CASE(mapping_moves_to_another_account),
	{}
};

static struct kunit_suite account_suite = {
	.name = "theseus_mm_account",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = account_cases,
};

kunit_test_suite(account_suite);
