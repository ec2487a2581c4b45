// SPDX-License-Identifier: GPL-2.0
/*
 * Magazines of a frame allocator and of a page allocator: chunks in magazines are free for every
 * kind of request. kunit/walk/ has the races.
 */
#include "alloc/magazine.h"

#include "alloc/account.h"
#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/magazine_home.h"
#include "alloc/table_frames.h"
#include "support/frames_fixture.h"
#include "support/invariants.h"
#include "support/pages_fixture.h"

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/sched.h>

#define FIRST	1024
#define NR	2048

/*
 * General frames [FIRST, FIRST + NR), which begin at a multiple of 2 MiB, and reserved ones. The
 * case stays on one CPU, whose home has the first frames.
 */
static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);

	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id())), 0);
	test->priv = tf;
	tmm_test_frames_add_backed(test, tf, TMM_REGION_GENERAL, FIRST, NR);
	tmm_test_frames_add(test, tf, TMM_REGION_RESERVED, FIRST + NR, 10);
	return tmm_magazines_create(&tf->fa.ra);
}

static void exit_case(struct kunit *test)
{
	if (!test->priv)
		return;
	tmm_bad_frames_end(tmm_test_fa(test));
	tmm_test_frames_destroy(test, test->priv);
}

static u64 nr_cached(struct kunit *test)
{
	return tmm_magazines_nr(&tmm_test_fa(test)->ra);
}

/* Free frames, without emptying the magazines. */
static u64 nr_in_set(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;

	tmm_check_frame_allocator(test, &tf->fa);
	return tmm_free_set_nr_free(&tf->regions[0].range.free);
}

static u64 nr_free(struct kunit *test)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&tmm_test_fa(test)->ra, &totals);
	return totals.nr_free;
}

/* Leaves a few frames in the magazine of a CPU; the first ones of the region. */
static void cache_some(struct kunit *test)
{
	struct tmm_allocated_frames *one;

	tmm_magazines_empty(&tmm_test_fa(test)->ra);
	one = tmm_test_frames_take_any(test, 1);
	KUNIT_EXPECT_EQ(test, one->f.chunk.start, FIRST);
	tmm_allocated_frames_drop(&one);
	KUNIT_EXPECT_GE(test, nr_cached(test), 2);
	KUNIT_EXPECT_EQ(test, nr_cached(test) + nr_in_set(test), NR);
}

