// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "paging/window_copy.h"

#include <linux/string.h>

#define NR_PAGES 10
#define base_page()	(tmm_private_first_page() + 508)

/* Writes a different number at the start of each page. */
static void write_numbers(struct kunit *test, u64 page, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		size_t left = 1;

		KUNIT_EXPECT_EQ(test, tmm_window_write(tmm_test_root(test),
						       tmm_test_vaddr(page + i), &i, 8, &left), 0);
		KUNIT_EXPECT_EQ(test, left, 0);
	}
}

static void expect_numbers(struct kunit *test, const struct tmm_mapped_pages *mp, u64 first)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);
	u64 i, found;

	for (i = 0; i < range.r.nr; i++) {
		size_t left = 1;

		KUNIT_EXPECT_EQ(test, tmm_window_read(tmm_test_root(test),
						      tmm_test_vaddr(range.r.first + i), &found, 8,
						      &left), 0);
		KUNIT_EXPECT_EQ(test, left, 0);
		KUNIT_EXPECT_EQ(test, found, first + i);
	}
}

/* Expects @mp to have the @nr pages from @page on, mapped to the frames of @mp in order. */
static void expect_mapping(struct kunit *test, const struct tmm_mapped_pages *mp, u64 page, u64 nr,
			   unsigned int nr_ranges)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);
	struct tmm_frames *frames;
	unsigned int ranges = 0;
	u64 done = 0;

	KUNIT_EXPECT_EQ(test, range.r.first, page);
	KUNIT_EXPECT_EQ(test, range.r.nr, nr);
	list_for_each_entry(frames, &mp->frames, link) {
		tmm_test_expect_mapped(test, page + done, frames->chunk.start, frames->chunk.nr);
		KUNIT_EXPECT_EQ(test, frames->state, TMM_STATE_MAPPED);
		done += frames->chunk.nr;
		ranges++;
	}
	KUNIT_EXPECT_EQ(test, done, nr);
	KUNIT_EXPECT_EQ(test, ranges, nr_ranges);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, nr_ranges);
}

/* Maps NR_PAGES pages on runs of 5, 3 and 2 frames, and numbers the pages. */
static struct tmm_mapped_pages *map_scattered(struct kunit *test)
{
	struct tmm_mapped_pages *mp;

	tmm_test_hog(test);
	tmm_test_unhog(test, 5);
	tmm_test_unhog(test, 3);
	tmm_test_unhog(test, 2);
	tmm_test_unhog_for_tables(test);
	mp = tmm_test_map(test, base_page(), NR_PAGES, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 3);
	write_numbers(test, base_page(), NR_PAGES);
	return mp;
}

/* The number of runs of map_scattered() that overlap the pages [first, end). */
static unsigned int nr_runs(u64 first, u64 end)
{
	const u64 bounds[] = { 0, 5, 8, NR_PAGES };
	unsigned int i, nr = 0;

	for (i = 0; i < 3; i++)
		nr += first < end && first < bounds[i + 1] && end > bounds[i];
	return nr;
}

/* Splits at each page, the first and the end included, and merges the parts again. */
static void split_everywhere_and_merge(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_scattered(test);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *second;
	u64 at;

	for (at = 0; at <= NR_PAGES; at++) {
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + at, &second), 0);
		expect_mapping(test, mp, base_page(), at, nr_runs(0, at));
		expect_mapping(test, second, base_page() + at, NR_PAGES - at,
			       nr_runs(at, NR_PAGES));
		expect_numbers(test, mp, 0);
		expect_numbers(test, second, at);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(second), tmm_mapped_pages_flags(mp));
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
		KUNIT_EXPECT_PTR_EQ(test, second, NULL);
		/* If the split has divided a run of frames, the merge has joined it again. */
		expect_mapping(test, mp, base_page(), NR_PAGES, 3);
	}
	tmm_mapped_pages_drop(&mp);
}

static void split_outside_changes_nothing(struct kunit *test)
{
	const u64 outside[] = {
		0, base_page() - 1, base_page() + NR_PAGES + 1, U64_MAX,
	};
	struct tmm_mapped_pages *mp = map_scattered(test);
	struct tmm_mapped_pages *second = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, outside[i], &second), -EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, second, NULL);
		expect_mapping(test, mp, base_page(), NR_PAGES, 3);
	}
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 1);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	tmm_mapped_pages_drop(&mp);
}

