// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves of 2 MiB and 1 GiB, alone and mixed with smaller ones. Cases that do not access the memory
 * map frame numbers without memory behind them.
 */
#include "paging/mapper.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/translate.h"
#include "paging/window_copy.h"

#include <linux/mm.h>
#include <linux/string.h>

#define NR_2M	512ULL
#define NR_1G	(512ULL * 512)
/* A multiple of 1 GiB. */
#define SOME_FRAME	(5 * NR_1G)

#define ENTRY_PAT_4K	BIT_ULL(7)
#define ENTRY_PAT_LARGE	BIT_ULL(12)

/* The number of a page at a multiple of 1 GiB, with room for pages before that page. */
#define base_page()	(tmm_private_first_page() + 4 * NR_1G)

static tmm_leaf_bits_t leaf_bits(tmm_pte_flags_t flags)
{
	return tmm_pte_leaf_bits(flags, true);
}

static tmm_pte_flags_t flags_of(struct kunit *test, u64 page, u64 nr)
{
	return tmm_translate_collect_flags(tmm_test_root(test), tmm_test_pages(page, nr));
}

static int map_run(struct kunit *test, u64 page, u64 frame, u64 nr, enum tmm_page_size largest)
{
	return tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, nr), tmm_frame_4k(frame),
			      leaf_bits(TMM_TEST_WRITABLE), largest);
}

struct choice {
	const char *name;
	/* Relative to base_page() and SOME_FRAME. */
	s64 page;
	s64 frame;
	u64 nr;
	enum tmm_page_size largest;
	struct tmm_test_leaves leaves[8];
	/* The number of tables besides those on the way to the first page. */
	unsigned int nr_more_tables;
};

static const struct choice choices[] = {
	{ "2 MiB", 0, 0, NR_2M, TMM_1G, { { TMM_2M, 1 } }, 0 },
	{ "1 GiB", 0, 0, NR_1G, TMM_1G, { { TMM_1G, 1 } }, 0 },
	{ "1 GiB, at most 2 MiB", 0, 0, NR_1G, TMM_2M, { { TMM_2M, 512 } }, 0 },
	{ "2 MiB, at most 4 KiB", 0, 0, NR_2M, TMM_4K, { { TMM_4K, 512 } }, 0 },
	{ "a page less than 2 MiB", 0, 0, NR_2M - 1, TMM_1G, { { TMM_4K, 511 } }, 0 },
	{ "2 MiB less than 1 GiB", 0, 0, NR_1G - NR_2M, TMM_1G, { { TMM_2M, 511 } }, 0 },
	{ "the page is not aligned", 1, 0, NR_2M, TMM_1G, { { TMM_4K, 512 } }, 1 },
	{ "the frame is not aligned", 0, 1, NR_2M, TMM_1G, { { TMM_4K, 512 } }, 0 },
	{ "2 MiB apart", 0, NR_2M, NR_1G, TMM_1G, { { TMM_2M, 512 } }, 0 },
	{ "pages, 2 MiB, pages", -3, -3, 3 + NR_2M + 5, TMM_1G,
	  { { TMM_4K, 3 }, { TMM_2M, 1 }, { TMM_4K, 5 } }, 2 },
	{ "all sizes, up and down", -(s64)NR_2M - 1, -(s64)NR_2M - 1, 2 + 2 * NR_2M + 2 * NR_1G,
	  TMM_1G,
	  { { TMM_4K, 1 }, { TMM_2M, 1 }, { TMM_1G, 2 }, { TMM_2M, 1 }, { TMM_4K, 1 } }, 2 },
};

TMM_ARRAY_PARAM(choice, choices);

/* The number of tables on the way to the first leaf. */
static unsigned int nr_tables_above(struct kunit *test, const struct tmm_test_leaves *leaves)
{
	return tmm_test_root(test)->levels - tmm_entry_leaf_level(leaves->size);
}

static void map_chooses_the_largest_leaf(struct kunit *test)
{
	const struct choice *choice = test->param_value;
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + choice->page;
	u64 frame = SOME_FRAME + choice->frame;
	u64 nr_tables = nr_tables_above(test, choice->leaves) + choice->nr_more_tables;

	tmm_test_need_1g_leaves(test);
	KUNIT_ASSERT_EQ(test, map_run(test, page, frame, choice->nr, choice->largest), 0);
	tmm_test_expect_sizes(test, page, frame, choice->leaves);
	tmm_test_expect_unmapped(test, page - 1, 1);
	tmm_test_expect_unmapped(test, page + choice->nr, 1);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), nr_tables);

	/* Remap and unmap work on the leaves that are there. */
	tmm_mapper_remap(pt, tmm_test_pages(page, choice->nr), false);
	KUNIT_EXPECT_FALSE(test, flags_of(test, page, choice->nr) & TMM_PTE_WRITABLE);
	tmm_test_expect_sizes(test, page, frame, choice->leaves);
	tmm_mapper_unmap(pt, tmm_test_pages(page, choice->nr));
	tmm_test_expect_unmapped(test, page, 1);
	tmm_test_expect_unmapped(test, page + choice->nr - 1, 1);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

