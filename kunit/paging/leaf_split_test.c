// SPDX-License-Identifier: GPL-2.0
/*
 * Large leaves become smaller ones. Cases that do not access the memory map frame numbers without
 * memory behind them.
 */
#include "paging/mapper.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/split_leaf.h"
#include "paging/tlb.h"
#include "paging/translate.h"
#include "paging/window_copy.h"

#include <linux/mm.h>
#include <linux/string.h>

#define NR_2M	512ULL
#define NR_1G	(512ULL * 512)
#define SOME_FRAME	(5 * NR_1G)
#define PAT_4K		BIT_ULL(7)
#define base_page()	(tmm_private_first_page() + 4 * NR_1G)

static void map_with(struct kunit *test, u64 page, u64 frame, u64 nr, tmm_leaf_bits_t bits)
{
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, nr),
					     tmm_frame_4k(frame), bits, TMM_1G), 0);
}

static void map_run(struct kunit *test, u64 page, u64 frame, u64 nr)
{
	map_with(test, page, frame, nr, tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true));
}

static int split_leaf(struct kunit *test, u64 page)
{
	return tmm_split_leaf_at(tmm_test_root(test), tmm_page_4k(page));
}

static u64 *leaf_of(struct kunit *test, u64 page)
{
	struct tmm_table_path path;
	u64 *table = tmm_table_find(tmm_test_root(test), tmm_page_4k(page), &path);

	KUNIT_ASSERT_NOT_NULL(test, table);
	return &table[tmm_entry_table_index(tmm_page_4k(page), path.level)];
}

struct choice {
	const char *name;
	u64 nr;
	/* Relative to base_page(). */
	u64 at;
	struct tmm_test_leaves leaves[6];
	unsigned int nr_more_tables;
};

static const struct choice choices[] = {
	{ "2 MiB, second page", NR_2M, 1, { { TMM_4K, 512 } }, 1 },
	{ "2 MiB, last page", NR_2M, NR_2M - 1, { { TMM_4K, 512 } }, 1 },
	{ "one of two of 2 MiB", 2 * NR_2M, NR_2M + 7, { { TMM_2M, 1 }, { TMM_4K, 512 } }, 1 },
	{ "between two of 2 MiB", 2 * NR_2M, NR_2M, { { TMM_2M, 2 } }, 0 },
	{ "1 GiB, at 2 MiB", NR_1G, 3 * NR_2M, { { TMM_2M, 512 } }, 1 },
	{ "1 GiB, second page", NR_1G, 1, { { TMM_4K, 512 }, { TMM_2M, 511 } }, 2 },
	{ "1 GiB, in the middle", NR_1G, NR_1G / 2 + 1,
	  { { TMM_2M, 256 }, { TMM_4K, 512 }, { TMM_2M, 255 } }, 2 },
	{ "1 GiB, last page", NR_1G, NR_1G - 1, { { TMM_2M, 511 }, { TMM_4K, 512 } }, 2 },
	{ "one of two of 1 GiB", 2 * NR_1G, NR_1G + 1,
	  { { TMM_1G, 1 }, { TMM_4K, 512 }, { TMM_2M, 511 } }, 2 },
};

TMM_ARRAY_PARAM(choice, choices);

/* Only the leaves around the page are split, and no further than needed. */
static void split_makes_the_fewest_leaves(struct kunit *test)
{
	const struct choice *choice = test->param_value;
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 nr_tables;

	tmm_test_need_1g_leaves(test);
	map_run(test, base_page(), SOME_FRAME, choice->nr);
	nr_tables = tmm_check_page_table(test, pt) + choice->nr_more_tables;
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + choice->at), 0);
	tmm_test_expect_sizes(test, base_page(), SOME_FRAME, choice->leaves);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), nr_tables);
	tmm_test_expect_unmapped(test, base_page() - 1, 1);
	tmm_test_expect_unmapped(test, base_page() + choice->nr, 1);
	/* Both parts consist of whole leaves now, so each can be unmapped alone. */
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + choice->at, choice->nr - choice->at));
	tmm_check_page_table(test, pt);
	tmm_test_expect_mapped(test, base_page() + choice->at - 1, SOME_FRAME + choice->at - 1, 1);
	tmm_test_expect_unmapped(test, base_page() + choice->at, 1);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), choice->at));
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

/* The new leaves have all bits of the old one, apart from its address. */
static void check_bits(struct kunit *test, tmm_leaf_bits_t bits, u64 noted)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 nr = tmm_page_size_4k_pages(tmm_mapper_largest_leaf());
	const u64 small = tmm_test_entry_bits(bits) | noted;
	u64 i, wrong = 0;

	map_with(test, base_page(), SOME_FRAME, nr, bits);
	*leaf_of(test, base_page()) |= noted;
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 2), 0);
	for (i = 0; i < NR_2M; i++)
		wrong += tmm_test_entry(pt, base_page() + i, 1) != ((SOME_FRAME + i) << 12 | small);
	for (i = 1; i < nr / NR_2M; i++)
		wrong += tmm_test_entry(pt, base_page() + i * NR_2M, 2) !=
			 ((SOME_FRAME + i * NR_2M) << 12 | noted |
			  tmm_pte_leaf_bits_at(bits, TMM_2M));
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "bits %#llx, noted %#llx", tmm_test_entry_bits(bits),
			    noted);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), nr));
}

