// SPDX-License-Identifier: GPL-2.0
/* Registers of a device: the BAR of QEMU's "edu" device becomes a region of uncached memory. */
#include "driver/driver_fixture.h"

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/slab.h>

#define EDU_ID			0x010000edU
#define EDU_STATUS_COMPUTING	BIT(0)
/* a register of 64 bits */
#define EDU_DMA_SOURCE		0x80

/* The device's registers, by offset. */
struct edu_registers {
	u32 id;			/* 0x00 */
	u32 liveness;		/* 0x04: a read returns the inverse of the last written value */
	u32 factorial;		/* 0x08: the device replaces the value with its factorial */
	u32 unused[5];
	u32 status;		/* 0x20 */
};

#define EDU_REG(name) offsetof(struct edu_registers, name)

static struct tmm_driver_device edu = {
	.vendor = 0x1234,
	.device = 0x11e8,
	.bar = 0,
	.how = "-device edu",
};

static int init_suite(struct kunit_suite *suite)
{
	return tmm_driver_find_device(&edu);
}

static void exit_suite(struct kunit_suite *suite)
{
	tmm_driver_forget_device(&edu);
}

static int init_case(struct kunit *test)
{
	return tmm_driver_init_device(test, &edu);
}

/* Maps the whole BAR. The exit function drops the mapping and removes the region. */
static struct tmm_mapped_pages *map_registers(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	tmm_driver_add_region(test, TMM_UNCACHED);
	driver->mp = tmm_map_frame_range(driver->bar, driver->nr_bytes, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(driver->mp), "error %ld", PTR_ERR(driver->mp));
	return driver->mp;
}

static u32 read_register(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset)
{
	struct tmm_window window;
	TMM_BORROW(u32) borrow;
	const u32 *p;
	u32 value = 0;

	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, offset, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		value = readl((const void __iomem __force *)p);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(p), "error %ld", PTR_ERR(p));
	return value;
}

static void write_register(struct kunit *test, struct tmm_mapped_pages *mp, u64 offset, u32 value)
{
	TMM_BORROW_MUT(u32) borrow;
	struct tmm_window window;
	u32 *p;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, offset, &borrow), 0);
	p = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(p)) {
		writel(value, (void __iomem __force *)p);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(p), "error %ld", PTR_ERR(p));
}

/* Expects the BAR to be unclaimed: Linux grants a request for it. */
static void expect_unclaimed(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	int err = pci_request_region(driver->pdev, 0, "theseus_mm driver test");

	KUNIT_EXPECT_EQ(test, err, 0);
	if (!err)
		pci_release_region(driver->pdev, 0);
}

static void registers_answer(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);

	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(id)), EDU_ID);
	write_register(test, mp, EDU_REG(liveness), 0x12345678);
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(liveness)), ~0x12345678U);
	write_register(test, mp, EDU_REG(liveness), 0);
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(liveness)), ~0U);
}

/* Each access reaches the device once and in order. The device takes some time to compute. */
static void device_computes(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	unsigned int i;

	write_register(test, mp, EDU_REG(factorial), 10);
	for (i = 0; i < 500; i++) {
		if (!(read_register(test, mp, EDU_REG(status)) & EDU_STATUS_COMPUTING))
			break;
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(factorial)), 3628800);
}

/* Uses several registers through a struct in one window, as a driver would. */
static void registers_as_a_struct(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	TMM_BORROW_MUT(struct edu_registers) borrow;
	struct tmm_window window;
	u32 id = 0, liveness = 0;
	struct edu_registers *regs;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, 0, &borrow), 0);
	regs = tmm_borrow_enter(&borrow, &window);
	if (!IS_ERR(regs)) {
		id = readl((void __iomem __force *)&regs->id);
		writel(0xaaaa5555, (void __iomem __force *)&regs->liveness);
		liveness = readl((void __iomem __force *)&regs->liveness);
		tmm_borrow_leave(&window);
	}
	tmm_borrow_into_inner(&borrow);
	KUNIT_EXPECT_EQ(test, id, EDU_ID);
	KUNIT_EXPECT_EQ(test, liveness, 0x5555aaaaU);
}

