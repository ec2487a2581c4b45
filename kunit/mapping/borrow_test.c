// SPDX-License-Identifier: GPL-2.0
#include "mapping/borrow.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/bad_frames.h"
#include "mapping/deep_copy.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "paging/mapper.h"
#include "paging/table.h"
#include "paging/translate.h"
#include "paging/window.h"

#include <linux/string.h>

#define NR_PAGES	3
#define NR_BYTES	(NR_PAGES * TMM_PAGE_SIZE)
#define base_page()	(tmm_private_first_page() + 511)

static struct tmm_mapped_pages *map_pages(struct kunit *test)
{
	return tmm_test_map(test, base_page(), NR_PAGES, TMM_TEST_WRITABLE);
}

/* Expects the borrow to fail with @err, to count no borrow, and not to change its struct. */
static void expect_refused(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset,
			   u64 nr_bytes, bool is_mutable, int err)
{
	struct tmm_borrow borrow, untouched;

	memset(&borrow, 0x5a, sizeof(borrow));
	memset(&untouched, 0x5a, sizeof(untouched));
	KUNIT_EXPECT_EQ_MSG(test, tmm_borrow_begin(mp, offset, nr_bytes, is_mutable, &borrow),
			    err, "[%#llx, +%#llx)", offset, nr_bytes);
	KUNIT_EXPECT_EQ(test, memcmp(&borrow, &untouched, sizeof(borrow)), 0);
}

static void begin_outside_of_the_mapping(struct kunit *test)
{
	const struct {
		u64 offset;
		u64 nr_bytes;
		int err;
	} bad[] = {
		{ 0, NR_BYTES + 1, -ERANGE },
		{ 1, NR_BYTES, -ERANGE },
		{ NR_BYTES, 1, -ERANGE },
		{ NR_BYTES + 1, 0, -ERANGE },
		{ 0, U64_MAX, -ERANGE },
		{ U64_MAX, 0, -ERANGE },
		{ 1, U64_MAX, -EOVERFLOW },
		{ U64_MAX, 1, -EOVERFLOW },
		{ U64_MAX - 4095, NR_BYTES, -EOVERFLOW },
	};
	struct tmm_mapped_pages *mp = map_pages(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_refused(test, mp, bad[i].offset, bad[i].nr_bytes, false, bad[i].err);
		expect_refused(test, mp, bad[i].offset, bad[i].nr_bytes, true, bad[i].err);
		KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	}
	tmm_mapped_pages_drop(&mp);
}

static void begin_at_the_bounds(struct kunit *test)
{
	const struct {
		u64 offset;
		u64 nr_bytes;
	} good[] = { { 0, NR_BYTES }, { 0, 0 }, { NR_BYTES, 0 }, { NR_BYTES - 1, 1 }, { 4095, 2 } };
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, good[i].offset, good[i].nr_bytes, true,
						       &borrow), 0);
		KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(mp));
		tmm_borrow_end(&borrow);
		KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	}
	tmm_mapped_pages_drop(&mp);
}

static void begin_many_immutable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrows[3], mutable;
	unsigned int i;

	/* Immutable borrows may overlap. */
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, i, 100, false, &borrows[i]), 0);
	for (i = 0; i < 3; i++) {
		expect_refused(test, mp, 8000, 1, true, -EBUSY);
		tmm_borrow_end(&borrows[i]);
	}
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 8000, 1, true, &mutable), 0);
	tmm_borrow_end(&mutable);
	tmm_mapped_pages_drop(&mp);
}

static void begin_during_a_mutable_borrow(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow mutable;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &mutable), 0);
	/* A mutable borrow excludes borrows of other parts of the mapping too. */
	expect_refused(test, mp, 8000, 1, true, -EBUSY);
	expect_refused(test, mp, 8000, 1, false, -EBUSY);
	tmm_borrow_end(&mutable);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	tmm_mapped_pages_drop(&mp);
}

static void begin_mutable_of_read_only(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 1, TMM_TEST_READ_ONLY);
	struct tmm_borrow borrow;

	expect_refused(test, mp, 0, 1, true, -EACCES);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &borrow), 0);
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

static void end_twice(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow first, second;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &first), 0);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, false, &second), 0);
	tmm_borrow_end(&first);
	tmm_borrow_end(&first);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(mp));
	tmm_borrow_end(&second);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	tmm_mapped_pages_drop(&mp);
}

