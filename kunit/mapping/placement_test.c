// SPDX-License-Identifier: GPL-2.0
#include "mapping/placement.h"

#include "mapping/request.h"
#include "support/pages_fixture.h"

#include <linux/limits.h>

#define LEAF_2M		(1ULL << TMM_INDEX_BITS)
#define LEAF_1G		(LEAF_2M << TMM_INDEX_BITS)

struct leaf_param {
	const char *name;
	u64 number;
	u64 nr;
	enum tmm_page_size size;
};

static const struct leaf_param leaf_params[] = {
	{ "one", 0, 1, TMM_4K },
	{ "one less than 2 MiB", 0, LEAF_2M - 1, TMM_4K },
	{ "2 MiB", 0, LEAF_2M, TMM_2M },
	{ "2 MiB, misaligned", 1, LEAF_2M, TMM_4K },
	{ "misaligned, just long enough", 1, 2 * LEAF_2M - 1, TMM_2M },
	{ "misaligned, one too short", 1, 2 * LEAF_2M - 2, TMM_4K },
	{ "one less than 1 GiB", 0, LEAF_1G - 1, TMM_2M },
	{ "1 GiB", LEAF_1G, LEAF_1G, TMM_1G },
	{ "1 GiB, misaligned", LEAF_2M, LEAF_1G, TMM_2M },
	{ "1 GiB somewhere inside", LEAF_2M, 2 * LEAF_1G - LEAF_2M, TMM_1G },
	{ "more than there is", 0, U64_MAX, TMM_1G },
};

TMM_ARRAY_PARAM(leaf, leaf_params);

static void largest_leaf_in_a_run(struct kunit *test)
{
	const struct leaf_param *p = test->param_value;

	KUNIT_EXPECT_EQ(test, tmm_placement_leaf_in(p->number, p->nr), p->size);
}

static int pages_init(struct kunit *test)
{
	test->priv = tmm_test_pages_create(test);
	return 0;
}

static void pages_exit(struct kunit *test)
{
	if (test->priv)
		tmm_test_pages_destroy(test, test->priv);
}

static void congruent_pages_have_the_offset_of_the_run(struct kunit *test)
{
	static const u64 runs[][2] = {
		{ 0, 1 }, { 7, 3 }, { 5, 2 * LEAF_2M }, { LEAF_2M + 511, LEAF_2M + 1 },
		{ 3 * LEAF_2M + 9, 2 * LEAF_1G },
	};
	struct tmm_test_pages *tp = test->priv;
	unsigned int i;

	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, LEAF_1G + 3, 8 * LEAF_1G);
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		u64 leaf = tmm_page_size_4k_pages(tmm_placement_leaf_in(runs[i][0], runs[i][1]));
		struct tmm_allocated_pages *pages =
			tmm_placement_allocate_congruent(&tp->pa, runs[i][0], runs[i][1]);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
		KUNIT_EXPECT_EQ(test, pages->chunk.nr, runs[i][1]);
		KUNIT_EXPECT_EQ_MSG(test, pages->chunk.start % leaf, runs[i][0] % leaf,
				    "run %u", i);
		tmm_allocated_pages_drop(&pages);
		/* The pages that were cut off for the alignment are free again. */
		KUNIT_EXPECT_TRUE(test, tmm_test_all_free(test, &tp->pa.ra));
	}
}

static void congruent_pages_settle_for_less(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocated_pages *pages;

	/* No page aligned to 2 MiB has enough free pages after it. */
	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, LEAF_2M + 1, 2 * LEAF_2M - 2);
	pages = tmm_placement_allocate_congruent(&tp->pa, 0, LEAF_2M);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, pages->chunk.start, LEAF_2M + 1);
	KUNIT_EXPECT_PTR_EQ(test, tmm_placement_allocate_congruent(&tp->pa, 0, LEAF_2M),
			    ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_PTR_EQ(test, tmm_placement_allocate_congruent(&tp->pa, 0, 0),
			    ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, tmm_placement_allocate_congruent(&tp->pa, 1, U64_MAX),
			    ERR_PTR(-EOVERFLOW));
	tmm_allocated_pages_drop(&pages);
}

#define HIGH	(64 * LEAF_1G)

/*
 * Adds low pages of every alignment as a last resort, and 2 MiB of general pages at high addresses.
 * Of the general pages, only the last one is aligned to 2 MiB.
 */
static void add_low_and_high(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;

	tmm_test_pages_add(test, tp, TMM_REGION_DESIGNATED, 1, 4 * LEAF_1G);
	tmm_test_pages_add(test, tp, TMM_REGION_GENERAL, HIGH + 1, LEAF_2M);
}

static void smaller_leaves_come_before_a_last_resort(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocated_pages *high, *low;

	add_low_and_high(test);
	high = tmm_placement_allocate_congruent(&tp->pa, 0, LEAF_2M);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, high);
	KUNIT_EXPECT_EQ(test, high->chunk.start, HIGH + 1);
	/* Only low pages are left, and some of these allow a large leaf. */
	low = tmm_placement_allocate_congruent(&tp->pa, 0, LEAF_2M);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, low);
	KUNIT_EXPECT_LT(test, low->chunk.start, HIGH);
	KUNIT_EXPECT_EQ(test, low->chunk.start % LEAF_2M, 0);
	tmm_allocated_pages_drop(&low);
	tmm_allocated_pages_drop(&high);
}

static void general_only_knows_no_last_resort(struct kunit *test)
{
	const struct tmm_mapping_request req = { .nr = LEAF_2M, .general_only = true };
	struct tmm_test_pages *tp = test->priv;
	struct tmm_allocated_pages *pages;

	add_low_and_high(test);
	pages = tmm_placement_allocate_pages(&tp->pa, 0, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, pages->chunk.start, HIGH + 1);
	KUNIT_EXPECT_PTR_EQ(test, tmm_placement_allocate_pages(&tp->pa, 0, &req), ERR_PTR(-ENOSPC));
	tmm_allocated_pages_drop(&pages);
}

static struct kunit_case placement_cases[] = {
	KUNIT_CASE_PARAM(largest_leaf_in_a_run, leaf_gen_params),
	KUNIT_CASE(congruent_pages_have_the_offset_of_the_run),
	KUNIT_CASE(congruent_pages_settle_for_less),
	KUNIT_CASE(smaller_leaves_come_before_a_last_resort),
	KUNIT_CASE(general_only_knows_no_last_resort),
	{}
};

static struct kunit_suite placement_suite = {
	.name = "theseus_mm_placement",
	.init = pages_init,
	.exit = pages_exit,
	.test_cases = placement_cases,
};

kunit_test_suite(placement_suite);
