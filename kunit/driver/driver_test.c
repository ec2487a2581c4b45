// SPDX-License-Identifier: GPL-2.0
/* A driver allocates, maps, borrows and copies memory. */
#include "driver/driver_fixture.h"

#include <linux/slab.h>
#include <linux/string.h>

/* An example of a struct that a driver shares with a device. */
struct ring {
	u32 head;
	u32 tail;
	u64 slots[6];
};

#define NR_BYTES	(3 * TMM_PAGE_SIZE)

/* The exit function drops the mapping. */
static struct tmm_mapped_pages *create_mapping(struct kunit *test, u64 nr_bytes)
{
	struct tmm_driver *driver = test->priv;

	driver->mp = tmm_create_mapping(nr_bytes, TMM_DMA_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	return driver->mp;
}

/* Bytes of a pattern that differs from page to page. */
static u8 *new_pattern(struct kunit *test, size_t nr_bytes)
{
	u8 *bytes = kunit_kmalloc(test, nr_bytes, GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (i = 0; i < nr_bytes; i++)
		bytes[i] = i * 7 + (i >> TMM_PAGE_SHIFT);
	return bytes;
}

static void copy_in(struct kunit *test, struct tmm_mapped_pages *mp, const void *from,
		    size_t nr_bytes)
{
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, nr_bytes, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, from, nr_bytes), 0);
	tmm_borrow_end(&borrow);
}

static void expect_content(struct kunit *test, struct tmm_mapped_pages *mp, const void *content,
			   size_t nr_bytes)
{
	void *found = kunit_kzalloc(test, nr_bytes, GFP_KERNEL);
	struct tmm_borrow borrow;

	KUNIT_ASSERT_NOT_NULL(test, found);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, nr_bytes, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, found, nr_bytes), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, memcmp(found, content, nr_bytes), 0);
	kunit_kfree(test, found);
}

/* Expects each call that would change the mapping to fail, since the mapping is borrowed. */
static void expect_held(struct kunit *test, struct tmm_mapped_pages **mp)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *second = NULL, *whole = *mp;
	struct tmm_page_range range = tmm_mapped_pages_range(*mp);
	struct tmm_allocated_pages *pages = NULL;
	LIST_HEAD(frames);

	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(*mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(*mp, TMM_PTE_DEFAULT), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(*mp, tmm_page_range_start(&range).number + 1,
						     &second), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_unmap_into_parts(mp, &pages, &frames), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	KUNIT_EXPECT_TRUE(test, list_empty(&frames));
	KUNIT_EXPECT_PTR_EQ(test, *mp, whole);
	KUNIT_EXPECT_EQ(test, driver->before.mappings + 1, tmm_driver_totals(test).mappings);
}

static void struct_is_used_in_place(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	TMM_BORROW_MUT(struct ring) mutable;
	TMM_BORROW(struct ring) immutable;
	struct tmm_window window;
	const struct ring *seen;
	struct ring copy = {};
	struct ring *ring;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, 512, &mutable), 0);
	ring = tmm_borrow_enter(&mutable, &window);
	if (!IS_ERR(ring)) {
		*ring = (struct ring){ .head = 1, .tail = 2, .slots = { 11, 22, 33, 44, 55, 66 } };
		ring->head++;
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&mutable);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ring));

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 512, &immutable), 0);
	seen = tmm_borrow_enter(&immutable, &window);
	if (!IS_ERR(seen)) {
		copy = *seen;
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&immutable);
	KUNIT_EXPECT_EQ(test, copy.head, 2);
	KUNIT_EXPECT_EQ(test, copy.tail, 2);
	KUNIT_EXPECT_EQ(test, copy.slots[5], 66);
}

static void slice_reaches_over_a_page(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	const u64 offset = TMM_PAGE_SIZE - 16 * sizeof(u32);
	TMM_BORROW_MUT(u32) borrow;
	struct tmm_window window;
	struct tmm_borrow all;
	unsigned int i;
	u32 found[32];
	u32 *p;

	KUNIT_ASSERT_EQ(test, tmm_as_slice_mut(mp, offset, 32, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	for (i = 0; !IS_ERR(p) && i < 32; i++)
		p[i] = i * 1001;
	if (!IS_ERR(p))
		tmm_borrow_leave(&window);
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, offset, sizeof(found), false, &all), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&all, 0, found, sizeof(found)), 0);
	tmm_borrow_end(&all);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, found[i], i * 1001);
}

