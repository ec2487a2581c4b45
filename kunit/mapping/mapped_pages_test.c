// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"
#include "paging/mapper.h"
#include "paging/translate.h"

#include <linux/list.h>
#include <linux/string.h>

#define base_page()	(tmm_private_first_page() + 510)

static u64 nr_mappings(struct kunit *test)
{
	return tmm_page_table_nr_mappings(tmm_test_root(test));
}

/* Flags that all map calls and remap refuse. */
static const struct {
	tmm_pte_flags_t flags;
	int err;
} bad_flags[] = {
	{ TMM_TEST_WRITABLE | (__force tmm_pte_flags_t)BIT_ULL(12), -EINVAL },
	{ TMM_TEST_WRITABLE | (__force tmm_pte_flags_t)BIT_ULL(7), -EINVAL },
	{ TMM_PTE_WRITABLE, -EINVAL },
	{ TMM_MMIO_FLAGS, -EOPNOTSUPP },
};

static void map_to_consumes_pages_and_frames(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 5);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 5);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp;
	struct tmm_page_range range;

	mp = tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &frames, TMM_TEST_WRITABLE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	range = tmm_mapped_pages_range(mp);
	KUNIT_EXPECT_EQ(test, range.r.first, base_page());
	KUNIT_EXPECT_EQ(test, range.r.nr, 5);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), 5 * TMM_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	KUNIT_EXPECT_EQ(test, nr_mappings(test), 1);
	tmm_test_expect_mapped(test, base_page(), first, 5);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_PTR_EQ(test, mp, NULL);
	KUNIT_EXPECT_EQ(test, nr_mappings(test), 0);
	tmm_test_expect_unmapped(test, base_page(), 5);
}

/* Expects both map calls to fail with @err, and to change nothing. */
static void expect_map_refused(struct kunit *test, struct tmm_allocated_pages *pages,
			       struct tmm_allocated_frames *frames, tmm_pte_flags_t flags, int err)
{
	struct tmm_allocated_frames *same_frames = frames;
	struct tmm_allocated_pages *same_pages = pages;
	u64 before = tmm_test_fingerprint(test);
	u64 mappings = nr_mappings(test);
	struct tmm_mapped_pages *mp;

	mp = tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &frames, flags);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(mp), err);
	KUNIT_EXPECT_PTR_EQ(test, pages, same_pages);
	KUNIT_EXPECT_PTR_EQ(test, frames, same_frames);
	KUNIT_EXPECT_TRUE(test, list_empty(&same_frames->f.link));
	KUNIT_EXPECT_EQ(test, same_frames->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, nr_mappings(test), mappings);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void expect_map_any_refused(struct kunit *test, struct tmm_allocated_pages *pages,
				   tmm_pte_flags_t flags, int err)
{
	struct tmm_allocated_pages *same_pages = pages;
	u64 before = tmm_test_fingerprint(test);
	u64 mappings = nr_mappings(test);
	struct tmm_mapped_pages *mp;

	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, flags, false);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(mp), err);
	KUNIT_EXPECT_PTR_EQ(test, pages, same_pages);
	KUNIT_EXPECT_EQ(test, nr_mappings(test), mappings);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void map_with_bad_flags(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 3);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_flags); i++) {
		expect_map_refused(test, pages, frames, bad_flags[i].flags, bad_flags[i].err);
		expect_map_any_refused(test, pages, bad_flags[i].flags, bad_flags[i].err);
	}
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

static void map_to_another_number_of_frames(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 3);
	struct tmm_allocated_frames *four = tmm_test_take_frames(test, 4);
	struct tmm_allocated_frames *two = tmm_test_take_frames(test, 2);

	expect_map_refused(test, pages, four, TMM_TEST_WRITABLE, -EINVAL);
	expect_map_refused(test, pages, two, TMM_TEST_WRITABLE, -EINVAL);
	tmm_allocated_frames_drop(&two);
	tmm_allocated_frames_drop(&four);
	tmm_allocated_pages_drop(&pages);
}

static void map_no_pages(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 3);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	struct tmm_allocated_frames *no_frames;
	struct tmm_allocated_pages *no_pages;

	KUNIT_ASSERT_EQ(test, tmm_allocated_pages_split_at(pages, base_page() + 3, &no_pages), 0);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, frames->f.chunk.start + 3,
							    &no_frames), 0);
	expect_map_refused(test, no_pages, no_frames, TMM_TEST_WRITABLE, -EINVAL);
	expect_map_any_refused(test, no_pages, TMM_TEST_WRITABLE, -EINVAL);
	tmm_allocated_frames_drop(&no_frames);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&no_pages);
	tmm_allocated_pages_drop(&pages);
}

