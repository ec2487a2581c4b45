// SPDX-License-Identifier: GPL-2.0
/*
 * Pages and frames of a driver's choice become a mapping: by leaves of one size,
 * where virtual is physical, or of nothing at all.
 */
#include "driver/driver_fixture.h"
#include "support/fault.h"

#include <linux/list.h>
#include <linux/math.h>

#define NR_1G		(SZ_1G >> TMM_PAGE_SHIFT)
#define NR_2M		(SZ_2M >> TMM_PAGE_SHIFT)

/* Pages aligned to any leaf; where those that a driver maps are expected. */
static u64 area(void)
{
	return round_up(tmm_private_first_page(), NR_1G) + 8 * NR_1G;
}

static struct tmm_allocated_pages *pages_at(struct kunit *test, u64 first, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_at(first, nr);
	struct tmm_allocated_pages *pages = tmm_allocate_pages_by_request(&req);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	return pages;
}

static void expect_pages_free(struct kunit *test, u64 first, u64 nr)
{
	struct tmm_allocated_pages *pages = pages_at(test, first, nr);

	tmm_allocated_pages_drop(&pages);
}

static void expect_nr_frames_taken(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free + nr,
			driver->before.frames_free);
}

static void expect_nr_mappings_made(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).mappings, driver->before.mappings + nr);
}

/* All of the guard hole came back. */
static void exit_case(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	tmm_mapped_pages_drop(&driver->mp);
	expect_pages_free(test, tmm_private_first_page(), tmm_private_nr_general_pages());
	tmm_driver_exit(test);
}

/* Expects @pages to be refused, and to be what they were. */
static void expect_not_mapped(struct kunit *test, struct tmm_allocated_pages **pages,
			      tmm_pte_flags_t flags, enum tmm_page_size size, long err)
{
	struct tmm_allocated_pages *same = *pages;
	const struct tmm_page_range before = tmm_allocated_pages_range(same);
	const struct tmm_driver_totals totals = tmm_driver_totals(test);
	struct tmm_driver_totals now;
	struct tmm_page_range range;
	struct tmm_mapped_pages *none;

	none = tmm_map_allocated_pages_sized(tmm_driver_kernel_root(test), pages, flags, false,
					     size);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(none), err);
	KUNIT_ASSERT_PTR_EQ(test, *pages, same);
	range = tmm_allocated_pages_range(same);
	KUNIT_EXPECT_EQ(test, range.r.first, before.r.first);
	KUNIT_EXPECT_EQ(test, range.r.nr, before.r.nr);
	now = tmm_driver_totals(test);
	KUNIT_EXPECT_EQ(test, now.frames_free, totals.frames_free);
	KUNIT_EXPECT_EQ(test, now.frames_largest_free, totals.frames_largest_free);
	KUNIT_EXPECT_EQ(test, now.mappings, totals.mappings);
	KUNIT_EXPECT_EQ(test, now.tables, totals.tables);
}

/* Maps them; exit drops the mapping. */
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
	struct tmm_allocated_pages *pages = pages_at(test, area(), nr);
	struct tmm_mapped_pages *mp = map_sized(test, &pages, false, p->size);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.first, area());
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), nr_bytes);
	expect_nr_mappings_made(test, 1);
	for (offset = 0; offset < nr_bytes; offset += tmm_page_size_bytes(p->size)) {
		tmm_driver_expect_leaf(test, mp, offset, p->size);
		tmm_driver_expect_leaf(test, mp, offset + tmm_page_size_bytes(p->size) - 1,
				       p->size);
	}
	tmm_driver_write(test, mp, nr_bytes - 8, 0x600d);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, mp, nr_bytes - 8), 0x600d);
}

