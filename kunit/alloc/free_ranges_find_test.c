// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_ranges.h"

#include "support/fixture.h"
#include "support/invariants.h"

#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/vmalloc.h>

#define NR_CHUNKS 64
#define MAX_RANGES 4

struct fixture {
	struct tmm_free_ranges set;
	struct tmm_range_node nodes[NR_CHUNKS];
	unsigned int nr_chunks;
};

struct run {
	u64 start;
	u64 nr;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	tmm_free_ranges_init(&f->set);
	test->priv = f;
	return 0;
}

static void give_run(struct kunit *test, u64 start, u64 nr)
{
	struct fixture *f = test->priv;
	struct tmm_chunk *chunk = &f->nodes[f->nr_chunks++].chunk;
	struct tmm_chunk *absorbed[2];

	chunk->start = start;
	chunk->nr = nr;
	KUNIT_ASSERT_EQ(test, tmm_free_ranges_give(&f->set, chunk, absorbed), 0);
}

struct find_param {
	const char *name;
	struct run runs[MAX_RANGES];
	struct tmm_fit_request req;
	bool found;
	u64 start;
};

/* Requests are { nr, align, min, end, from_top }. */
static const struct find_param find_params[] = {
	{ "empty set", {}, { 1, 1, 0, U64_MAX }, false },
	{ "empty set from top", {}, { 1, 1, 0, U64_MAX, true }, false },
	{ "exact fit", { { 7, 5 } }, { 5, 1, 0, U64_MAX }, true, 7 },
	{ "exact fit from top", { { 7, 5 } }, { 5, 1, 0, U64_MAX, true }, true, 7 },
	{ "exact fit of bounds", { { 0, 100 } }, { 5, 1, 7, 12 }, true, 7 },
	{ "exact fit of bounds from top", { { 0, 100 } }, { 5, 1, 7, 12, true }, true, 7 },
	{ "exact fit, aligned", { { 8, 8 } }, { 8, 8, 0, U64_MAX }, true, 8 },
	{ "one too many", { { 7, 5 } }, { 6, 1, 0, U64_MAX }, false },
	{ "one too many for bounds", { { 0, 100 } }, { 6, 1, 7, 12 }, false },
	{ "lowest that fits", { { 1, 2 }, { 5, 3 }, { 10, 9 } }, { 3, 1, 0, U64_MAX }, true, 5 },
	{ "highest that fits", { { 1, 9 }, { 15, 3 }, { 20, 2 } }, { 3, 1, 0, U64_MAX, true },
	  true, 15 },
	{ "long but misaligned", { { 9, 14 }, { 32, 8 } }, { 8, 16, 0, U64_MAX }, true, 32 },
	{ "aligned part too short", { { 9, 14 } }, { 8, 16, 0, U64_MAX }, false },
	{ "aligned in the middle", { { 9, 23 } }, { 8, 16, 0, U64_MAX }, true, 16 },
	{ "aligned from top", { { 9, 40 } }, { 8, 16, 0, U64_MAX, true }, true, 32 },
	{ "range across min", { { 0, 10 }, { 20, 10 } }, { 4, 1, 5, U64_MAX }, true, 5 },
	{ "range across min too short", { { 0, 10 }, { 20, 10 } }, { 6, 1, 5, U64_MAX }, true, 20 },
	{ "range across end", { { 0, 10 }, { 20, 10 } }, { 4, 1, 0, 25, true }, true, 21 },
	{ "range across end too short", { { 0, 10 }, { 20, 10 } }, { 6, 1, 0, 25, true }, true, 4 },
	{ "range across both", { { 0, 100 } }, { 4, 4, 41, 49 }, true, 44 },
	{ "range across both from top", { { 0, 100 } }, { 4, 4, 41, 49, true }, true, 44 },
	{ "only outside the bounds", { { 0, 10 }, { 50, 10 } }, { 1, 1, 10, 50 }, false },
	{ "bounds without room for the alignment", { { 0, 100 } }, { 4, 8, 41, 51 }, false },
	{ "bounds upside down", { { 0, 100 } }, { 1, 1, 50, 40 }, false },
	{ "bounds upside down from top", { { 0, 100 } }, { 1, 1, 50, 40, true }, false },
	{ "not a power of two", { { 7, 4 }, { 20, 8 } }, { 3, 7, 0, U64_MAX }, true, 7 },
	{ "not a power of two, only a tight range", { { 1, 2 }, { 13, 2 } }, { 2, 13, 0, U64_MAX },
	  true, 13 },
	{ "not a power of two, in bounds", { { 0, 100 } }, { 3, 7, 50, 60 }, true, 56 },
	{ "not a power of two, none", { { 8, 5 } }, { 3, 7, 0, U64_MAX }, false },
	{ "1 GiB at 1 GiB", { { 1 << 17, 3 << 17 } }, { 1 << 18, 1 << 18, 0, U64_MAX, true },
	  true, 1 << 18 },
	{ "align above 1 GiB", { { 1000, 1 << 20 } }, { 8, 1 << 19, 0, U64_MAX }, true, 1 << 19 },
	{ "align above 4G chunks", { { (1ULL << 33) - 5, 10 } }, { 3, 1ULL << 33, 0, U64_MAX },
	  true, 1ULL << 33 },
	{ "more than a search finds", { { 0, 1ULL << 44 } }, { 1ULL << 32, 1, 0, U64_MAX },
	  false },
	{ "as much as a search finds", { { 0, U32_MAX } }, { U32_MAX, 1, 0, U64_MAX }, true, 0 },
	{ "a whole number of 4G chunks", { { 8, 1ULL << 33 } }, { 5, 1, 0, U64_MAX }, true, 8 },
	{ "behind 4G chunks", { { 0, 1ULL << 44 } }, { 5, 4, 1ULL << 43, U64_MAX }, true,
	  1ULL << 43 },
	{ "4G chunks and a short range", { { 0, 1ULL << 44 }, { 1ULL << 45, 4 } },
	  { 3, 1, 1ULL << 44, U64_MAX }, true, 1ULL << 45 },
	{ "4G chunks from the top", { { 0, 1ULL << 44 }, { 1ULL << 45, 4 } },
	  { U32_MAX, 1 << 18, 0, U64_MAX, true }, true, (1ULL << 44) - (1ULL << 32) },
};

