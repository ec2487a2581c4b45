// SPDX-License-Identifier: GPL-2.0
/* A platform device goes away while its memory is a region of the module. */
#include "driver/driver_fixture.h"

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/platform_device.h>

#define NR_BYTES	(4 * PAGE_SIZE)

static void region_is_closed_with_its_device(struct kunit *test)
{
	/* There is no memory in the middle of the upper half of the CPU's physical addresses. */
	const struct tmm_paddr start = { 3ULL << (boot_cpu_data.x86_phys_bits - 2) };
	const struct resource memory = DEFINE_RES_MEM(start.v, NR_BYTES);
	struct tmm_allocated_frames *frames;
	struct platform_device *device;

	device = platform_device_register_simple("tmm_memory", PLATFORM_DEVID_NONE, &memory, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, device);
	KUNIT_EXPECT_EQ(test, tmm_add_reserved_region(start, NR_BYTES, TMM_UNCACHED), 0);
	KUNIT_EXPECT_FALSE(test, request_mem_region(start.v, NR_BYTES, "driver test"));
	platform_device_unregister(device);
	frames = tmm_allocate_frames_by_bytes_at(start, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, IS_ERR(frames));
	tmm_allocated_frames_drop(&frames);
	/* The claim has ended. */
	KUNIT_EXPECT_TRUE(test, request_mem_region(start.v, NR_BYTES, "driver test"));
	release_mem_region(start.v, NR_BYTES);
	KUNIT_EXPECT_EQ(test, tmm_remove_reserved_region(start, NR_BYTES), 0);
}

static struct kunit_case driver_platform_cases[] = {
	KUNIT_CASE(region_is_closed_with_its_device),
	{}
};

static struct kunit_suite driver_platform_suite = {
	.name = "theseus_mm_driver_platform",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit,
	.test_cases = driver_platform_cases,
};

kunit_test_suite(driver_platform_suite);