/* A copy as large as a register is one access. This device ignores accesses of another size. */
static void registers_are_copied_in_one_access(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	const u64 source = 0x0123456789abcdef;
	u32 id = 0, liveness = 0x0f0f1234;
	struct tmm_borrow borrow;
	u64 value = 0;
	u32 both[2];

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, TMM_PAGE_SIZE, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, EDU_REG(id), &id, 4), 0);
	KUNIT_EXPECT_EQ(test, id, EDU_ID);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, EDU_REG(liveness), &liveness, 4), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, EDU_REG(liveness), &liveness, 4), 0);
	KUNIT_EXPECT_EQ(test, liveness, ~0x0f0f1234U);
	/* In this register of 64 bits, two accesses of 32 bits would give a wrong value. */
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, EDU_DMA_SOURCE, &source, 8), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, EDU_DMA_SOURCE, &value, 8), 0);
	KUNIT_EXPECT_EQ(test, value, source);
	/* One copy reads two registers of 32 bits each. */
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, EDU_REG(liveness), both, 8), 0);
	KUNIT_EXPECT_EQ(test, both[0], ~0x0f0f1234U);
	tmm_borrow_end(&borrow);
}

static void leaf_is_device_memory(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	struct tmm_driver *driver = test->priv;
	tmm_pte_flags_t flags = tmm_mapped_pages_collect_flags(mp);
	u64 offset;

	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_device_memory(flags));
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_valid(flags));
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_writable(flags));
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_exclusive(flags));
	KUNIT_EXPECT_FALSE(test, tmm_pte_flags_is_executable(flags));
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_device_memory(tmm_mapped_pages_flags(mp)));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), driver->nr_bytes);
	tmm_driver_expect_leaf(test, mp, 0, TMM_4K);
	for (offset = 4; offset < driver->nr_bytes; offset += 5 * TMM_PAGE_SIZE)
		tmm_driver_expect_at(test, mp, offset, driver->bar.v + offset);
}

static void read_only_registers(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	const tmm_pte_flags_t read_only = tmm_pte_flags_writable(TMM_MMIO_FLAGS, false);

	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, read_only), 0);
	tmm_driver_expect_writable(test, mp, -EACCES);
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(id)), EDU_ID);
	KUNIT_EXPECT_TRUE(test, tmm_driver_is_device_memory(mp));
}

/* The region determines the memory type; flags for another type are refused. */
static void flags_of_ram_are_refused(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_mapped_pages *mp;

	tmm_driver_add_region(test, TMM_UNCACHED);
	mp = tmm_map_frame_range(driver->bar, driver->nr_bytes, TMM_DMA_FLAGS);
	KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-EOPNOTSUPP));
	/* The refused call left no frame of the region owned. */
	driver->mp = tmm_map_frame_range(driver->bar, driver->nr_bytes, TMM_MMIO_FLAGS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver->mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(driver->mp, TMM_DMA_FLAGS), -EOPNOTSUPP);
	KUNIT_EXPECT_TRUE(test, tmm_driver_is_device_memory(driver->mp));
}

static void region_cannot_be_mapped_twice(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, tmm_map_frame_range(driver->bar, TMM_PAGE_SIZE, TMM_MMIO_FLAGS),
			    ERR_PTR(-EADDRINUSE));
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_frames_at(driver->bar, 1), ERR_PTR(-EADDRINUSE));
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(id)), EDU_ID);
}

static void region_is_added_once(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	struct tmm_paddr inside = { driver->bar.v + TMM_PAGE_SIZE };

	tmm_driver_add_region(test, TMM_UNCACHED);
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(driver->bar, driver->nr_bytes, TMM_UNCACHED),
			-EADDRINUSE);
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(inside, TMM_PAGE_SIZE, TMM_WRITE_COMBINING),
			-EADDRINUSE);
	tmm_driver_remove_region(test);
	expect_unclaimed(test);
	/* The region can be added again with another memory type. */
	tmm_driver_add_region(test, TMM_WRITE_COMBINING);
	tmm_driver_remove_region(test);
	expect_unclaimed(test);
}

static void region_is_claimed_while_added(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	tmm_driver_add_region(test, TMM_UNCACHED);
	KUNIT_EXPECT_EQ(test, pci_request_region(driver->pdev, 0, "theseus_mm driver test"),
			-EBUSY);
}

