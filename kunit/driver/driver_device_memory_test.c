// SPDX-License-Identifier: GPL-2.0
/* 1 GiB of device memory (QEMU's ivshmem), with leaves of each size and each memory type. */
#include "driver/driver_fixture.h"

#include <linux/io.h>

/* Offsets at both ends of the BAR, and on both sides of boundaries between leaves. */
static const u64 offsets[] = {
	0, SZ_4K - 8, SZ_4K, SZ_2M - 8, SZ_2M, SZ_512M + 7 * SZ_4K + 64, SZ_1G - SZ_2M - 8,
	SZ_1G - 8,
};

static struct tmm_driver_device shared_memory = {
	.vendor = 0x1af4,
	.device = 0x1110,
	.bar = 2,
	.how = "-object memory-backend-ram,id=m,size=1G,share=on -device ivshmem-plain,memdev=m",
};

static int init_suite(struct kunit_suite *suite)
{
	return tmm_driver_find_device(&shared_memory);
}

static void exit_suite(struct kunit_suite *suite)
{
	tmm_driver_forget_device(&shared_memory);
}

static int init_case(struct kunit *test)
{
	struct tmm_driver *driver;
	int err = tmm_driver_init_device(test, &shared_memory);

	if (err)
		return err;
	driver = test->priv;
	KUNIT_EXPECT_EQ(test, driver->nr_bytes, SZ_1G);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(driver->bar.v, SZ_1G));
	return 0;
}

static tmm_pte_flags_t flags_for(enum tmm_memory_type type)
{
	return type == TMM_WRITE_BACK ? TMM_DMA_FLAGS : TMM_MMIO_FLAGS;
}

/* Maps the whole BAR with leaves of @size. */
static struct tmm_mapped_pages *map_sized(struct kunit *test, tmm_pte_flags_t flags,
					  enum tmm_page_size size)
{
	struct tmm_page_table *root = tmm_driver_kernel_root(test);
	struct tmm_allocation_request req = tmm_request_sized(TMM_1G, 1);
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	struct tmm_mapped_pages *mp;

	pages = tmm_allocate_pages_by_request(&req);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pages));
	frames = tmm_allocate_frames_by_bytes_at(driver->bar, driver->nr_bytes);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	mp = tmm_map_allocated_pages_to_sized(root, &pages, &frames, flags, size);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_frames_drop(&frames);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(mp), "error %ld", PTR_ERR(mp));
	return mp;
}

/* Writes a value at each offset, reads it back, and expects leaves of @size. */
static void use_mapping(struct kunit *test, struct tmm_mapped_pages *mp, enum tmm_page_size size,
			u64 salt)
{
	struct tmm_driver *driver = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		tmm_driver_expect_at(test, mp, offsets[i], driver->bar.v + offsets[i]);
		tmm_driver_expect_leaf(test, mp, offsets[i], size);
		tmm_driver_write(test, mp, offsets[i], salt + offsets[i]);
	}
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, tmm_driver_read(test, mp, offsets[i]), salt + offsets[i]);
}

/* Reads the device through Linux's own mapping, and expects the values of use_mapping(). */
static void expect_in_device(struct kunit *test, u64 salt)
{
	struct tmm_driver *driver = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		void __iomem *p = ioremap(driver->bar.v + offsets[i], 8);

		KUNIT_ASSERT_TRUE(test, p);
		KUNIT_EXPECT_EQ_MSG(test, readq(p), salt + offsets[i], "offset %#llx", offsets[i]);
		iounmap(p);
	}
}

struct kind {
	const char *name;
	enum tmm_memory_type type;
	enum tmm_page_size size;
};

static const struct kind kinds[] = {
	{ "write-combining, 1 GiB leaf", TMM_WRITE_COMBINING, TMM_1G },
	{ "write-combining, 2 MiB leaves", TMM_WRITE_COMBINING, TMM_2M },
	{ "write-combining, 4 KiB leaves", TMM_WRITE_COMBINING, TMM_4K },
	{ "write-back, 1 GiB leaf", TMM_WRITE_BACK, TMM_1G },
	{ "write-back, 2 MiB leaves", TMM_WRITE_BACK, TMM_2M },
	{ "write-back, 4 KiB leaves", TMM_WRITE_BACK, TMM_4K },
	{ "uncached, 1 GiB leaf", TMM_UNCACHED, TMM_1G },
	{ "uncached, 2 MiB leaves", TMM_UNCACHED, TMM_2M },
	{ "uncached, 4 KiB leaves", TMM_UNCACHED, TMM_4K },
};

static void kind_desc(const struct kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_desc);

static void by_leaves_of_a_size(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	const u64 salt = (kind - kinds + 1) * 0x0101010101010101ULL;
	struct tmm_driver *driver = test->priv;

	tmm_driver_add_region(test, kind->type);
	driver->mp = map_sized(test, flags_for(kind->type), kind->size);
	KUNIT_EXPECT_EQ(test, tmm_driver_is_device_memory(driver->mp),
			kind->type != TMM_WRITE_BACK);
	use_mapping(test, driver->mp, kind->size, salt);
	tmm_mapped_pages_drop(&driver->mp);
	tmm_driver_remove_region(test);
	expect_in_device(test, salt);
}

