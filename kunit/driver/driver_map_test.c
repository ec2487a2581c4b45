// SPDX-License-Identifier: GPL-2.0
/* A driver maps pages and frames of its choice: with leaves of one size, or as identity mapping. */
#include "driver/driver_map.h"
#include "support/fault.h"

#include <linux/list.h>
#include <linux/math.h>
#include <linux/string.h>

/* Maps @pages. The exit function drops the mapping. */
static struct tmm_mapped_pages *map_sized(struct kunit *test, struct tmm_allocated_pages **pages,
					  bool zero, enum tmm_page_size size)
{
	struct tmm_driver *driver = test->priv;

	driver->mp = tmm_map_allocated_pages_sized(tmm_driver_kernel_root(test), pages,
						   TMM_DMA_FLAGS, zero, size);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	KUNIT_EXPECT_PTR_EQ(test, *pages, NULL);
	return driver->mp;
}

struct sized_param {
	const char *name;
	enum tmm_page_size size;
	u64 nr_leaves;
};

static const struct sized_param sized_params[] = {
	{ "4 KiB", TMM_4K, 700 },
	{ "2 MiB", TMM_2M, 3 },
	{ "1 GiB", TMM_1G, 1 },
};

static void sized_param_desc(const struct sized_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sized, sized_params, sized_param_desc);

static void leaves_are_of_the_size(struct kunit *test)
{
	const struct sized_param *p = test->param_value;
	u64 nr = p->nr_leaves * tmm_page_size_4k_pages(p->size);
	u64 nr_bytes = nr << TMM_PAGE_SHIFT, offset;
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), nr);
	struct tmm_mapped_pages *mp = map_sized(test, &pages, false, p->size);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.first, map_area());
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), nr_bytes);
	tmm_driver_expect_mappings_made(test, 1);
	for (offset = 0; offset < nr_bytes; offset += tmm_page_size_bytes(p->size)) {
		tmm_driver_expect_leaf(test, mp, offset, p->size);
		tmm_driver_expect_leaf(test, mp, offset + tmm_page_size_bytes(p->size) - 1,
				       p->size);
	}
	tmm_driver_write(test, mp, nr_bytes - 8, 0x600d);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, mp, nr_bytes - 8), 0x600d);
}

/* Pages that begin or end within a leaf, invalid leaf sizes and bad flags are refused. */
static void misfits_are_refused(struct kunit *test)
{
	const struct {
		u64 first;
		u64 nr;
		enum tmm_page_size size;
	} misfits[] = {
		{ map_area(), 1, TMM_2M },
		{ map_area(), NR_2M + 1, TMM_2M },
		{ map_area() + 1, NR_2M, TMM_2M },
		{ map_area(), NR_2M, TMM_1G },
		{ map_area() + NR_2M, NR_1G, TMM_1G },
		{ map_area(), NR_1G + NR_2M, TMM_1G },
		{ map_area(), NR_1G, TMM_NR_PAGE_SIZES },
	};
	struct tmm_allocated_pages *pages;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(misfits); i++) {
		pages = tmm_driver_pages_at(test, misfits[i].first, misfits[i].nr);
		tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, misfits[i].size, -EINVAL);
		tmm_allocated_pages_drop(&pages);
	}
	pages = tmm_driver_pages_at(test, map_area(), NR_2M);
	tmm_driver_expect_not_mapped(test, &pages, TMM_PTE_ACCESSED | TMM_PTE_WRITABLE, TMM_2M,
				     -EINVAL);
	tmm_driver_expect_not_mapped(test, &pages, TMM_MMIO_FLAGS, TMM_2M, -EOPNOTSUPP);
	tmm_allocated_pages_drop(&pages);
	tmm_driver_expect_frames_taken(test, 0);
}

static void cleared_frames_are_cleared(struct kunit *test)
{
	const u64 offsets[] = { 0, SZ_2M - 8, SZ_2M, 2 * SZ_2M - 8 };
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), 2 * NR_2M);
	struct tmm_paddr paddr = {};
	unsigned int i;

	map_sized(test, &pages, false, TMM_2M);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		tmm_driver_write(test, driver->mp, offsets[i], 0xbad);
	KUNIT_EXPECT_EQ(test, tmm_translate(tmm_driver_vaddr(driver->mp, 0), &paddr), 0);
	tmm_mapped_pages_drop(&driver->mp);
	/* The second mapping gets the same frames, since nobody else allocates any. */
	pages = tmm_driver_pages_at(test, map_area(), 2 * NR_2M);
	map_sized(test, &pages, true, TMM_2M);
	tmm_driver_expect_at(test, driver->mp, 0, paddr.v);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, offsets[i]), 0);
}

