// SPDX-License-Identifier: GPL-2.0
#include "alloc/pages.h"

#include "support/pages_fixture.h"

/* The regions are general [1000, 3000) and designated [3000, 3100). */
static int init_case(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_pages_create(test);

	test->priv = tp;
	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, 1000, 2000);
	tmm_test_pages_add(test, tp, TMM_REGION_DESIGNATED, 3000, 100);
	return 0;
}

static void allocate_and_drop_gives_back(struct kunit *test)
{
	u64 before = tmm_test_pages_fingerprint(test);
	struct tmm_allocated_pages *pages = tmm_test_pages_take_any(test, 7);
	struct tmm_page_range range = tmm_allocated_pages_range(pages);

	KUNIT_EXPECT_EQ(test, range.r.first, 1000);
	KUNIT_EXPECT_EQ(test, range.r.nr, 7);
	KUNIT_EXPECT_EQ(test, range.r.size, TMM_4K);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
}

/*
 * Pages 1500..1503 and 1504..1510 are freed. Afterwards no page is lost, and no owned page is
 * handed out.
 */
static void allocate_at_across_adjacent_pieces(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocation_request too_many = tmm_request_at(1500, 12);
	struct tmm_allocated_pages *low = tmm_test_pages_take_at(test, 1500, 4);
	struct tmm_allocated_pages *high = tmm_test_pages_take_at(test, 1504, 7);
	struct tmm_allocated_pages *owned = tmm_test_pages_take_at(test, 1511, 20);
	struct tmm_allocated_pages *run, *rest;

	tmm_allocated_pages_drop(&low);
	tmm_allocated_pages_drop(&high);
	run = tmm_page_allocator_allocate(&tp->pa, &too_many);
	KUNIT_EXPECT_EQ(test, PTR_ERR(run), -EADDRNOTAVAIL);
	run = tmm_test_pages_take_at(test, 1500, 6);
	rest = tmm_test_pages_take_at(test, 1506, 5);
	TMM_EXPECT_PAGES(test, rest, 1506, 5);
	tmm_allocated_pages_drop(&run);
	tmm_allocated_pages_drop(&rest);
	tmm_allocated_pages_drop(&owned);
}

/* In Theseus, a range of exactly n pages never serves a request for n pages. */
static void allocate_exact_fits(struct kunit *test)
{
	struct tmm_allocated_pages *all = tmm_test_pages_take_any(test, 2000);
	struct tmm_allocated_pages *last, *middle;

	last = tmm_test_pages_take(test, test->priv, tmm_request_in_range(3000, 3099, 100));
	TMM_EXPECT_PAGES(test, all, 1000, 2000);
	TMM_EXPECT_PAGES(test, last, 3000, 100);
	tmm_allocated_pages_drop(&all);
	middle = tmm_test_pages_take(test, test->priv, tmm_request_in_range(1024, 1535, 512));
	TMM_EXPECT_PAGES(test, middle, 1024, 512);
	tmm_allocated_pages_drop(&middle);
	middle = tmm_test_pages_take(test, test->priv, tmm_request_in_range(1777, 1777, 1));
	TMM_EXPECT_PAGES(test, middle, 1777, 1);
	tmm_allocated_pages_drop(&middle);
	all = tmm_test_pages_take_at(test, 1000, 2000);
	tmm_allocated_pages_drop(&all);
	all = tmm_test_pages_take(test, test->priv, tmm_request_aligned(1000, 2000));
	TMM_EXPECT_PAGES(test, all, 1000, 2000);
	tmm_allocated_pages_drop(&all);
	middle = tmm_test_pages_take(test, test->priv,
				     tmm_request_aligned_in_range(512, 1536, 2559, 1024));
	TMM_EXPECT_PAGES(test, middle, 1536, 1024);
	tmm_allocated_pages_drop(&middle);
	tmm_allocated_pages_drop(&last);
}

static void allocate_designated_as_a_last_resort(struct kunit *test)
{
	struct tmm_allocated_pages *general = tmm_test_pages_take_any(test, 1950);
	struct tmm_allocated_pages *designated = tmm_test_pages_take_any(test, 51);
	struct tmm_allocated_pages *rest = tmm_test_pages_take_any(test, 50);

	TMM_EXPECT_PAGES(test, designated, 3000, 51);
	TMM_EXPECT_PAGES(test, rest, 2950, 50);
	tmm_allocated_pages_drop(&general);
	tmm_allocated_pages_drop(&designated);
	tmm_allocated_pages_drop(&rest);
}