static void largest_leaf_by_itself(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	tmm_driver_add_region(test, TMM_WRITE_COMBINING);
	driver->mp = tmm_map_frame_range(driver->bar, driver->nr_bytes, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	use_mapping(test, driver->mp, TMM_1G, 0x4242);
}

/*
 * The part begins within a block of 2 MiB. So its mapping has leaves of 4 KiB up to the next block,
 * and larger ones from there on.
 */
static void part_that_is_not_aligned(struct kunit *test)
{
	const u64 offset = SZ_2M - 3 * SZ_4K, nr_bytes = 3 * SZ_4K + SZ_4M + SZ_4K;
	struct tmm_driver *driver = test->priv;
	struct tmm_paddr start = { driver->bar.v + offset };

	tmm_driver_add_region(test, TMM_WRITE_COMBINING);
	driver->mp = tmm_map_frame_range(start, nr_bytes, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_4K);
	tmm_driver_expect_leaf(test, driver->mp, 3 * SZ_4K - 1, TMM_4K);
	tmm_driver_expect_leaf(test, driver->mp, 3 * SZ_4K, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, 3 * SZ_4K + SZ_4M - 1, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, 3 * SZ_4K + SZ_4M, TMM_4K);
	tmm_driver_expect_at(test, driver->mp, 0, start.v);
	tmm_driver_expect_at(test, driver->mp, nr_bytes - 1, start.v + nr_bytes - 1);
	tmm_driver_write(test, driver->mp, 3 * SZ_4K - 8, 111);
	tmm_driver_write(test, driver->mp, 3 * SZ_4K, 222);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, 3 * SZ_4K - 8), 111);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, 3 * SZ_4K), 222);
}

/* Two drivers map different parts of one BAR. No driver can map a part that another one owns. */
static void parts_are_owned_apart(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_paddr middle = { driver->bar.v + SZ_512M };
	struct tmm_mapped_pages *second;

	tmm_driver_add_region(test, TMM_WRITE_COMBINING);
	driver->mp = tmm_map_frame_range(driver->bar, SZ_512M, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver->mp));
	KUNIT_EXPECT_PTR_EQ(test, tmm_map_frame_range(driver->bar, SZ_1G, TMM_MMIO_FLAGS),
			    ERR_PTR(-EADDRINUSE));
	second = tmm_map_frame_range(middle, SZ_512M, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	tmm_driver_write(test, driver->mp, SZ_512M - 8, 1);
	tmm_driver_write(test, second, 0, 2);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, SZ_512M - 8), 1);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, second, 0), 2);
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), -EBUSY);
	tmm_mapped_pages_drop(&second);
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), -EBUSY);
}

static void leaf_breaks_where_it_is_split(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *second;
	struct tmm_page_range range;
	u64 boundary;

	tmm_driver_add_region(test, TMM_WRITE_COMBINING);
	driver->mp = tmm_map_frame_range(driver->bar, driver->nr_bytes, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver->mp));
	use_mapping(test, driver->mp, TMM_1G, 0x77);
	range = tmm_mapped_pages_range(driver->mp);
	boundary = tmm_page_range_start(&range).number + (SZ_2M >> TMM_PAGE_SHIFT) + 1;
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(driver->mp, boundary, &second), 0);
	tmm_driver_expect_leaf(test, driver->mp, 0, TMM_2M);
	tmm_driver_expect_leaf(test, driver->mp, SZ_2M, TMM_4K);
	tmm_driver_expect_leaf(test, second, 0, TMM_4K);
	tmm_driver_expect_leaf(test, second, SZ_1G - 1 - SZ_2M - SZ_4K, TMM_2M);
	/* The new leaves of both sizes keep the memory type. */
	KUNIT_EXPECT_TRUE(test, tmm_driver_is_device_memory(driver->mp));
	KUNIT_EXPECT_TRUE(test, tmm_driver_is_device_memory(second));
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, driver->mp, SZ_2M), SZ_2M + 0x77);
	KUNIT_EXPECT_EQ(test, tmm_driver_read(test, second, SZ_1G - 8 - SZ_2M - SZ_4K),
			SZ_1G - 8 + 0x77);
	tmm_mapped_pages_drop(&second);
}

static struct kunit_case driver_device_memory_cases[] = {
	KUNIT_CASE_PARAM(by_leaves_of_a_size, kind_gen_params),
	KUNIT_CASE(largest_leaf_by_itself),
	KUNIT_CASE(part_that_is_not_aligned),
	KUNIT_CASE(parts_are_owned_apart),
	KUNIT_CASE(leaf_breaks_where_it_is_split),
	{}
};

static struct kunit_suite driver_device_memory_suite = {
	.name = "theseus_mm_driver_device_memory",
	.suite_init = init_suite,
	.suite_exit = exit_suite,
	.init = init_case,
	.exit = tmm_driver_exit,
	.test_cases = driver_device_memory_cases,
};

kunit_test_suite(driver_device_memory_suite);
