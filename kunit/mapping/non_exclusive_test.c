// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/mapped_pages_split.h"
#include "paging/mapper.h"

#include <linux/string.h>

#define NR_PAGES 6
#define MAX_ALLOCATIONS 40
#define base_page()	(tmm_private_first_page() + 509)

/* Maps frames that the case lends and still owns. */
static struct tmm_mapped_pages *map_lent(struct kunit *test, u64 page,
					 struct tmm_allocated_frames *frames,
					 tmm_pte_flags_t flags)
{
	struct tmm_allocated_pages *pages =
		tmm_test_take_pages(test, page, tmm_frames_nr(&frames->f));
	struct tmm_mapped_pages *mp =
		tmm_map_to_non_exclusive(tmm_test_root(test), &pages, frames, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_NULL(test, pages);
	return mp;
}

static void write_byte(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset, u8 value)
{
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, offset, 1, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, &value, 1), 0);
	tmm_borrow_end(&borrow);
}

static u8 read_byte(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset)
{
	struct tmm_borrow borrow;
	u8 value = 0;

	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, offset, 1, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, &value, 1), 0);
	tmm_borrow_end(&borrow);
	return value;
}

/* Is the frame owned? */
static bool is_taken(struct kunit *test, u64 frame)
{
	const struct tmm_allocation_request req = tmm_request_at(frame, 1);
	struct tmm_allocated_frames *frames =
		tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);

	if (frames == ERR_PTR(-EADDRINUSE))
		return true;
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, frames);
	tmm_allocated_frames_drop(&frames);
	return false;
}

static void entries_do_not_say_exclusive(struct kunit *test)
{
	const u64 exclusive = (__force u64)TMM_PTE_EXCLUSIVE;
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_DMA_FLAGS);
	struct tmm_mapped_pages *own = tmm_test_map(test, base_page() + NR_PAGES, 1,
						    TMM_DMA_FLAGS);
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		u64 entry = tmm_test_entry(tmm_test_root(test), base_page() + i, 1);

		KUNIT_EXPECT_TRUE(test, tmm_entry_is_present(entry));
		KUNIT_EXPECT_EQ(test, entry & exclusive, 0);
	}
	KUNIT_EXPECT_NE(test, tmm_test_entry(tmm_test_root(test), base_page() + NR_PAGES, 1) &
			exclusive, 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_WRITABLE | TMM_PTE_VALID);
	tmm_test_expect_mapped(test, base_page(), frames->f.chunk.start, NR_PAGES);
	/* A remap cannot make the mapping exclusive, even with the flag EXCLUSIVE. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY | TMM_PTE_EXCLUSIVE),
			0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_TEST_READ_ONLY | TMM_PTE_VALID);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), base_page(), 1) & exclusive, 0);
	tmm_mapped_pages_drop(&own);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_frames_drop(&frames);
}

static void two_mappings_see_what_the_other_writes(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *one = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *two = map_lent(test, base_page() + 100, frames,
						TMM_TEST_WRITABLE);
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		const u64 offset = i * TMM_PAGE_SIZE + i;

		write_byte(test, one, offset, 0x11 + i);
		KUNIT_EXPECT_EQ(test, read_byte(test, two, offset), 0x11 + i);
		write_byte(test, two, offset, 0x77 + i);
		KUNIT_EXPECT_EQ(test, read_byte(test, one, offset), 0x77 + i);
		KUNIT_EXPECT_EQ(test, *((u8 *)tmm_test_alias(first + i) + i), 0x77 + i);
	}
	tmm_mapped_pages_drop(&one);
	KUNIT_EXPECT_EQ(test, read_byte(test, two, 0), 0x77);
	tmm_mapped_pages_drop(&two);
	tmm_allocated_frames_drop(&frames);
}

/* Two mappings of the same frames may have different flags. */
static void each_mapping_has_flags_of_its_own(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_mapped_pages *reader = map_lent(test, base_page(), frames, TMM_TEST_READ_ONLY);
	struct tmm_mapped_pages *writer = map_lent(test, base_page() + 100, frames,
						   TMM_TEST_WRITABLE);
	struct tmm_borrow borrow;

	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(reader, 0, 1, true, &borrow), -EACCES);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), base_page(), 1) &
			TMM_ENTRY_WRITABLE, 0);
	write_byte(test, writer, 5, 0x42);
	KUNIT_EXPECT_EQ(test, read_byte(test, reader, 5), 0x42);
	tmm_mapped_pages_drop(&writer);
	tmm_mapped_pages_drop(&reader);
	tmm_allocated_frames_drop(&frames);
}