/* Theseus uses bit 7 for the memory type in every leaf, so a large leaf has no memory type. */
static void map_encodes_the_memory_type_at_every_size(struct kunit *test)
{
	const tmm_leaf_bits_t bits = leaf_bits(TMM_TEST_WRITABLE);
	struct tmm_page_table *pt = tmm_test_root(test);
	enum tmm_memory_type type;
	enum tmm_page_size size;

	for (size = TMM_4K; size <= tmm_mapper_largest_leaf(); size++) {
		const u64 nr = tmm_page_size_4k_pages(size);
		const u64 pat = size ? ENTRY_PAT_LARGE | TMM_ENTRY_HUGE : ENTRY_PAT_4K;

		for (type = TMM_WRITE_BACK; type < TMM_NR_MEMORY_TYPES; type++) {
			tmm_leaf_bits_t leaf = bits | tmm_pte_memory_type_bits(type);
			u64 entry;

			KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), nr),
							     tmm_frame_4k(SOME_FRAME), leaf, size),
					0);
			entry = tmm_test_entry(pt, base_page(), tmm_entry_leaf_level(size));
			KUNIT_EXPECT_EQ(test, entry, SOME_FRAME << 12 |
					tmm_pte_leaf_bits_at(leaf, size));
			KUNIT_EXPECT_EQ(test, tmm_pte_memory_type_of_leaf(entry, size), type);
			KUNIT_EXPECT_EQ(test, !!(flags_of(test, base_page(), nr) &
						 TMM_PTE_DEVICE_MEMORY), type != TMM_WRITE_BACK);
			tmm_mapper_unmap(pt, tmm_test_pages(base_page(), nr));
		}
		/* The third bit of the memory type, which none of the types above uses. */
		KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), nr),
						     tmm_frame_4k(SOME_FRAME),
						     bits | tmm_test_leaf_bits(ENTRY_PAT_4K), size),
				0);
		KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), tmm_entry_leaf_level(size)),
				SOME_FRAME << 12 | tmm_test_entry_bits(bits) | pat);
		/* Theseus panics here. */
		tmm_test_expect_mapped(test, base_page(), SOME_FRAME, min(nr, 2ULL));
		tmm_test_expect_mapped(test, base_page() + nr - 1, SOME_FRAME + nr - 1, 1);
		tmm_mapper_unmap(pt, tmm_test_pages(base_page(), nr));
	}
}

static unsigned int count_at(struct kunit *test, u64 page, unsigned int level)
{
	return tmm_entry_count(tmm_test_entry(tmm_test_root(test), page, level + 1));
}

/* A table has leaves and tables of different owners. Each is unmapped alone. */
static void map_beside_tables_of_others(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int last;

	for (last = 0; last < 3; last++) {
		unsigned int i;

		KUNIT_ASSERT_EQ(test, map_run(test, base_page(), 77, 1, TMM_1G), 0);
		KUNIT_ASSERT_EQ(test, map_run(test, base_page() + NR_2M, SOME_FRAME, NR_2M,
					      TMM_1G), 0);
		KUNIT_ASSERT_EQ(test, map_run(test, base_page() + 3 * NR_2M - 1, SOME_FRAME - 1,
					      1 + NR_2M, TMM_1G), 0);
		KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 2), 4);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels);
		for (i = 1; i <= 3; i++) {
			switch ((last + i) % 3) {
			case 0:
				tmm_test_expect_mapped(test, base_page(), 77, 1);
				tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
				break;
			case 1:
				tmm_test_expect_mapped(test, base_page() + NR_2M, SOME_FRAME,
						       NR_2M);
				tmm_mapper_unmap(pt, tmm_test_pages(base_page() + NR_2M, NR_2M));
				break;
			default:
				tmm_test_expect_mapped(test, base_page() + 3 * NR_2M - 1,
						       SOME_FRAME - 1, 1 + NR_2M);
				tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 3 * NR_2M - 1,
								    1 + NR_2M));
			}
			tmm_check_page_table(test, pt);
		}
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	}
}

