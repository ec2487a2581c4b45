// SPDX-License-Identifier: GPL-2.0
#include "paging/leaf_runs.h"
#include "paging/mapper.h"

#include "support/instance_fixture.h"

#define SOME_FRAME	0x12345ULL
#define base_page()	tmm_private_first_page()

static u64 pages_end(void)
{
	return base_page() + tmm_private_nr_pages();
}

static void map_run(struct kunit *test, u64 page, u64 frame, u64 nr, tmm_pte_flags_t flags)
{
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, nr),
					     tmm_frame_4k(frame), tmm_pte_leaf_bits(flags, true),
					     TMM_1G), 0);
}

static void expect_run(struct kunit *test, u64 from, u64 end, u64 page, u64 frame, u64 nr,
		       enum tmm_page_size size)
{
	struct tmm_leaf_run run = {};

	KUNIT_ASSERT_TRUE(test, tmm_leaf_runs_find(tmm_test_root(test),
						   tmm_test_pages(from, end - from), &run));
	KUNIT_EXPECT_EQ(test, run.page, page);
	KUNIT_EXPECT_EQ(test, run.frame, frame);
	KUNIT_EXPECT_EQ(test, run.nr, nr);
	KUNIT_EXPECT_EQ(test, run.size, size);
}

static void expect_none(struct kunit *test, u64 from, u64 end)
{
	struct tmm_leaf_run run;

	KUNIT_EXPECT_FALSE(test, tmm_leaf_runs_find(tmm_test_root(test),
						    tmm_test_pages(from, end - from), &run));
}

static void run_of_nothing(struct kunit *test)
{
	expect_none(test, 0, pages_end());
	expect_none(test, pages_end() - 1, pages_end());
	expect_none(test, base_page(), base_page());
}

static void run_of_one_page_wherever_it_is(struct kunit *test)
{
	const u64 pages[] = {
		1, base_page() - 1, base_page(), base_page() + 511, base_page() + 512,
		base_page() + (1ULL << 18) - 1, base_page() + (3ULL << 27), pages_end() - 1,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		map_run(test, pages[i], SOME_FRAME, 1, TMM_TEST_WRITABLE);
		expect_run(test, 0, pages_end(), pages[i], SOME_FRAME, 1, TMM_4K);
		expect_run(test, pages[i], pages[i] + 1, pages[i], SOME_FRAME, 1, TMM_4K);
		expect_none(test, 0, pages[i]);
		expect_none(test, pages[i] + 1, pages_end());
		tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(pages[i], 1));
	}
}

/* A run continues across boundaries between tables, and ends where the caller's range ends. */
static void run_goes_on_in_the_next_table(struct kunit *test)
{
	const u64 page = base_page() + 500;

	map_run(test, page, SOME_FRAME, 1100, TMM_TEST_WRITABLE);
	expect_run(test, 0, pages_end(), page, SOME_FRAME, 1100, TMM_4K);
	expect_run(test, page + 600, pages_end(), page + 600, SOME_FRAME + 600, 500, TMM_4K);
	expect_run(test, 0, page + 700, page, SOME_FRAME, 700, TMM_4K);
	expect_run(test, 0, page + 3, page, SOME_FRAME, 3, TMM_4K);
	tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(page, 1100));
}

/* A search reads a table in pieces. A run begins, ends and changes wherever a piece may end. */
static void run_of_any_length_at_any_place(struct kunit *test)
{
	static const u64 lengths[] = { 1, 2, 63, 64, 65, 127, 128, 129, 447, 512, 700 };
	const u64 page = base_page() + 1024;
	unsigned int i;
	u64 first;

	for (first = page; first < page + 512; first += 31) {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			const u64 behind = first + lengths[i];

			map_run(test, first, SOME_FRAME, lengths[i], TMM_TEST_WRITABLE);
			map_run(test, behind, SOME_FRAME + lengths[i], 3, TMM_PTE_DEFAULT);
			expect_run(test, 0, pages_end(), first, SOME_FRAME, lengths[i], TMM_4K);
			expect_run(test, behind - 1, pages_end(), behind - 1,
				   SOME_FRAME + lengths[i] - 1, 1, TMM_4K);
			expect_run(test, behind, pages_end(), behind, SOME_FRAME + lengths[i], 3,
				   TMM_4K);
			expect_none(test, page, first);
			expect_none(test, behind + 3, pages_end());
			tmm_mapper_unmap(tmm_test_root(test),
					 tmm_test_pages(first, lengths[i] + 3));
		}
	}
}