/* In Theseus, pages and frames become free here although they are still mapped. */
static void map_a_page_in_use(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 6);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 6);
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	for (i = 0; i < 6; i++) {
		KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page() + i, 1),
						     tmm_frame_4k(99),
						     tmm_pte_leaf_bits(TMM_PTE_NONE, false),
						     TMM_4K), 0);
		expect_map_refused(test, pages, frames, TMM_TEST_WRITABLE, -EEXIST);
		expect_map_any_refused(test, pages, TMM_TEST_WRITABLE, -EEXIST);
		tmm_test_expect_unmapped(test, base_page(), i);
		tmm_test_expect_mapped(test, base_page() + i, 99, 1);
		tmm_test_expect_unmapped(test, base_page() + i + 1, 5 - i);
		tmm_mapper_unmap(pt, tmm_test_pages(base_page() + i, 1));
	}
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

/* Theseus panics here. */
static void map_without_frames_for_tables(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 4);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 4);
	unsigned int nr;

	tmm_test_hog(test);
	for (nr = 0; nr < tmm_test_root(test)->levels; nr++) {
		expect_map_refused(test, pages, frames, TMM_TEST_WRITABLE, -ENOSPC);
		tmm_test_expect_unmapped(test, base_page(), 4);
		tmm_test_unhog(test, 1);
	}
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

/* In Theseus, pages that were mapped before the error stay mapped, and their frames are lost. */
static void map_more_than_there_is(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 4);
	struct tmm_mapped_pages *mp;
	unsigned int nr;

	tmm_test_hog(test);
	for (nr = 0; nr < 4 + tmm_test_root(test)->levels; nr++) {
		expect_map_any_refused(test, pages, TMM_TEST_WRITABLE, -ENOSPC);
		tmm_test_expect_unmapped(test, base_page(), 4);
		tmm_test_unhog(test, 1);
	}
	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_TEST_WRITABLE, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(mp), 0);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_pages_drop(&pages);
}

static void map_any_consumes_the_pages(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 5);
	struct tmm_mapped_pages *mp;
	unsigned int i;

	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_DMA_FLAGS, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	for (i = 0; i < 5; i++) {
		u64 frame = tmm_test_translate(tmm_test_root(test), base_page() + i);

		KUNIT_ASSERT_NE(test, frame, TMM_TEST_UNMAPPED);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_test_alias(frame), 0, TMM_PAGE_SIZE),
				    NULL);
	}
	tmm_mapped_pages_drop(&mp);
}

static void map_any_without_clearing(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 1);
	struct tmm_mapped_pages *mp;
	u64 frame;

	tmm_test_hog(test);
	tmm_test_unhog(test, 10);
	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, TMM_TEST_READ_ONLY, false);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	frame = tmm_test_translate(tmm_test_root(test), base_page());
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_test_alias(frame), 0xa5, TMM_PAGE_SIZE), NULL);
	tmm_mapped_pages_drop(&mp);
}

static void map_any_to_scattered_frames(struct kunit *test)
{
	struct tmm_mapped_pages *mp;
	u64 two, three, five;

	tmm_test_hog(test);
	two = tmm_test_unhog(test, 2);
	three = tmm_test_unhog(test, 3);
	five = tmm_test_unhog(test, 5);
	tmm_test_unhog_for_tables(test);
	/* The longest run is used first. */
	mp = tmm_test_map(test, base_page(), 10, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 3);
	tmm_test_expect_mapped(test, base_page(), five, 5);
	tmm_test_expect_mapped(test, base_page() + 5, three, 3);
	tmm_test_expect_mapped(test, base_page() + 8, two, 2);
	tmm_mapped_pages_drop(&mp);
}

static void drop_of_nothing(struct kunit *test)
{
	struct tmm_mapped_pages *mp = NULL;

	tmm_mapped_pages_drop(&mp);
	mp = ERR_PTR(-ENOSPC);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_PTR_EQ(test, mp, NULL);
}