static void empty_mapping_can_be_dropped_and_little_else(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *empty, *second = NULL;
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 3, &empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(empty, base_page() + 3, &second), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(empty, TMM_TEST_READ_ONLY), 0);
	/* An empty mapping has no memory that could be of the wrong kind. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(empty, TMM_MMIO_FLAGS), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(empty, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(empty), TMM_TEST_READ_ONLY | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(empty, 0, 1, false, &borrow), -ERANGE);
	tmm_mapped_pages_drop(&empty);
	expect_mapping(test, mp, base_page(), 3, 1);
	tmm_mapped_pages_drop(&mp);
}

static void parts_go_one_by_one(struct kunit *test)
{
	struct tmm_mapped_pages *first = map_scattered(test);
	struct tmm_mapped_pages *middle, *last;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(first, base_page() + 3, &middle), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(middle, base_page() + 7, &last), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 3);
	/* The flags of each part can change alone. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(middle, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_TRUE(test, tmm_test_entry(tmm_test_root(test), base_page() + 2, 1) &
			  TMM_ENTRY_WRITABLE);
	KUNIT_EXPECT_TRUE(test, tmm_test_entry(tmm_test_root(test), base_page() + 7, 1) &
			  TMM_ENTRY_WRITABLE);
	tmm_mapped_pages_drop(&middle);
	tmm_test_expect_unmapped(test, base_page() + 3, 4);
	expect_numbers(test, first, 0);
	expect_numbers(test, last, 7);
	tmm_mapped_pages_drop(&first);
	expect_numbers(test, last, 7);
	tmm_mapped_pages_drop(&last);
}

static void split_while_borrowed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_scattered(test);
	struct tmm_mapped_pages *second = NULL;
	struct tmm_borrow borrow;
	unsigned int is_mutable;

	for (is_mutable = 0; is_mutable < 2; is_mutable++) {
		KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, is_mutable, &borrow), 0);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 4, &second),
				-EBUSY);
		KUNIT_EXPECT_PTR_EQ(test, second, NULL);
		tmm_borrow_end(&borrow);
		expect_mapping(test, mp, base_page(), NR_PAGES, 3);
	}
	tmm_mapped_pages_drop(&mp);
}

/* Expects the merge to fail with @err, and to change neither mapping. */
static void expect_merge_refused(struct kunit *test, struct tmm_mapped_pages *mp,
				 struct tmm_mapped_pages *other, int err)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);
	struct tmm_page_range other_range = tmm_mapped_pages_range(other);
	struct tmm_mapped_pages *second = other;
	u64 before = tmm_test_fingerprint(test);

	/* Asserts, since after a wrong merge @other no longer exists. */
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), err);
	KUNIT_EXPECT_PTR_EQ(test, second, other);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.first, range.r.first);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, range.r.nr);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(other).r.first, other_range.r.first);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(other).r.nr, other_range.r.nr);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void merge_refused_keeps_both(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = tmm_test_map(test, base_page() + 3, 3, TMM_TEST_READ_ONLY);
	struct tmm_mapped_pages *far = tmm_test_map(test, base_page() + 7, 3, TMM_TEST_WRITABLE);
	struct tmm_borrow borrow;

	expect_merge_refused(test, mp, next, -EMEDIUMTYPE);
	expect_merge_refused(test, mp, far, -EDOM);
	expect_merge_refused(test, mp, mp, -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(next, TMM_TEST_WRITABLE), 0);
	/* The mappings are in the wrong order. */
	expect_merge_refused(test, next, mp, -EDOM);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &borrow), 0);
	expect_merge_refused(test, mp, next, -EBUSY);
	tmm_borrow_end(&borrow);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(next, 0, 1, true, &borrow), 0);
	expect_merge_refused(test, mp, next, -EBUSY);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(next));
	/* Without borrows the merge succeeds. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &next), 0);
	expect_mapping(test, mp, base_page(), 6, mp->nr_frame_ranges);
	tmm_mapped_pages_drop(&far);
	tmm_mapped_pages_drop(&mp);
}

/* Mappings whose flags differ only in bits that the hardware sets can be merged. */
static void merge_ignores_what_the_hardware_sets(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 2, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = tmm_test_map(test, base_page() + 2, 2, TMM_TEST_WRITABLE &
						     ~TMM_PTE_ACCESSED);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &next), 0);
	tmm_mapped_pages_drop(&next);
	tmm_mapped_pages_drop(&mp);
}