/* Leaves far apart, so that a search skips many entries of each level. */
static void runs_behind_long_holes(struct kunit *test)
{
	const u64 pages[] = {
		base_page() + 1, base_page() + 511, base_page() + 300 * 512 + 2,
		base_page() + (200ULL << 18) + 511 * 512 + 511, base_page() + (400ULL << 18),
	};
	const unsigned int nr = ARRAY_SIZE(pages);
	unsigned int i;

	for (i = 0; i < nr; i++)
		map_run(test, pages[i], SOME_FRAME + i, 1, TMM_TEST_WRITABLE);
	for (i = 0; i < nr; i++)
		expect_run(test, i ? pages[i - 1] + 1 : 0, pages_end(), pages[i], SOME_FRAME + i, 1,
			   TMM_4K);
	expect_none(test, pages[nr - 1] + 1, pages_end());
	for (i = 0; i < nr; i++)
		tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(pages[i], 1));
}

static void run_ends_where_something_differs(struct kunit *test)
{
	const u64 page = base_page() + 505;
	struct tmm_page_table *pt = tmm_test_root(test);

	/*
	 * A run ends at a frame that does not follow, at other flags, and at a hole, even where
	 * these are at the end of a table.
	 */
	map_run(test, page, SOME_FRAME, 3, TMM_TEST_WRITABLE);
	map_run(test, page + 3, SOME_FRAME + 100, 4, TMM_TEST_WRITABLE);
	map_run(test, page + 7, SOME_FRAME + 104, 2, TMM_PTE_DEFAULT);
	map_run(test, page + 10, SOME_FRAME + 106, 1, TMM_PTE_DEFAULT);
	expect_run(test, 0, pages_end(), page, SOME_FRAME, 3, TMM_4K);
	expect_run(test, page + 3, pages_end(), page + 3, SOME_FRAME + 100, 4, TMM_4K);
	expect_run(test, page + 7, pages_end(), page + 7, SOME_FRAME + 104, 2, TMM_4K);
	expect_run(test, page + 9, pages_end(), page + 10, SOME_FRAME + 106, 1, TMM_4K);
	tmm_mapper_unmap(pt, tmm_test_pages(page, 9));
	tmm_mapper_unmap(pt, tmm_test_pages(page + 10, 1));
}

static void run_of_large_leaves(struct kunit *test)
{
	const u64 page = base_page() + 1024, frame = 0x40000;

	map_run(test, page, frame, 3 * 512 + 5, TMM_TEST_WRITABLE);
	expect_run(test, 0, pages_end(), page, frame, 3 * 512, TMM_2M);
	/* ranges that begin or end within a leaf */
	expect_run(test, page + 700, pages_end(), page + 700, frame + 700, 3 * 512 - 700, TMM_2M);
	expect_run(test, page + 10, page + 20, page + 10, frame + 10, 10, TMM_2M);
	expect_run(test, page + 3 * 512, pages_end(), page + 3 * 512, frame + 3 * 512, 5, TMM_4K);
	tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(page, 3 * 512 + 5));
}

/* A leaf that is being split belongs to a run. Any other entry that is not present is a hole. */
static void run_of_a_frozen_leaf(struct kunit *test)
{
	const u64 page = base_page() + 1024, frame = 0x40000;
	struct tmm_table_path path;
	u64 *table, *entry;

	map_run(test, page, frame, 1024, TMM_TEST_WRITABLE);
	table = tmm_table_find(tmm_test_root(test), tmm_page_4k(page), &path);
	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_ASSERT_EQ(test, path.level, 2);
	entry = &table[tmm_entry_table_index(tmm_page_4k(page), path.level)];
	*entry &= ~TMM_ENTRY_PRESENT;
	expect_run(test, 0, pages_end(), page, frame, 1024, TMM_2M);
	*entry &= ~TMM_ENTRY_HUGE;
	expect_run(test, 0, pages_end(), page + 512, frame + 512, 512, TMM_2M);
	*entry |= TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE;
	tmm_mapper_unmap(tmm_test_root(test), tmm_test_pages(page, 1024));
}

static struct kunit_case leaf_runs_cases[] = {
	KUNIT_CASE(run_of_nothing),
	KUNIT_CASE(run_of_one_page_wherever_it_is),
	KUNIT_CASE(run_goes_on_in_the_next_table),
	KUNIT_CASE(run_of_any_length_at_any_place),
	KUNIT_CASE(runs_behind_long_holes),
	KUNIT_CASE(run_ends_where_something_differs),
	KUNIT_CASE(run_of_large_leaves),
	KUNIT_CASE(run_of_a_frozen_leaf),
	{}
};

static struct kunit_suite leaf_runs_suite = {
	.name = "theseus_mm_leaf_runs",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = leaf_runs_cases,
};

kunit_test_suite(leaf_runs_suite);