static void unmap_some_of_the_leaves(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 page = base_page() - 2 * NR_2M;

	KUNIT_ASSERT_EQ(test, map_run(test, page, SOME_FRAME, 5 * NR_2M, TMM_2M), 0);
	tmm_mapper_unmap(pt, tmm_test_pages(page + NR_2M, 2 * NR_2M));
	tmm_test_expect_mapped(test, page, SOME_FRAME, NR_2M);
	tmm_test_expect_unmapped(test, page + NR_2M, 2 * NR_2M);
	tmm_test_expect_mapped(test, page + 3 * NR_2M, SOME_FRAME + 3 * NR_2M, 2 * NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
	tmm_mapper_unmap(pt, tmm_test_pages(page + 3 * NR_2M, 2 * NR_2M));
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 2);
	tmm_mapper_unmap(pt, tmm_test_pages(page, NR_2M));
}

/* In Theseus, the entries before the page in use stay. */
static void map_page_in_use_is_undone(struct kunit *test)
{
	/* The map would make leaves of 4 KiB, 2 MiB, 1 GiB, 2 MiB and 4 KiB, in this order. */
	const u64 page = base_page() - NR_2M - 1, nr = 2 + 2 * NR_2M + NR_1G;
	const struct {
		u64 page;
		u64 nr;
	} used[] = {
		/* A leaf of 4 KiB, and so a table, in the place of each of those leaves. */
		{ page, 1 }, { page + 1, 1 }, { page + NR_2M, 1 }, { base_page(), 1 },
		{ base_page() + NR_1G - 1, 1 }, { base_page() + NR_1G, 1 },
		{ base_page() + NR_1G + NR_2M, 1 },
		/* A leaf of 2 MiB in the place of some of those leaves. */
		{ page + 1, NR_2M }, { base_page() + NR_2M, NR_2M },
		{ base_page() + NR_1G, NR_2M }, { base_page() + NR_1G + NR_2M, NR_2M },
		/* A leaf of 1 GiB. */
		{ base_page(), NR_1G }, { base_page() + NR_1G, NR_1G },
	};
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	tmm_test_need_1g_leaves(test);
	for (i = 0; i < ARRAY_SIZE(used); i++) {
		u64 before, nr_tables;

		KUNIT_ASSERT_EQ(test, map_run(test, used[i].page, 7 * NR_1G + used[i].page % NR_1G,
					      used[i].nr, TMM_1G), 0);
		before = tmm_test_fingerprint(test);
		nr_tables = tmm_check_page_table(test, pt);
		KUNIT_ASSERT_EQ_MSG(test, map_run(test, page, SOME_FRAME - NR_2M - 1, nr, TMM_1G),
				    -EEXIST, "case %u", i);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
		tmm_test_expect_mapped(test, used[i].page, 7 * NR_1G + used[i].page % NR_1G, 1);
		if (used[i].page != page)
			tmm_test_expect_unmapped(test, page, 1);
		if (used[i].page > page + NR_2M)
			tmm_test_expect_unmapped(test, page + 1, NR_2M);
		tmm_mapper_unmap(pt, tmm_test_pages(used[i].page, used[i].nr));
	}
}

static void map_inside_of_a_larger_leaf_is_refused(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	enum tmm_page_size size;

	for (size = TMM_2M; size <= tmm_mapper_largest_leaf(); size++) {
		const u64 nr = tmm_page_size_4k_pages(size);
		u64 before;

		KUNIT_ASSERT_EQ(test, map_run(test, base_page(), SOME_FRAME, nr, size), 0);
		before = tmm_test_fingerprint(test);
		KUNIT_EXPECT_EQ(test, map_run(test, base_page() + nr - 1, 99, 1, TMM_4K), -EEXIST);
		KUNIT_EXPECT_EQ(test, map_run(test, base_page() + nr - NR_2M, 99 * NR_2M, NR_2M,
					      TMM_2M), -EEXIST);
		KUNIT_EXPECT_EQ(test, map_run(test, base_page() - 1, 99, 2, TMM_4K), -EEXIST);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		tmm_check_page_table(test, pt);
		tmm_test_expect_unmapped(test, base_page() - 1, 1);
		tmm_test_expect_mapped(test, base_page() + nr - NR_2M, SOME_FRAME + nr - NR_2M,
				       NR_2M);
		tmm_mapper_unmap(pt, tmm_test_pages(base_page(), nr));
	}
}