static void region_is_removed_when_nobody_owns_it(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_registers(test);
	struct tmm_driver *driver = test->priv;
	struct tmm_allocated_frames *frames;

	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), -EBUSY);
	KUNIT_EXPECT_EQ(test, read_register(test, mp, EDU_REG(id)), EDU_ID);
	tmm_mapped_pages_drop(&driver->mp);
	frames = tmm_allocate_frames_at(driver->bar, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), -EBUSY);
	tmm_allocated_frames_drop(&frames);
	tmm_driver_remove_region(test);
	expect_unclaimed(test);
	/* The removed region cannot be removed again or mapped. */
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(driver->bar, driver->nr_bytes), -ERANGE);
	KUNIT_EXPECT_PTR_EQ(test, tmm_map_frame_range(driver->bar, TMM_PAGE_SIZE, TMM_MMIO_FLAGS),
			    ERR_PTR(-ERANGE));
}

static void claimed_by_another_driver_is_refused(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_ASSERT_EQ(test, pci_request_region(driver->pdev, 0, "theseus_mm driver test"), 0);
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(driver->bar, driver->nr_bytes, TMM_UNCACHED),
			-EBUSY);
	pci_release_region(driver->pdev, 0);
	tmm_driver_add_region(test, TMM_UNCACHED);
}

static void ram_is_refused(struct kunit *test)
{
	void *linux_page = (void *)__get_free_page(GFP_KERNEL);
	struct tmm_paddr paddr;
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_NOT_NULL(test, linux_page);
	paddr.v = virt_to_phys(linux_page);
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(paddr, PAGE_SIZE, TMM_UNCACHED),
			-EOPNOTSUPP);
	free_page((unsigned long)linux_page);

	/* RAM that the module has claimed is refused as well. */
	mp = tmm_create_contiguous_mapping(TMM_PAGE_SIZE, TMM_DMA_FLAGS, &paddr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mp));
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(paddr, TMM_PAGE_SIZE, TMM_UNCACHED),
			-EOPNOTSUPP);
	tmm_mapped_pages_drop(&mp);
}

static void malformed_regions_are_refused(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	const u64 start = driver->bar.v;
	const struct {
		u64 start;
		u64 nr_bytes;
		enum tmm_memory_type type;
		int err;
	} bad[] = {
		{ start, 0, TMM_UNCACHED, -EINVAL },
		{ start + 1, TMM_PAGE_SIZE, TMM_UNCACHED, -EINVAL },
		{ start, TMM_PAGE_SIZE - 1, TMM_UNCACHED, -EINVAL },
		{ start, TMM_PAGE_SIZE, TMM_NR_MEMORY_TYPES, -EINVAL },
		{ U64_MAX - TMM_PAGE_SIZE + 1, TMM_PAGE_SIZE, TMM_UNCACHED, -EOVERFLOW },
		{ start, U64_MAX - TMM_PAGE_SIZE + 1, TMM_UNCACHED, -EOVERFLOW },
		{ 1ULL << TMM_PADDR_BITS, TMM_PAGE_SIZE, TMM_UNCACHED, -EOVERFLOW },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tmm_paddr paddr = { bad[i].start };

		KUNIT_EXPECT_EQ_MSG(test, tmm_add_reserved_region(paddr, bad[i].nr_bytes,
								  bad[i].type),
				    bad[i].err, "%#llx+%#llx", bad[i].start, bad[i].nr_bytes);
		expect_unclaimed(test);
	}
}

static struct kunit_case driver_registers_cases[] = {
	KUNIT_CASE(registers_answer),
	KUNIT_CASE(device_computes),
	KUNIT_CASE(registers_as_a_struct),
	KUNIT_CASE(registers_are_copied_in_one_access),
	KUNIT_CASE(leaf_is_device_memory),
	KUNIT_CASE(read_only_registers),
	KUNIT_CASE(flags_of_ram_are_refused),
	KUNIT_CASE(region_cannot_be_mapped_twice),
	KUNIT_CASE(region_is_added_once),
	KUNIT_CASE(region_is_claimed_while_added),
	KUNIT_CASE(region_is_removed_when_nobody_owns_it),
	KUNIT_CASE(claimed_by_another_driver_is_refused),
	KUNIT_CASE(ram_is_refused),
	KUNIT_CASE(malformed_regions_are_refused),
	{}
};

static struct kunit_suite driver_registers_suite = {
	.name = "theseus_mm_driver_registers",
	.suite_init = init_suite,
	.suite_exit = exit_suite,
	.init = init_case,
	.exit = tmm_driver_exit,
	.test_cases = driver_registers_cases,
};

kunit_test_suite(driver_registers_suite);
