// SPDX-License-Identifier: GPL-2.0
#include "mapping/borrow.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "paging/tlb.h"

#include <linux/build_bug.h>

#define NR_PAGES 3
#define NR_BYTES (NR_PAGES * TMM_PAGE_SIZE)

/* A type with an alignment of 8. */
struct record {
	u32 key;
	u64 values[3];
};

static struct tmm_mapped_pages *map_pages(struct kunit *test, tmm_pte_flags_t flags)
{
	return tmm_test_map(test, tmm_private_first_page() + 510, NR_PAGES, flags);
}

/* The type of a borrow contains the type of its pointers, and whether they are const. */
static void pointers_have_the_type_of_the_borrow(struct kunit *test)
{
	TMM_BORROW(struct record) shared = {};
	TMM_BORROW_MUT(struct record) mutable = {};
	struct tmm_window window;

	BUILD_BUG_ON(!__same_type(tmm_borrow_enter(&shared, &window), const struct record *));
	BUILD_BUG_ON(!__same_type(tmm_borrow_enter(&mutable, &window), struct record *));
	BUILD_BUG_ON(TMM_BORROW_IS_MUT(&shared));
	BUILD_BUG_ON(!TMM_BORROW_IS_MUT(&mutable));
	/* An empty borrow may be ended. */
	tmm_borrow_into_inner(&shared);
	tmm_borrow_into_inner(&mutable);
	KUNIT_EXPECT_NULL(test, shared.borrow.mp);
}

static void as_type_mut_writes_what_as_type_reads(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	/* The struct lies across a page boundary. */
	const u64 offset = TMM_PAGE_SIZE - 16;
	TMM_BORROW_MUT(struct record) writer;
	TMM_BORROW(struct record) reader;
	const struct record *r;
	struct tmm_window window;
	struct record *w;
	u64 seen = 0;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, offset, &writer), 0);
	w = tmm_borrow_enter(&writer, &window);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w);
	w->key = 7;
	w->values[0] = 1;
	w->values[2] = 3;
	tmm_borrow_leave(&window);
	tmm_borrow_into_inner(&writer);

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, offset, &reader), 0);
	r = tmm_borrow_enter(&reader, &window);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	seen = r->key * 100 + r->values[0] * 10 + r->values[2];
	tmm_borrow_leave(&window);
	KUNIT_EXPECT_EQ(test, seen, 713);
	tmm_borrow_into_inner(&reader);
	tmm_mapped_pages_drop(&mp);
}

static void as_slice_covers_the_mapping_and_no_more(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	TMM_BORROW_MUT(u16) slice;
	TMM_BORROW(u16) part;
	struct tmm_window window;
	unsigned int i;
	u16 *w;

	KUNIT_ASSERT_EQ(test, tmm_as_slice_mut(mp, 0, NR_BYTES / 2, &slice), 0);
	w = tmm_borrow_enter(&slice, &window);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w);
	for (i = 0; i < 64; i++)
		w[i] = i;
	w[NR_BYTES / 2 - 1] = 0xbeef;
	tmm_borrow_leave(&window);
	tmm_borrow_into_inner(&slice);

	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 0, NR_BYTES / 2 + 1, &part), -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 2, NR_BYTES / 2, &part), -ERANGE);
	KUNIT_ASSERT_EQ(test, tmm_as_slice(mp, 126, 1, &part), 0);
	w = (u16 *)tmm_borrow_enter(&part, &window);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w);
	i = *w;
	tmm_borrow_leave(&window);
	KUNIT_EXPECT_EQ(test, i, 63);
	tmm_borrow_into_inner(&part);
	tmm_mapped_pages_drop(&mp);
}

struct refused_param {
	const char *name;
	u64 offset;
	u64 nr;
	int err;
};

static const struct refused_param refused_params[] = {
	{ "misaligned by one", 1, 1, -EINVAL },
	{ "misaligned by half", 4, 1, -EINVAL },
	{ "misaligned at the end", NR_BYTES - 9, 1, -EINVAL },
	{ "past the end", NR_BYTES, 1, -ERANGE },
	{ "across the end", NR_BYTES - 8, 2, -ERANGE },
	{ "empty past the end", NR_BYTES + 8, 0, -ERANGE },
	{ "offset overflows", U64_MAX - 7, 1, -EOVERFLOW },
	{ "size overflows", 0, U64_MAX / 8 + 1, -EOVERFLOW },
	{ "sum overflows", 16, U64_MAX / 8, -EOVERFLOW },
};

