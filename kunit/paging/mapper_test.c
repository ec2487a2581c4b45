// SPDX-License-Identifier: GPL-2.0
#include "paging/mapper.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/translate.h"
#include "paging/window_copy.h"

/* A frame number without memory behind it: most cases do not access what they map. */
#define SOME_FRAME	0x12345ULL
#define base_page()	tmm_private_first_page()

static tmm_leaf_bits_t leaf_bits(tmm_pte_flags_t flags)
{
	return tmm_pte_leaf_bits(flags, true);
}

static int map_run(struct kunit *test, u64 page, u64 nr)
{
	return tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, nr),
			      tmm_frame_4k(SOME_FRAME), leaf_bits(TMM_TEST_WRITABLE), TMM_4K);
}

static void map_writes_exactly_the_bits(struct kunit *test)
{
	const u64 nx_present = BIT_ULL(63) | BIT_ULL(0);
	const struct {
		tmm_pte_flags_t flags;
		bool exclusive;
		u64 bits;
	} cases[] = {
		{ TMM_PTE_NONE, false, nx_present },
		{ TMM_PTE_NONE, true, nx_present | BIT_ULL(55) },
		{ TMM_PTE_WRITABLE, false, nx_present | BIT_ULL(1) },
		{ TMM_PTE_DEFAULT, false, nx_present | BIT_ULL(5) },
		{ TMM_PTE_DIRTY, false, nx_present },
		{ TMM_PTE_GLOBAL | TMM_PTE_USER_ACCESSIBLE, false, nx_present },
		{ TMM_PTE_ALL & ~TMM_PTE_NOT_EXECUTABLE, true,
		  nx_present | BIT_ULL(1) | BIT_ULL(5) | BIT_ULL(55) },
	};
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tmm_leaf_bits_t bits = tmm_pte_leaf_bits(cases[i].flags, cases[i].exclusive);

		KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), 1),
						     tmm_frame_4k(SOME_FRAME), bits, TMM_4K), 0);
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_entry(pt, base_page(), 1),
				    SOME_FRAME << 12 | cases[i].bits, "case %u", i);
		tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
	}
}

/* @level is the highest level of which the run needs two tables, or 0. */
static void check_boundary(struct kunit *test, unsigned int level)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + (1ULL << (TMM_INDEX_BITS * level)) - (level ? 2 : 0);
	u64 nr_tables = pt->levels - 1 + level;

	KUNIT_ASSERT_EQ(test, map_run(test, page, 5), 0);
	tmm_test_expect_mapped(test, page, SOME_FRAME, 5);
	tmm_test_expect_unmapped(test, page - 1, 1);
	tmm_test_expect_unmapped(test, page + 5, 1);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), nr_tables);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);

	tmm_mapper_remap(pt, tmm_test_pages(page, 5), false);
	tmm_test_expect_mapped(test, page, SOME_FRAME, 5);
	KUNIT_EXPECT_FALSE(test, tmm_translate_collect_flags(pt, tmm_test_pages(page, 5)) &
			   TMM_PTE_WRITABLE);
	tmm_mapper_unmap(pt, tmm_test_pages(page, 5));
	tmm_test_expect_unmapped(test, page, 5);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void map_across_boundaries_of_every_level(struct kunit *test)
{
	unsigned int level;

	for (level = 0; level < tmm_test_root(test)->levels; level++)
		check_boundary(test, level);
}

static void map_several_whole_tables(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + 500;

	KUNIT_ASSERT_EQ(test, map_run(test, page, 1100), 0);
	tmm_test_expect_mapped(test, page, SOME_FRAME, 1100);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels + 2);
	/* The middle part is unmapped, its neighbours stay. */
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 512, 1024));
	tmm_test_expect_mapped(test, page, SOME_FRAME, 12);
	tmm_test_expect_unmapped(test, base_page() + 512, 1024);
	tmm_test_expect_mapped(test, base_page() + 1536, SOME_FRAME + 1036, 64);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels);
	tmm_mapper_unmap(pt, tmm_test_pages(page, 12));
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 1536, 64));
}

static void unmap_a_part_keeps_the_rest(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);

	KUNIT_ASSERT_EQ(test, map_run(test, base_page(), 10), 0);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 3, 4));
	tmm_test_expect_mapped(test, base_page(), SOME_FRAME, 3);
	tmm_test_expect_unmapped(test, base_page() + 3, 4);
	tmm_test_expect_mapped(test, base_page() + 7, SOME_FRAME + 7, 3);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 0));
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 3));
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 7, 3));
}

static int map_one(struct kunit *test, u64 page, u64 frame)
{
	return tmm_mapper_map_one(tmm_test_root(test), page, frame, leaf_bits(TMM_TEST_WRITABLE));
}