static void merge_of_two_roots_keeps_both(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page() + 3, 3);
	struct tmm_mapped_pages *other;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	other = tmm_map_allocated_pages(pt, &pages, TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	expect_merge_refused(test, mp, other, -EXDEV);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(pt), 1);
	/* The root exists until its last mapping ends. */
	tmm_page_table_put(pt);
	expect_merge_refused(test, mp, other, -EXDEV);
	tmm_mapped_pages_drop(&other);
	tmm_mapped_pages_drop(&mp);
}

/* Theseus frees all runs but the first, although the caller may still use them. */
static void unmap_into_parts_gives_all_frames(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_scattered(test);
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	u64 expected[NR_PAGES];
	LIST_HEAD(list);
	u64 i, done = 0;

	for (i = 0; i < NR_PAGES; i++)
		expected[i] = tmm_test_translate(tmm_test_root(test), base_page() + i);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &list), 0);
	KUNIT_EXPECT_PTR_EQ(test, mp, NULL);
	KUNIT_EXPECT_EQ(test, pages->chunk.start, base_page());
	KUNIT_EXPECT_EQ(test, pages->chunk.nr, NR_PAGES);
	list_for_each_entry(frames, &list, f.link) {
		KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
		for (i = 0; i < tmm_frames_nr(&frames->f) && done < NR_PAGES; i++, done++)
			KUNIT_EXPECT_EQ(test, frames->f.chunk.start + i, expected[done]);
	}
	KUNIT_EXPECT_EQ(test, done, NR_PAGES);
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	tmm_test_drop_frames_list(&list);
	tmm_allocated_pages_drop(&pages);
}

static void unmap_into_parts_while_borrowed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_scattered(test);
	struct tmm_mapped_pages *same = mp;
	struct tmm_allocated_pages *pages = NULL;
	struct tmm_borrow borrow;
	LIST_HEAD(list);

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &borrow), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &list), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, mp, same);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	tmm_borrow_end(&borrow);
	expect_mapping(test, mp, base_page(), NR_PAGES, 3);
	expect_numbers(test, mp, 0);
	tmm_mapped_pages_drop(&mp);
}

/* The pages and frames can be mapped again, and the frames keep their content. */
static void parts_can_be_mapped_again(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 5, TMM_TEST_WRITABLE);
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	LIST_HEAD(list);

	write_numbers(test, base_page(), 5);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &list), 0);
	frames = list_first_entry(&list, struct tmm_allocated_frames, f.link);
	list_del_init(&frames->f.link);
	mp = tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &frames, TMM_TEST_READ_ONLY);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	expect_mapping(test, mp, base_page(), 5, 1);
	expect_numbers(test, mp, 0);
	tmm_mapped_pages_drop(&mp);
}

static struct kunit_case mapped_pages_split_cases[] = {
	KUNIT_CASE(split_everywhere_and_merge),
	KUNIT_CASE(split_outside_changes_nothing),
	KUNIT_CASE(empty_mapping_can_be_dropped_and_little_else),
	KUNIT_CASE(parts_go_one_by_one),
	KUNIT_CASE(split_while_borrowed),
	KUNIT_CASE(merge_refused_keeps_both),
	KUNIT_CASE(merge_ignores_what_the_hardware_sets),
	KUNIT_CASE(merge_of_two_roots_keeps_both),
	KUNIT_CASE(unmap_into_parts_gives_all_frames),
	KUNIT_CASE(unmap_into_parts_while_borrowed),
	KUNIT_CASE(parts_can_be_mapped_again),
	{}
};

static struct kunit_suite mapped_pages_split_suite = {
	.name = "theseus_mm_mapped_pages_split",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = mapped_pages_split_cases,
};

kunit_test_suite(mapped_pages_split_suite);
