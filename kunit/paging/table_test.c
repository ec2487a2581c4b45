// SPDX-License-Identifier: GPL-2.0
#include "paging/table.h"

#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "alloc/table_frames.h"
#include "paging/mapper.h"

#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/string.h>

/* The first page of a top-level slot. */
#define base_page()	tmm_private_first_page()

static u64 nr_spanned(unsigned int level)
{
	return 1ULL << (TMM_INDEX_BITS * level);
}

static void take_spares(struct kunit *test, struct tmm_table_spares *spares, unsigned int nr)
{
	while (spares->nr < nr) {
		int err = tmm_table_frames_take(&tmm_test_inst(test)->fa,
						&spares->numbers[spares->nr]);

		KUNIT_ASSERT_EQ(test, err, 0);
		spares->nr++;
	}
}

static void give_spares(struct kunit *test, struct tmm_table_spares *spares)
{
	while (spares->nr)
		tmm_table_frames_give(&tmm_test_inst(test)->fa,
				      spares->numbers[--spares->nr]);
}

static int try_acquire(struct kunit *test, u64 page, unsigned int nr,
		       struct tmm_table_spares *spares, u64 **table)
{
	struct tmm_table_gather gather = {};
	struct tmm_table_path path;
	int err;

	preempt_disable();
	err = tmm_table_acquire(tmm_test_root(test), tmm_page_4k(page), nr, spares, &path, table,
				&gather);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, gather.head, 0);
	return err;
}

/* Makes the tables of @page, and uses @nr entries of the lowest table as an owner would. */
static void acquire_tables(struct kunit *test, u64 page, unsigned int nr)
{
	struct tmm_table_spares spares = {};
	unsigned int i;
	u64 *table;

	take_spares(test, &spares, tmm_test_root(test)->levels - 1);
	KUNIT_ASSERT_EQ(test, try_acquire(test, page, nr, &spares, &table), 0);
	give_spares(test, &spares);
	for (i = 0; i < nr; i++)
		table[tmm_entry_table_index(tmm_page_4k(page), 1) + i] =
			TMM_ENTRY_PRESENT | ((page + i) << 12 & TMM_PTE_FRAME_MASK);
}

/* Returns the number of tables that were freed. */
static unsigned int release_tables(struct kunit *test, u64 page, unsigned int nr)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 before = tmm_test_nr_tables(test);
	struct tmm_table_gather gather = {};
	struct tmm_table_path path;
	u64 *table = tmm_table_find(pt, tmm_page_4k(page), &path);

	KUNIT_ASSERT_NOT_NULL(test, table);
	memset(&table[tmm_entry_table_index(tmm_page_4k(page), 1)], 0, nr * sizeof(*table));
	tmm_table_release(pt, &path, nr, &gather);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), before);
	tmm_table_free_gathered(pt, &gather);
	KUNIT_EXPECT_EQ(test, gather.head, 0);
	return before - tmm_test_nr_tables(test);
}

static unsigned int count_at(struct kunit *test, u64 page, unsigned int level)
{
	/* The count of a table of @level is in the entry one level up. */
	return tmm_entry_count(tmm_test_entry(tmm_test_root(test), page, level + 1));
}

static void acquire_installs_and_counts(struct kunit *test)
{
	unsigned int level, levels = tmm_test_root(test)->levels;

	acquire_tables(test, base_page() + 3, 5);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), levels - 1);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 1), 5);
	for (level = 2; level < levels; level++)
		KUNIT_EXPECT_EQ(test, count_at(test, base_page(), level), 1);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, tmm_test_root(test)), levels - 1);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page() + 3, 5), levels - 1);
}

/* Theseus panics if there is no frame for a missing table. */
static void acquire_without_enough_spares_changes_nothing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_table_spares spares = {};
	u64 *table = NULL;
	unsigned int nr;

	for (nr = 0; nr < pt->levels - 1; nr++) {
		take_spares(test, &spares, nr);
		KUNIT_EXPECT_EQ(test, try_acquire(test, base_page(), 1, &spares, &table), -EAGAIN);
		KUNIT_EXPECT_EQ(test, spares.nr, nr);
		KUNIT_EXPECT_PTR_EQ(test, table, NULL);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
	}
	give_spares(test, &spares);
}