/* Pages that begin or end within a leaf, sizes that are none, and bad flags. */
static void misfits_are_refused(struct kunit *test)
{
	const struct {
		u64 first;
		u64 nr;
		enum tmm_page_size size;
	} misfits[] = {
		{ area(), 1, TMM_2M },
		{ area(), NR_2M + 1, TMM_2M },
		{ area() + 1, NR_2M, TMM_2M },
		{ area(), NR_2M, TMM_1G },
		{ area() + NR_2M, NR_1G, TMM_1G },
		{ area(), NR_1G + NR_2M, TMM_1G },
		{ area(), NR_1G, TMM_NR_PAGE_SIZES },
	};
	struct tmm_allocated_pages *pages;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(misfits); i++) {
		pages = pages_at(test, misfits[i].first, misfits[i].nr);
		expect_not_mapped(test, &pages, TMM_DMA_FLAGS, misfits[i].size, -EINVAL);
		tmm_allocated_pages_drop(&pages);
	}
	pages = pages_at(test, area(), NR_2M);
	expect_not_mapped(test, &pages, TMM_PTE_ACCESSED | TMM_PTE_WRITABLE, TMM_2M, -EINVAL);
	expect_not_mapped(test, &pages, TMM_MMIO_FLAGS, TMM_2M, -EOPNOTSUPP);
	tmm_allocated_pages_drop(&pages);
	expect_nr_frames_taken(test, 0);
}

static void cleared_frames_are_cleared(struct kunit *test)
{
	const u64 offsets[] = { 0, SZ_2M - 8, SZ_2M, 2 * SZ_2M - 8 };
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages = pages_at(test, area(), 2 * NR_2M);
	struct tmm_paddr paddr = {};
	unsigned int i;

	map_sized(test, &pages, false, TMM_2M);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		tmm_driver_write(test, driver->mp, offsets[i], 0xbad);
	KUNIT_EXPECT_EQ(test, tmm_translate(tmm_driver_vaddr(driver->mp, 0), &paddr), 0);
	tmm_mapped_pages_drop(&driver->mp);
	/* The same frames: nobody else takes any. */
	pages = pages_at(test, area(), 2 * NR_2M);
	map_sized(test, &pages, true, TMM_2M);
	tmm_driver_expect_at(test, driver->mp, 0, paddr.v);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, offsets[i]), 0);
}

/* A frame is missing in the only GiB: there are others, and 2 MiB leaves of them. */
static void no_whole_gib_is_left(struct kunit *test)
{
	const struct tmm_allocation_request gib = tmm_request_sized(TMM_1G, 1);
	struct tmm_allocated_frames *frames = tmm_allocate_frames_by_request(&gib), *rest;
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages;
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	pages = pages_at(test, area(), NR_1G);
	expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_1G, -ENOSPC);
	range = tmm_frames_range(&frames->f);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, range.r.first + 1, &rest), 0);
	tmm_allocated_frames_drop(&rest);
	expect_nr_frames_taken(test, 1);
	expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_1G, -ENOSPC);
	map_sized(test, &pages, false, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G - 1, TMM_2M);
	tmm_allocated_frames_drop(&frames);
}

/* Takes all frames there are. */
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

/* The largest of @list becomes 1022 frames, in which no 2 MiB lie aligned. */
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
	struct tmm_allocated_pages *pages = pages_at(test, area(), NR_2M);
	LIST_HEAD(list);

	take_all(test, &list);
	expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_4K, -ENOSPC);
	free_no_aligned_2m(test, &list);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free, 2 * NR_2M - 2);
	expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_2M, -ENOSPC);
	map_sized(test, &pages, false, TMM_4K);
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_4K);
	tmm_mapped_pages_drop(&driver->mp);
	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free, 2 * NR_2M - 2);
	tmm_allocated_frames_drop_list(&list);
	expect_nr_frames_taken(test, 0);
}

/* Enough for what is mapped, but not for the tables that say so. */
static void no_frame_is_left_for_a_table(struct kunit *test)
{
	struct tmm_allocated_pages *pages = pages_at(test, area(), 2 * NR_2M - 2);
	LIST_HEAD(list);

	take_all(test, &list);
	free_no_aligned_2m(test, &list);
	expect_not_mapped(test, &pages, TMM_DMA_FLAGS, TMM_4K, -ENOSPC);
	tmm_allocated_frames_drop_list(&list);
	tmm_allocated_pages_drop(&pages);
}

static void sized_mapping_without_heap(struct kunit *test)
{
	struct tmm_allocated_pages *pages = pages_at(test, area(), NR_2M), *same = pages;
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
		expect_nr_frames_taken(test, 0);
		expect_nr_mappings_made(test, 0);
	}
	/* The mapping, its frames, tables. */
	KUNIT_EXPECT_GE(test, nth, 4);
	driver->mp = mp;
	KUNIT_EXPECT_FALSE(test, IS_ERR(mp));
}