/*
 * One frame of the only aligned GiB is taken. There are enough other frames, but only for leaves
 * of 2 MiB.
 */
static void no_whole_gib_is_left(struct kunit *test)
{
	const struct tmm_allocation_request gib = tmm_request_sized(TMM_1G, 1);
	struct tmm_allocated_frames *frames = tmm_allocate_frames_by_request(&gib), *rest;
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages;
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	pages = tmm_driver_pages_at(test, map_area(), NR_1G);
	tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_1G, -ENOSPC);
	range = tmm_frames_range(&frames->f);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, range.r.first + 1, &rest), 0);
	tmm_allocated_frames_drop(&rest);
	tmm_driver_expect_frames_taken(test, 1);
	tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_1G, -ENOSPC);
	map_sized(test, &pages, false, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G - 1, TMM_2M);
	tmm_allocated_frames_drop(&frames);
}

/* Allocates all free frames. */
static void take_all(struct kunit *test, struct list_head *list)
{
	struct tmm_driver_totals totals = tmm_driver_totals(test);
	struct tmm_allocated_frames *frames;

	while (totals.frames_free) {
		frames = tmm_allocate_frames(totals.frames_largest_free);
		if (IS_ERR(frames))
			tmm_allocated_frames_drop_list(list);
		KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
		list_add_tail(&frames->f.link, list);
		totals = tmm_driver_totals(test);
	}
}

/* Frees 1022 frames of the first run of @list, which contain no aligned block of 2 MiB. */
static void free_no_aligned_2m(struct kunit *test, struct list_head *list)
{
	struct tmm_allocated_frames *largest =
		list_first_entry(list, struct tmm_allocated_frames, f.link);
	struct tmm_frame_range range = tmm_frames_range(&largest->f);
	struct tmm_allocated_frames *before = NULL, *after = NULL;

	range.r.first = round_up(range.r.first, NR_2M) + 1;
	range.r.nr = 2 * NR_2M - 2;
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_range(largest, range, &before, &after),
			0);
	list_del_init(&largest->f.link);
	tmm_allocated_frames_drop(&largest);
	if (before)
		list_add(&before->f.link, list);
	if (after)
		list_add(&after->f.link, list);
}

static void no_whole_2_mib_are_left(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), NR_2M);
	LIST_HEAD(list);

	take_all(test, &list);
	tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_4K, -ENOSPC);
	free_no_aligned_2m(test, &list);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free, 2 * NR_2M - 2);
	tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_2M, -ENOSPC);
	map_sized(test, &pages, false, TMM_4K);
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_4K);
	tmm_mapped_pages_drop(&driver->mp);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free, 2 * NR_2M - 2);
	tmm_allocated_frames_drop_list(&list);
	tmm_driver_expect_frames_taken(test, 0);
}

/* The free frames suffice for the mapping, but not also for its tables. */
static void no_frame_is_left_for_a_table(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), 2 * NR_2M - 2);
	LIST_HEAD(list);

	take_all(test, &list);
	free_no_aligned_2m(test, &list);
	tmm_driver_expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_4K, -ENOSPC);
	tmm_allocated_frames_drop_list(&list);
	tmm_allocated_pages_drop(&pages);
}

static void sized_mapping_without_heap(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, map_area(), NR_2M);
	struct tmm_allocated_pages *same = pages;
	struct tmm_page_table *root = tmm_driver_kernel_root(test);
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *mp;
	unsigned int nth;
	bool hit;

	for (nth = 1;; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = tmm_map_allocated_pages_sized(root, &pages, TMM_DMA_FLAGS, false, TMM_2M);
		hit = tmm_test_fail_alloc_end();
		if (!hit)
			break;
		KUNIT_ASSERT_EQ_MSG(test, PTR_ERR_OR_ZERO(mp), -ENOMEM, "allocation %u", nth);
		KUNIT_EXPECT_PTR_EQ(test, pages, same);
		tmm_driver_expect_frames_taken(test, 0);
		tmm_driver_expect_mappings_made(test, 0);
	}
	/* The allocations are for the mapping and its frames. */
	KUNIT_EXPECT_EQ(test, nth, 3);
	driver->mp = mp;
	KUNIT_EXPECT_FALSE(test, IS_ERR(mp));
}

