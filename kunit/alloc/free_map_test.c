// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_map.h"

#include "alloc/free_map_find.h"

#include "support/fixture.h"
#include "support/invariants.h"

#include <linux/bits.h>
#include <linux/minmax.h>

#define LEAF	BIT_ULL(TMM_FREE_MAP_LEAF_ORDER)
#define MOST	20000

/* A map, and a byte for each of its units: 1 if the unit is free. */
struct fixture {
	struct tmm_free_map map;
	u8 *bytes;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	f->bytes = tmm_test_kvzalloc(test, MOST);
	test->priv = f;
	return 0;
}

/*
 * The memory has exactly tmm_free_map_nr_bytes() bytes, so KASAN reports accesses past them, and
 * a pattern, since a map has to be valid whatever its memory contains.
 */
static void make_map(struct kunit *test, u64 nr)
{
	struct fixture *f = test->priv;
	size_t nr_bytes = tmm_free_map_nr_bytes(nr);
	void *memory = tmm_test_kvzalloc(test, nr_bytes);

	memset(memory, 0x5a, nr_bytes);
	memset(f->bytes, 0, MOST);
	tmm_free_map_init(&f->map, nr, memory);
}

static void change_run(struct kunit *test, u64 start, u64 nr, bool is_free)
{
	struct fixture *f = test->priv;

	memset(f->bytes + start, is_free, nr);
	if (is_free)
		tmm_free_map_give(&f->map, start, nr);
	else
		tmm_free_map_take(&f->map, start, nr);
}

/* Searches a run by trying each start. Returns U64_MAX if there is none. */
static u64 naive_find(const struct fixture *f, u64 nr, u64 min, u64 end, bool is_last)
{
	u64 best = U64_MAX;
	u64 run = 0;

	for (end = min(end, f->map.nr); min < end; min++) {
		run = f->bytes[min] ? run + 1 : 0;
		if (run >= nr && (is_last || best == U64_MAX))
			best = min + 1 - nr;
	}
	return best;
}

static void expect_find(struct kunit *test, u64 nr, u64 min, u64 end, bool is_last)
{
	struct fixture *f = test->priv;
	u64 want = naive_find(f, nr, min, end, is_last);
	u64 start = U64_MAX;
	bool found = is_last ? tmm_free_map_find_last(&f->map, nr, min, end, &start) :
			       tmm_free_map_find_first(&f->map, nr, min, end, &start);

	KUNIT_ASSERT_EQ_MSG(test, start, want, TMM_SEED_FMT "%llu of %llu in [%llu, %llu), last %d",
			    tmm_test_seed(), nr, f->map.nr, min, end, is_last);
	KUNIT_ASSERT_EQ(test, found, want != U64_MAX);
}

static void expect_run_at(struct kunit *test, u64 unit)
{
	struct fixture *f = test->priv;
	u64 start = unit, end = unit;

	KUNIT_ASSERT_EQ(test, tmm_free_map_is_free(&f->map, unit), f->bytes[unit]);
	while (end < f->map.nr && f->bytes[end])
		end++;
	KUNIT_ASSERT_EQ_MSG(test, tmm_free_map_run_end(&f->map, unit), end, "unit %llu", unit);
	if (!f->bytes[unit])
		return;
	while (start && f->bytes[start - 1])
		start--;
	KUNIT_ASSERT_EQ_MSG(test, tmm_free_map_run_start(&f->map, unit), start, "unit %llu", unit);
}

/* Compares each unit, and the longest run. */
static void expect_all(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 unit, run = 0, most = 0;

	for (unit = 0; unit < f->map.nr; unit++) {
		run = f->bytes[unit] ? run + 1 : 0;
		most = max(most, run);
		KUNIT_ASSERT_EQ_MSG(test, tmm_free_map_is_free(&f->map, unit), f->bytes[unit],
				    TMM_SEED_FMT "unit %llu of %llu", tmm_test_seed(), unit,
				    f->map.nr);
	}
	KUNIT_ASSERT_EQ(test, tmm_free_map_largest(&f->map), most);
	tmm_check_free_map(test, &f->map);
}

static const struct {
	u64 nr;
	unsigned int nr_levels;
} sizes[] = {
	{ 1, 1 }, { 64, 1 }, { LEAF, 1 }, { LEAF + 1, 2 }, { 8 * LEAF, 2 }, { 8 * LEAF + 1, 3 },
	{ 1ULL << 18, 4 }, { (1ULL << 18) + 1, 5 },
	{ TMM_FREE_MAP_MAX_NR, TMM_FREE_MAP_MAX_LEVELS },
};

static void memory_by_size(struct kunit *test)
{
	struct tmm_free_map map;
	unsigned int i;
	char *memory;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t nr_bytes = tmm_free_map_nr_bytes(sizes[i].nr);

		KUNIT_EXPECT_GE(test, nr_bytes, DIV_ROUND_UP(sizes[i].nr, LEAF) * (LEAF / 8));
		KUNIT_EXPECT_EQ(test, nr_bytes % 8, 0);
		if (sizes[i].nr > MOST)
			continue;
		memory = tmm_test_kvzalloc(test, nr_bytes);
		tmm_free_map_init(&map, sizes[i].nr, memory);
		KUNIT_EXPECT_EQ_MSG(test, map.nr_levels, sizes[i].nr_levels, "size %llu",
				    sizes[i].nr);
		KUNIT_EXPECT_LE(test, (char *)(map.levels[map.nr_levels - 1] + 1) - memory,
				nr_bytes);
	}
	/* A large map costs little more than a bit for each unit. */
	KUNIT_EXPECT_LE(test, tmm_free_map_nr_bytes(1ULL << 28), (1ULL << 28) / 8 * 5 / 4);
}