static void refused_allocation_changes_nothing(struct kunit *test)
{
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_in_range(1600, 1500, 1), -EINVAL },
		{ tmm_request_any(2001), -ENOSPC },
		{ tmm_request_in_range(1500, 1500, 1), -ENOSPC },
		{ tmm_request_at(1500, 1), -EADDRINUSE },
		{ tmm_request_at(1499, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(2999, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(999, 1), -ERANGE },
		{ tmm_request_in_range(0, 999, 1), -ERANGE },
		{ tmm_request_at(1000, U64_MAX), -EOVERFLOW },
	};
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 1);
	u64 before = tmm_test_pages_fingerprint(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_pages *none =
			tmm_page_allocator_allocate(&tp->pa, &refused[i].req);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(none), refused[i].err, "request %u", i);
		KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
	}
	tmm_allocated_pages_drop(&pages);
}

static void allocate_without_memory(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocation_request req = tmm_request_in_range(1500, 1600, 8);
	u64 before = tmm_test_pages_fingerprint(test);
	struct tmm_allocated_pages *pages;
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		pages = tmm_page_allocator_allocate(&tp->pa, &req);
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_EQ(test, PTR_ERR(pages), -ENOMEM);
		KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
	}
}

static void add_refused_changes_nothing(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_range_region *region = &tp->regions[tp->nr_regions];
	u64 before = tmm_test_pages_fingerprint(test);

	*region = (struct tmm_range_region){ .first = 2999, .nr = 1 };
	KUNIT_EXPECT_EQ(test, tmm_page_allocator_add(&tp->pa, region), -EADDRINUSE);
	region->nr = 0;
	KUNIT_EXPECT_EQ(test, tmm_page_allocator_add(&tp->pa, region), -EINVAL);
	region->nr = TMM_NUMBER_LIMIT - 2998;
	KUNIT_EXPECT_EQ(test, tmm_page_allocator_add(&tp->pa, region), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
}

/* The runs are freed in the order A, C, B, and become one range. */
static void drop_joins_both_neighbours(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocated_pages *a = tmm_test_pages_take_at(test, 1000, 10);
	struct tmm_allocated_pages *b = tmm_test_pages_take_at(test, 1010, 10);
	struct tmm_allocated_pages *c = tmm_test_pages_take_at(test, 1020, 10);

	tmm_allocated_pages_drop(&a);
	tmm_allocated_pages_drop(&c);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_ranges(&tp->regions[0].free), 2);
	tmm_allocated_pages_drop(&b);
	KUNIT_EXPECT_EQ(test, tmm_free_set_nr_ranges(&tp->regions[0].free), 1);
}

static void drop_of_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *pages = NULL;
	u64 before = tmm_test_pages_fingerprint(test);

	tmm_allocated_pages_drop(&pages);
	pages = ERR_PTR(-ENOSPC);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
}

static void drop_needs_no_memory(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);

	tmm_test_fail_alloc(test, 1);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
}

static void merge_other_after(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *other = tmm_test_pages_take_at(test, 1510, 5);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &other), 0);
	KUNIT_EXPECT_PTR_EQ(test, other, NULL);
	TMM_EXPECT_PAGES(test, pages, 1500, 15);
	tmm_allocated_pages_drop(&pages);
}

/* In Theseus, a merge can append pages, but not put them before the others. */
static void merge_other_before(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *other = tmm_test_pages_take_at(test, 1495, 5);
	u64 before = tmm_test_pages_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &other), 0);
	KUNIT_EXPECT_PTR_EQ(test, other, NULL);
	TMM_EXPECT_PAGES(test, pages, 1495, 15);
	KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
	tmm_allocated_pages_drop(&pages);
}

static void append_takes_only_following_pages(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *before = tmm_test_pages_take_at(test, 1495, 5);
	struct tmm_allocated_pages *after = tmm_test_pages_take_at(test, 1510, 5);
	struct tmm_allocated_pages *self = pages;

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_append(pages, &before), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_append(pages, &self), -EDOM);
	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_NOT_NULL(test, self);
	TMM_EXPECT_PAGES(test, pages, 1500, 10);
	TMM_EXPECT_PAGES(test, before, 1495, 5);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_append(pages, &after), 0);
	KUNIT_EXPECT_PTR_EQ(test, after, NULL);
	TMM_EXPECT_PAGES(test, pages, 1500, 15);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_pages_drop(&before);
}

static void append_across_regions_keeps_both(struct kunit *test)
{
	struct tmm_allocated_pages *general = tmm_test_pages_take_at(test, 2990, 10);
	struct tmm_allocated_pages *designated = tmm_test_pages_take_at(test, 3000, 10);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_append(general, &designated), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, designated);
	TMM_EXPECT_PAGES(test, general, 2990, 10);
	tmm_allocated_pages_drop(&general);
	tmm_allocated_pages_drop(&designated);
}