/* Each entry of a table can be written alone, but only into a table that is there. */
static void map_one_needs_a_table(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);

	KUNIT_EXPECT_EQ(test, map_one(test, base_page(), SOME_FRAME), -EAGAIN);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
	KUNIT_ASSERT_EQ(test, map_run(test, base_page() + 1, 1), 0);
	KUNIT_EXPECT_EQ(test, map_one(test, base_page() + 512, SOME_FRAME), -EAGAIN);
	KUNIT_EXPECT_EQ(test, map_one(test, base_page(), SOME_FRAME + 7), 0);
	KUNIT_EXPECT_EQ(test, map_one(test, base_page() + 511, SOME_FRAME + 8), 0);
	tmm_test_expect_mapped(test, base_page(), SOME_FRAME + 7, 1);
	tmm_test_expect_mapped(test, base_page() + 1, SOME_FRAME, 1);
	tmm_test_expect_mapped(test, base_page() + 511, SOME_FRAME + 8, 1);
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 2)), 3);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);

	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 1, 1));
	tmm_test_expect_unmapped(test, base_page() + 1, 1);
	tmm_test_expect_mapped(test, base_page(), SOME_FRAME + 7, 1);
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 2)), 2);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
	/* The last leaf takes the tables with it. */
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 511, 1));
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void map_one_changes_no_used_entry(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 frame = round_up(SOME_FRAME, 512);

	KUNIT_ASSERT_EQ(test, map_run(test, base_page(), 1), 0);
	KUNIT_EXPECT_EQ(test, map_one(test, base_page(), SOME_FRAME + 1), -EAGAIN);
	tmm_test_expect_mapped(test, base_page(), SOME_FRAME, 1);
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 2)), 1);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), 512),
					     tmm_frame_4k(frame), leaf_bits(TMM_TEST_WRITABLE),
					     TMM_2M), 0);
	KUNIT_EXPECT_EQ(test, map_one(test, base_page() + 3, SOME_FRAME), -EAGAIN);
	tmm_test_expect_mapped(test, base_page(), frame, 512);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 512));
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
}

/* In Theseus, the entries before the page in use stay. */
static void map_page_in_use_is_undone(struct kunit *test)
{
	const u64 used[] = { 0, 20, 30, 31, 900, 1053, 1054, 1100 - 1 };
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(used); i++) {
		u64 page = base_page() + 512 - 30;
		u64 in_use = page + used[i];
		u64 before;

		KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(in_use, 1),
						     tmm_frame_4k(77), leaf_bits(0), TMM_4K), 0);
		before = tmm_test_fingerprint(test);
		KUNIT_ASSERT_EQ_MSG(test, map_run(test, page, 1100), -EEXIST, "in use: %llu",
				    used[i]);
		tmm_test_expect_unmapped(test, page, used[i]);
		tmm_test_expect_mapped(test, in_use, 77, 1);
		tmm_test_expect_unmapped(test, in_use + 1, 1100 - used[i] - 1);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
		tmm_mapper_unmap(pt, tmm_test_pages(in_use, 1));
	}
}

/* Theseus panics here. */
static void map_without_frames_for_tables_is_undone(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + (1ULL << (2 * TMM_INDEX_BITS)) - 600;
	/* Before the 1 GiB boundary: 2 leaf tables. After it: 2 more, and one of level 2. */
	const unsigned int nr_tables = pt->levels - 1 + 4;
	unsigned int nr;

	tmm_test_hog(test);
	for (nr = 0; nr < nr_tables; nr++) {
		u64 before = tmm_test_fingerprint(test);

		KUNIT_EXPECT_EQ_MSG(test, map_run(test, page, 1200), -ENOSPC, "%u frames", nr);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		tmm_test_unhog(test, 1);
	}
	KUNIT_EXPECT_EQ(test, map_run(test, page, 1200), 0);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
	tmm_test_expect_mapped(test, page, SOME_FRAME, 1200);
	tmm_mapper_unmap(pt, tmm_test_pages(page, 1200));
}

/* Tables have no objects, so a mapping needs frames but no memory of Linux's heap. */
static void map_needs_no_heap(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);

	tmm_test_fail_alloc(test, 1);
	KUNIT_EXPECT_EQ(test, map_run(test, base_page() + 400, 700), 0);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 400, 700));
}

/* Accesses a page, so that the hardware sets ACCESSED, and DIRTY after a write. */
static void touch_page(struct kunit *test, u64 page, bool write)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	size_t left;
	u8 byte = 1;
	int err;

	if (write)
		err = tmm_window_write(pt, tmm_test_vaddr(page), &byte, 1, &left);
	else
		err = tmm_window_read(pt, tmm_test_vaddr(page), &byte, 1, &left);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, left, 0);
}

/* Theseus overwrites the bits that the hardware has set. */
static void remap_keeps_accessed_and_dirty(struct kunit *test)
{
	const u64 mask = TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY | TMM_ENTRY_WRITABLE;
	const u64 want[] = { 0, TMM_ENTRY_ACCESSED, TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY };
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + 511;
	unsigned int i, round;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, 3),
					     tmm_frame_4k(frames->f.chunk.start),
					     leaf_bits(TMM_PTE_WRITABLE), TMM_4K), 0);
	touch_page(test, page + 1, false);
	touch_page(test, page + 2, true);
	for (round = 0; round < 4; round++) {
		u64 writable = round & 1 ? TMM_ENTRY_WRITABLE : 0;

		tmm_mapper_remap(pt, tmm_test_pages(page, 3), writable);
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page + i, 1) & mask,
					want[i] | writable);
		tmm_test_expect_mapped(test, page, frames->f.chunk.start, 3);
	}
	tmm_mapper_unmap(pt, tmm_test_pages(page, 3));
	tmm_allocated_frames_drop(&frames);
}