static void single_frames_come_from_a_magazine(struct kunit *test)
{
	u64 before = tmm_test_frames_fingerprint(test);
	struct tmm_allocated_frames *frames[3];
	u64 nr_set;
	unsigned int i;

	migrate_disable();
	cache_some(test);
	frames[0] = tmm_test_frames_take_any(test, 1);
	nr_set = nr_in_set(test);
	for (i = 1; i < 3; i++) {
		frames[i] = tmm_test_frames_take_any(test, 1);
		KUNIT_EXPECT_EQ(test, frames[i]->f.chunk.start, frames[0]->f.chunk.start + i);
		KUNIT_EXPECT_EQ(test, frames[i]->f.state, TMM_STATE_ALLOCATED);
	}
	KUNIT_EXPECT_EQ(test, nr_in_set(test), nr_set);
	for (i = 0; i < 3; i++)
		tmm_allocated_frames_drop(&frames[i]);
	KUNIT_EXPECT_EQ(test, nr_in_set(test), nr_set);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

/* Each request needs a frame that is in a magazine. */
static void requests_find_cached_frames(struct kunit *test)
{
	const struct tmm_allocation_request reqs[] = {
		tmm_request_any(NR),
		tmm_request_aligned(512, NR),
		tmm_request_at(FIRST, 1),
		tmm_request_at(FIRST + 1, NR - 1),
		tmm_request_in_range(FIRST, FIRST, 1),
		tmm_request_in_range(FIRST, FIRST + 7, 8),
	};
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		cache_some(test);
		frames = tmm_test_frames_take(test, test->priv, reqs[i]);
		tmm_check_frame_allocator(test, tmm_test_fa(test));
		tmm_allocated_frames_drop(&frames);
		cache_some(test);
		frames = tmm_frame_allocator_allocate_deferred(tmm_test_fa(test), &reqs[i],
							       &action);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
		tmm_allocated_frames_drop(&frames);
		tmm_deferred_action_finish(&action);
	}
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

static bool choose_first(const struct tmm_free_frames *frames, void *context,
			 struct tmm_allocation_request *req)
{
	u64 *nr = context;

	*nr = tmm_frames_nr(&frames->f);
	*req = tmm_request_at(frames->f.chunk.start, 1);
	return true;
}

static void inspection_sees_cached_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames;
	u64 nr = 0;

	cache_some(test);
	frames = tmm_frame_allocator_inspect_then_allocate(tmm_test_fa(test), choose_first, &nr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_EQ(test, frames->f.chunk.start, FIRST);
	KUNIT_EXPECT_EQ(test, nr, NR);
	tmm_allocated_frames_drop(&frames);
}

/* The last free frame is in a magazine, and a request for a single frame gets it on any CPU. */
static void last_frames_are_cached(struct kunit *test)
{
	struct tmm_allocated_frames *rest, *frames;
	u64 number, nr;
	int err;

	cache_some(test);
	nr = nr_cached(test);
	rest = tmm_test_frames_take_at(test, FIRST + nr, NR - nr);
	KUNIT_EXPECT_EQ(test, nr_in_set(test), 0);
	for (err = 0; nr; nr--) {
		err = tmm_table_frames_take(tmm_test_fa(test), &number);
		if (err)
			break;
		tmm_table_frames_give(tmm_test_fa(test), number);
		frames = tmm_test_frames_take_any(test, 1);
		list_add(&frames->f.link, &rest->f.link);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, tmm_table_frames_take(tmm_test_fa(test), &number), -ENOSPC);
	while (!list_empty(&rest->f.link)) {
		frames = list_first_entry(&rest->f.link, struct tmm_allocated_frames, f.link);
		list_del_init(&frames->f.link);
		tmm_allocated_frames_drop(&frames);
	}
	tmm_allocated_frames_drop(&rest);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

/* A region of another type serves a request only if no frame of the general region is free. */
static void cached_frames_come_before_other_regions(struct kunit *test)
{
	struct tmm_allocated_frames *rest, *frames;
	u64 nr;

	tmm_test_frames_add(test, test->priv, TMM_REGION_DESIGNATED, 1, 600);
	cache_some(test);
	nr = nr_cached(test);
	rest = tmm_test_frames_take_at(test, FIRST + nr, NR - nr);
	frames = tmm_test_frames_take_any(test, nr);
	KUNIT_EXPECT_EQ(test, frames->f.chunk.start, FIRST);
	tmm_allocated_frames_drop(&frames);
	frames = tmm_test_frames_take_any(test, nr + 1);
	KUNIT_EXPECT_EQ(test, frames->f.chunk.start, 1);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&rest);
}

static void full_magazine_gives_joined_runs_back(struct kunit *test)
{
	u64 before = tmm_test_frames_fingerprint(test);
	static struct tmm_allocated_frames *frames[300];
	struct tmm_test_frames *tf = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = tmm_test_frames_take_any(test, 1);
	migrate_disable();
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		tmm_allocated_frames_drop(&frames[i]);
	migrate_enable();
	KUNIT_EXPECT_GE(test, nr_in_set(test), NR - num_possible_cpus() * TMM_MAGAZINE_SIZE);
	/* Most frames came back in runs: the first ones are neighbours of the rest. */
	KUNIT_EXPECT_LE(test, tmm_free_set_nr_ranges(&tf->regions[0].range.free), 8);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
}

static void account_is_charged_exactly(struct kunit *test)
{
	const u64 max[TMM_NR_RESOURCES] = { [TMM_RESOURCE_FRAMES] = 1 };
	struct tmm_account *account = tmm_account_create(NULL, max);
	struct tmm_allocation_request req = tmm_request_any(1);
	struct tmm_allocated_frames *frames, *refused;

	KUNIT_ASSERT_NOT_NULL(test, account);
	cache_some(test);
	req.account = account;
	frames = tmm_test_frames_take(test, test->priv, req);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_FRAMES), 1);
	refused = tmm_frame_allocator_allocate(tmm_test_fa(test), &req);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(refused), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tmm_account_take_refusals(account), BIT(TMM_RESOURCE_FRAMES));
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_FRAMES), 0);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
	KUNIT_EXPECT_EQ(test, kref_read(&account->kref), 1);
	tmm_account_put(account);
}