static void split_inherits_every_bit(struct kunit *test)
{
	const u64 noted[] = { 0, TMM_ENTRY_ACCESSED, TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY };
	enum tmm_memory_type type;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(noted); i++) {
		check_bits(test, tmm_pte_leaf_bits(TMM_PTE_NONE, true), noted[i]);
		check_bits(test, tmm_pte_leaf_bits(TMM_PTE_WRITABLE, false), noted[i]);
		/* PAT is bit 12 of a large leaf, and bit 7 of a small one. */
		check_bits(test, tmm_pte_leaf_bits(TMM_PTE_WRITABLE, true) |
			   tmm_test_leaf_bits(PAT_4K), noted[i]);
		for (type = TMM_WRITE_BACK; type < TMM_NR_MEMORY_TYPES; type++)
			check_bits(test, tmm_pte_leaf_bits(TMM_PTE_NONE, true) |
				   tmm_pte_memory_type_bits(type), noted[i]);
	}
}

static void split_at_a_boundary_does_nothing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	/*
	 * The beginning of a leaf of 2 MiB, a leaf of 4 KiB, the page after that leaf, and two
	 * unmapped pages.
	 */
	const u64 at[] = { 0, NR_2M, NR_2M + 1, 5 * NR_2M + 3, 600 * NR_1G };
	u64 before, nr_tables, entry;
	unsigned int i;

	map_run(test, base_page(), SOME_FRAME, NR_2M + 1);
	before = tmm_test_fingerprint(test);
	nr_tables = tmm_check_page_table(test, pt);
	entry = tmm_test_entry(pt, base_page(), 2);
	/* Without frames for tables, a wrong split would fail. */
	tmm_test_hog(test);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		KUNIT_EXPECT_EQ_MSG(test, split_leaf(test, base_page() + at[i]), 0, "case %u", i);
	tmm_test_unhog_all(test);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), nr_tables);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), 2), entry);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M + 1));
}

static void split_without_frames_changes_nothing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int nr;

	tmm_test_need_1g_leaves(test);
	map_run(test, base_page(), SOME_FRAME, NR_1G);
	tmm_test_hog(test);
	for (nr = 0; nr < 2; nr++) {
		u64 before = tmm_test_fingerprint(test);
		u64 entry = tmm_test_entry(pt, base_page(), 3);

		KUNIT_EXPECT_EQ_MSG(test, split_leaf(test, base_page() + 5), -ENOSPC, "%u frames",
				    nr);
		KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), 3), entry);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		tmm_check_page_table(test, pt);
		tmm_test_unhog(test, 1);
	}
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 5), 0);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_1G));
}

static void split_needs_no_heap(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);

	tmm_test_need_1g_leaves(test);
	map_run(test, base_page(), SOME_FRAME, NR_1G);
	tmm_test_fail_alloc(test, 1);
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 5), 0);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_1G));
}

/* Map one leaf of @size to frame 0. */
static int map_size(struct tmm_page_table *pt, u64 page, tmm_leaf_bits_t bits,
		    enum tmm_page_size size)
{
	const u64 nr = tmm_page_size_4k_pages(size);

	return tmm_mapper_map(pt, tmm_test_pages(page, nr), tmm_frame_4k(0), bits, size);
}

/* Only the hardware ignores a frozen leaf; everyone else sees a leaf that is in use. */
static void frozen_leaf_is_in_use(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const tmm_leaf_bits_t bits = tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true);
	enum tmm_page_size size, other;

	for (size = TMM_2M; size <= tmm_mapper_largest_leaf(); size++) {
		const u64 nr = tmm_page_size_4k_pages(size);
		struct tmm_translation found = {};
		u64 before, entry;

		map_run(test, base_page(), SOME_FRAME, nr);
		entry = *leaf_of(test, base_page());
		before = tmm_test_fingerprint(test);
		*leaf_of(test, base_page()) &= ~TMM_ENTRY_PRESENT;

		KUNIT_EXPECT_EQ(test, tmm_mapper_translate(pt, tmm_test_vaddr(base_page() + 3),
							   &found), 0);
		KUNIT_EXPECT_EQ(test, found.paddr.v, (SOME_FRAME + 3) << 12);
		KUNIT_EXPECT_EQ(test, found.size, size);
		KUNIT_EXPECT_EQ(test, found.flags, TMM_TEST_WRITABLE | TMM_PTE_OURS);
		KUNIT_EXPECT_EQ(test, tmm_test_entry(pt, base_page(), tmm_entry_leaf_level(size)),
				entry);
		KUNIT_EXPECT_EQ(test, tmm_mapper_leaf_size(pt, tmm_page_4k(base_page())), size);
		KUNIT_EXPECT_EQ(test, tmm_translate_collect_flags(pt,
								  tmm_test_pages(base_page(), nr)),
				TMM_TEST_WRITABLE | TMM_PTE_OURS);
		for (other = TMM_4K; other <= size; other++)
			KUNIT_EXPECT_EQ(test, map_size(pt, base_page(), bits, other), -EEXIST);

		KUNIT_EXPECT_EQ(test, *leaf_of(test, base_page()), entry & ~TMM_ENTRY_PRESENT);
		*leaf_of(test, base_page()) |= TMM_ENTRY_PRESENT;
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		tmm_check_page_table(test, pt);
		tmm_mapper_unmap(pt, tmm_test_pages(base_page(), nr));
	}
}

