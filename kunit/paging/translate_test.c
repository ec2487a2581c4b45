// SPDX-License-Identifier: GPL-2.0
#include "paging/mapper.h"
#include "paging/translate.h"

#include "support/instance_fixture.h"

#include <linux/string.h>

#define SOME_FRAME	0x12345ULL

/* The value that the caller's struct must still have after an error. */
#define UNTOUCHED	0x5a5a5a5a5a5a5a5aULL
#define base_page()	tmm_private_first_page()

static void map_one(struct kunit *test, u64 page)
{
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, 1),
					     tmm_frame_4k(SOME_FRAME),
					     tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true), TMM_4K),
			0);
}

static void expect_no_translation(struct kunit *test, struct tmm_vaddr vaddr)
{
	struct tmm_translation found;

	memset(&found, UNTOUCHED & 0xff, sizeof(found));
	KUNIT_EXPECT_EQ_MSG(test, tmm_mapper_translate(tmm_test_root(test), vaddr, &found),
			    -ENOENT, "%#llx", vaddr.v);
	KUNIT_EXPECT_EQ(test, found.paddr.v, UNTOUCHED);
}

static void translate_keeps_the_offset(struct kunit *test)
{
	const u64 offsets[] = { 0, 1, 0x7ff, 0xfff };
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;

	map_one(test, base_page() + 9);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct tmm_vaddr vaddr = { tmm_test_vaddr(base_page() + 9).v + offsets[i] };
		struct tmm_translation found;

		KUNIT_ASSERT_EQ(test, tmm_mapper_translate(pt, vaddr, &found), 0);
		KUNIT_EXPECT_EQ(test, found.paddr.v, (SOME_FRAME << 12) + offsets[i]);
		KUNIT_EXPECT_EQ(test, found.size, TMM_4K);
		KUNIT_EXPECT_EQ(test, found.flags, TMM_TEST_WRITABLE | TMM_PTE_OURS);
	}
	expect_no_translation(test, (struct tmm_vaddr){ tmm_test_vaddr(base_page() + 9).v - 1 });
	expect_no_translation(test, tmm_test_vaddr(base_page() + 10));
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 9, 1));
}

static void translate_where_each_level_is_missing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int level;

	expect_no_translation(test, tmm_test_vaddr(base_page()));
	map_one(test, base_page());
	for (level = 0; level < pt->levels; level++)
		expect_no_translation(test,
				      tmm_test_vaddr(base_page() + (1ULL << (9 * level))));
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
}

static void translate_outside_of_the_private_half(struct kunit *test)
{
	expect_no_translation(test, (struct tmm_vaddr){ 0 });
	expect_no_translation(test, (struct tmm_vaddr){ 0x400000 });
	/* Linux maps these addresses, but our translation ignores the mirror. */
	expect_no_translation(test, (struct tmm_vaddr){ (unsigned long)tmm_test_instance_init });
	expect_no_translation(test, (struct tmm_vaddr){ (unsigned long)tmm_test_root(test) });
	expect_no_translation(test, (struct tmm_vaddr){ U64_MAX });
}

static void translate_not_canonical(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_vaddr vaddr = tmm_test_vaddr(base_page());
	struct tmm_pte_dump dump = { .nr_levels = 99 };

	map_one(test, base_page());
	/* A table walk does not use the flipped bit, so only a check refuses the new address. */
	vaddr.v ^= BIT_ULL(63);
	expect_no_translation(test, vaddr);
	tmm_translate_dump(pt, vaddr, &dump);
	KUNIT_EXPECT_EQ(test, dump.nr_levels, 0);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
}

/*
 * Writes @leaf at @level into the entry of base_page(). The page after the leaf is mapped first, so
 * that the tables above exist.
 */
static u64 *plant_leaf(struct kunit *test, unsigned int level, u64 leaf)
{
	struct tmm_table_path path;
	u64 page = base_page() + (1ULL << (9 * (level - 1)));

	map_one(test, page);
	KUNIT_ASSERT_NOT_NULL(test, tmm_table_find(tmm_test_root(test), tmm_page_4k(page), &path));
	path.entry[level - 1][-1] = leaf;
	return &path.entry[level - 1][-1];
}