/* A mapping is unmapped exactly once, and not before its last borrow ends. */
static void drop_takes_effect_at_the_last_end(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow first, second;
	u64 value = 0x1122334455667788ULL, found = 0;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, true, &first), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&first, 0, &value, 8), 0);
	tmm_borrow_end(&first);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, false, &first), 0);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, false, &second), 0);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_PTR_EQ(test, mp, NULL);
	tmm_borrow_end(&first);
	KUNIT_EXPECT_NE(test, tmm_test_translate(tmm_test_root(test), base_page()),
			TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&second, 0, &found, 8), 0);
	KUNIT_EXPECT_EQ(test, found, value);
	tmm_borrow_end(&second);
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 0);
}

static void drop_while_mutably_borrowed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;
	u8 byte = 1;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, true, &borrow), 0);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 7, &byte, 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 1);
	tmm_borrow_end(&borrow);
	tmm_test_expect_unmapped(test, base_page(), NR_PAGES);
}

static void read_and_write_within_the_borrow(struct kunit *test)
{
	const u64 offset = 4000, nr = 5000;
	struct tmm_mapped_pages *mp = map_pages(test);
	u8 *from = tmm_test_kvzalloc(test, nr);
	u8 *to = tmm_test_kvzalloc(test, nr);
	struct tmm_borrow borrow;

	memset(from, 0x77, nr);
	from[0] = 1;
	from[nr - 1] = 2;
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, offset, nr, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, from, nr), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, to, nr), 0);
	KUNIT_EXPECT_EQ(test, memcmp(from, to, nr), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, nr - 1, to, 1), 0);
	KUNIT_EXPECT_EQ(test, to[0], 2);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, nr, to, 0), 0);
	tmm_borrow_end(&borrow);
	/* The write began at @offset of the mapping, and changed no byte before or after. */
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, offset - 1, nr + 2, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, to, 2), 0);
	KUNIT_EXPECT_EQ(test, to[0], 0);
	KUNIT_EXPECT_EQ(test, to[1], 1);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, nr, to, 2), 0);
	KUNIT_EXPECT_EQ(test, to[0], 2);
	KUNIT_EXPECT_EQ(test, to[1], 0);
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

/* A borrow gives no access outside its bounds, even within the mapping. */
static void access_outside_of_the_borrow(struct kunit *test)
{
	const struct {
		u64 offset;
		size_t nr_bytes;
		int err;
	} bad[] = {
		{ 0, 11, -ERANGE }, { 10, 1, -ERANGE }, { 11, 0, -ERANGE }, { U64_MAX, 0, -ERANGE },
		{ U64_MAX, 1, -EOVERFLOW }, { 1, SIZE_MAX, -EOVERFLOW },
	};
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;
	u8 buffer[11] = { 1 };
	unsigned int i;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 100, 10, true, &borrow), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, bad[i].offset, buffer,
						       bad[i].nr_bytes), bad[i].err);
		KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, bad[i].offset, buffer,
						      bad[i].nr_bytes), bad[i].err);
		KUNIT_EXPECT_EQ(test, buffer[0], 1);
	}
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, buffer, 10), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(buffer, 0, 10), NULL);
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

/* An immutable borrow of a writable mapping does not allow writes. */
static void write_through_an_immutable_borrow(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;
	u8 byte = 1;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 10, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, &byte, 1), -EACCES);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, &byte, 1), 0);
	KUNIT_EXPECT_EQ(test, byte, 0);
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

static bool is_dirty(struct tmm_mapped_pages *mp, u64 page)
{
	return tmm_translate_collect_flags(tmm_mapped_pages_root(mp),
					   tmm_test_pages(page, 1)) & TMM_PTE_DIRTY;
}

/* A mutable borrow marks each page that it reaches dirty, an immutable one marks none. */
static void mark_dirty_of_a_part(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, NR_BYTES, false, &borrow), 0);
	tmm_borrow_mark_dirty(&borrow);
	KUNIT_EXPECT_FALSE(test, is_dirty(mp, base_page()));
	tmm_borrow_end(&borrow);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, TMM_PAGE_SIZE - 1, 2, true, &borrow), 0);
	tmm_borrow_mark_dirty(&borrow);
	KUNIT_EXPECT_TRUE(test, is_dirty(mp, base_page()));
	KUNIT_EXPECT_TRUE(test, is_dirty(mp, base_page() + 1));
	KUNIT_EXPECT_FALSE(test, is_dirty(mp, base_page() + 2));
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