static void unmap_leaves_the_frames_to_their_owner(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 before = tmm_test_fingerprint(test);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);

	write_byte(test, mp, 0, 0x42);
	tmm_mapped_pages_drop(&mp);
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	KUNIT_EXPECT_EQ(test, *(u8 *)tmm_test_alias(first), 0x42);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_FALSE(test, is_taken(test, first));
}

/* In Theseus, such frames can be freed although they are mapped. */
static void frames_stay_until_the_last_mapping_is_dropped(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *one = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *two = map_lent(test, base_page() + 100, frames,
						TMM_TEST_WRITABLE);

	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_NULL(test, frames);
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	write_byte(test, one, 7, 0x42);
	tmm_mapped_pages_drop(&one);
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	KUNIT_EXPECT_TRUE(test, is_taken(test, first + NR_PAGES - 1));
	KUNIT_EXPECT_EQ(test, read_byte(test, two, 7), 0x42);
	tmm_mapped_pages_drop(&two);
	KUNIT_EXPECT_FALSE(test, is_taken(test, first));
	KUNIT_EXPECT_FALSE(test, is_taken(test, first + NR_PAGES - 1));
}

/* The frames stay owned also while the last mapping is borrowed. */
static void frames_stay_until_the_last_borrow_ends(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_borrow borrow;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &borrow), 0);
	tmm_allocated_frames_drop(&frames);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, &byte, 1), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_FALSE(test, is_taken(test, first));
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
}

static void lent_frames_are_left_as_they_are(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page() + 100, 2);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_allocated_frames *rest, *before, *after, *same;
	const u64 first = frames->f.chunk.start;
	struct tmm_frame_range middle = { { first, 1, TMM_4K } };
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_mapped_pages *mp;
	u64 fingerprint;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, first + 2, &rest), 0);
	mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	write_byte(test, mp, 0, 0x42);
	same = frames;
	fingerprint = tmm_test_fingerprint(test);
	KUNIT_ASSERT_PTR_EQ(test, tmm_map_allocated_pages_to(pt, &pages, &frames,
							     TMM_TEST_WRITABLE), ERR_PTR(-EBUSY));
	KUNIT_ASSERT_PTR_EQ(test, tmm_map_allocated_pages_to_sized(pt, &pages, &frames,
								   TMM_TEST_WRITABLE, TMM_4K),
			    ERR_PTR(-EBUSY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &rest), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(rest, &frames), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(frames, first + 1, &before), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_range(frames, middle, &before, &after),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), -EBUSY);
	KUNIT_ASSERT_PTR_EQ(test, frames, same);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, read_byte(test, mp, 0), 0x42);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), 2);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), fingerprint);
	/* When no mapping has the frames any more, these calls succeed. */
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), 0);
	mp = tmm_map_allocated_pages_to(pt, &pages, &frames, TMM_TEST_WRITABLE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, read_byte(test, mp, 0), 0);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_frames_drop(&rest);
}

static void split_and_merge(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *second;
	u64 at;

	for (at = 0; at <= NR_PAGES; at++) {
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + at, &second), 0);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, at);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(second).r.first, base_page() + at);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(second).r.nr, NR_PAGES - at);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(second),
				TMM_TEST_WRITABLE | TMM_PTE_VALID);
		tmm_test_expect_mapped(test, base_page(), first, NR_PAGES);
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
		KUNIT_EXPECT_NULL(test, second);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, NR_PAGES);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	}
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + NR_PAGES + 1, &second),
			-EINVAL);
	KUNIT_EXPECT_TRUE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_mapped_pages_drop(&mp);
	/* The frames are lent to no mapping. */
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_drop(&frames);
}

static void loan_lasts_as_long_as_a_part(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *second;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 2, &second), 0);
	tmm_allocated_frames_drop(&frames);
	tmm_mapped_pages_drop(&mp);
	tmm_test_expect_unmapped(test, base_page(), 2);
	tmm_test_expect_mapped(test, base_page() + 2, first + 2, NR_PAGES - 2);
	/* All frames stay owned, since a mapped run cannot be split. */
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	write_byte(test, second, 0, 0x42);
	KUNIT_EXPECT_EQ(test, *(u8 *)tmm_test_alias(first + 2), 0x42);
	tmm_mapped_pages_drop(&second);
	KUNIT_EXPECT_FALSE(test, is_taken(test, first));
}

/* Two adjacent mappings of the same frames can be merged. */
static void merge_of_two_views_of_the_same_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = map_lent(test, base_page() + NR_PAGES, frames,
						 TMM_TEST_WRITABLE);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &next), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, 2 * NR_PAGES);
	write_byte(test, mp, 0, 0x42);
	KUNIT_EXPECT_EQ(test, read_byte(test, mp, NR_PAGES * TMM_PAGE_SIZE), 0x42);
	tmm_mapped_pages_drop(&mp);
	tmm_test_expect_unmapped(test, base_page(), 2 * NR_PAGES);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_drop(&frames);
}