/* A run that crosses borders of leaves and nodes is one run. */
static void runs_across_borders(struct kunit *test)
{
	struct fixture *f = test->priv;
	const u64 border = 8 * LEAF;
	u64 start;

	make_map(test, 2 * border);
	change_run(test, border - 3, 6, true);
	change_run(test, 2 * border - 4, 4, true);
	KUNIT_EXPECT_EQ(test, tmm_free_map_largest(&f->map), 6);
	KUNIT_EXPECT_TRUE(test, tmm_free_map_find_first(&f->map, 4, 0, U64_MAX, &start));
	KUNIT_EXPECT_EQ(test, start, border - 3);
	KUNIT_EXPECT_TRUE(test, tmm_free_map_find_last(&f->map, 5, 0, U64_MAX, &start));
	KUNIT_EXPECT_EQ(test, start, border - 2);
	KUNIT_EXPECT_TRUE(test, tmm_free_map_find_last(&f->map, 4, 0, U64_MAX, &start));
	KUNIT_EXPECT_EQ(test, start, 2 * border - 4);
	KUNIT_EXPECT_FALSE(test, tmm_free_map_find_first(&f->map, 4, border, 2 * border - 1,
							 &start));
	KUNIT_EXPECT_FALSE(test, tmm_free_map_find_first(&f->map, 7, 0, U64_MAX, &start));
	change_run(test, border - 1, 2, false);
	KUNIT_EXPECT_EQ(test, tmm_free_map_largest(&f->map), 4);
	expect_all(test);
}

/* All of a map becomes free and taken, also where the map ends within a leaf. */
static void whole_maps(struct kunit *test)
{
	const u64 nrs[] = { 1, 63, 64, 65, LEAF - 1, LEAF, LEAF + 1, 8 * LEAF, 8 * LEAF + 100 };
	struct fixture *f = test->priv;
	unsigned int i;
	u64 start;

	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		make_map(test, nrs[i]);
		KUNIT_EXPECT_EQ(test, tmm_free_map_largest(&f->map), 0);
		KUNIT_EXPECT_FALSE(test, tmm_free_map_find_first(&f->map, 1, 0, U64_MAX, &start));
		change_run(test, 0, nrs[i], true);
		KUNIT_EXPECT_EQ(test, tmm_free_map_run_end(&f->map, 0), nrs[i]);
		KUNIT_EXPECT_EQ(test, tmm_free_map_run_start(&f->map, nrs[i] - 1), 0);
		expect_find(test, nrs[i], 0, U64_MAX, false);
		expect_find(test, nrs[i], 0, U64_MAX, true);
		expect_find(test, nrs[i] + 1, 0, U64_MAX, true);
		change_run(test, nrs[i] / 2, 1, false);
		expect_all(test);
		change_run(test, nrs[i] / 2, 1, true);
		change_run(test, 0, nrs[i], false);
		expect_all(test);
	}
}

static void change_randomly(struct kunit *test, struct rnd_state *rnd)
{
	struct fixture *f = test->priv;
	u64 most = 1 + tmm_test_random_below(rnd, tmm_test_random_below(rnd, 3) ? 20 : f->map.nr);
	u64 start = tmm_test_random_below(rnd, f->map.nr);
	bool was_free;
	u64 nr = 0;

	if (!tmm_test_random_below(rnd, 3))
		start -= start % LEAF;
	was_free = f->bytes[start];
	while (start + nr < f->map.nr && nr < most && f->bytes[start + nr] == was_free)
		nr++;
	change_run(test, start, nr, !was_free);
}

static void random_maps(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct rnd_state rnd;
	unsigned int i, k;

	tmm_test_random_start(test, &rnd, 0);
	for (i = 0; i < 40 * tmm_test_times(); i++) {
		make_map(test, 1 + tmm_test_random_below(&rnd, i % 2 ? 1500 : MOST));
		for (k = 0; k < 100; k++) {
			u64 min = tmm_test_random_below(&rnd, f->map.nr);
			u64 end = min + tmm_test_random_below(&rnd, f->map.nr);
			u64 nr = 1 + tmm_test_random_below(&rnd, k % 4 ? 30 : f->map.nr);

			change_randomly(test, &rnd);
			expect_find(test, nr, 0, U64_MAX, k & 1);
			expect_find(test, nr, min, end, k & 1);
			expect_run_at(test, min);
		}
		expect_all(test);
		cond_resched();
	}
}

static struct kunit_case free_map_cases[] = {
	KUNIT_CASE(memory_by_size),
	KUNIT_CASE(runs_across_borders),
	KUNIT_CASE(whole_maps),
	KUNIT_CASE(random_maps),
	{}
};

static struct kunit_suite free_map_suite = {
	.name = "theseus_mm_free_map",
	.init = init_case,
	.test_cases = free_map_cases,
};

kunit_test_suite(free_map_suite);