static void acquire_lacking_a_part_of_the_path(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 page = base_page() + nr_spanned(2);
	struct tmm_table_spares spares = {};
	u64 *table;

	/* The tables of level 3 and above exist, those of level 2 and 1 do not. */
	acquire_tables(test, base_page(), 1);
	take_spares(test, &spares, 1);
	KUNIT_EXPECT_EQ(test, try_acquire(test, page, 1, &spares, &table), -EAGAIN);
	KUNIT_EXPECT_EQ(test, spares.nr, 1);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 3), 1);
	give_spares(test, &spares);
	acquire_tables(test, page, 1);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels + 1);
	KUNIT_EXPECT_EQ(test, release_tables(test, page, 1), 2);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 1), pt->levels - 1);
}

static void acquire_in_a_table_that_is_there(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_table_spares none = {};
	u64 *first, *second;

	acquire_tables(test, base_page(), 2);
	first = tmm_table_of_entry(pt, tmm_test_entry(pt, base_page(), 2));
	KUNIT_EXPECT_EQ(test, try_acquire(test, base_page() + 100, 3, &none, &second), 0);
	KUNIT_EXPECT_PTR_EQ(test, second, first);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 1), 5);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 2), 1);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page() + 100, 3), 0);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 1), 2);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 2), pt->levels - 1);
}

static void acquire_all_entries_of_a_table(struct kunit *test)
{
	acquire_tables(test, base_page(), TMM_TABLE_ENTRIES);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 1), TMM_TABLE_ENTRIES);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), TMM_TABLE_ENTRIES - 1), 0);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 1), 1);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page() + TMM_TABLE_ENTRIES - 1, 1),
			tmm_test_root(test)->levels - 1);
}

static void acquire_in_a_larger_leaf(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 leaf = TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE | BIT_ULL(30);
	struct tmm_table_spares spares = {};
	struct tmm_table_path path;
	u64 *table = NULL;

	acquire_tables(test, base_page(), 1);
	KUNIT_ASSERT_NOT_NULL(test, tmm_table_find(pt, tmm_page_4k(base_page()), &path));
	path.entry[1][1] = leaf;
	take_spares(test, &spares, pt->levels - 1);
	KUNIT_EXPECT_EQ(test, try_acquire(test, base_page() + 512, 1, &spares, &table), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, table, NULL);
	KUNIT_EXPECT_EQ(test, spares.nr, pt->levels - 1);
	KUNIT_EXPECT_EQ(test, path.entry[1][1], leaf);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 2), 1);
	KUNIT_EXPECT_PTR_EQ(test, tmm_table_find(pt, tmm_page_4k(base_page() + 512), &path),
			    &path.entry[1][0]);
	KUNIT_EXPECT_EQ(test, path.level, 2);
	give_spares(test, &spares);
	KUNIT_ASSERT_NOT_NULL(test, tmm_table_find(pt, tmm_page_4k(base_page()), &path));
	path.entry[1][1] = 0;
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 1), pt->levels - 1);
}

/* Like acquire_tables() and release_tables(), but for a leaf of @level. */
static void acquire_at(struct kunit *test, u64 page, unsigned int level, unsigned int nr)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const unsigned int nr_needed = pt->levels - level;
	struct tmm_table_gather gather = {};
	struct tmm_table_spares spares = {};
	struct tmm_table_path path;
	u64 *table = NULL;
	unsigned int i;
	int err;

	for (i = 0; i <= nr_needed; i++) {
		take_spares(test, &spares, i);
		preempt_disable();
		err = tmm_table_acquire(pt, (struct tmm_page){ page, tmm_entry_leaf_size(level) },
					nr, &spares, &path, &table, &gather);
		preempt_enable();
		/* The call needs exactly as many spare frames as there are missing tables. */
		KUNIT_EXPECT_EQ(test, err, i < nr_needed ? -EAGAIN : 0);
		if (!err)
			break;
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), 0);
	}
	KUNIT_ASSERT_NOT_NULL(test, table);
	KUNIT_EXPECT_EQ(test, spares.nr, 0);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), nr_needed);
	for (i = 0; i < nr; i++)
		table[tmm_entry_table_index(tmm_page_4k(page), level) + i] =
			TMM_ENTRY_PRESENT | TMM_ENTRY_HUGE;
}

static void acquire_at_each_level_of_leaves(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int level;

	for (level = 1; level <= 3; level++) {
		u64 page = base_page() + nr_spanned(level - 1);
		struct tmm_table_gather gather = {};
		struct tmm_table_path path;
		u64 *table;

		acquire_at(test, page, level, 3);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - level);
		KUNIT_EXPECT_EQ(test, count_at(test, page, level), 3);
		table = tmm_table_find(pt, tmm_page_4k(page), &path);
		KUNIT_ASSERT_NOT_NULL(test, table);
		KUNIT_EXPECT_EQ(test, path.level, level);
		memset(&table[tmm_entry_table_index(tmm_page_4k(page), level)], 0,
		       3 * sizeof(*table));
		tmm_table_release(pt, &path, 1, &gather);
		KUNIT_EXPECT_EQ(test, gather.head, 0);
		KUNIT_EXPECT_EQ(test, count_at(test, page, level), 2);
		tmm_table_release(pt, &path, 2, &gather);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->top, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
		tmm_table_free_gathered(pt, &gather);
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	}
}