/* Return a mask with one bit for each page of @mp whose frame has failed. */
static u64 bad_pages(struct tmm_mapped_pages *mp)
{
	u64 i, bits = 0;

	for (i = 0; i < tmm_mapped_pages_range(mp).r.nr; i++)
		bits |= (u64)tmm_mapped_pages_any_bad(mp, i, 1) << i;
	return bits;
}

/*
 * A part does not begin with the first lent frame, and two merged views map frames twice. So only
 * the entries tell which frame is behind a page.
 */
static void pages_of_bad_frames_are_found_by_their_entries(struct kunit *test)
{
	struct tmm_frame_allocator *fa = &tmm_test_inst(test)->fa;
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	const u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = map_lent(test, base_page() + NR_PAGES, frames,
						 TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *second;

	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(fa, first + 1), 0);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(fa, first + 3), 0);
	KUNIT_EXPECT_EQ(test, bad_pages(mp), 0xa);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 2, &second), 0);
	KUNIT_EXPECT_EQ(test, bad_pages(mp), 0x2);
	KUNIT_EXPECT_EQ(test, bad_pages(second), 0x2);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_any_bad(second, 2, NR_PAGES - 4));
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &next), 0);
	KUNIT_EXPECT_EQ(test, bad_pages(mp), 0xa << NR_PAGES | 0xa);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_frames_drop(&frames);
	tmm_bad_frames_end(fa);
}

/* Each view and each part of a view borrows the frames once. */
static void frames_that_are_lent_too_often_are_refused(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_allocated_pages *pages =
		tmm_test_take_pages(test, base_page() + NR_PAGES, NR_PAGES);
	const int nr_users = atomic_xchg(&frames->f.users, INT_MAX);
	struct tmm_mapped_pages *view, *second = NULL;
	u64 before = tmm_test_fingerprint(test);

	view = tmm_map_to_non_exclusive(tmm_test_root(test), &pages, frames, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_PTR_EQ(test, view, ERR_PTR(-EOVERFLOW));
	KUNIT_EXPECT_NOT_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 2, &second), -EOVERFLOW);
	KUNIT_EXPECT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, NR_PAGES);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	atomic_set(&frames->f.users, nr_users);
	tmm_allocated_pages_drop(&pages);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_frames_drop(&frames);
}

static void expect_merge_refused(struct kunit *test, struct tmm_mapped_pages *mp,
				 struct tmm_mapped_pages *next)
{
	struct tmm_mapped_pages *same = next;
	u64 before = tmm_test_fingerprint(test);

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &next), -EMEDIUMTYPE);
	KUNIT_EXPECT_PTR_EQ(test, next, same);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, 2);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(next).r.nr, 2);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(next));
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void merge_of_views_of_other_frames_keeps_both(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 2);
	struct tmm_allocated_frames *others = tmm_test_take_frames(test, 2);
	struct tmm_mapped_pages *mp = map_lent(test, base_page() + 2, frames, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *next = map_lent(test, base_page() + 4, others,
						 TMM_TEST_WRITABLE);
	/* Neighbours on both sides that own their frames. */
	struct tmm_mapped_pages *own = tmm_test_map(test, base_page(), 2, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *behind = tmm_test_map(test, base_page() + 6, 2,
						       TMM_TEST_WRITABLE);

	expect_merge_refused(test, mp, next);
	expect_merge_refused(test, own, mp);
	expect_merge_refused(test, next, behind);
	tmm_mapped_pages_drop(&behind);
	tmm_mapped_pages_drop(&own);
	tmm_mapped_pages_drop(&next);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(others));
	KUNIT_EXPECT_TRUE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_frames_drop(&others);
	tmm_allocated_frames_drop(&frames);
}

static void unmap_into_parts_gives_pages_only(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	u64 first = frames->f.chunk.start;
	struct tmm_mapped_pages *mp = map_lent(test, base_page(), frames, TMM_TEST_WRITABLE);
	struct tmm_allocated_pages *pages = NULL;
	LIST_HEAD(list);

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &list), 0);
	KUNIT_EXPECT_NULL(test, mp);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	KUNIT_EXPECT_EQ(test, pages->chunk.start, base_page());
	KUNIT_EXPECT_EQ(test, pages->chunk.nr, NR_PAGES);
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	KUNIT_EXPECT_TRUE(test, is_taken(test, first));
	/* The same pages and frames can be mapped again. */
	mp = tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &frames, TMM_TEST_WRITABLE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	tmm_mapped_pages_drop(&mp);
}