/* The first frame of the lowest free run of @nr frames. */
static u64 free_frames(struct kunit *test, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames(nr);
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	tmm_allocated_frames_drop(&frames);
	return range.r.first;
}

/* Writes and reads by copying, since typed windows into the lower half are refused. */
static void expect_usable(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset, u64 value)
{
	struct tmm_borrow borrow;
	u64 found = 0;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, offset, sizeof(value), true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 0, &value, sizeof(value)), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, &found, sizeof(found)), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, found, value);
}

/* Makes an identity mapping for @req, and expects its pages and frames to begin at @start. */
static void try_identity(struct kunit *test, struct tmm_allocation_request req, u64 start)
{
	struct tmm_driver *driver = test->priv;
	u64 nr_bytes = req.nr << TMM_PAGE_SHIFT;

	driver->mp = tmm_create_identity_mapping_by_request(&req, TMM_DMA_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(driver->mp).r.first, start);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(driver->mp), nr_bytes);
	tmm_driver_expect_at(test, driver->mp, 0, start << TMM_PAGE_SHIFT);
	tmm_driver_expect_at(test, driver->mp, nr_bytes - 1,
			     (start << TMM_PAGE_SHIFT) + nr_bytes - 1);
	expect_usable(test, driver->mp, nr_bytes - 8, start);
	tmm_mapped_pages_drop(&driver->mp);
	tmm_driver_expect_frames_taken(test, 0);
	tmm_driver_expect_pages_free(test, start, req.nr);
}

static void identity_mapping_of_a_choice(struct kunit *test)
{
	const struct tmm_allocation_request gib = tmm_request_sized(TMM_1G, 1);
	u64 first = free_frames(test, 64);
	struct tmm_allocated_frames *frames = tmm_allocate_frames_by_request(&gib);
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	tmm_allocated_frames_drop(&frames);
	try_identity(test, tmm_request_any(3), free_frames(test, 3));
	try_identity(test, tmm_request_at(first + 7, 3), first + 7);
	try_identity(test, tmm_request_at_paddr((struct tmm_paddr){ (first + 7) * 4096 + 5 }, 3),
		     first + 7);
	try_identity(test, tmm_request_in_range(first + 9, first + 11, 3), first + 9);
	try_identity(test, tmm_request_in_range(first + 9, first + 30, 3), first + 9);
	try_identity(test, tmm_request_aligned_in_range(16, first + 1, first + 63, 3),
		     round_up(first + 1, 16));
	try_identity(test, gib, range.r.first);
	try_identity(test, tmm_request_at(range.r.first, NR_2M), range.r.first);
}

static void expect_no_identity(struct kunit *test, struct tmm_allocation_request req,
			       tmm_pte_flags_t flags, long err)
{
	const struct tmm_driver_totals before = tmm_driver_totals(test);
	struct tmm_mapped_pages *none = tmm_create_identity_mapping_by_request(&req, flags);
	struct tmm_driver_totals after;

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(none), err);
	tmm_mapped_pages_drop(&none);
	after = tmm_driver_totals(test);
	KUNIT_EXPECT_EQ(test, after.frames_free, before.frames_free);
	KUNIT_EXPECT_EQ(test, after.frames_largest_free, before.frames_largest_free);
	KUNIT_EXPECT_EQ(test, after.mappings, before.mappings);
	KUNIT_EXPECT_EQ(test, after.tables, before.tables);
}

static void identity_mapping_refused(struct kunit *test)
{
	u64 first = free_frames(test, 64), nr = tmm_driver_totals(test).frames_largest_free;
	const struct tmm_allocation_request one = tmm_request_at(first + 5, 1);
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_in_range(first + 1, first, 1), -EINVAL },
		{ tmm_request_any(nr + 1), -ENOSPC },
		{ tmm_request_in_range(first, first + 3, 5), -ENOSPC },
		{ tmm_request_in_range(first + 5, first + 5, 1), -ENOSPC },
		{ tmm_request_sized(TMM_1G, 2), -ENOSPC },
		{ tmm_request_at(0, 1), -ERANGE },
		{ tmm_request_in_range(0, 255, 1), -ERANGE },
		{ tmm_request_at(first + 5, 1), -EADDRINUSE },
		{ tmm_request_at(first + 4, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(U64_MAX, 1), -EOVERFLOW },
		{ tmm_request_sized(TMM_1G, U64_MAX), -EOVERFLOW },
	};
	struct tmm_allocated_frames *frames = tmm_allocate_frames_by_request(&one);
	unsigned int i;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		expect_no_identity(test, refused[i].req, TMM_DMA_FLAGS, refused[i].err);
	tmm_allocated_frames_drop(&frames);
	expect_no_identity(test, tmm_request_at(first, 1), TMM_MMIO_FLAGS, -EOPNOTSUPP);
	expect_no_identity(test, tmm_request_at(first, 1), TMM_PTE_ACCESSED | TMM_PTE_WRITABLE,
			   -EINVAL);
	tmm_driver_expect_pages_free(test, first, 64);
}