/* An entry that is neither present nor 0 is in use. */
static void acquire_in_a_frozen_leaf(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 frozen = TMM_ENTRY_HUGE | BIT_ULL(30);
	struct tmm_table_spares spares = {};
	struct tmm_table_path path;
	u64 *table = NULL;

	acquire_tables(test, base_page(), 1);
	KUNIT_ASSERT_NOT_NULL(test, tmm_table_find(pt, tmm_page_4k(base_page()), &path));
	path.entry[1][1] = frozen;
	take_spares(test, &spares, pt->levels - 1);
	KUNIT_EXPECT_EQ(test, try_acquire(test, base_page() + 512, 1, &spares, &table), -EEXIST);
	KUNIT_EXPECT_EQ(test, spares.nr, pt->levels - 1);
	KUNIT_EXPECT_EQ(test, path.entry[1][1], frozen);
	KUNIT_EXPECT_EQ(test, count_at(test, base_page(), 2), 1);
	give_spares(test, &spares);
	path.entry[1][1] = 0;
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 1), pt->levels - 1);
}

/* Theseus never frees a table. */
static void release_frees_what_is_empty_and_no_more(struct kunit *test)
{
	unsigned int levels = tmm_test_root(test)->levels;
	unsigned int level;

	/* At each level, the neighbour shares the tables from level + 1 up with base_page(). */
	for (level = 1; level < levels; level++) {
		u64 neighbour = base_page() + nr_spanned(level);

		acquire_tables(test, base_page(), 1);
		acquire_tables(test, neighbour, 1);
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), levels - 1 + level);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, tmm_test_root(test)),
				levels - 1 + level);
		KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 1), level);
		KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, tmm_test_root(test)), levels - 1);
		KUNIT_EXPECT_EQ(test, tmm_test_translate(tmm_test_root(test), neighbour),
				neighbour & (TMM_PTE_FRAME_MASK >> 12));
		KUNIT_EXPECT_EQ(test, release_tables(test, neighbour, 1), levels - 1);
	}
}

static void free_gathered_clears_the_frames(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 entries[TMM_MAX_LEVELS];
	unsigned int level;

	acquire_tables(test, base_page() + 7, 1);
	for (level = 2; level <= pt->levels; level++)
		entries[level - 1] = tmm_test_entry(pt, base_page() + 7, level);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page() + 7, 1), pt->levels - 1);
	for (level = 2; level <= pt->levels; level++) {
		const void *frame = tmm_test_alias(tmm_entry_paddr(entries[level - 1]) >> 12);

		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(frame, 0, TMM_PAGE_SIZE), NULL);
	}
}

static void find_where_tables_are_missing(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_table_path path;
	unsigned int level;

	KUNIT_EXPECT_PTR_EQ(test, tmm_table_find(pt, tmm_page_4k(base_page()), &path), NULL);
	acquire_tables(test, base_page(), 1);
	for (level = 1; level < pt->levels; level++) {
		u64 page = base_page() + nr_spanned(level);

		KUNIT_EXPECT_PTR_EQ(test, tmm_table_find(pt, tmm_page_4k(page), &path), NULL);
	}
	KUNIT_EXPECT_PTR_EQ(test, tmm_table_find(pt, tmm_page_4k(base_page() + 511), &path),
			    tmm_table_of_entry(pt, *path.entry[1]));
	KUNIT_EXPECT_PTR_EQ(test, path.entry[pt->levels - 1], &pt->top[TMM_FIRST_PRIVATE_SLOT]);
	KUNIT_EXPECT_EQ(test, release_tables(test, base_page(), 1), pt->levels - 1);
}

