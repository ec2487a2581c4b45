// SPDX-License-Identifier: GPL-2.0
#include "paging/tlb.h"

#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "mapping/mapped_pages_split.h"
#include "paging/mapper.h"

#include <linux/string.h>

/* The arguments and findings of the last calls of the callback. */
static struct {
	struct tmm_instance *inst;
	u64 page;
	u64 frame;
	unsigned int nr_calls;
	struct tmm_page_range pages;
	u64 entry;
	enum tmm_frame_mark mark;
	u64 nr_tables;
} seen;

static enum tmm_frame_mark mark_of(struct tmm_instance *inst, u64 frame)
{
	return tmm_frame_table_get(&inst->memories[0].general.table, frame);
}

static void note_shootdown(struct tmm_page_range pages)
{
	seen.nr_calls++;
	seen.pages = pages;
	seen.entry = tmm_test_entry(seen.inst->root, seen.page, 1);
	seen.mark = mark_of(seen.inst, seen.frame);
	seen.nr_tables = seen.inst->fa.nr_tables;
}

/* Makes the callback watch the last page and the last frame of @mp. */
static void watch_pages(struct kunit *test, struct tmm_mapped_pages *mp)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);

	memset(&seen, 0, sizeof(seen));
	seen.inst = tmm_test_inst(test);
	seen.page = range.r.first + range.r.nr - 1;
	seen.frame = tmm_test_translate(tmm_test_root(test), seen.page);
	tmm_set_broadcast_tlb_shootdown_cb(note_shootdown);
}

static void exit_case(struct kunit *test)
{
	tmm_set_broadcast_tlb_shootdown_cb(NULL);
	tmm_test_instance_exit(test);
}

static void expect_one_call(struct kunit *test, u64 first, u64 nr)
{
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 1);
	KUNIT_EXPECT_EQ(test, seen.pages.r.first, first);
	KUNIT_EXPECT_EQ(test, seen.pages.r.nr, nr);
	KUNIT_EXPECT_EQ(test, seen.pages.r.size, TMM_4K);
}

#define base_page()	(tmm_private_first_page() + 510)

static void drop_shoots_down_before_frames_are_free(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 4, TMM_TEST_WRITABLE);
	u64 nr_tables = tmm_test_nr_tables(test);

	watch_pages(test, mp);
	tmm_mapped_pages_drop(&mp);
	expect_one_call(test, base_page(), 4);
	KUNIT_EXPECT_EQ(test, seen.entry, 0);
	KUNIT_EXPECT_EQ(test, seen.mark, TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, seen.nr_tables, nr_tables);
	KUNIT_EXPECT_EQ(test, mark_of(seen.inst, seen.frame), TMM_MARK_FREE);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

/* In Theseus, the third run of frames and all later ones are free before the shootdown. */
static void drop_of_many_runs_shoots_down_before_frames_are_free(struct kunit *test)
{
	struct tmm_mapped_pages *mp;
	unsigned int i;

	tmm_test_hog(test);
	for (i = 0; i < 20; i++)
		tmm_test_unhog(test, 1);
	mp = tmm_test_map(test, base_page(), 8, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 8);
	watch_pages(test, mp);
	tmm_mapped_pages_drop(&mp);
	expect_one_call(test, base_page(), 8);
	KUNIT_EXPECT_EQ(test, seen.mark, TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, mark_of(seen.inst, seen.frame), TMM_MARK_FREE);
}

static void unmap_into_parts_shoots_down(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_READ_ONLY);
	struct tmm_allocated_pages *pages;
	LIST_HEAD(frames);

	watch_pages(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &frames), 0);
	expect_one_call(test, base_page(), 3);
	KUNIT_EXPECT_EQ(test, seen.entry, 0);
	KUNIT_EXPECT_EQ(test, seen.mark, TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, mark_of(seen.inst, seen.frame), TMM_MARK_ALLOCATED);
	tmm_test_drop_frames_list(&frames);
	tmm_allocated_pages_drop(&pages);
}

