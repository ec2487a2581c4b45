// SPDX-License-Identifier: GPL-2.0
/* RAM mapped with large leaves. The region that the test rig reserves has one aligned GiB. */
#include "driver/driver_fixture.h"

#include <linux/list.h>

/* The page at which split_huge() splits: inside a leaf of every large size. */
#define BOUNDARY	(3 * NR_2M + 5)
#define BOUNDARY_BYTES	(BOUNDARY * TMM_PAGE_SIZE)

/* Both ends of the GiB, both sides of BOUNDARY, and both ends of the 2 MiB block around it. */
static const u64 offsets[] = {
	0, 3 * SZ_2M - 8, 3 * SZ_2M, BOUNDARY_BYTES - 8, BOUNDARY_BYTES, 4 * SZ_2M - 8, 4 * SZ_2M,
	SZ_1G - 8,
};

static u64 value_at(u64 offset)
{
	return 0x1122334455667788ULL ^ offset;
}

static u64 first_page(const struct tmm_mapped_pages *mp)
{
	struct tmm_page_range range = tmm_mapped_pages_range(mp);

	return tmm_page_range_start(&range).number;
}

static struct tmm_mapped_pages *create_huge(struct kunit *test, u64 nr_bytes,
					    struct tmm_paddr *paddr)
{
	struct tmm_mapped_pages *mp = tmm_create_contiguous_mapping(nr_bytes, TMM_DMA_FLAGS, paddr);

	if (mp == ERR_PTR(-ENOSPC))
		kunit_skip(test, "no aligned GiB is reserved and free");
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(mp), "error %ld", PTR_ERR(mp));
	return mp;
}

/* Maps a GiB, and writes a value at each offset. The exit function drops the mapping. */
static struct tmm_mapped_pages *create_filled(struct kunit *test, struct tmm_paddr *paddr)
{
	struct tmm_driver *driver = test->priv;
	unsigned int i;

	driver->mp = create_huge(test, SZ_1G, paddr);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		tmm_driver_write(test, driver->mp, offsets[i], value_at(offsets[i]));
	return driver->mp;
}

/* Expects @mp to be the part of the GiB from @start on, with its values and addresses. */
static void expect_part(struct kunit *test, struct tmm_mapped_pages *mp, u64 start,
			struct tmm_paddr paddr)
{
	u64 end = start + tmm_mapped_pages_nr_bytes(mp);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		u64 offset = offsets[i] - start;

		if (offsets[i] < start || offsets[i] >= end)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, tmm_driver_read(test, mp, offset), value_at(offsets[i]),
				    "offset %#llx", offsets[i]);
		tmm_driver_expect_at(test, mp, offset, paddr.v + offsets[i]);
	}
}

static struct tmm_mapped_pages *split_huge(struct kunit *test, struct tmm_mapped_pages *mp)
{
	struct tmm_mapped_pages *second = NULL;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, first_page(mp) + BOUNDARY, &second), 0);
	return second;
}

static void gib_is_one_leaf(struct kunit *test)
{
	struct tmm_mapped_pages *mp;
	struct tmm_paddr paddr;

	mp = create_filled(test, &paddr);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(paddr.v, SZ_1G));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(tmm_driver_vaddr(mp, 0).v, SZ_1G));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), SZ_1G);
	tmm_driver_expect_leaf(test, mp, 0, TMM_1G);
	tmm_driver_expect_leaf(test, mp, SZ_1G - 1, TMM_1G);
	expect_part(test, mp, 0, paddr);
	KUNIT_EXPECT_FALSE(test, tmm_driver_is_device_memory(mp));
	/* The region has no second aligned GiB. */
	KUNIT_EXPECT_PTR_EQ(test, tmm_create_contiguous_mapping(SZ_1G, TMM_DMA_FLAGS, &paddr),
			    ERR_PTR(-ENOSPC));
}

static void gib_can_be_allocated_again(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_paddr first, second;

	create_filled(test, &first);
	tmm_mapped_pages_drop(&driver->mp);
	driver->mp = create_huge(test, SZ_1G, &second);
	KUNIT_EXPECT_EQ(test, second.v, first.v);
	tmm_driver_expect_leaf(test, driver->mp, BOUNDARY_BYTES, TMM_1G);
}

/*
 * One mapping has leaves of all three sizes. In one window, a slice can reach from a leaf of one
 * size into a leaf of another size.
 */
static void leaves_of_three_sizes(struct kunit *test)
{
	const u64 seams[] = { SZ_1G, SZ_1G + SZ_2M };
	struct tmm_driver *driver = test->priv;
	TMM_BORROW_MUT(u64) borrow;
	struct tmm_window window;
	struct tmm_paddr paddr;
	unsigned int i, j;
	u64 *p;

	driver->mp = create_huge(test, SZ_1G + SZ_2M + SZ_4K, &paddr);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G - 1, TMM_1G);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G + SZ_2M, TMM_4K);
	for (i = 0; i < ARRAY_SIZE(seams); i++) {
		KUNIT_ASSERT_EQ(test, tmm_as_slice_mut(driver->mp, seams[i] - 64, 16, &borrow), 0);
		p = tmm_borrow_enter(&borrow, &window);
		for (j = 0; !IS_ERR(p) && j < 16; j++)
			p[j] = value_at(j + i);
		if (!IS_ERR(p))
			tmm_borrow_leave(&window);
		tmm_borrow_into_inner(&borrow);
		KUNIT_EXPECT_FALSE(test, IS_ERR(p));
		for (j = 0; j < 16; j++)
			KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp,
							      seams[i] - 64 + 8 * j),
					value_at(j + i));
		tmm_driver_expect_at(test, driver->mp, seams[i], paddr.v + seams[i]);
	}
}

