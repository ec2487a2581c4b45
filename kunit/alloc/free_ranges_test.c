// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_ranges.h"

#include "support/fixture.h"
#include "support/invariants.h"

#define NR_CHUNKS 64
#define MAX_RANGES 5

/* A set, and chunk objects to fill the set with. Each object is spare or in the set. */
struct fixture {
	struct tmm_free_ranges set;
	struct tmm_range_node nodes[NR_CHUNKS];
	struct tmm_chunk *spares[NR_CHUNKS];
	unsigned int nr_spares;
};

struct run {
	u64 start;
	u64 nr;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	tmm_free_ranges_init(&f->set);
	while (f->nr_spares < NR_CHUNKS) {
		f->spares[f->nr_spares] = &f->nodes[f->nr_spares].chunk;
		f->nr_spares++;
	}
	test->priv = f;
	return 0;
}

static void exit_case(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	tmm_check_free_ranges(test, &f->set);
	KUNIT_EXPECT_EQ(test, f->nr_spares + f->set.nr_ranges, NR_CHUNKS);
}

static void put_spare(struct fixture *f, struct tmm_chunk *chunk)
{
	if (chunk)
		f->spares[f->nr_spares++] = chunk;
}

static int give_run(struct kunit *test, u64 start, u64 nr)
{
	struct fixture *f = test->priv;
	struct tmm_chunk *chunk = f->spares[--f->nr_spares];
	struct tmm_chunk *absorbed[2];
	int err;

	chunk->start = start;
	chunk->nr = nr;
	err = tmm_free_ranges_give(&f->set, chunk, absorbed);
	if (err) {
		KUNIT_EXPECT_EQ(test, chunk->start, start);
		KUNIT_EXPECT_EQ(test, chunk->nr, nr);
		put_spare(f, chunk);
	} else {
		put_spare(f, absorbed[0]);
		put_spare(f, absorbed[1]);
	}
	tmm_check_free_ranges(test, &f->set);
	return err;
}

/* Returns the number of spare objects that were used, or -1 if the run is not free. */
static int take_run(struct kunit *test, u64 start, u64 nr)
{
	struct fixture *f = test->priv;
	struct tmm_chunk *spare[2] = { f->spares[--f->nr_spares], f->spares[--f->nr_spares] };
	struct tmm_chunk *chunk = tmm_free_ranges_take(&f->set, start, nr, spare);
	int used = !spare[0] + !spare[1];

	put_spare(f, spare[0]);
	put_spare(f, spare[1]);
	tmm_check_free_ranges(test, &f->set);
	if (!chunk)
		return used ? -2 : -1;
	KUNIT_EXPECT_EQ(test, chunk->start, start);
	KUNIT_EXPECT_EQ(test, chunk->nr, nr);
	put_spare(f, chunk);
	return used;
}

static void expect_runs(struct kunit *test, const struct run *runs, unsigned int nr_runs)
{
	struct fixture *f = test->priv;
	struct tmm_chunk *chunk = tmm_free_ranges_first(&f->set);
	unsigned int i;

	for (i = 0; i < nr_runs && runs[i].nr; i++, chunk = tmm_free_ranges_next(chunk)) {
		KUNIT_ASSERT_NOT_NULL(test, chunk);
		KUNIT_EXPECT_EQ(test, chunk->start, runs[i].start);
		KUNIT_EXPECT_EQ(test, chunk->nr, runs[i].nr);
	}
	KUNIT_EXPECT_PTR_EQ(test, chunk, NULL);
}

static void fill_set(struct kunit *test, const struct run *runs, unsigned int nr_runs)
{
	unsigned int i;

	for (i = 0; i < nr_runs && runs[i].nr; i++)
		KUNIT_ASSERT_EQ(test, give_run(test, runs[i].start, runs[i].nr), 0);
	expect_runs(test, runs, nr_runs);
}