static void remap_changes_the_write_bit_only(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 entry;

	KUNIT_ASSERT_EQ(test, map_run(test, base_page(), 3), 0);
	entry = tmm_test_entry(pt, base_page() + 1, 1);
	tmm_mapper_remap(pt, tmm_test_pages(base_page() + 1, 1), false);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page() + 1, 1), entry & ~TMM_ENTRY_WRITABLE);
	KUNIT_EXPECT_TRUE(test, tmm_test_entry(pt, base_page(), 1) & TMM_ENTRY_WRITABLE);
	KUNIT_EXPECT_TRUE(test, tmm_test_entry(pt, base_page() + 2, 1) & TMM_ENTRY_WRITABLE);
	tmm_mapper_remap(pt, tmm_test_pages(base_page() + 1, 1), true);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page() + 1, 1), entry);
	tmm_mapper_remap(pt, tmm_test_pages(base_page() + 1, 0), false);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page() + 1, 1), entry);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 3));
}

/* Only the leaves of the range are marked, whatever their size. */
static void mark_dirty_marks_leaves(struct kunit *test)
{
	const u64 nr = tmm_page_size_4k_pages(TMM_2M), marks = TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY;
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = ALIGN(base_page(), nr) + nr - 2;
	u64 entries[4];
	unsigned int i;

	/* two small leaves, a large one, a small one; the case does not access the frames */
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, nr + 3),
					     tmm_frame_4k((1ULL << 30) - 2),
					     leaf_bits(TMM_PTE_WRITABLE), TMM_2M), 0);
	for (i = 0; i < 4; i++)
		entries[i] = tmm_test_entry(pt, page + (i < 3 ? i : nr + 2), i == 2 ? 2 : 1);
	KUNIT_ASSERT_EQ(test, (entries[0] | entries[1] | entries[2] | entries[3]) & TMM_ENTRY_DIRTY,
			0);
	tmm_mapper_mark_dirty(pt, tmm_test_pages(page, 0));
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page, 1), entries[0]);
	tmm_mapper_mark_dirty(pt, tmm_test_pages(page + 1, 2));
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page, 1), entries[0]);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page + 1, 1), entries[1] | marks);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page + 2, 2), entries[2] | marks);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page + nr + 2, 1), entries[3]);
	/* a range that begins in the middle of the large leaf */
	tmm_mapper_mark_dirty(pt, tmm_test_pages(page + 100, nr - 97));
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, page + nr + 2, 1), entries[3] | marks);
	tmm_mapper_unmap(pt, tmm_test_pages(page, nr + 3));
}

static void collect_flags_joins_the_entries(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + 510;
	tmm_pte_flags_t flags = TMM_PTE_OURS | TMM_PTE_NOT_EXECUTABLE | TMM_PTE_WRITABLE;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, 3),
					     tmm_frame_4k(frames->f.chunk.start),
					     leaf_bits(TMM_PTE_WRITABLE), TMM_4K), 0);
	KUNIT_EXPECT_EQ(test, tmm_translate_collect_flags(pt, tmm_test_pages(page, 3)), flags);
	touch_page(test, page + 2, true);
	KUNIT_EXPECT_EQ(test, tmm_translate_collect_flags(pt, tmm_test_pages(page, 2)), flags);
	KUNIT_EXPECT_EQ(test, tmm_translate_collect_flags(pt, tmm_test_pages(page, 3)),
			flags | TMM_PTE_ACCESSED | TMM_PTE_DIRTY);
	KUNIT_EXPECT_EQ(test, tmm_translate_collect_flags(pt, tmm_test_pages(page, 0)),
			TMM_PTE_NONE);
	tmm_mapper_unmap(pt, tmm_test_pages(page, 3));
	tmm_allocated_frames_drop(&frames);
}

static struct kunit_case mapper_cases[] = {
	KUNIT_CASE(map_writes_exactly_the_bits),
	KUNIT_CASE(map_across_boundaries_of_every_level),
	KUNIT_CASE(map_several_whole_tables),
	KUNIT_CASE(unmap_a_part_keeps_the_rest),
	KUNIT_CASE(map_one_needs_a_table),
	KUNIT_CASE(map_one_changes_no_used_entry),
	KUNIT_CASE(map_page_in_use_is_undone),
	KUNIT_CASE(map_without_frames_for_tables_is_undone),
	KUNIT_CASE(map_needs_no_heap),
	KUNIT_CASE(remap_keeps_accessed_and_dirty),
	KUNIT_CASE(remap_changes_the_write_bit_only),
	KUNIT_CASE(mark_dirty_marks_leaves),
	KUNIT_CASE(collect_flags_joins_the_entries),
	{}
};

static struct kunit_suite mapper_suite = {
	.name = "theseus_mm_mapper",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = mapper_cases,
};

kunit_test_suite(mapper_suite);
