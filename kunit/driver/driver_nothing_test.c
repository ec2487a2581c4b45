// SPDX-License-Identifier: GPL-2.0
/*
 * A driver makes empty pages, frames and mappings. Calls accept or refuse empty objects by the same
 * rules as other objects.
 */
#include "driver/driver_map.h"
#include "support/fault.h"

static void frames_of_nothing(struct kunit *test)
{
	struct tmm_allocated_frames *empty = tmm_allocated_frames_empty(), *second = NULL;
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1), *same = empty;
	const struct tmm_frame_range nothing = tmm_frame_range_empty();
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE(test, IS_ERR(empty));
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	range = tmm_frames_range(&empty->f);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&empty->f), 0);
	KUNIT_EXPECT_TRUE(test, tmm_frame_range_is_empty(&range));
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(empty));
	tmm_driver_expect_frames_taken(test, 1);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(empty, 0, &second), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_range(empty, nothing, &second, &second),
			-EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(empty), 0);
	/* Empty frames belong to no region. */
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &empty), -EMEDIUMTYPE);
	KUNIT_EXPECT_PTR_EQ(test, empty, same);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(empty, &frames), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), 1);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(empty, &same), -EDOM);
	second = tmm_allocated_frames_empty();
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(empty, &second), 0);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&empty->f), 0);
	tmm_allocated_frames_drop(&second);
	tmm_allocated_frames_drop(&empty);
	KUNIT_EXPECT_PTR_EQ(test, empty, NULL);
	tmm_allocated_frames_drop(&frames);
	tmm_driver_expect_frames_taken(test, 0);
}

static void pages_of_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *empty = tmm_allocated_pages_empty(), *second = NULL;
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), 1), *same = empty;
	const struct tmm_page_range nothing = tmm_page_range_empty();

	KUNIT_ASSERT_FALSE(test, IS_ERR(empty));
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_at(empty, 0, &second), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_range(empty, nothing, &second, &second),
			-EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &empty), -EMEDIUMTYPE);
	KUNIT_EXPECT_PTR_EQ(test, empty, same);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(empty, &pages), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), 1);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(empty, &same), -EDOM);
	second = tmm_allocated_pages_empty();
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(empty, &second), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(empty), 0);
	tmm_allocated_pages_drop(&second);
	tmm_allocated_pages_drop(&empty);
	KUNIT_EXPECT_PTR_EQ(test, empty, NULL);
	tmm_allocated_pages_drop(&pages);
}

/* Calls each form of mapping with empty pages, empty frames, or both. */
static void nothing_is_not_mapped(struct kunit *test)
{
	struct tmm_allocated_frames *no_frames = tmm_allocated_frames_empty();
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1);
	struct tmm_allocated_pages *no_pages = tmm_allocated_pages_empty();
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), 1);
	struct tmm_page_table *pt = tmm_driver_kernel_root(test);
	struct tmm_allocated_pages **const p[] = { &no_pages, &no_pages, &pages };
	struct tmm_allocated_frames **const f[] = { &no_frames, &frames, &no_frames };
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(no_frames) || IS_ERR(frames) || IS_ERR(no_pages));
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		KUNIT_EXPECT_PTR_EQ(test, tmm_map_allocated_pages_to(pt, p[i], f[i],
								     TMM_DMA_FLAGS),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_PTR_EQ(test, tmm_map_allocated_pages_to_sized(pt, p[i], f[i],
									   TMM_DMA_FLAGS, TMM_2M),
				    ERR_PTR(-EINVAL));
		KUNIT_EXPECT_PTR_EQ(test, tmm_map_to_non_exclusive(pt, p[i], *f[i],
								   TMM_DMA_FLAGS),
				    ERR_PTR(-EINVAL));
	}
	KUNIT_EXPECT_PTR_EQ(test, tmm_map_allocated_pages(pt, &no_pages, TMM_DMA_FLAGS, false),
			    ERR_PTR(-EINVAL));
	tmm_driver_expect_not_mapped(test, &no_pages, TMM_DMA_FLAGS, TMM_4K, -EINVAL);
	tmm_driver_expect_not_mapped(test, &no_pages, TMM_DMA_FLAGS, TMM_1G, -EINVAL);
	tmm_driver_expect_mappings_made(test, 0);
	tmm_driver_expect_frames_taken(test, 1);
	tmm_allocated_frames_drop(&no_frames);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&no_pages);
	tmm_allocated_pages_drop(&pages);
}