/* The lowest run of frames that are free, as long as @nr. */
static u64 free_frames(struct kunit *test, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames(nr);
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	tmm_allocated_frames_drop(&frames);
	return range.r.first;
}

/* By copying: a window is not for the lower half. */
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

/* Maps what @req says, and expects it at @start, where virtual is physical. */
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
	expect_nr_frames_taken(test, 0);
	expect_pages_free(test, start, req.nr);
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
	expect_pages_free(test, first, 64);
}

/* The frames are there, but somebody has the pages of their numbers. */
static void identity_mapping_beside_taken_pages(struct kunit *test)
{
	u64 first = free_frames(test, 64);
	struct tmm_allocated_pages *pages = pages_at(test, first + 5, 3);

	expect_no_identity(test, tmm_request_at(first + 5, 1), TMM_DMA_FLAGS, -EADDRINUSE);
	expect_no_identity(test, tmm_request_at(first + 4, 2), TMM_DMA_FLAGS, -EADDRNOTAVAIL);
	expect_no_identity(test, tmm_request_in_range(first + 5, first + 7, 1), TMM_DMA_FLAGS,
			   -ENOSPC);
	expect_no_identity(test, tmm_request_in_range(first + 2, first + 9, 4), TMM_DMA_FLAGS,
			   -ENOSPC);
	/* Anywhere in a range is beside them. */
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 4), first + 8);
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 3), first + 2);
	tmm_allocated_pages_drop(&pages);
	try_identity(test, tmm_request_in_range(first + 2, first + 63, 4), first + 2);
}

static void identity_mapping_without_heap(struct kunit *test)
{
	const struct tmm_allocation_request req = tmm_request_any(1);
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
		expect_nr_frames_taken(test, 0);
		expect_nr_mappings_made(test, 0);
	}
	/* Frames, pages, the mapping, tables. */
	KUNIT_EXPECT_GE(test, nth, 5);
	driver->mp = mp;
	KUNIT_EXPECT_FALSE(test, IS_ERR(mp));
}

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
	expect_nr_frames_taken(test, 1);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(empty, 0, &second), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_range(empty, nothing, &second, &second),
			-EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(empty), 0);
	/* Of no region. */
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
	expect_nr_frames_taken(test, 0);
}

static void pages_of_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *empty = tmm_allocated_pages_empty(), *second = NULL;
	struct tmm_allocated_pages *pages = pages_at(test, area(), 1), *same = empty;
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

/* Each form of mapping, with pages or frames of nothing, or both. */
static void nothing_is_not_mapped(struct kunit *test)
{
	struct tmm_allocated_frames *no_frames = tmm_allocated_frames_empty();
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1);
	struct tmm_allocated_pages *no_pages = tmm_allocated_pages_empty();
	struct tmm_allocated_pages *pages = pages_at(test, area(), 1);
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
	expect_not_mapped(test, &no_pages, TMM_DMA_FLAGS, TMM_4K, -EINVAL);
	expect_not_mapped(test, &no_pages, TMM_DMA_FLAGS, TMM_1G, -EINVAL);
	expect_nr_mappings_made(test, 0);
	expect_nr_frames_taken(test, 1);
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
	expect_nr_frames_taken(test, 0);
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
	expect_nr_mappings_made(test, 0);
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
	expect_nr_mappings_made(test, 0);
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
	/* It follows no page, and no page follows it. */
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
	expect_nr_mappings_made(test, 1);
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
	/* Its pages, and itself. */
	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = tmm_mapped_pages_empty();
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-ENOMEM));
	}
	expect_nr_mappings_made(test, 0);
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
	KUNIT_CASE(frames_of_nothing),
	KUNIT_CASE(pages_of_nothing),
	KUNIT_CASE(nothing_is_not_mapped),
	KUNIT_CASE(mapping_of_nothing),
	KUNIT_CASE(mapping_of_nothing_in_parts),
	KUNIT_CASE(mapping_of_nothing_merges_with_nothing),
	KUNIT_CASE(nothing_without_heap),
	KUNIT_CASE(context_is_made_or_an_error),
	{}
};

static struct kunit_suite driver_map_suite = {
	.name = "theseus_mm_driver_map",
	.init = tmm_driver_init,
	.exit = exit_case,
	.test_cases = driver_map_cases,
};

kunit_test_suite(driver_map_suite);
