// SPDX-License-Identifier: GPL-2.0
/* A device region whose device was removed: it cannot be accessed, and its claim is released. */
#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "mapping/borrow.h"
#include "mapping/create.h"
#include "mapping/deep_copy.h"
#include "mapping/instance_devices.h"
#include "mapping/map.h"

#include <asm/processor.h>
#include <linux/ioport.h>

#define NR_PAGES	4
#define NR_BYTES	(NR_PAGES * TMM_PAGE_SIZE)

/* An address without memory or device: reads return all ones. */
static struct tmm_paddr hole_address(void)
{
	return (struct tmm_paddr){ 3ULL << (boot_cpu_data.x86_phys_bits - 2) };
}

static struct tmm_mapped_pages *map_device(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_EQ(test, tmm_instance_add_reserved_region(inst, hole_address(), NR_BYTES,
							       TMM_UNCACHED), 0);
	mp = tmm_instance_map_frame_range(inst, inst->root, hole_address(), NR_BYTES,
					  TMM_MMIO_FLAGS);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	return mp;
}

static void device_goes(struct kunit *test)
{
	const u64 start = hole_address().v;
	struct tmm_instance *inst = tmm_test_inst(test);

	/* ranges that contain only a part of the region, or none */
	KUNIT_EXPECT_FALSE(test, tmm_instance_close_device(inst, start, start + NR_BYTES - 2));
	KUNIT_EXPECT_FALSE(test, tmm_instance_close_device(inst, start + 1, start + NR_BYTES));
	KUNIT_EXPECT_FALSE(test, tmm_instance_close_device(inst, 0, start - 1));
	KUNIT_EXPECT_TRUE(test, tmm_instance_close_device(inst, start, start + NR_BYTES - 1));
	tmm_instance_give_up_device(inst, start, start + NR_BYTES - 1);
	/* the region is closed already */
	KUNIT_EXPECT_FALSE(test, tmm_instance_close_device(inst, start, start + NR_BYTES - 1));
}

static void remove_region(struct kunit *test, int err)
{
	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(tmm_test_inst(test),
								  hole_address(), NR_BYTES), err);
}

static void expect_claimed(struct kunit *test, bool is_claimed)
{
	struct resource *res = request_mem_region(hole_address().v, NR_BYTES, "tmm_test");

	KUNIT_EXPECT_EQ(test, !res, is_claimed);
	if (res)
		release_mem_region(hole_address().v, NR_BYTES);
}

static void the_claim_ends(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_device(test);

	expect_claimed(test, true);
	device_goes(test);
	expect_claimed(test, false);
	remove_region(test, -EBUSY);
	tmm_mapped_pages_drop(&mp);
	remove_region(test, 0);
	/* the region can be added and mapped again */
	mp = map_device(test);
	expect_claimed(test, true);
	tmm_mapped_pages_drop(&mp);
	remove_region(test, 0);
}

static void closed_region_cannot_be_accessed(struct kunit *test)
{
	const tmm_pte_flags_t ram = TMM_TEST_WRITABLE;
	struct tmm_mapped_pages *mp = map_device(test);
	TMM_BORROW_MUT(u32) word;
	struct tmm_window window;
	u32 value = 0;

	KUNIT_ASSERT_EQ(test, tmm_as_type_mut(mp, 8, &word), 0);
	device_goes(test);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&word.borrow, 0, &value, sizeof(value)), -ENODEV);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&word.borrow, 0, &value, sizeof(value)), -ENODEV);
	KUNIT_EXPECT_PTR_EQ(test, (void *)tmm_borrow_enter(&word, &window), ERR_PTR(-ENODEV));
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	tmm_borrow_into_inner(&word);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tmm_mapped_pages_deep_copy(mp, &ram)), -ENODEV);
	tmm_mapped_pages_drop(&mp);
	remove_region(test, 0);
}

static void closed_region_gives_no_frames(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapped_pages *mp = map_device(test);
	struct tmm_allocation_request one = tmm_request_at(hole_address().v >> TMM_PAGE_SHIFT, 1);
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;
	LIST_HEAD(list);

	device_goes(test);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &list), 0);
	frames = list_first_entry(&list, struct tmm_allocated_frames, f.link);
	list_del_init(&frames->f.link);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tmm_map_allocated_pages_to(inst->root, &pages,
									 &frames, TMM_MMIO_FLAGS)),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tmm_map_to_non_exclusive(inst->root, &pages, frames,
								       TMM_MMIO_FLAGS)), -ENODEV);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tmm_frame_allocator_allocate(&inst->fa, &one)),
			-ENODEV);
	remove_region(test, 0);
}

static struct kunit_case closed_device_cases[] = {
	KUNIT_CASE(the_claim_ends),
	KUNIT_CASE(closed_region_cannot_be_accessed),
	KUNIT_CASE(closed_region_gives_no_frames),
	{}
};

static struct kunit_suite closed_device_suite = {
	.name = "theseus_mm_closed_device",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = closed_device_cases,
};

kunit_test_suite(closed_device_suite);