static struct tmm_mapped_pages *create_empty(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_mapped_pages_empty();

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(mp), "error %ld", PTR_ERR(mp));
	return mp;
}

static void mapping_of_nothing(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_empty(test), *second = NULL;
	struct tmm_driver *driver = test->priv;
	struct tmm_page_range range;
	TMM_BORROW(u8) borrow;

	driver->mp = mp;
	range = tmm_mapped_pages_range(mp);
	KUNIT_EXPECT_TRUE(test, tmm_page_range_is_empty(&range));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), 0);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(mp), tmm_driver_kernel_root(test));
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).tables, driver->before.tables);
	tmm_driver_expect_frames_taken(test, 0);
	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, 0, &borrow), -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 0, 0, &borrow), 0);
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, 0, &second), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_deep_copy(mp, NULL), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_DMA_FLAGS), 0);
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_writable(tmm_mapped_pages_collect_flags(mp)));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_MMIO_FLAGS), 0);
	tmm_mapped_pages_drop(&driver->mp);
	tmm_driver_expect_mappings_made(test, 0);
}

static void mapping_of_nothing_in_parts(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_empty(test);
	struct tmm_allocated_pages *pages = NULL;
	LIST_HEAD(frames);

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &frames), 0);
	KUNIT_EXPECT_PTR_EQ(test, mp, NULL);
	KUNIT_EXPECT_TRUE(test, list_empty(&frames));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), 0);
	tmm_allocated_pages_drop(&pages);
	tmm_driver_expect_mappings_made(test, 0);
}

static void mapping_of_nothing_merges_with_nothing(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *empty = create_empty(test), *second = create_empty(test), *same;

	driver->mp = tmm_create_mapping(SZ_4K, TMM_PTE_DEFAULT);
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver->mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(empty, &second), 0);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(empty), 0);
	/* The empty mapping follows no page, and no page follows the empty mapping. */
	same = empty;
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(driver->mp, &empty), -EDOM);
	KUNIT_EXPECT_PTR_EQ(test, empty, same);
	same = driver->mp;
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(empty, &same), -EDOM);
	KUNIT_EXPECT_PTR_EQ(test, same, driver->mp);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(empty, TMM_DMA_FLAGS), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(driver->mp, &empty), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(driver->mp), SZ_4K);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(driver->mp));
	tmm_mapped_pages_drop(&empty);
	tmm_driver_expect_mappings_made(test, 1);
}

static void nothing_without_heap(struct kunit *test)
{
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;
	unsigned int nth;

	tmm_test_fail_alloc(test, 1);
	frames = tmm_allocated_frames_empty();
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_PTR_EQ(test, frames, ERR_PTR(-ENOMEM));
	tmm_test_fail_alloc(test, 1);
	pages = tmm_allocated_pages_empty();
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_PTR_EQ(test, pages, ERR_PTR(-ENOMEM));
	/* An empty mapping needs two allocations: for its pages and for itself. */
	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = tmm_mapped_pages_empty();
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-ENOMEM));
	}
	tmm_driver_expect_mappings_made(test, 0);
}

static struct kunit_case driver_nothing_cases[] = {
	KUNIT_CASE(frames_of_nothing),
	KUNIT_CASE(pages_of_nothing),
	KUNIT_CASE(nothing_is_not_mapped),
	KUNIT_CASE(mapping_of_nothing),
	KUNIT_CASE(mapping_of_nothing_in_parts),
	KUNIT_CASE(mapping_of_nothing_merges_with_nothing),
	KUNIT_CASE(nothing_without_heap),
	{}
};

static struct kunit_suite driver_nothing_suite = {
	.name = "theseus_mm_driver_nothing",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit_with_hole,
	.test_cases = driver_nothing_cases,
};

kunit_test_suite(driver_nothing_suite);