static void typed_borrow_outside_is_refused(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	TMM_BORROW(u64) borrow;

	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, NR_BYTES - 8, &borrow), 0);
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, NR_BYTES, &borrow), -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_as_type(mp, 4, &borrow), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 8, NR_BYTES / 8, &borrow), -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 0, U64_MAX / 4, &borrow), -EOVERFLOW);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_as_slice(mp, 0, NR_BYTES / 8, &borrow), 0);
	tmm_borrow_into_inner(&borrow);
}

static void window_within_a_window_is_refused(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	struct tmm_window window, nested;
	TMM_BORROW(u32) borrow;
	const u32 *p, *q = NULL;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 0, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		q = tmm_borrow_enter(&borrow, &nested);
		if (!IS_ERR(q))
			tmm_borrow_leave(&nested);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_FALSE(test, IS_ERR(p));
	KUNIT_EXPECT_PTR_EQ(test, q, ERR_PTR(-EDEADLK));
}

static void immutable_borrows_hold_the_mapping(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	TMM_BORROW(u64) first;
	TMM_BORROW(u8) second;
	TMM_BORROW_MUT(u8) mutable;

	create_mapping(test, NR_BYTES);
	KUNIT_ASSERT_EQ(test, tmm_as_type(driver->mp, 0, &first), 0);
	KUNIT_ASSERT_EQ(test, tmm_as_type(driver->mp, 0, &second), 0);
	expect_held(test, &driver->mp);
	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(driver->mp, 4096, &mutable), -EBUSY);
	tmm_borrow_into_inner(&first);
	expect_held(test, &driver->mp);
	tmm_borrow_into_inner(&second);
	tmm_driver_expect_writable(test, driver->mp, 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(driver->mp, TMM_PTE_DEFAULT), 0);
	tmm_driver_expect_writable(test, driver->mp, -EACCES);
}

static void mutable_borrow_excludes_all(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	TMM_BORROW_MUT(u8) mutable, another;
	TMM_BORROW(u8) immutable;

	create_mapping(test, NR_BYTES);
	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(driver->mp, 0, &mutable), 0);
	expect_held(test, &driver->mp);
	KUNIT_EXPECT_EQ(test, tmm_as_type(driver->mp, 4096, &immutable), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_as_type_mut(driver->mp, 4096, &another), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_deep_copy(driver->mp, NULL), ERR_PTR(-EBUSY));
	tmm_borrow_into_inner(&mutable);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(driver->mp));
}

static void merge_waits_for_borrows_of_both(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *second;
	struct tmm_page_range range;
	TMM_BORROW(u8) borrow;

	create_mapping(test, NR_BYTES);
	range = tmm_mapped_pages_range(driver->mp);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(driver->mp,
						     tmm_page_range_start(&range).number + 1,
						     &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_as_type(driver->mp, 0, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(driver->mp, &second), -EBUSY);
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_EQ(test, tmm_as_type(second, 0, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(driver->mp, &second), -EBUSY);
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(driver->mp, &second), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(driver->mp), NR_BYTES);
}

static void drop_waits_for_the_last_borrow(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_window window;
	TMM_BORROW(u64) borrow;
	const u64 *p;
	u64 value = 0;

	create_mapping(test, NR_BYTES);
	tmm_driver_write(test, driver->mp, 64, 0x600d);
	KUNIT_ASSERT_EQ(test, tmm_as_type(driver->mp, 64, &borrow), 0);
	tmm_mapped_pages_drop(&driver->mp);
	KUNIT_EXPECT_PTR_EQ(test, driver->mp, NULL);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).mappings, driver->before.mappings + 1);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		value = *p;
		tmm_borrow_leave(&window);
	}
	KUNIT_EXPECT_EQ(test, value, 0x600d);
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).mappings, driver->before.mappings);
}