TMM_ARRAY_PARAM(find, find_params);

/* Continues a search until it is finished. */
static bool find_all(const struct tmm_free_ranges *set, const struct tmm_fit_request *req,
		     u64 *start)
{
	struct tmm_fit_cursor cursor = {};
	int err;

	do {
		err = tmm_free_ranges_find(set, req, &cursor, start);
	} while (err == -EAGAIN);
	return !err;
}

static void find_situations(struct kunit *test)
{
	const struct find_param *p = test->param_value;
	struct fixture *f = test->priv;
	u64 before, start = 42;
	unsigned int i;

	for (i = 0; i < MAX_RANGES && p->runs[i].nr; i++)
		give_run(test, p->runs[i].start, p->runs[i].nr);
	tmm_check_free_ranges(test, &f->set);
	before = tmm_fingerprint_set(&f->set);
	KUNIT_EXPECT_EQ(test, find_all(&f->set, &p->req, &start), p->found);
	if (p->found)
		KUNIT_EXPECT_EQ(test, start, p->start);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_set(&f->set), before);
}

/* Searches room for @req by trying each chunk of the space. Returns U64_MAX if there is none. */
static u64 naive_find(const bool *is_free, u64 space, const struct tmm_fit_request *req)
{
	u64 best = U64_MAX;
	u64 run = 0;
	u64 number;

	for (number = space; number-- > 0; ) {
		run = is_free[number] && number < req->end ? run + 1 : 0;
		if (number < req->min || number % req->align || run < req->nr)
			continue;
		if (!req->from_top || best == U64_MAX)
			best = number;
	}
	return best;
}

static void fill_randomly(struct kunit *test, struct rnd_state *rnd, bool *is_free, u64 space)
{
	struct fixture *f = test->priv;
	u64 number = tmm_test_random_below(rnd, 4);

	tmm_free_ranges_init(&f->set);
	f->nr_chunks = 0;
	memset(is_free, 0, space);
	while (number < space && f->nr_chunks < NR_CHUNKS) {
		u64 nr = min(1 + tmm_test_random_below(rnd, 9), space - number);

		give_run(test, number, nr);
		memset(is_free + number, true, nr);
		number += nr + 1 + tmm_test_random_below(rnd, 7);
	}
	tmm_check_free_ranges(test, &f->set);
}