/* Theseus panics here. */
static void map_without_frames_for_tables_is_undone(struct kunit *test)
{
	const u64 page = base_page() - NR_2M - 1, frame = SOME_FRAME - NR_2M - 1;
	const u64 nr = 2 + 2 * NR_2M + NR_1G;
	struct tmm_page_table *pt = tmm_test_root(test);
	/* The tables of the first page, and tables of level 2 and 1 for the end. */
	const unsigned int nr_tables = pt->levels - 1 + 2;
	unsigned int nr_frames;

	tmm_test_need_1g_leaves(test);
	tmm_test_hog(test);
	for (nr_frames = 0; nr_frames < nr_tables; nr_frames++) {
		u64 before = tmm_test_fingerprint(test);

		KUNIT_EXPECT_EQ_MSG(test, map_run(test, page, frame, nr, TMM_1G), -ENOSPC,
				    "%u frames", nr_frames);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		tmm_test_unhog(test, 1);
	}
	KUNIT_EXPECT_EQ(test, map_run(test, page, frame, nr, TMM_1G), 0);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
	tmm_mapper_unmap(pt, tmm_test_pages(page, nr));
}

/* Tables have no objects, so a mapping needs frames but no memory of Linux's heap. */
static void map_needs_no_heap(struct kunit *test)
{
	const u64 page = base_page() - NR_2M - 1, frame = SOME_FRAME - NR_2M - 1;
	const u64 nr = 2 + 3 * NR_2M;
	struct tmm_page_table *pt = tmm_test_root(test);

	tmm_test_fail_alloc(test, 1);
	KUNIT_EXPECT_EQ(test, map_run(test, page, frame, nr, TMM_1G), 0);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	tmm_mapper_unmap(pt, tmm_test_pages(page, nr));
}

/* Accesses a byte, so that the hardware sets ACCESSED, and DIRTY after a write. */
static void touch_byte(struct kunit *test, u64 page, u8 *byte, bool write)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	size_t left;
	int err;

	if (write)
		err = tmm_window_write(pt, tmm_test_vaddr(page), byte, 1, &left);
	else
		err = tmm_window_read(pt, tmm_test_vaddr(page), byte, 1, &left);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, left, 0);
}

static void windows_through_a_large_leaf(struct kunit *test)
{
	struct page *memory = tmm_test_large_take(test);
	struct tmm_page_table *pt = tmm_test_root(test);
	u8 *bytes = page_address(memory);
	u64 entry;
	u8 byte;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), NR_2M),
					     tmm_frame_4k(page_to_pfn(memory)),
					     leaf_bits(TMM_PTE_WRITABLE), TMM_2M), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapper_leaf_size(pt, tmm_page_4k(base_page())), TMM_2M);
	entry = tmm_test_entry(pt, base_page(), 2);
	bytes[300 * TMM_PAGE_SIZE] = 0x3c;
	touch_byte(test, base_page() + 300, &byte, false);
	KUNIT_EXPECT_EQ(test, byte, 0x3c);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), 2), entry | TMM_ENTRY_ACCESSED);
	byte = 0x5a;
	touch_byte(test, base_page() + 511, &byte, true);
	KUNIT_EXPECT_EQ(test, bytes[511 * TMM_PAGE_SIZE], 0x5a);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), 2),
			entry | TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	tmm_test_large_give(memory);
}

/* Theseus overwrites the bits that the hardware has set. */
static void remap_keeps_accessed_and_dirty(struct kunit *test)
{
	const u64 noted = TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY;
	struct page *memory = tmm_test_large_take(test);
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int round;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), NR_2M),
					     tmm_frame_4k(page_to_pfn(memory)),
					     leaf_bits(TMM_PTE_WRITABLE), TMM_2M), 0);
	touch_byte(test, base_page() + 17, &byte, true);
	for (round = 0; round < 4; round++) {
		u64 writable = round & 1 ? TMM_ENTRY_WRITABLE : 0;

		tmm_mapper_remap(pt, tmm_test_pages(base_page(), NR_2M), writable);
		KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), 2),
				(u64)page_to_pfn(memory) << 12 | writable | noted |
				tmm_pte_leaf_bits_at(leaf_bits(TMM_PTE_NONE), TMM_2M));
	}
	KUNIT_EXPECT_EQ(test, flags_of(test, base_page(), NR_2M),
			TMM_PTE_OURS | TMM_PTE_NOT_EXECUTABLE | TMM_PTE_WRITABLE |
			TMM_PTE_HARDWARE);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	tmm_test_large_give(memory);
}