static void deep_copy_is_apart(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	u8 *content = new_pattern(test, NR_BYTES);
	struct tmm_mapped_pages *copy;
	struct tmm_paddr here, there;

	copy_in(test, mp, content, NR_BYTES);
	copy = tmm_mapped_pages_deep_copy(mp, NULL);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(copy), "error %ld", PTR_ERR(copy));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(copy), NR_BYTES);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_flags(copy) == tmm_mapped_pages_flags(mp));
	expect_content(test, copy, content, NR_BYTES);
	KUNIT_EXPECT_EQ(test, tmm_translate(tmm_driver_vaddr(mp, 0), &here), 0);
	KUNIT_EXPECT_EQ(test, tmm_translate(tmm_driver_vaddr(copy, 0), &there), 0);
	KUNIT_EXPECT_NE(test, here.v, there.v);

	/* A write to one mapping does not change the other. */
	tmm_driver_write(test, copy, 4096, 1);
	expect_content(test, mp, content, NR_BYTES);
	tmm_driver_write(test, mp, 8192, 2);
	KUNIT_EXPECT_NE(test, tmm_driver_read(test, copy, 8192), 2);
	tmm_mapped_pages_drop(&copy);
}

static void deep_copy_with_flags_of_its_own(struct kunit *test)
{
	const tmm_pte_flags_t read_only = TMM_PTE_DEFAULT, device = TMM_MMIO_FLAGS;
	const tmm_pte_flags_t malformed = TMM_PTE_ACCESSED | TMM_PTE_WRITABLE;
	struct tmm_mapped_pages *mp = create_mapping(test, NR_BYTES);
	u8 *content = new_pattern(test, NR_BYTES);
	struct tmm_mapped_pages *copy;

	copy_in(test, mp, content, NR_BYTES);
	copy = tmm_mapped_pages_deep_copy(mp, &read_only);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(copy), "error %ld", PTR_ERR(copy));
	expect_content(test, copy, content, NR_BYTES);
	tmm_driver_expect_writable(test, copy, -EACCES);
	tmm_driver_expect_writable(test, mp, 0);
	tmm_mapped_pages_drop(&copy);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_deep_copy(mp, &device), ERR_PTR(-EOPNOTSUPP));
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_deep_copy(mp, &malformed), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
}

/* A copy of 2 MiB and a page has leaves of the same sizes as the original. */
static void deep_copy_has_the_same_leaves(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *copy;
	struct tmm_paddr paddr;

	driver->mp = tmm_create_contiguous_mapping(SZ_2M + SZ_4K, TMM_DMA_FLAGS, &paddr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver->mp));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(paddr.v, SZ_2M));
	tmm_driver_expect_leaf(test, driver->mp, SZ_2M - 1, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_2M, TMM_4K);
	tmm_driver_write(test, driver->mp, 0, 1);
	tmm_driver_write(test, driver->mp, SZ_2M - 8, 2);
	tmm_driver_write(test, driver->mp, SZ_2M, 3);
	copy = tmm_mapped_pages_deep_copy(driver->mp, NULL);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(copy), "error %ld", PTR_ERR(copy));
	tmm_driver_expect_leaf(test, copy, SZ_2M - 1, TMM_2M);
	tmm_driver_expect_leaf(test, copy, SZ_2M, TMM_4K);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, copy, 0), 1);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, copy, SZ_2M - 8), 2);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, copy, SZ_2M), 3);
	tmm_mapped_pages_drop(&copy);
}