static void merge_not_contiguous_keeps_both(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *before = tmm_test_pages_take_at(test, 1489, 10);
	struct tmm_allocated_pages *after = tmm_test_pages_take_at(test, 1511, 10);
	struct tmm_allocated_pages *self = pages;

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &before), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &after), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &self), -EDOM);
	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_ASSERT_NOT_NULL(test, after);
	KUNIT_EXPECT_PTR_EQ(test, self, pages);
	TMM_EXPECT_PAGES(test, pages, 1500, 10);
	TMM_EXPECT_PAGES(test, before, 1489, 10);
	TMM_EXPECT_PAGES(test, after, 1511, 10);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_pages_drop(&before);
	tmm_allocated_pages_drop(&after);
}

static void merge_across_region_types_keeps_both(struct kunit *test)
{
	struct tmm_allocated_pages *general = tmm_test_pages_take_at(test, 2990, 10);
	struct tmm_allocated_pages *designated = tmm_test_pages_take_at(test, 3000, 10);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(general, &designated), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, designated);
	TMM_EXPECT_PAGES(test, general, 2990, 10);
	TMM_EXPECT_PAGES(test, designated, 3000, 10);
	tmm_allocated_pages_drop(&general);
	tmm_allocated_pages_drop(&designated);
}

struct split_param {
	const char *name;
	u64 at;
	int err;
};

static const struct split_param split_params[] = {
	{ "before the beginning", 1499, -EINVAL },
	{ "at the beginning", 1500, 0 },
	{ "in the middle", 1503, 0 },
	{ "at the end", 1510, 0 },
	{ "after the end", 1511, -EINVAL },
};

TMM_ARRAY_PARAM(split, split_params);

static void split_at_situations(struct kunit *test)
{
	const struct split_param *p = test->param_value;
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *second = NULL;
	u64 before = tmm_test_pages_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_at(pages, p->at, &second), p->err);
	KUNIT_EXPECT_EQ(test, tmm_test_pages_fingerprint(test), before);
	if (p->err) {
		KUNIT_EXPECT_PTR_EQ(test, second, NULL);
		TMM_EXPECT_PAGES(test, pages, 1500, 10);
	} else {
		KUNIT_ASSERT_NOT_NULL(test, second);
		TMM_EXPECT_PAGES(test, pages, 1500, p->at - 1500);
		TMM_EXPECT_PAGES(test, second, p->at, 1510 - p->at);
		KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &second), 0);
		TMM_EXPECT_PAGES(test, pages, 1500, 10);
		KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_at(pages, p->at, &second), 0);
	}
	tmm_allocated_pages_drop(&second);
	tmm_allocated_pages_drop(&pages);
}

static void split_at_of_an_empty_run(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *empty, *second = NULL;

	KUNIT_ASSERT_EQ(test, tmm_allocated_pages_split_at(pages, 1510, &empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_at(empty, 1510, &second), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	tmm_allocated_pages_drop(&empty);
	tmm_allocated_pages_drop(&pages);
}

static void split_at_without_memory(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take_at(test, 1500, 10);
	struct tmm_allocated_pages *second = NULL;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_allocated_pages_split_at(pages, 1505, &second);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	TMM_EXPECT_PAGES(test, pages, 1500, 10);
	tmm_allocated_pages_drop(&pages);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(allocate_and_drop_gives_back),
	KUNIT_CASE(allocate_at_across_adjacent_pieces),
	KUNIT_CASE(allocate_exact_fits),
	KUNIT_CASE(allocate_designated_as_a_last_resort),
	KUNIT_CASE(refused_allocation_changes_nothing),
	KUNIT_CASE(allocate_without_memory),
	KUNIT_CASE(add_refused_changes_nothing),
	KUNIT_CASE(drop_joins_both_neighbours),
	KUNIT_CASE(drop_of_nothing),
	KUNIT_CASE(drop_needs_no_memory),
	KUNIT_CASE(merge_other_after),
	KUNIT_CASE(merge_other_before),
	KUNIT_CASE(append_takes_only_following_pages),
	KUNIT_CASE(append_across_regions_keeps_both),
	KUNIT_CASE(merge_not_contiguous_keeps_both),
	KUNIT_CASE(merge_across_region_types_keeps_both),
	KUNIT_CASE_PARAM(split_at_situations, split_gen_params),
	KUNIT_CASE(split_at_of_an_empty_run),
	KUNIT_CASE(split_at_without_memory),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "theseus_mm_pages",
	.init = init_case,
	.exit = tmm_test_pages_exit,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
