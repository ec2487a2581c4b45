// SPDX-License-Identifier: GPL-2.0
/* Homes of magazines: single chunks of two CPUs come from different blocks. */
#include "alloc/magazine.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"
#include "support/pages_fixture.h"

#include <linux/cpumask.h>
#include <linux/sched.h>

#define FIRST	1024
#define NR	2048
#define HOME	64
#define NR_2M	512

/* General frames [FIRST, FIRST + NR), which begin and end with 2 MiB. */
static int init_case(struct kunit *test)
{
	struct tmm_test_frames *tf;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs a second CPU");
	tf = tmm_test_frames_create(test);
	test->priv = tf;
	tmm_test_frames_add(test, tf, TMM_REGION_GENERAL, FIRST, NR);
	return tmm_magazines_create(&tf->fa.ra);
}

static void exit_case(struct kunit *test)
{
	if (test->priv)
		tmm_test_frames_destroy(test, test->priv);
}

static void move_to_cpu(struct kunit *test, unsigned int cpu)
{
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
}

/* Go to the first CPU for an even @i, and to the last one for an odd @i. */
static void alternate_cpus(struct kunit *test, unsigned int i)
{
	move_to_cpu(test, i % 2 ? cpumask_last(cpu_online_mask) : cpumask_first(cpu_online_mask));
}

static bool test_is_reversed(struct kunit *test)
{
	const struct tmm_test_frames *tf = test->priv;

	return tf->regions[0].range.is_reversed;
}

static u64 nr_free(struct kunit *test)
{
	struct tmm_range_totals totals;

	tmm_range_allocator_totals(&tmm_test_fa(test)->ra, &totals);
	return totals.nr_free;
}

/* The frames of two CPUs share no block, as long as there are enough. */
static void cpus_have_homes_of_their_own(struct kunit *test)
{
	static struct tmm_allocated_frames *frames[5 * HOME];
	u64 owners[NR / HOME] = {};
	unsigned int nr_blocks = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		u64 *owner;

		alternate_cpus(test, i);
		frames[i] = tmm_test_frames_take_any(test, 1);
		owner = &owners[(frames[i]->f.chunk.start - FIRST) / HOME];
		nr_blocks += !*owner;
		*owner |= BIT(i % 2);
		KUNIT_EXPECT_EQ(test, *owner, BIT(i % 2));
	}
	/* A filling gets the first chunks that are not in the other's home. */
	KUNIT_EXPECT_EQ(test, nr_blocks, 6);
	KUNIT_EXPECT_EQ(test, owners[test_is_reversed(test) ? 0 : NR / HOME - 1], 0);
	KUNIT_EXPECT_NE(test, owners[test_is_reversed(test) ? NR / HOME - 6 : 5], 0);
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		tmm_allocated_frames_drop(&frames[i]);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

/* The same, if small runs come from the end of the region. */
static void cpus_have_homes_at_the_end(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;

	tf->regions[0].range.is_reversed = true;
	tmm_magazines_destroy(&tf->fa.ra);
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(&tf->fa.ra), 0);
	cpus_have_homes_of_their_own(test);
}

/*
 * Each CPU has frames in a block of its own. The blocks lie side by side, so nearly all memory is
 * free for large frames.
 */
static void homes_leave_large_frames_whole(struct kunit *test)
{
	struct tmm_allocated_frames *frames[NR_2M / HOME];
	struct tmm_range_totals totals;
	unsigned int nr = 0;
	unsigned int cpu;

	if (num_online_cpus() > ARRAY_SIZE(frames))
		kunit_skip(test, "the homes of all CPUs do not fit in 2 MiB");
	for_each_online_cpu(cpu) {
		move_to_cpu(test, cpu);
		frames[nr++] = tmm_test_frames_take_any(test, 1);
	}
	tmm_range_allocator_totals(&tmm_test_fa(test)->ra, &totals);
	KUNIT_EXPECT_EQ(test, totals.nr_free, NR - nr);
	KUNIT_EXPECT_EQ(test, totals.largest[TMM_2M], NR - NR_2M);
	while (nr)
		tmm_allocated_frames_drop(&frames[--nr]);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

/* If the only block with free frames is the home of another CPU, its frames are there for all. */
static void home_reserves_nothing(struct kunit *test)
{
	struct tmm_allocated_frames *rest = tmm_test_frames_take_at(test, FIRST + HOME, NR - HOME);
	const struct tmm_range_allocator *ra = &tmm_test_fa(test)->ra;
	static struct tmm_allocated_frames *frames[HOME];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		alternate_cpus(test, i);
		frames[i] = tmm_test_frames_take_any(test, 1);
		/* The second CPU fills its magazine from the first one's home. */
		if (i == 1)
			KUNIT_EXPECT_NE(test, raw_cpu_ptr(ra->magazines.each)->nr, 0);
	}
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		tmm_allocated_frames_drop(&frames[i]);
	tmm_allocated_frames_drop(&rest);
	KUNIT_EXPECT_EQ(test, nr_free(test), NR);
}

/* The pages of two CPUs share no block of 4,096 pages. */
static void cpus_have_homes_of_pages(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_pages_create(test);
	static struct tmm_allocated_pages *pages[200];
	struct tmm_range_totals totals;
	unsigned int i;

	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, 4096, 3 * 4096);
	KUNIT_ASSERT_EQ(test, tmm_magazines_create(&tp->pa.ra), 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		alternate_cpus(test, i);
		pages[i] = tmm_test_pages_take(test, tp, tmm_request_any(1));
		KUNIT_EXPECT_EQ(test, pages[i]->chunk.start / 4096, 1 + i % 2);
		tmm_check_range_allocator(test, &tp->pa.ra);
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		tmm_allocated_pages_drop(&pages[i]);
	tmm_range_allocator_totals(&tp->pa.ra, &totals);
	KUNIT_EXPECT_EQ(test, totals.nr_free, 3 * 4096);
	KUNIT_EXPECT_EQ(test, totals.nr_ranges, 1);
	tmm_test_pages_destroy(test, tp);
}

static struct kunit_case magazine_home_cases[] = {
	KUNIT_CASE(cpus_have_homes_of_their_own),
	KUNIT_CASE(cpus_have_homes_at_the_end),
	KUNIT_CASE(homes_leave_large_frames_whole),
	KUNIT_CASE(home_reserves_nothing),
	KUNIT_CASE(cpus_have_homes_of_pages),
	{}
};

static struct kunit_suite magazine_home_suite = {
	.name = "theseus_mm_magazine_home",
	.init = init_case,
	.exit = exit_case,
	.test_cases = magazine_home_cases,
};

kunit_test_suite(magazine_home_suite);