/*
 * Replaces the entry of a page with @leaf, and returns the old entry. If @leaf is 0, each access to
 * the page faults, and a copy stops there in the same way as at memory that fails.
 */
static u64 break_page(struct kunit *test, u64 page, u64 leaf)
{
	struct tmm_table_path path;
	u64 *table = tmm_table_find(tmm_test_root(test), tmm_page_4k(page), &path);

	KUNIT_ASSERT_NOT_NULL(test, table);
	return xchg(&table[tmm_entry_table_index(tmm_page_4k(page), path.level)], leaf);
}

static void expect_no_deep_copy(struct kunit *test, struct tmm_mapped_pages *mp)
{
	const u64 before = tmm_test_fingerprint(test);

	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_deep_copy(mp, NULL), ERR_PTR(-EIO));
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
}

static void memory_that_fails_is_an_error(struct kunit *test)
{
	u8 *buffer = tmm_test_kvzalloc(test, NR_BYTES);
	struct tmm_mapped_pages *mp = map_pages(test);
	struct tmm_borrow borrow;
	u64 leaf;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, NR_BYTES, true, &borrow), 0);
	memset(buffer, 0x33, NR_BYTES);
	KUNIT_ASSERT_EQ(test, tmm_borrow_write(&borrow, 0, buffer, NR_BYTES), 0);
	memset(buffer, 0, NR_BYTES);
	leaf = break_page(test, base_page() + 1, 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, buffer, NR_BYTES), -EIO);
	/* The copy has the bytes before the failing page, and none of the bytes after it. */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(buffer, 0x33, TMM_PAGE_SIZE), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(buffer + TMM_PAGE_SIZE, 0, 2 * TMM_PAGE_SIZE), NULL);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 4000, buffer, 200), -EIO);
	/* The neighbouring pages can be read. */
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 2 * TMM_PAGE_SIZE, buffer, 100), 0);
	tmm_borrow_end(&borrow);
	expect_no_deep_copy(test, mp);
	break_page(test, base_page() + 1, leaf);
	tmm_mapped_pages_drop(&mp);
}

/* A borrow gives no address of memory that is known to fail, and a deep copy refuses the memory. */
static void memory_that_is_known_to_fail_is_not_accessed(struct kunit *test)
{
	struct tmm_frame_allocator *fa = &tmm_test_inst(test)->fa;
	struct tmm_mapped_pages *mp = map_pages(test);
	const struct tmm_vaddr middle = tmm_test_vaddr(base_page() + 1);
	struct tmm_translation found;
	struct tmm_borrow borrow;
	struct tmm_window window;
	void *start;

	KUNIT_ASSERT_EQ(test, tmm_mapper_translate(tmm_test_root(test), middle, &found), 0);
	KUNIT_ASSERT_EQ(test, tmm_bad_frames_retire(fa, found.paddr.v >> TMM_PAGE_SHIFT), 0);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, NR_BYTES, false, &borrow), 0);
	start = tmm_borrow_enter_window(&borrow, &window);
	if (!IS_ERR(start))
		tmm_borrow_leave(&window);
	KUNIT_EXPECT_PTR_EQ(test, start, ERR_PTR(-EIO));
	tmm_borrow_end(&borrow);
	expect_no_deep_copy(test, mp);
	tmm_mapped_pages_drop(&mp);
	tmm_bad_frames_end(fa);
}

static struct kunit_case borrow_cases[] = {
	KUNIT_CASE(memory_that_fails_is_an_error),
	KUNIT_CASE(memory_that_is_known_to_fail_is_not_accessed),
	KUNIT_CASE(begin_outside_of_the_mapping),
	KUNIT_CASE(begin_at_the_bounds),
	KUNIT_CASE(begin_many_immutable),
	KUNIT_CASE(begin_during_a_mutable_borrow),
	KUNIT_CASE(begin_mutable_of_read_only),
	KUNIT_CASE(end_twice),
	KUNIT_CASE(drop_takes_effect_at_the_last_end),
	KUNIT_CASE(drop_while_mutably_borrowed),
	KUNIT_CASE(read_and_write_within_the_borrow),
	KUNIT_CASE(access_outside_of_the_borrow),
	KUNIT_CASE(write_through_an_immutable_borrow),
	KUNIT_CASE(mark_dirty_of_a_part),
	{}
};

static struct kunit_suite borrow_suite = {
	.name = "theseus_mm_borrow",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = borrow_cases,
};

kunit_test_suite(borrow_suite);