/* Number of runs that are long enough, and that a search passes before the run at @found. */
static unsigned int nr_passed(const bool *is_free, u64 space, const struct tmm_fit_request *req,
			      u64 found)
{
	const u64 lo = req->from_top ? found : req->min;
	const u64 hi = req->from_top ? min(req->end, space) : found;
	unsigned int nr = 0;
	u64 run = 0;
	u64 i;

	for (i = lo; i < hi; i++) {
		run = is_free[i] ? run + 1 : 0;
		nr += run == req->nr;
	}
	/* The run at @found is not passed. */
	return nr - (req->from_top || run >= req->nr);
}

static void find_in_random_sets(struct kunit *test)
{
	static const u64 aligns[] = { 1, 1, 2, 4, 8, 16, 64, 3, 5, 12 };
	const u64 space = 400;
	struct fixture *f = test->priv;
	bool *is_free = tmm_test_kvzalloc(test, space);
	unsigned int i, nr_exact = 0;
	struct rnd_state rnd;

	tmm_test_random_start(test, &rnd, 0);
	for (i = 0; i < 4000; i++) {
		u64 align = aligns[tmm_test_random_below(&rnd, ARRAY_SIZE(aligns))];
		u64 min = tmm_test_random_below(&rnd, space);
		struct tmm_fit_request req = { 1 + tmm_test_random_below(&rnd, 9), align, min,
					       min + tmm_test_random_below(&rnd, space), i & 1 };
		u64 want, start = U64_MAX;
		bool is_exact;

		if (i % 200 == 0)
			fill_randomly(test, &rnd, is_free, space);
		want = naive_find(is_free, space, &req);
		is_exact = align == 1 || want == U64_MAX ||
			   nr_passed(is_free, space, &req, want) < TMM_FIT_TRIES;
		nr_exact += is_exact;
		KUNIT_EXPECT_EQ(test, find_all(&f->set, &req, &start), want != U64_MAX);
		/* After a few runs, the search may choose a longer, later range. */
		if (is_exact)
			KUNIT_ASSERT_EQ_MSG(test, start, want,
					    TMM_SEED_FMT "step %u: %llu at %llu in [%llu, %llu)",
					    tmm_test_seed(), i, req.nr, align, min, req.end);
		else
			KUNIT_ASSERT_TRUE(test, start % align == 0 && start >= min &&
					  start + req.nr <= req.end);
	}
	KUNIT_EXPECT_GT(test, nr_exact, 3000);
}

/*
 * The cost of a search is the number of pages that it touches, as the accessed bits of these pages
 * show. The objects of many ranges are scattered over the pages.
 */
#define NR_MANY 100000
#define NR_MANY_PAGES DIV_ROUND_UP(NR_MANY * sizeof(struct tmm_range_node), PAGE_SIZE)
/*
 * A search goes down twice and up once, and looks at both children each time. A red-black tree is
 * at most 2 log2(n) deep.
 */
#define MOST_PAGES (6 * 2 * ilog2(NR_MANY))

static int alloc_many(struct kunit_resource *res, void *unused)
{
	res->data = vzalloc(NR_MANY_PAGES * PAGE_SIZE);
	return res->data ? 0 : -ENOMEM;
}

static void free_many(struct kunit_resource *res)
{
	vfree(res->data);
}

static pte_t *entry_of(void *page)
{
	unsigned int level;
	pte_t *entry = lookup_address((unsigned long)page, &level);

	return level == PG_LEVEL_4K ? entry : NULL;
}

/*
 * No range contains a chunk aligned to 8, except the last and longest one. The ranges of the second
 * half are shorter than those of the first.
 */
static struct tmm_range_node *make_many(struct kunit *test, struct tmm_free_ranges *set)
{
	struct tmm_range_node *many = kunit_alloc_resource(test, alloc_many, free_many, GFP_KERNEL,
						      NULL);
	struct tmm_chunk *absorbed[2];
	u64 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, many);
	for (i = 0; i < NR_MANY; i++) {
		/* 40503 and NR_MANY are coprime, so neighbours lie far apart in memory. */
		struct tmm_chunk *chunk = &many[i * 40503 % NR_MANY].chunk;

		chunk->start = i * 16 + 1;
		chunk->nr = i == NR_MANY - 1 ? 15 : i < NR_MANY / 2 ? 7 : 3;
		KUNIT_ASSERT_EQ(test, tmm_free_ranges_give(set, chunk, absorbed), 0);
		cond_resched();
	}
	for (i = 0; i < NR_MANY_PAGES; i++)
		KUNIT_ASSERT_NOT_NULL(test, entry_of((void *)many + i * PAGE_SIZE));
	return many;
}