static void identity_mapping_is_where_it_is(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	u8 *content = new_pattern(test, NR_BYTES);
	TMM_BORROW(u8) borrow;
	struct tmm_window window;
	struct tmm_vaddr start;
	u64 offset;

	driver->mp = tmm_create_identity_mapping(NR_BYTES >> TMM_PAGE_SHIFT, TMM_DMA_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	start = tmm_driver_vaddr(driver->mp, 0);
	for (offset = 0; offset < NR_BYTES; offset += 1000)
		tmm_driver_expect_at(test, driver->mp, offset, start.v + offset);
	copy_in(test, driver->mp, content, NR_BYTES);
	expect_content(test, driver->mp, content, NR_BYTES);
	/* Typed windows are refused: Linux takes addresses in the lower half for user addresses. */
	KUNIT_ASSERT_EQ(test, tmm_as_type(driver->mp, 0, &borrow), 0);
	KUNIT_EXPECT_PTR_EQ(test, tmm_borrow_enter(&borrow, &window), ERR_PTR(-EOPNOTSUPP));
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(driver->mp, TMM_PTE_DEFAULT), 0);
	tmm_driver_expect_writable(test, driver->mp, -EACCES);
	expect_content(test, driver->mp, content, NR_BYTES);
}

static void identity_mapping_is_copied_elsewhere(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	u8 *content = new_pattern(test, NR_BYTES);
	struct tmm_mapped_pages *copy;

	driver->mp = tmm_create_identity_mapping(NR_BYTES >> TMM_PAGE_SHIFT, TMM_DMA_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	copy_in(test, driver->mp, content, NR_BYTES);
	copy = tmm_mapped_pages_deep_copy(driver->mp, NULL);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(copy), "error %ld", PTR_ERR(copy));
	expect_content(test, copy, content, NR_BYTES);
	tmm_mapped_pages_drop(&copy);
}

static void frames_are_chosen_by_address(struct kunit *test)
{
	struct tmm_allocated_frames *frames, *again;
	struct tmm_frame_range range;
	struct tmm_paddr paddr;

	frames = tmm_allocate_frames_by_bytes(NR_BYTES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), 3);
	range = tmm_frames_range(&frames->f);
	paddr = tmm_frame_range_start_address(&range);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_frames_at(paddr, 1), ERR_PTR(-EADDRINUSE));
	tmm_allocated_frames_drop(&frames);
	again = tmm_allocate_frames_by_bytes_at(paddr, NR_BYTES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(again));
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&again->f), 3);
	tmm_allocated_frames_drop(&again);
}

static void pages_are_chosen_by_address(struct kunit *test)
{
	struct tmm_allocated_pages *pages, *again;
	struct tmm_page_range range;
	struct tmm_vaddr vaddr;

	pages = tmm_allocate_pages_by_bytes(NR_BYTES);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	vaddr = tmm_page_range_start_address(&range);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_pages_at(vaddr, 1), ERR_PTR(-EADDRINUSE));
	KUNIT_EXPECT_TRUE(test, IS_ERR(tmm_allocate_pages_in_range(1, &range)));
	tmm_allocated_pages_drop(&pages);
	again = tmm_allocate_pages_in_range(3, &range);
	KUNIT_ASSERT_FALSE(test, IS_ERR(again));
	range = tmm_allocated_pages_range(again);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start_address(&range).v, vaddr.v);
	tmm_allocated_pages_drop(&again);
}

static struct kunit_case driver_cases[] = {
	KUNIT_CASE(struct_is_used_in_place),
	KUNIT_CASE(slice_reaches_over_a_page),
	KUNIT_CASE(typed_borrow_outside_is_refused),
	KUNIT_CASE(window_within_a_window_is_refused),
	KUNIT_CASE(immutable_borrows_hold_the_mapping),
	KUNIT_CASE(mutable_borrow_excludes_all),
	KUNIT_CASE(merge_waits_for_borrows_of_both),
	KUNIT_CASE(drop_waits_for_the_last_borrow),
	KUNIT_CASE(deep_copy_is_apart),
	KUNIT_CASE(deep_copy_with_flags_of_its_own),
	KUNIT_CASE(deep_copy_has_the_same_leaves),
	KUNIT_CASE(identity_mapping_is_where_it_is),
	KUNIT_CASE(identity_mapping_is_copied_elsewhere),
	KUNIT_CASE(frames_are_chosen_by_address),
	KUNIT_CASE(pages_are_chosen_by_address),
	{}
};

static struct kunit_suite driver_suite = {
	.name = "theseus_mm_driver",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit,
	.test_cases = driver_cases,
};

kunit_test_suite(driver_suite);