/* Without memory for a filling, the frame comes from the free set, or the request fails. */
static void filling_may_fail(struct kunit *test)
{
	const struct tmm_allocation_request req = tmm_request_any(1);
	struct tmm_allocated_frames *frames;
	unsigned int nth;

	for (nth = 1;; nth++) {
		tmm_test_fail_alloc(test, nth);
		frames = tmm_frame_allocator_allocate(tmm_test_fa(test), &req);
		if (!tmm_test_fail_alloc_end())
			break;
		if (IS_ERR(frames))
			KUNIT_EXPECT_EQ(test, PTR_ERR(frames), -ENOMEM);
		tmm_allocated_frames_drop(&frames);
		tmm_magazines_empty(&tmm_test_fa(test)->ra);
		KUNIT_EXPECT_EQ(test, nr_in_set(test), NR);
	}
	KUNIT_EXPECT_GE(test, nth, 2);
	tmm_allocated_frames_drop(&frames);
	tmm_magazines_open_drain(&tmm_test_fa(test)->ra);
	tmm_test_fail_alloc(test, 1);
	frames = tmm_frame_allocator_allocate(tmm_test_fa(test), &req);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	tmm_magazines_close_drain(&tmm_test_fa(test)->ra);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(frames), -ENOMEM);
	tmm_allocated_frames_drop(&frames);
}

/* Only frames of general regions that are not bad enter a magazine. */
static void some_frames_are_not_cached(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, FIRST + NR, 1);
	struct tmm_allocated_frames *last;

	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	/* The frame shares its mark with its block, which has one owner. */
	frames = tmm_test_frames_take_at(test, FIRST, 1024);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, FIRST + 1023, &last), 0);
	tmm_allocated_frames_drop(&last);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(tmm_test_fa(test), FIRST + 3), 0);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	frames = tmm_test_frames_take_any(test, 1);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(tmm_test_fa(test), frames->f.chunk.start), 0);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->nr_retired, 2);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 2);
}

static void cached_frame_goes_bad(struct kunit *test)
{
	struct tmm_allocated_frames *frames;
	unsigned int i;

	cache_some(test);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(tmm_test_fa(test), FIRST + 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fa(test)->nr_retired, 1);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR - 1);
	for (i = 0; i < 100; i++) {
		frames = tmm_test_frames_take_any(test, 1);
		KUNIT_EXPECT_NE(test, frames->f.chunk.start, FIRST + 1);
		tmm_allocated_frames_drop(&frames);
	}
}

/* When all frames of a block are free again, the frame table has one mark for the block. */
static void free_blocks_are_whole(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	const struct tmm_frame_table *table = &tf->regions[0].table;
	const u64 block = (FIRST - table->base) / 512;

	cache_some(test);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][block], TMM_MARK_MIXED);
	tmm_magazines_empty(&tf->fa.ra);
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][block], TMM_MARK_FREE);
}