/* The frames are free, but somebody else owns pages with the same numbers. */
static void identity_mapping_beside_taken_pages(struct kunit *test)
{
	u64 first = free_frames(test, 64);
	struct tmm_allocated_pages *pages = tmm_driver_pages_at(test, first + 5, 3);

	expect_no_identity(test, tmm_request_at(first + 5, 1), TMM_DMA_FLAGS, -EADDRINUSE);
	expect_no_identity(test, tmm_request_at(first + 4, 2), TMM_DMA_FLAGS, -EADDRNOTAVAIL);
	expect_no_identity(test, tmm_request_in_range(first + 5, first + 7, 1), TMM_DMA_FLAGS,
			   -ENOSPC);
	expect_no_identity(test, tmm_request_in_range(first + 2, first + 9, 4), TMM_DMA_FLAGS,
			   -ENOSPC);
	/* A request for any place in a range gets frames before or after the taken pages. */
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 4), first + 8);
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 3), first + 2);
	tmm_allocated_pages_drop(&pages);
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 4), first + 2);
}

static void identity_mapping_without_heap(struct kunit *test)
{
	/* A single frame may come from a magazine, with its object. */
	const struct tmm_allocation_request req = tmm_request_any(2);
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *mp;
	unsigned int nth;
	bool hit;

	for (nth = 1;; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = tmm_create_identity_mapping_by_request(&req, TMM_DMA_FLAGS);
		hit = tmm_test_fail_alloc_end();
		if (!hit)
			break;
		KUNIT_ASSERT_EQ_MSG(test, PTR_ERR_OR_ZERO(mp), -ENOMEM, "allocation %u", nth);
		tmm_driver_expect_frames_taken(test, 0);
		tmm_driver_expect_mappings_made(test, 0);
	}
	/* The allocations are for frames, pages, the mapping, and tables. */
	KUNIT_EXPECT_GE(test, nth, 5);
	driver->mp = mp;
	KUNIT_EXPECT_FALSE(test, IS_ERR(mp));
}

static void context_is_made_or_an_error(struct kunit *test)
{
	struct tmm_page_table *root = tmm_driver_kernel_root(test);
	struct tmm_page_table *active;
	struct tmm_mmi *mmi;

	tmm_test_fail_alloc(test, 1);
	mmi = tmm_mmi_create(root);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_PTR_EQ(test, mmi, ERR_PTR(-ENOMEM));
	mmi = tmm_mmi_create(root);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(mmi));
	active = tmm_mmi_page_table(mmi);
	KUNIT_EXPECT_PTR_EQ(test, active, root);
	tmm_page_table_put(active);
	tmm_mmi_put(mmi);
}

static struct kunit_case driver_map_cases[] = {
	KUNIT_CASE_PARAM(leaves_are_of_the_size, sized_gen_params),
	KUNIT_CASE(misfits_are_refused),
	KUNIT_CASE(cleared_frames_are_cleared),
	KUNIT_CASE(no_whole_gib_is_left),
	KUNIT_CASE(no_whole_2_mib_are_left),
	KUNIT_CASE(no_frame_is_left_for_a_table),
	KUNIT_CASE(sized_mapping_without_heap),
	KUNIT_CASE(identity_mapping_of_a_choice),
	KUNIT_CASE(identity_mapping_refused),
	KUNIT_CASE(identity_mapping_beside_taken_pages),
	KUNIT_CASE(identity_mapping_without_heap),
	KUNIT_CASE(context_is_made_or_an_error),
	{}
};

static struct kunit_suite driver_map_suite = {
	.name = "theseus_mm_driver_map",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit_with_hole,
	.test_cases = driver_map_cases,
};

kunit_test_suite(driver_map_suite);