/* Expects the mapping to fail with @err, and to change nothing. */
static void expect_refused(struct kunit *test, struct tmm_allocated_pages *pages,
			   struct tmm_allocated_frames *frames, tmm_pte_flags_t flags, int err)
{
	s64 nr_mappings = tmm_page_table_nr_mappings(tmm_test_root(test));
	bool was_borrowed = tmm_allocated_frames_is_borrowed(frames);
	struct tmm_allocated_pages *same = pages;
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *mp;

	mp = tmm_map_to_non_exclusive(tmm_test_root(test), &pages, frames, flags);
	KUNIT_ASSERT_PTR_EQ(test, mp, ERR_PTR(err));
	KUNIT_EXPECT_PTR_EQ(test, pages, same);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_is_borrowed(frames), was_borrowed);
	KUNIT_EXPECT_EQ(test, frames->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), nr_mappings);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void refused_changes_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 3);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	struct tmm_allocated_frames *four = tmm_test_take_frames(test, 4);
	struct tmm_allocated_frames *no_frames;
	struct tmm_allocated_pages *no_pages;
	struct tmm_page_table *pt = tmm_test_root(test);

	expect_refused(test, pages, four, TMM_TEST_WRITABLE, -EINVAL);
	expect_refused(test, pages, frames, TMM_PTE_WRITABLE, -EINVAL);
	expect_refused(test, pages, frames, TMM_TEST_WRITABLE |
		       (__force tmm_pte_flags_t)BIT_ULL(12), -EINVAL);
	expect_refused(test, pages, frames, TMM_MMIO_FLAGS, -EOPNOTSUPP);
	KUNIT_ASSERT_EQ(test, tmm_allocated_pages_split_at(pages, base_page() + 3, &no_pages), 0);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, frames->f.chunk.start + 3,
							    &no_frames), 0);
	expect_refused(test, no_pages, no_frames, TMM_TEST_WRITABLE, -EINVAL);
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page() + 2, 1),
					     tmm_frame_4k(99),
					     tmm_pte_leaf_bits(TMM_PTE_NONE, false), TMM_4K), 0);
	expect_refused(test, pages, frames, TMM_TEST_WRITABLE, -EEXIST);
	tmm_test_expect_unmapped(test, base_page(), 2);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 2, 1));
	tmm_test_hog(test);
	expect_refused(test, pages, frames, TMM_TEST_WRITABLE, -ENOSPC);
	tmm_allocated_frames_drop(&no_frames);
	tmm_allocated_pages_drop(&no_pages);
	tmm_allocated_frames_drop(&four);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

static void failed_allocation_changes_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), NR_PAGES);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	struct tmm_mapped_pages *mp, *second = NULL;
	u64 before = tmm_test_fingerprint(test);
	unsigned int nth;
	int err;

	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = tmm_map_to_non_exclusive(tmm_test_root(test), &pages, frames,
					      TMM_TEST_WRITABLE);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_PTR_EQ(test, mp, ERR_PTR(-ENOMEM));
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, pages);
		KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u",
				    nth);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	/* Only the mapping needs an allocation. */
	KUNIT_EXPECT_EQ(test, nth, 2);
	before = tmm_test_fingerprint(test);
	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = tmm_mapped_pages_split(mp, base_page() + 2, &second);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_NULL(test, second);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, NR_PAGES);
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u",
				    nth);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	/* The allocations are for the second part and its pages. */
	KUNIT_EXPECT_EQ(test, nth, 3);
	tmm_mapped_pages_drop(&second);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_drop(&frames);
}

static struct kunit_case non_exclusive_cases[] = {
	KUNIT_CASE(entries_do_not_say_exclusive),
	KUNIT_CASE(two_mappings_see_what_the_other_writes),
	KUNIT_CASE(each_mapping_has_flags_of_its_own),
	KUNIT_CASE(unmap_leaves_the_frames_to_their_owner),
	KUNIT_CASE(frames_stay_until_the_last_mapping_is_dropped),
	KUNIT_CASE(frames_stay_until_the_last_borrow_ends),
	KUNIT_CASE(lent_frames_are_left_as_they_are),
	KUNIT_CASE(split_and_merge),
	KUNIT_CASE(loan_lasts_as_long_as_a_part),
	KUNIT_CASE(merge_of_two_views_of_the_same_frames),
	KUNIT_CASE(pages_of_bad_frames_are_found_by_their_entries),
	KUNIT_CASE(frames_that_are_lent_too_often_are_refused),
	KUNIT_CASE(merge_of_views_of_other_frames_keeps_both),
	KUNIT_CASE(unmap_into_parts_gives_pages_only),
	KUNIT_CASE(refused_changes_nothing),
	KUNIT_CASE(failed_allocation_changes_nothing),
	{}
};

static struct kunit_suite non_exclusive_suite = {
	.name = "theseus_mm_non_exclusive",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = non_exclusive_cases,
};

kunit_test_suite(non_exclusive_suite);