TMM_ARRAY_PARAM(refused, refused_params);

/* Theseus logs a misaligned offset and goes on. */
static void misaligned_or_out_of_bounds_is_refused(struct kunit *test)
{
	const struct refused_param *p = test->param_value;
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	TMM_BORROW_MUT(u64) slice_mut = {};
	TMM_BORROW(u64) slice = {};

	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, p->offset, p->nr, &slice), p->err);
	KUNIT_EXPECT_EQ(test, tmm_as_slice_mut(mp, p->offset, p->nr, &slice_mut), p->err);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	/* The refused calls did not change the structs. */
	KUNIT_EXPECT_NULL(test, slice.borrow.mp);
	KUNIT_EXPECT_EQ(test, slice_mut.borrow.offset, 0);
	tmm_mapped_pages_drop(&mp);
}

static void mutable_needs_writable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_READ_ONLY);
	TMM_BORROW_MUT(u64) mutable;
	TMM_BORROW(u64) shared;

	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(mp, 0, &mutable), -EACCES);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, 0, &shared), 0);
	tmm_borrow_into_inner(&shared);
	tmm_mapped_pages_drop(&mp);
}

static void many_immutable_or_one_mutable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *second = NULL;
	TMM_BORROW_MUT(u8) mutable;
	TMM_BORROW(u64) a;
	TMM_BORROW(u16) b;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 0, &a), 0);
	KUNIT_ASSERT_EQ(test, tmm_as_slice(mp, 0, 9, &b), 0);
	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(mp, 4096, &mutable), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), -EBUSY);
	tmm_borrow_into_inner(&a);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, tmm_private_first_page() + 511, &second),
			-EBUSY);
	tmm_borrow_into_inner(&b);

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, 4096, &mutable), 0);
	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, 0, &a), -EBUSY);
	/* A mapping that is dropped while borrowed ends with the borrow. */
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 1);
	tmm_borrow_into_inner(&mutable);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 0);
}

/* After the owner has dropped the mapping, a borrow that remains still counts as a borrow. */
static void dropped_mapping_is_still_borrowed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *kept = mp, *second = NULL;
	TMM_BORROW_MUT(u64) mutable;
	TMM_BORROW(u64) shared;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 0, &shared), 0);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(kept));
	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(kept, 0, &mutable), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(kept, TMM_TEST_READ_ONLY), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(kept, tmm_private_first_page() + 511,
						     &second), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 1);
	tmm_borrow_into_inner(&shared);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 0);
}

static void ended_borrow_cannot_be_used(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	struct tmm_window window;
	TMM_BORROW(u64) borrow;
	u64 value;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 0, &borrow), 0);
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_PTR_EQ(test, tmm_borrow_enter(&borrow, &window), (u64 *)ERR_PTR(-EINVAL));
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow.borrow, 0, &value, 8), -EINVAL);
	tmm_mapped_pages_drop(&mp);
}

static void windows_of_borrows_do_not_nest(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_pages(test, TMM_TEST_WRITABLE);
	struct tmm_window outer, inner;
	TMM_BORROW(u64) borrow;
	const u64 *first, *second;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 0, &borrow), 0);
	first = tmm_borrow_enter(&borrow, &outer);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	second = tmm_borrow_enter(&borrow, &inner);
	tmm_borrow_leave(&outer);
	KUNIT_EXPECT_PTR_EQ(test, second, ERR_PTR(-EDEADLK));
	KUNIT_EXPECT_FALSE(test, tmm_tlb_is_inside());
	tmm_borrow_into_inner(&borrow);
	tmm_mapped_pages_drop(&mp);
}

static struct kunit_case borrow_typed_cases[] = {
	KUNIT_CASE(pointers_have_the_type_of_the_borrow),
	KUNIT_CASE(as_type_mut_writes_what_as_type_reads),
	KUNIT_CASE(as_slice_covers_the_mapping_and_no_more),
	KUNIT_CASE_PARAM(misaligned_or_out_of_bounds_is_refused, refused_gen_params),
	KUNIT_CASE(mutable_needs_writable),
	KUNIT_CASE(many_immutable_or_one_mutable),
	KUNIT_CASE(dropped_mapping_is_still_borrowed),
	KUNIT_CASE(ended_borrow_cannot_be_used),
	KUNIT_CASE(windows_of_borrows_do_not_nest),
	{}
};

static struct kunit_suite borrow_typed_suite = {
	.name = "theseus_mm_borrow_typed",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = borrow_typed_cases,
};

kunit_test_suite(borrow_typed_suite);