static void split_breaks_the_leaf(struct kunit *test)
{
	struct tmm_mapped_pages *mp, *second;
	struct tmm_paddr paddr;

	mp = create_filled(test, &paddr);
	second = split_huge(test, mp);
	/* The 2 MiB block around the boundary has 4 KiB leaves, all others have 2 MiB leaves. */
	tmm_driver_expect_leaf(test, mp, 3 * SZ_2M - 1, TMM_2M);
	tmm_driver_expect_leaf(test, mp, 3 * SZ_2M, TMM_4K);
	tmm_driver_expect_leaf(test, second, 0, TMM_4K);
	tmm_driver_expect_leaf(test, second, 4 * SZ_2M - 1 - BOUNDARY_BYTES, TMM_4K);
	tmm_driver_expect_leaf(test, second, 4 * SZ_2M - BOUNDARY_BYTES, TMM_2M);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), BOUNDARY_BYTES);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(second), SZ_1G - BOUNDARY_BYTES);
	expect_part(test, mp, 0, paddr);
	expect_part(test, second, BOUNDARY_BYTES, paddr);
	tmm_mapped_pages_drop(&second);
	expect_part(test, mp, 0, paddr);
}

static void part_is_remapped_alone(struct kunit *test)
{
	struct tmm_mapped_pages *mp, *second;
	struct tmm_paddr paddr;

	mp = create_filled(test, &paddr);
	second = split_huge(test, mp);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_remap(second, TMM_PTE_DEFAULT), 0);
	tmm_driver_expect_writable(test, second, -EACCES);
	tmm_driver_expect_writable(test, mp, 0);
	expect_part(test, mp, 0, paddr);
	expect_part(test, second, BOUNDARY_BYTES, paddr);
	/* Parts with different flags cannot be merged. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), BOUNDARY_BYTES);
	tmm_mapped_pages_drop(&second);
}

static void parts_become_one_again(struct kunit *test)
{
	struct tmm_mapped_pages *mp, *second;
	struct tmm_paddr paddr;

	mp = create_filled(test, &paddr);
	second = split_huge(test, mp);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_remap(second, TMM_PTE_DEFAULT), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_remap(second, TMM_DMA_FLAGS), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), SZ_1G);
	expect_part(test, mp, 0, paddr);
	tmm_driver_write(test, mp, BOUNDARY_BYTES - 8, 5);
	tmm_driver_write(test, mp, BOUNDARY_BYTES, 6);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, mp, BOUNDARY_BYTES - 8), 5);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, mp, BOUNDARY_BYTES), 6);
}

/* Expects the list to be the frames [@start, @start + @nr) in order, and drops them. */
static void expect_frames(struct kunit *test, struct list_head *frames, u64 start, u64 nr)
{
	struct tmm_allocated_frames *run, *next;
	u64 at = start;

	list_for_each_entry_safe(run, next, frames, f.link) {
		KUNIT_EXPECT_EQ(test, run->f.chunk.start, at);
		at += tmm_frames_nr(&run->f);
		list_del(&run->f.link);
		tmm_allocated_frames_drop(&run);
	}
	KUNIT_EXPECT_EQ(test, at, start + nr);
}

static void unmapping_gives_the_frames_back(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_pages *pages = NULL;
	struct tmm_mapped_pages *second;
	struct tmm_page_range range;
	struct tmm_paddr paddr;
	LIST_HEAD(frames);
	u64 first;

	create_filled(test, &paddr);
	first = first_page(driver->mp);
	second = split_huge(test, driver->mp);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(driver->mp, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&driver->mp, &pages, &frames), 0);
	KUNIT_EXPECT_PTR_EQ(test, driver->mp, NULL);
	range = tmm_allocated_pages_range(pages);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start(&range).number, first);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), NR_1G);
	tmm_allocated_pages_drop(&pages);
	expect_frames(test, &frames, paddr.v >> TMM_PAGE_SHIFT, NR_1G);
}

/* The frames of one mapping are mapped again, and keep their content. */
static void frames_are_mapped_again(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_frames *run;
	struct tmm_allocated_pages *pages;
	struct tmm_paddr paddr;
	LIST_HEAD(frames);

	create_filled(test, &paddr);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&driver->mp, &pages, &frames), 0);
	KUNIT_ASSERT_TRUE(test, list_is_singular(&frames));
	run = list_first_entry(&frames, struct tmm_allocated_frames, f.link);
	list_del(&run->f.link);
	driver->mp = tmm_map_allocated_pages_to_sized(tmm_driver_kernel_root(test), &pages, &run,
						      TMM_PTE_DEFAULT, TMM_2M);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_1G - 1, TMM_2M);
	expect_part(test, driver->mp, 0, paddr);
	tmm_driver_expect_writable(test, driver->mp, -EACCES);
}

static struct kunit_case driver_huge_cases[] = {
	KUNIT_CASE(gib_is_one_leaf),
	KUNIT_CASE(gib_can_be_allocated_again),
	KUNIT_CASE(leaves_of_three_sizes),
	KUNIT_CASE(split_breaks_the_leaf),
	KUNIT_CASE(part_is_remapped_alone),
	KUNIT_CASE(parts_become_one_again),
	KUNIT_CASE(unmapping_gives_the_frames_back),
	KUNIT_CASE(frames_are_mapped_again),
	{}
};

static struct kunit_suite driver_huge_suite = {
	.name = "theseus_mm_driver_huge",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit,
	.test_cases = driver_huge_cases,
};

kunit_test_suite(driver_huge_suite);