static void split_changes_no_data(struct kunit *test)
{
	struct page *memory = tmm_test_large_take(test);
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 *words = page_address(memory);
	u64 i, word, wrong = 0;
	size_t left;

	for (i = 0; i < NR_2M; i++)
		words[i * 512 + 9] = i * 0x10001;
	map_run(test, base_page(), page_to_pfn(memory), NR_2M);
	/* Each round reads through the large leaf, and right after through the small leaves. */
	for (i = 0; i < NR_2M; i++) {
		struct tmm_vaddr vaddr = { tmm_test_vaddr(base_page() + i).v + 9 * 8 };

		KUNIT_EXPECT_EQ(test, tmm_window_read(pt, vaddr, &word, 8, &left), 0);
		wrong += left || word != i * 0x10001;
		word = ~i;
		KUNIT_EXPECT_EQ(test, tmm_window_write(pt, vaddr, &word, 8, &left), 0);
		wrong += left || words[i * 512 + 9] != ~i;
		if (i == 255)
			KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 100), 0);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, tmm_mapper_leaf_size(pt, tmm_page_4k(base_page())), TMM_4K);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	tmm_test_large_give(memory);
}

/* A part of a former large leaf gets other permissions than the rest. */
static void remap_a_part_of_what_was_one_leaf(struct kunit *test)
{
	struct page *memory = tmm_test_large_take(test);
	struct tmm_page_table *pt = tmm_test_root(test);
	u8 byte = 7;
	size_t left;

	map_run(test, base_page(), page_to_pfn(memory), NR_2M);
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 200), 0);
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 300), 0);
	tmm_mapper_remap(pt, tmm_test_pages(base_page() + 200, 100), false);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, tmm_test_vaddr(base_page() + 199), &byte, 1,
					       &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, tmm_test_vaddr(base_page() + 200), &byte, 1,
					       &left), 0);
	KUNIT_EXPECT_EQ(test, left, 1);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, tmm_test_vaddr(base_page() + 299), &byte, 1,
					       &left), 0);
	KUNIT_EXPECT_EQ(test, left, 1);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, tmm_test_vaddr(base_page() + 300), &byte, 1,
					       &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	tmm_test_expect_mapped(test, base_page(), page_to_pfn(memory), NR_2M);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	tmm_test_large_give(memory);
}

static unsigned int nr_calls;

static void count_call(struct tmm_page_range pages)
{
	nr_calls++;
}

static void split_shoots_nothing_down(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);

	nr_calls = 0;
	map_run(test, base_page(), SOME_FRAME, NR_2M);
	tmm_set_broadcast_tlb_shootdown_cb(count_call);
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 1), 0);
	KUNIT_EXPECT_EQ(test, nr_calls, 0);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	KUNIT_EXPECT_EQ(test, nr_calls, 1);
	tmm_set_broadcast_tlb_shootdown_cb(NULL);
}

/* The count of the table above stays, since the entry is used before and after the split. */
static void split_counts_the_new_table_only(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int level;

	map_run(test, base_page(), SOME_FRAME, 2 * NR_2M);
	KUNIT_EXPECT_EQ(test, split_leaf(test, base_page() + 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 2)), 512);
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 3)), 2);
	for (level = 4; level <= pt->levels; level++)
		KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), level)), 1);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), NR_2M));
	KUNIT_EXPECT_EQ(test, tmm_entry_count(tmm_test_entry(pt, base_page(), 3)), 1);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + NR_2M, NR_2M));
}

static struct kunit_case leaf_split_cases[] = {
	KUNIT_CASE_PARAM(split_makes_the_fewest_leaves, choice_gen_params),
	KUNIT_CASE(split_inherits_every_bit),
	KUNIT_CASE(split_at_a_boundary_does_nothing),
	KUNIT_CASE(split_without_frames_changes_nothing),
	KUNIT_CASE(split_needs_no_heap),
	KUNIT_CASE(frozen_leaf_is_in_use),
	KUNIT_CASE(split_changes_no_data),
	KUNIT_CASE(remap_a_part_of_what_was_one_leaf),
	KUNIT_CASE(split_shoots_nothing_down),
	KUNIT_CASE(split_counts_the_new_table_only),
	{}
};

static struct kunit_suite leaf_split_suite = {
	.name = "theseus_mm_leaf_split",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = leaf_split_cases,
};

kunit_test_suite(leaf_split_suite);