/* Single frames, merged into a run that has a whole block, have one mark in the frame table. */
static void merged_frames_are_whole_blocks(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	const struct tmm_frame_table *table = &tf->regions[0].table;
	struct tmm_allocated_frames *all = tmm_test_frames_take_any(test, 1), *next;
	struct tmm_mapped_frames *mapped;
	struct tmm_unmapped_frames *unmapped;
	u64 i;

	for (i = 1; i < 512; i++) {
		next = tmm_test_frames_take_at(test, FIRST + i, 1);
		KUNIT_ASSERT_EQ(test, tmm_allocated_frames_merge(all, &next), 0);
	}
	KUNIT_EXPECT_EQ(test, table->marks[TMM_2M][(FIRST - table->base) / 512],
			TMM_MARK_ALLOCATED);
	mapped = tmm_frames_into_mapped(&all);
	unmapped = tmm_frames_into_unmapped(&mapped);
	all = tmm_frames_into_allocated(&unmapped);
	tmm_check_frame_allocator(test, &tf->fa);
	tmm_allocated_frames_drop(&all);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

/* Each of two owners of one block changes the mark of its own frame. */
static void states_of_single_frames_change_without_the_lock(struct kunit *test)
{
	struct tmm_allocated_frames *a = tmm_test_frames_take_any(test, 1);
	struct tmm_allocated_frames *b = tmm_test_frames_take_any(test, 1);
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	const struct tmm_frame_range range = tmm_frames_range(&a->f);
	u64 counts[TMM_NR_MARKS] = {};
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;

	spin_lock(&fa->ra.lock);
	mapped = tmm_frames_into_mapped(&a);
	spin_unlock(&fa->ra.lock);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(fa, &range, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_MAPPED], 1);
	unmapped = tmm_frames_into_unmapped(&mapped);
	a = tmm_frames_into_allocated(&unmapped);
	tmm_allocated_frames_drop(&a);
	tmm_allocated_frames_drop(&b);
}

static void region_with_cached_frames_is_removed(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;

	cache_some(test);
	KUNIT_ASSERT_EQ(test, tmm_frame_regions_remove(&tf->fa, &tf->regions[0]), 0);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
}

/* While a drain is open, no frame enters a magazine. */
static void drain_keeps_magazines_empty(struct kunit *test)
{
	struct tmm_range_allocator *ra = &tmm_test_fa(test)->ra;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_any(test, 1);

	tmm_magazines_open_drain(ra);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	frames = tmm_test_frames_take_any(test, 1);
	KUNIT_EXPECT_EQ(test, nr_cached(test), 0);
	tmm_magazines_close_drain(ra);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_EQ(test, nr_cached(test) + nr_in_set(test), NR);
}

/* A CPU that goes leaves no frame in its magazine. */
static void cpu_goes(struct kunit *test)
{
	struct tmm_range_allocator *ra = &tmm_test_fa(test)->ra;
	unsigned int cpu = cpumask_last(cpu_online_mask);
	struct tmm_magazine *m;
	int err;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs a second CPU");
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
	cache_some(test);
	m = per_cpu_ptr(ra->magazines.each, cpu);
	KUNIT_EXPECT_GT(test, m->nr, 0);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	err = remove_cpu(cpu);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, m->nr, 0);
	KUNIT_EXPECT_EQ(test, m->home, TMM_NO_HOME);
	if (!err)
		KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
	KUNIT_EXPECT_EQ(test, nr_in_set(test) + nr_cached(test), NR);
}

/*
 * Objects that nobody has owned yet go from a magazine to the free set, become a free run of their
 * own, and are absorbed by their neighbours. The case has an allocator of its own.
 */
static void unused_pages_become_free_runs(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_pages_create(test);
	struct tmm_range_allocator *ra = &tp->pa.ra;
	struct tmm_allocated_pages *before, *after, *one;
	struct tmm_chunk *free;

	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, 1000, 500);
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(ra), 0);
	before = tmm_test_pages_take(test, tp, tmm_request_any(2));
	one = tmm_test_pages_take(test, tp, tmm_request_any(1));
	after = tmm_test_pages_take(test, tp, tmm_request_any(2));
	tmm_allocated_pages_drop(&one);
	tmm_magazines_empty(ra);
	for (free = tmm_free_ranges_first(&tp->regions[0].free.ranges); free;
	     free = tmm_free_ranges_next(free))
		KUNIT_EXPECT_PTR_EQ(test, free->account, NULL);
	tmm_allocated_pages_drop(&before);
	tmm_allocated_pages_drop(&after);
	tmm_test_pages_destroy(test, tp);
}

/*
 * Pages have no marks, and their free set is a tree of ranges. The case has an allocator of its
 * own.
 */