static void take_whole_range(struct kunit *test)
{
	const struct run runs[] = { { 10, 5 }, { 20, 5 }, { 30, 5 } };
	const struct run left[] = { { 10, 5 }, { 30, 5 } };

	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, take_run(test, 20, 5), 0);
	expect_runs(test, left, ARRAY_SIZE(left));
}

static void take_at_beginning(struct kunit *test)
{
	const struct run runs[] = { { 10, 5 } };
	const struct run left[] = { { 12, 3 } };

	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, take_run(test, 10, 2), 1);
	expect_runs(test, left, ARRAY_SIZE(left));
}

static void take_at_end(struct kunit *test)
{
	const struct run runs[] = { { 10, 5 } };
	const struct run left[] = { { 10, 3 } };

	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, take_run(test, 13, 2), 1);
	expect_runs(test, left, ARRAY_SIZE(left));
}

static void take_in_the_middle(struct kunit *test)
{
	const struct run runs[] = { { 10, 5 } };
	const struct run left[] = { { 10, 1 }, { 14, 1 } };

	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, take_run(test, 11, 3), 2);
	expect_runs(test, left, ARRAY_SIZE(left));
}

/* Theseus hands out chunks that are not free if adjacent pieces are too short. */
static void take_more_than_is_free(struct kunit *test)
{
	const struct run runs[] = { { 10, 4 }, { 20, 4 } };

	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, take_run(test, 10, 5), -1);
	KUNIT_EXPECT_EQ(test, take_run(test, 12, 12), -1);
	KUNIT_EXPECT_EQ(test, take_run(test, 9, 1), -1);
	KUNIT_EXPECT_EQ(test, take_run(test, 14, 1), -1);
	KUNIT_EXPECT_EQ(test, take_run(test, 24, 1), -1);
	expect_runs(test, runs, ARRAY_SIZE(runs));
}

struct give_param {
	const char *name;
	struct run runs[MAX_RANGES];
	struct run given;
	int err;
	struct run left[MAX_RANGES];
};

/* In Theseus, a run that touches both neighbours is joined with only one. */
static const struct give_param give_params[] = {
	{ "into the empty set", {}, { 5, 5 }, 0, { { 5, 5 } } },
	{ "chunk 0", {}, { 0, 1 }, 0, { { 0, 1 } } },
	{ "apart", { { 10, 5 } }, { 20, 5 }, 0, { { 10, 5 }, { 20, 5 } } },
	{ "one chunk apart on both sides", { { 10, 5 }, { 20, 5 } }, { 16, 3 }, 0,
	  { { 10, 5 }, { 16, 3 }, { 20, 5 } } },
	{ "joins the one before", { { 10, 5 }, { 30, 5 } }, { 15, 5 }, 0,
	  { { 10, 10 }, { 30, 5 } } },
	{ "joins the one after", { { 10, 5 }, { 30, 5 } }, { 25, 5 }, 0,
	  { { 10, 5 }, { 25, 10 } } },
	{ "joins both", { { 10, 5 }, { 20, 5 } }, { 15, 5 }, 0, { { 10, 15 } } },
	{ "joins both among others", { { 1, 1 }, { 10, 5 }, { 20, 5 }, { 40, 1 } }, { 15, 5 }, 0,
	  { { 1, 1 }, { 10, 15 }, { 40, 1 } } },
	{ "joins the first range from 0", { { 5, 5 } }, { 0, 5 }, 0, { { 0, 10 } } },
	{ "free already", { { 10, 5 } }, { 10, 5 }, -EEXIST, { { 10, 5 } } },
	{ "part of a free range", { { 10, 5 } }, { 11, 2 }, -EEXIST, { { 10, 5 } } },
	{ "around a free range", { { 10, 5 } }, { 5, 20 }, -EEXIST, { { 10, 5 } } },
	{ "first chunk free already", { { 10, 5 } }, { 14, 5 }, -EEXIST, { { 10, 5 } } },
	{ "last chunk free already", { { 10, 5 } }, { 6, 5 }, -EEXIST, { { 10, 5 } } },
	{ "around the last of several", { { 1, 1 }, { 10, 5 } }, { 2, 100 }, -EEXIST,
	  { { 1, 1 }, { 10, 5 } } },
};