static void remap_shoots_down_changed_entries(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	u64 entry = tmm_test_entry(tmm_test_root(test), base_page() + 2, 1);

	watch_pages(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), 0);
	expect_one_call(test, base_page(), 3);
	KUNIT_EXPECT_EQ(test, seen.entry, entry & ~TMM_ENTRY_WRITABLE);
	KUNIT_EXPECT_EQ(test, seen.mark, TMM_MARK_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 1);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_WRITABLE), 0);
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 2);
	KUNIT_EXPECT_EQ(test, seen.entry, entry);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 3);
}

static void unchanged_entries_are_not_shot_down(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 4, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *other, *second, *last;

	watch_pages(test, mp);
	other = tmm_test_map(test, base_page() + 4, 4, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 2, &second), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &other), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 8, &last), 0);
	tmm_mapped_pages_drop(&last);
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 0);
	tmm_mapped_pages_drop(&mp);
	expect_one_call(test, base_page(), 8);
}

static void undone_map_shoots_down(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page() + 600, 1, TMM_TEST_WRITABLE);

	watch_pages(test, mp);
	seen.page = base_page();
	KUNIT_EXPECT_EQ(test, tmm_mapper_map(tmm_test_root(test), tmm_test_pages(base_page(), 601),
					     tmm_frame_4k(100),
					     tmm_pte_leaf_bits(TMM_PTE_NONE, true), TMM_4K),
			-EEXIST);
	/*
	 * The failed map had filled the two leaf tables before the table with the page in use. Both
	 * leaf tables still existed at the shootdown.
	 */
	expect_one_call(test, base_page(), 514);
	KUNIT_EXPECT_EQ(test, seen.entry, 0);
	KUNIT_EXPECT_EQ(test, seen.nr_tables, tmm_test_nr_tables(test) + 2);
	tmm_mapped_pages_drop(&mp);
}

/* For a leaf of 2 MiB between smaller ones there is one call, and the tables exist until then. */
static void unmap_of_two_leaf_sizes_shoots_down_before_tables_are_free(struct kunit *test)
{
	const u64 page = tmm_private_first_page() + 1023, nr = 1 + 512 + 1;
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 nr_tables;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, nr), tmm_frame_4k(1023),
					     tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true), TMM_2M),
			0);
	nr_tables = tmm_test_nr_tables(test);
	memset(&seen, 0, sizeof(seen));
	seen.inst = tmm_test_inst(test);
	seen.page = page;
	seen.frame = pt->paddr >> TMM_PAGE_SHIFT;
	tmm_set_broadcast_tlb_shootdown_cb(note_shootdown);
	tmm_mapper_remap(pt, tmm_test_pages(page, nr), false);
	expect_one_call(test, page, nr);
	seen.nr_calls = 0;
	tmm_mapper_unmap(pt, tmm_test_pages(page, nr));
	expect_one_call(test, page, nr);
	KUNIT_EXPECT_EQ(test, seen.entry, 0);
	KUNIT_EXPECT_EQ(test, seen.nr_tables, nr_tables);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void ended_callback_is_not_called(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 1, TMM_TEST_WRITABLE);

	watch_pages(test, mp);
	tmm_set_broadcast_tlb_shootdown_cb(NULL);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, seen.nr_calls, 0);
}

static struct kunit_case tlb_cases[] = {
	KUNIT_CASE(drop_shoots_down_before_frames_are_free),
	KUNIT_CASE(drop_of_many_runs_shoots_down_before_frames_are_free),
	KUNIT_CASE(unmap_into_parts_shoots_down),
	KUNIT_CASE(remap_shoots_down_changed_entries),
	KUNIT_CASE(unchanged_entries_are_not_shot_down),
	KUNIT_CASE(undone_map_shoots_down),
	KUNIT_CASE(unmap_of_two_leaf_sizes_shoots_down_before_tables_are_free),
	KUNIT_CASE(ended_callback_is_not_called),
	{}
};

static struct kunit_suite tlb_suite = {
	.name = "theseus_mm_tlb",
	.init = tmm_test_instance_init,
	.exit = exit_case,
	.test_cases = tlb_cases,
};

kunit_test_suite(tlb_suite);