static void pages_come_from_a_magazine(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_pages_create(test);
	struct tmm_allocated_pages *pages[100], *all;
	struct tmm_range_allocator *ra = &tp->pa.ra;
	struct tmm_range_totals totals;
	unsigned int i;

	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, 1000, 500);
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(ra), 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = tmm_test_pages_take(test, tp, tmm_request_any(1));
		tmm_check_range_allocator(test, ra);
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		tmm_allocated_pages_drop(&pages[i]);
		tmm_check_range_allocator(test, ra);
	}
	KUNIT_EXPECT_GT(test, tmm_magazines_nr(ra), 0);
	tmm_range_allocator_totals(ra, &totals);
	KUNIT_EXPECT_EQ(test, totals.nr_free, 500);
	KUNIT_EXPECT_EQ(test, totals.nr_ranges, 1);
	pages[0] = tmm_test_pages_take(test, tp, tmm_request_any(1));
	tmm_allocated_pages_drop(&pages[0]);
	all = tmm_test_pages_take(test, tp, tmm_request_any(500));
	tmm_allocated_pages_drop(&all);
	tmm_test_pages_destroy(test, tp);
}

/*
 * A reversed region is used from its end, also by magazines. Frames have maps, and pages a tree.
 * The case has allocators of its own.
 */
static void reversed_region_is_used_from_its_end(struct kunit *test)
{
	struct tmm_test_frames *tf = tmm_test_frames_create(test);
	struct tmm_test_pages *tp = tmm_test_pages_create(test);
	struct tmm_allocated_frames *frames[20];
	struct tmm_allocated_pages *pages[20];
	unsigned int i;

	tmm_test_frames_add_backed(test, tf, TMM_REGION_GENERAL, FIRST, 100);
	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, 1000, 100);
	tf->regions[0].range.is_reversed = true;
	tp->regions[0].is_reversed = true;
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(&tf->fa.ra), 0);
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(&tp->pa.ra), 0);
	migrate_disable();
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		frames[i] = tmm_test_frames_take(test, tf, tmm_request_any(1));
		pages[i] = tmm_test_pages_take(test, tp, tmm_request_any(1));
		KUNIT_EXPECT_EQ(test, frames[i]->f.chunk.start, FIRST + 99 - i);
		KUNIT_EXPECT_EQ(test, pages[i]->chunk.start, 1099 - i);
		tmm_check_frame_allocator(test, &tf->fa);
		tmm_check_range_allocator(test, &tp->pa.ra);
	}
	migrate_enable();
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		tmm_allocated_frames_drop(&frames[i]);
		tmm_allocated_pages_drop(&pages[i]);
	}
	tmm_test_frames_destroy(test, tf);
	tmm_test_pages_destroy(test, tp);
}

static struct kunit_case magazine_cases[] = {
	KUNIT_CASE(single_frames_come_from_a_magazine),
	KUNIT_CASE(requests_find_cached_frames),
	KUNIT_CASE(inspection_sees_cached_frames),
	KUNIT_CASE(last_frames_are_cached),
	KUNIT_CASE(cached_frames_come_before_other_regions),
	KUNIT_CASE(full_magazine_gives_joined_runs_back),
	KUNIT_CASE(account_is_charged_exactly),
	KUNIT_CASE(filling_may_fail),
	KUNIT_CASE(some_frames_are_not_cached),
	KUNIT_CASE(cached_frame_goes_bad),
	KUNIT_CASE(free_blocks_are_whole),
	KUNIT_CASE(merged_frames_are_whole_blocks),
	KUNIT_CASE(states_of_single_frames_change_without_the_lock),
	KUNIT_CASE(region_with_cached_frames_is_removed),
	KUNIT_CASE(drain_keeps_magazines_empty),
	KUNIT_CASE(cpu_goes),
	KUNIT_CASE(unused_pages_become_free_runs),
	KUNIT_CASE(pages_come_from_a_magazine),
	KUNIT_CASE(reversed_region_is_used_from_its_end),
	{}
};

static struct kunit_suite magazine_suite = {
	.name = "theseus_mm_magazine",
	.init = init_case,
	.exit = exit_case,
	.test_cases = magazine_cases,
};

kunit_test_suite(magazine_suite);