TMM_ARRAY_PARAM(give, give_params);

static void give_situations(struct kunit *test)
{
	const struct give_param *p = test->param_value;
	struct fixture *f = test->priv;
	u64 before;

	fill_set(test, p->runs, MAX_RANGES);
	before = tmm_fingerprint_set(&f->set);
	KUNIT_EXPECT_EQ(test, give_run(test, p->given.start, p->given.nr), p->err);
	expect_runs(test, p->left, MAX_RANGES);
	if (p->err)
		KUNIT_EXPECT_EQ(test, tmm_fingerprint_set(&f->set), before);
}

/* A and C are freed, and then B between them. All three become one range. */
static void give_a_c_b_leaves_one_range(struct kunit *test)
{
	const struct run one[] = { { 10, 30 } };

	KUNIT_EXPECT_EQ(test, give_run(test, 10, 10), 0);
	KUNIT_EXPECT_EQ(test, give_run(test, 30, 10), 0);
	KUNIT_EXPECT_EQ(test, give_run(test, 20, 10), 0);
	expect_runs(test, one, 1);
}

/* Chunks outside all ranges, such as one before the first range, belong to no range. */
static void at_finds_the_range_around_a_chunk(struct kunit *test)
{
	const struct run runs[] = { { 10, 5 }, { 20, 1 } };
	const u64 none[] = { 0, 9, 15, 19, 21, U64_MAX };
	struct fixture *f = test->priv;
	unsigned int i;

	fill_set(test, runs, ARRAY_SIZE(runs));
	for (i = 0; i < ARRAY_SIZE(none); i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, tmm_free_ranges_at(&f->set, none[i]), NULL, "%llu",
					none[i]);
	for (i = 10; i < 15; i++) {
		KUNIT_ASSERT_NOT_NULL(test, tmm_free_ranges_at(&f->set, i));
		KUNIT_EXPECT_EQ(test, tmm_free_ranges_at(&f->set, i)->start, 10);
	}
	KUNIT_ASSERT_NOT_NULL(test, tmm_free_ranges_at(&f->set, 20));
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_at(&f->set, 20)->nr, 1);
}

static void largest_by_alignment(struct kunit *test)
{
	const u64 nr_2m = 1 << 9, nr_1g = 1 << 18;
	const struct run runs[] = { { 1, 6 }, { 8, 5 }, { nr_2m - 1, 515 }, { nr_1g - 3, 600 } };
	const struct run small[] = { { 1, 6 }, { 8, 5 } };
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_4K), 0);
	fill_set(test, runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_4K), 600);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_2M), 597);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_1G), 597);
	KUNIT_EXPECT_EQ(test, take_run(test, nr_1g - 3, 600), 0);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_4K), 515);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_2M), 514);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_1G), 0);
	KUNIT_EXPECT_EQ(test, take_run(test, nr_2m - 1, 515), 0);
	expect_runs(test, small, ARRAY_SIZE(small));
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_4K), 6);
	KUNIT_EXPECT_EQ(test, tmm_free_ranges_largest(&f->set, TMM_2M), 0);
}

static struct kunit_case free_ranges_cases[] = {
	KUNIT_CASE(take_whole_range),
	KUNIT_CASE(take_at_beginning),
	KUNIT_CASE(take_at_end),
	KUNIT_CASE(take_in_the_middle),
	KUNIT_CASE(take_more_than_is_free),
	KUNIT_CASE_PARAM(give_situations, give_gen_params),
	KUNIT_CASE(give_a_c_b_leaves_one_range),
	KUNIT_CASE(at_finds_the_range_around_a_chunk),
	KUNIT_CASE(largest_by_alignment),
	{}
};

static struct kunit_suite free_ranges_suite = {
	.name = "theseus_mm_free_ranges",
	.init = init_case,
	.exit = exit_case,
	.test_cases = free_ranges_cases,
};

kunit_test_suite(free_ranges_suite);