static void forget_accesses(void *memory)
{
	unsigned int i;

	for (i = 0; i < NR_MANY_PAGES; i++, memory += PAGE_SIZE) {
		clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)entry_of(memory));
		asm volatile("invlpg (%0)" :: "r" (memory) : "memory");
	}
}

static unsigned int count_accesses(void *memory)
{
	unsigned int nr_pages = 0;
	unsigned int i;

	for (i = 0; i < NR_MANY_PAGES; i++, memory += PAGE_SIZE)
		nr_pages += !!pte_young(*entry_of(memory));
	return nr_pages;
}

static const struct {
	struct tmm_fit_request req;
	int err;		/* of the first call */
} costs[] = {
	{ { 8, 1, 0, U64_MAX }, 0 },
	{ { 8, 1, 0, U64_MAX, true }, 0 },
	{ { 8, 1, 16 * 1000 + 3, 16 * 60000 }, -ENOSPC },
	{ { 1, 512, 0, U64_MAX }, -ENOSPC },
	{ { 1, 1 << 18, 16 * 1000 + 3, U64_MAX, true }, -ENOSPC },
	{ { 5, 1, 16 * (NR_MANY / 2) + 3, U64_MAX }, 0 },
	{ { 5, 1, 0, 16 * (NR_MANY - 1), true }, 0 },
	{ { 5, 4, 16 * 70000 + 1, 16 * 99000, true }, -ENOSPC },
	{ { 2, 2, 16 * 50000 + 3, 16 * 50000 + 9, true }, -ENOSPC },
	/* Only the last range has a chunk aligned to 8. */
	{ { 1, 8, 0, U64_MAX }, 0 },
	{ { 1, 16, 0, U64_MAX }, -EAGAIN },
	{ { 1, 8, 16 * 40000 + 5, 16 * 90000 + 2 }, -EAGAIN },
};

/* A call that tries runs in turn makes two descents for each, and one for a longer run. */
static unsigned int most_pages(const struct tmm_fit_request *req)
{
	return req->align > 1 && req->align < 512 ? NR_MANY_PAGES / 2 : MOST_PAGES;
}

static unsigned int cost_of_walk(const struct tmm_free_ranges *set, void *memory)
{
	struct tmm_chunk *chunk;
	unsigned int nr_pages;

	preempt_disable();
	forget_accesses(memory);
	for (chunk = tmm_free_ranges_first(set); chunk; chunk = tmm_free_ranges_next(chunk))
		;
	nr_pages = count_accesses(memory);
	preempt_enable();
	return nr_pages;
}

static void find_among_many_visits_few(struct kunit *test)
{
	struct tmm_free_ranges set;
	struct tmm_range_node *many;
	unsigned int i, nr_pages;
	u64 start;
	int err;

	tmm_free_ranges_init(&set);
	many = make_many(test, &set);
	tmm_check_free_ranges(test, &set);
	/* The measurement works: a walk over all ranges touches all pages. */
	KUNIT_EXPECT_EQ(test, cost_of_walk(&set, many), NR_MANY_PAGES);
	for (i = 0; i < ARRAY_SIZE(costs); i++) {
		struct tmm_fit_cursor cursor = {};

		preempt_disable();
		forget_accesses(many);
		err = tmm_free_ranges_find(&set, &costs[i].req, &cursor, &start);
		nr_pages = count_accesses(many);
		preempt_enable();
		KUNIT_EXPECT_EQ_MSG(test, err, costs[i].err, "search %u", i);
		KUNIT_EXPECT_GT_MSG(test, nr_pages, 0, "search %u", i);
		KUNIT_EXPECT_LE_MSG(test, nr_pages, most_pages(&costs[i].req), "search %u", i);
	}
}

static struct kunit_case free_ranges_find_cases[] = {
	KUNIT_CASE_PARAM(find_situations, find_gen_params),
	KUNIT_CASE(find_in_random_sets),
	KUNIT_CASE(find_among_many_visits_few),
	{}
};

static struct kunit_suite free_ranges_find_suite = {
	.name = "theseus_mm_free_ranges_find",
	.init = init_case,
	.test_cases = free_ranges_find_cases,
};

kunit_test_suite(free_ranges_find_suite);