/* An entry with only stray bits is empty, as for Linux's pXX_none(). A frozen leaf is not empty. */
static void entry_with_stray_bits_is_empty(struct kunit *test)
{
	const u64 empty[] = {
		0, TMM_ENTRY_ACCESSED, TMM_ENTRY_DIRTY, TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY,
	};
	const u64 used[] = {
		TMM_ENTRY_PRESENT, TMM_ENTRY_PRESENT | TMM_ENTRY_ACCESSED, TMM_ENTRY_HUGE,
		TMM_ENTRY_HUGE | TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY, BIT_ULL(12), BIT_ULL(52),
		BIT_ULL(62) | TMM_ENTRY_DIRTY, TMM_ENTRY_WRITABLE, BIT_ULL(63),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(empty); i++) {
		KUNIT_EXPECT_TRUE_MSG(test, tmm_entry_is_empty(empty[i]), "%#llx", empty[i]);
		KUNIT_EXPECT_TRUE(test, pte_none(native_make_pte(empty[i])));
	}
	for (i = 0; i < ARRAY_SIZE(used); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, tmm_entry_is_empty(used[i]), "%#llx", used[i]);
		KUNIT_EXPECT_FALSE(test, pte_none(native_make_pte(used[i])));
	}
}

/* Sets ACCESSED and DIRTY in unused entries, as a Knights Landing CPU may do. */
static void add_stray_bits(struct tmm_page_table *pt, u64 page)
{
	struct tmm_table_path path;
	unsigned int level;
	u64 *table = tmm_table_find(pt, tmm_page_4k(page), &path);

	table[tmm_entry_table_index(tmm_page_4k(page), 1) + 1] |= TMM_ENTRY_STRAY;
	for (level = 1; level < pt->levels; level++)
		path.entry[level][1] |= TMM_ENTRY_STRAY;
}

static void stray_bits_do_not_prevent_mapping(struct kunit *test)
{
	const tmm_leaf_bits_t bits = tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true);
	struct tmm_page_table *pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	unsigned int level;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(base_page(), 1), tmm_frame_4k(1),
					     bits, TMM_4K), 0);
	add_stray_bits(pt, base_page());
	/* The entry next to the leaf, and the entry next to each table above. */
	for (level = 1; level <= pt->levels; level++) {
		u64 page = base_page() + nr_spanned(level - 1);

		KUNIT_ASSERT_EQ_MSG(test, tmm_mapper_map(pt, tmm_test_pages(page, 1),
							 tmm_frame_4k(7), bits, TMM_4K), 0,
				    "level %u", level);
		KUNIT_EXPECT_EQ(test, tmm_test_translate(pt, page), 7);
		tmm_mapper_unmap(pt, tmm_test_pages(page, 1));
		KUNIT_EXPECT_EQ(test, tmm_test_translate(pt, page), TMM_TEST_UNMAPPED);
	}
	/* Tables and the root are freed although they contain stray bits. */
	add_stray_bits(pt, base_page());
	tmm_mapper_unmap(pt, tmm_test_pages(base_page(), 1));
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	tmm_page_table_put(pt);
}

/* After the table is unlinked, a CPU may still walk the table until the wait ends. */
static void stray_bits_in_a_table_that_waits_to_be_freed(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_table_gather gather = {};
	struct tmm_table_path path;
	u64 head;
	u64 *table;

	acquire_tables(test, base_page(), 1);
	table = tmm_table_find(pt, tmm_page_4k(base_page()), &path);
	KUNIT_ASSERT_NOT_NULL(test, table);
	table[tmm_entry_table_index(tmm_page_4k(base_page()), 1)] = 0;
	tmm_table_release(pt, &path, 1, &gather);
	for (head = gather.head; head; head = tmm_entry_paddr(table[0])) {
		table = tmm_table_of_entry(pt, head);
		table[0] |= TMM_ENTRY_STRAY;
	}
	tmm_table_free_gathered(pt, &gather);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(acquire_installs_and_counts),
	KUNIT_CASE(acquire_without_enough_spares_changes_nothing),
	KUNIT_CASE(acquire_lacking_a_part_of_the_path),
	KUNIT_CASE(acquire_in_a_table_that_is_there),
	KUNIT_CASE(acquire_all_entries_of_a_table),
	KUNIT_CASE(acquire_in_a_larger_leaf),
	KUNIT_CASE(acquire_at_each_level_of_leaves),
	KUNIT_CASE(acquire_in_a_frozen_leaf),
	KUNIT_CASE(release_frees_what_is_empty_and_no_more),
	KUNIT_CASE(free_gathered_clears_the_frames),
	KUNIT_CASE(find_where_tables_are_missing),
	KUNIT_CASE(entry_with_stray_bits_is_empty),
	KUNIT_CASE(stray_bits_do_not_prevent_mapping),
	KUNIT_CASE(stray_bits_in_a_table_that_waits_to_be_freed),
	{}
};

static struct kunit_suite table_suite = {
	.name = "theseus_mm_table",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