static void translate_in_larger_leaves(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	enum tmm_page_size size;

	for (size = TMM_2M; size <= TMM_1G; size++) {
		u64 bytes = tmm_page_size_bytes(size);
		u64 start = 5 * bytes;
		/* In a large leaf, bit 12 belongs to the memory type, not to the address. */
		u64 *leaf = plant_leaf(test, size + 1, start | BIT_ULL(12) | TMM_ENTRY_HUGE |
				       TMM_ENTRY_PRESENT);
		struct tmm_vaddr vaddr = { tmm_test_vaddr(base_page()).v + bytes - 0x1003 };
		struct tmm_translation found;
		struct tmm_frame frame;

		KUNIT_EXPECT_EQ(test, tmm_mapper_translate(pt, vaddr, &found), 0);
		KUNIT_EXPECT_EQ(test, found.size, size);
		KUNIT_EXPECT_EQ(test, found.paddr.v, start + bytes - 0x1003);
		KUNIT_EXPECT_EQ(test, tmm_test_translate(pt, base_page() + 2), (start >> 12) + 2);
		KUNIT_EXPECT_EQ(test, tmm_mapper_translate_page(pt, (struct tmm_page){
					base_page(), size }, &frame), 0);
		KUNIT_EXPECT_EQ(test, frame.number, start >> 12);
		KUNIT_EXPECT_EQ(test, frame.size, size);
		*leaf = 0;
		tmm_mapper_unmap(pt, tmm_test_pages(base_page() + (bytes >> 12), 1));
	}
}

static void translate_page_larger_than_the_leaf(struct kunit *test)
{
	struct tmm_page page = { base_page(), TMM_2M };
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_frame frame = { UNTOUCHED, TMM_1G };
	u64 *leaf;

	map_one(test, base_page());
	KUNIT_EXPECT_EQ(test, tmm_mapper_translate_page(pt, page, &frame), -ENOENT);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
	leaf = plant_leaf(test, 2, TMM_ENTRY_HUGE | TMM_ENTRY_PRESENT);
	page.size = TMM_1G;
	KUNIT_EXPECT_EQ(test, tmm_mapper_translate_page(pt, page, &frame), -ENOENT);
	KUNIT_EXPECT_EQ(test, frame.number, UNTOUCHED);
	*leaf = 0;
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 512, 1));
}

static void dump_of_what_is_mapped(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_pte_dump dump;
	unsigned int i;

	map_one(test, base_page() + 3);
	tmm_translate_dump(pt, tmm_test_vaddr(base_page() + 3), &dump);
	KUNIT_ASSERT_EQ(test, dump.nr_levels, pt->levels);
	KUNIT_EXPECT_EQ(test, dump.entries[0], pt->top[TMM_FIRST_PRIVATE_SLOT]);
	for (i = 0; i + 1 < pt->levels; i++) {
		const u64 *table = tmm_test_alias(tmm_entry_paddr(dump.entries[i]) >> 12);
		unsigned int index = i + 2 < pt->levels ? 0 : 3;

		KUNIT_EXPECT_EQ(test, tmm_entry_count(dump.entries[i]), 1);
		KUNIT_EXPECT_EQ(test, table[index], dump.entries[i + 1]);
	}
	KUNIT_EXPECT_EQ(test, tmm_entry_paddr(dump.entries[i]), SOME_FRAME << 12);
	tmm_mapper_unmap(pt, tmm_test_pages(base_page() + 3, 1));
}

static void dump_where_each_level_is_missing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_pte_dump dump;
	unsigned int level;

	tmm_translate_dump(pt, tmm_test_vaddr(base_page()), &dump);
	KUNIT_EXPECT_EQ(test, dump.nr_levels, 1);
	KUNIT_EXPECT_EQ(test, dump.entries[0], 0);
	map_one(test, base_page());
	for (level = 1; level <= pt->levels; level++) {
		tmm_translate_dump(pt, tmm_test_vaddr(base_page() + (1ULL << (9 * (level - 1)))),
				   &dump);
		KUNIT_EXPECT_EQ(test, dump.nr_levels, pt->levels - level + 1);
		KUNIT_EXPECT_EQ(test, dump.entries[dump.nr_levels - 1], 0);
	}
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
}

static void dump_does_not_enter_linux_tables(struct kunit *test)
{
	struct tmm_vaddr vaddr = { (unsigned long)tmm_test_instance_init };
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_pte_dump dump;

	tmm_translate_dump(pt, vaddr, &dump);
	KUNIT_EXPECT_EQ(test, dump.nr_levels, 1);
	KUNIT_EXPECT_EQ(test, dump.entries[0], pt->top[511]);
	KUNIT_EXPECT_TRUE(test, tmm_entry_is_present(dump.entries[0]));
}

static struct kunit_case translate_cases[] = {
	KUNIT_CASE(translate_keeps_the_offset),
	KUNIT_CASE(translate_where_each_level_is_missing),
	KUNIT_CASE(translate_outside_of_the_private_half),
	KUNIT_CASE(translate_not_canonical),
	KUNIT_CASE(translate_in_larger_leaves),
	KUNIT_CASE(translate_page_larger_than_the_leaf),
	KUNIT_CASE(dump_of_what_is_mapped),
	KUNIT_CASE(dump_where_each_level_is_missing),
	KUNIT_CASE(dump_does_not_enter_linux_tables),
	{}
};

static struct kunit_suite translate_suite = {
	.name = "theseus_mm_translate",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = translate_cases,
};

kunit_test_suite(translate_suite);