/* In Theseus, a remap can fail in the middle and leave mixed flags. Here a remap cannot fail. */
static void remap_changes_leaves_of_all_sizes(struct kunit *test)
{
	const struct tmm_test_leaves leaves[] = {
		{ TMM_4K, 1 }, { TMM_2M, 1 }, { TMM_1G, 1 }, { TMM_2M, 1 }, { TMM_4K, 1 }, {},
	};
	const u64 page = base_page() - NR_2M - 1, frame = SOME_FRAME - NR_2M - 1;
	const u64 nr = 2 + 2 * NR_2M + NR_1G;
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i, round;

	tmm_test_need_1g_leaves(test);
	KUNIT_ASSERT_EQ(test, map_run(test, page, frame, nr, TMM_1G), 0);
	/* The remap must not change these neighbours. */
	KUNIT_ASSERT_EQ(test, map_run(test, page - 1, 1, 1, TMM_4K), 0);
	KUNIT_ASSERT_EQ(test, map_run(test, page + nr, 2, 1, TMM_4K), 0);
	for (round = 0; round < 2; round++) {
		u64 at = page;

		tmm_mapper_remap(pt, tmm_test_pages(page, nr), round);
		for (i = 0; leaves[i].nr; i++) {
			u64 entry = tmm_test_entry(pt, at, tmm_entry_leaf_level(leaves[i].size));

			KUNIT_EXPECT_EQ_MSG(test, !!(entry & TMM_ENTRY_WRITABLE), round,
					    "leaf %u", i);
			at += tmm_page_size_4k_pages(leaves[i].size);
		}
		KUNIT_EXPECT_TRUE(test, tmm_test_entry(pt, page - 1, 1) & TMM_ENTRY_WRITABLE);
		KUNIT_EXPECT_TRUE(test, tmm_test_entry(pt, page + nr, 1) & TMM_ENTRY_WRITABLE);
		tmm_test_expect_sizes(test, page, frame, leaves);
	}
	tmm_mapper_unmap(pt, tmm_test_pages(page - 1, nr + 2));
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void collect_flags_of_each_leaf(struct kunit *test)
{
	const u64 page = base_page() - 1;
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_table_path path;
	u64 *table;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page, 1 + 2 * NR_2M),
					     tmm_frame_4k(SOME_FRAME - 1), leaf_bits(TMM_PTE_NONE),
					     TMM_2M), 0);
	KUNIT_EXPECT_FALSE(test, flags_of(test, page, 1 + 2 * NR_2M) & TMM_PTE_HARDWARE);
	table = tmm_table_find(pt, tmm_page_4k(page + 1 + NR_2M), &path);
	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_EXPECT_EQ(test, path.level, 2);
	table[1] |= TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY;
	KUNIT_EXPECT_FALSE(test, flags_of(test, page, 1 + NR_2M) & TMM_PTE_HARDWARE);
	KUNIT_EXPECT_EQ(test, flags_of(test, page, 1 + 2 * NR_2M) & TMM_PTE_HARDWARE,
			TMM_PTE_HARDWARE);
	/* Unmapped pages add no flags, neither alone nor among mapped pages. */
	KUNIT_EXPECT_EQ(test, flags_of(test, page + 2 + 2 * NR_2M, 3 * NR_1G), TMM_PTE_NONE);
	KUNIT_EXPECT_EQ(test, flags_of(test, page - 7 * NR_1G, 14 * NR_1G),
			flags_of(test, page, 1 + 2 * NR_2M));
	tmm_mapper_unmap(pt, tmm_test_pages(page, 1 + 2 * NR_2M));
}

static struct kunit_case huge_mapper_cases[] = {
	KUNIT_CASE_PARAM(map_chooses_the_largest_leaf, choice_gen_params),
	KUNIT_CASE(map_encodes_the_memory_type_at_every_size),
	KUNIT_CASE(map_beside_tables_of_others),
	KUNIT_CASE(unmap_some_of_the_leaves),
	KUNIT_CASE(map_page_in_use_is_undone),
	KUNIT_CASE(map_inside_of_a_larger_leaf_is_refused),
	KUNIT_CASE(map_without_frames_for_tables_is_undone),
	KUNIT_CASE(map_needs_no_heap),
	KUNIT_CASE(windows_through_a_large_leaf),
	KUNIT_CASE(remap_keeps_accessed_and_dirty),
	KUNIT_CASE(remap_changes_leaves_of_all_sizes),
	KUNIT_CASE(collect_flags_of_each_leaf),
	{}
};

static struct kunit_suite huge_mapper_suite = {
	.name = "theseus_mm_huge_mapper",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = huge_mapper_cases,
};

kunit_test_suite(huge_mapper_suite);