/* Theseus never frees tables. */
static void drop_gives_tables_back(struct kunit *test)
{
	struct tmm_mapped_pages *first = tmm_test_map(test, base_page(), 1, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *second = tmm_test_map(test, base_page() + 512, 4,
						       TMM_TEST_READ_ONLY);

	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), tmm_test_root(test)->levels + 1);
	tmm_mapped_pages_drop(&second);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), tmm_test_root(test)->levels - 1);
	tmm_mapped_pages_drop(&first);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void remap_changes_flags_and_access(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_READ_ONLY);
	struct tmm_borrow borrow;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		tmm_pte_flags_t flags = i & 1 ? TMM_TEST_READ_ONLY : TMM_TEST_WRITABLE;

		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, flags), 0);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), flags | TMM_PTE_OURS);
		KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow),
				i & 1 ? -EACCES : 0);
		if (!(i & 1))
			tmm_borrow_end(&borrow);
	}
	/* A remap ignores VALID and EXCLUSIVE in the flags of the caller. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_WRITABLE | TMM_PTE_VALID), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	tmm_mapped_pages_drop(&mp);
}

static void remap_refused_changes_nothing(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	u64 entry = tmm_test_entry(tmm_test_root(test), base_page(), 1);
	struct tmm_borrow borrow;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_flags); i++)
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, bad_flags[i].flags),
				bad_flags[i].err);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), -EBUSY);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), base_page(), 1), entry);
	tmm_mapped_pages_drop(&mp);
}

/* The flag is recorded for user mappings; the private entry always forbids execution. */
static void remap_to_executable_keeps_no_execute(struct kunit *test)
{
	const tmm_pte_flags_t flags = TMM_PTE_ACCESSED | TMM_PTE_USER_ACCESSIBLE | TMM_PTE_GLOBAL;
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 1, TMM_TEST_WRITABLE);
	u64 entry = tmm_test_entry(tmm_test_root(test), base_page(), 1);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, flags), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), flags | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), base_page(), 1),
			entry & ~TMM_ENTRY_WRITABLE);
	tmm_mapped_pages_drop(&mp);
}

/*
 * The check for bad frames reads the entries of the pages. A mapping may have millions of runs of
 * frames, too many to search them for each page that is read.
 */
static void bad_frames_are_found_by_entries_not_by_runs(struct kunit *test)
{
	struct tmm_frame_allocator *fa = &tmm_test_inst(test)->fa;
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 4, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = tmm_test_map(test, base_page() + 4, 2, TMM_TEST_WRITABLE);
	struct tmm_translation found;
	LIST_HEAD(aside);

	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(mp, 0, 4));
	KUNIT_ASSERT_EQ(test, tmm_mapper_translate(tmm_test_root(test),
						   tmm_test_vaddr(base_page() + 2), &found), 0);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(fa, found.paddr.v >> TMM_PAGE_SHIFT), 0);
	list_splice_init(&mp->frames, &aside);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_any_bad(mp, 0, 4));
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_any_bad(mp, 2, 1));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(mp, 0, 2));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(mp, 3, 1));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(mp, 0, 0));
	list_splice_init(&aside, &mp->frames);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(next, 0, 2));
	tmm_mapped_pages_drop(&next);
	tmm_mapped_pages_drop(&mp);
	tmm_bad_frames_end(fa);
}

static struct kunit_case mapped_pages_cases[] = {
	KUNIT_CASE(map_to_consumes_pages_and_frames),
	KUNIT_CASE(map_with_bad_flags),
	KUNIT_CASE(map_to_another_number_of_frames),
	KUNIT_CASE(map_no_pages),
	KUNIT_CASE(map_a_page_in_use),
	KUNIT_CASE(map_without_frames_for_tables),
	KUNIT_CASE(map_more_than_there_is),
	KUNIT_CASE(map_any_consumes_the_pages),
	KUNIT_CASE(map_any_without_clearing),
	KUNIT_CASE(map_any_to_scattered_frames),
	KUNIT_CASE(drop_of_nothing),
	KUNIT_CASE(drop_gives_tables_back),
	KUNIT_CASE(remap_changes_flags_and_access),
	KUNIT_CASE(remap_refused_changes_nothing),
	KUNIT_CASE(remap_to_executable_keeps_no_execute),
	KUNIT_CASE(bad_frames_are_found_by_entries_not_by_runs),
	{}
};

static struct kunit_suite mapped_pages_suite = {
	.name = "theseus_mm_mapped_pages",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = mapped_pages_cases,
};

kunit_test_suite(mapped_pages_suite);
