// SPDX-License-Identifier: GPL-2.0
#include "alloc/device_region.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "support/frames_fixture.h"

#include <asm/memtype.h>
#include <asm/processor.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/string.h>

#define NR_BYTES 0x10000ULL

/* An allocator with some RAM, and an address for device regions. */
struct fixture {
	struct tmm_test_frames *tf;	/* with the region [1000, 1100) */
	u64 hole;			/* a physical address without memory or device */
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	test->priv = f;
	f->tf = tmm_test_frames_create(test);
	tmm_test_frames_add(test, f->tf, TMM_REGION_GENERAL, 1000, 100);
	/* The hole lies in the middle of the upper half of the CPU's physical addresses. */
	f->hole = 3ULL << (boot_cpu_data.x86_phys_bits - 2);
	return 0;
}

static int note_found(struct resource *res, void *unused)
{
	return 1;
}

/* Is the page at @address claimed exclusively, so that /dev/mem refuses to map it? */
static bool is_exclusive(u64 address)
{
	unsigned long flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_EXCLUSIVE;
	u64 page = address & PAGE_MASK;

	return walk_iomem_res_desc(IORES_DESC_NONE, flags, page, page + PAGE_SIZE - 1, NULL,
				   note_found) == 1;
}

static void exit_case(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	tmm_test_frames_destroy(test, f->tf);
	KUNIT_EXPECT_FALSE(test, is_exclusive(f->hole));
}

static u64 hole_of(struct kunit *test)
{
	struct fixture *f = test->priv;

	return f->hole;
}

static struct tmm_frame_allocator *fa_of(struct kunit *test)
{
	struct fixture *f = test->priv;

	return &f->tf->fa;
}

static struct tmm_device_region *try_add(struct kunit *test, u64 start, u64 nr_bytes,
					 enum tmm_memory_type type)
{
	return tmm_device_region_add(fa_of(test), (struct tmm_paddr){ start }, nr_bytes, type);
}

static struct tmm_device_region *add_region(struct kunit *test, u64 start, u64 nr_bytes,
					    enum tmm_memory_type type)
{
	struct tmm_device_region *dr = try_add(test, start, nr_bytes, type);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(dr), "error %d", PTR_ERR_OR_ZERO(dr));
	return dr;
}

static void remove_region(struct kunit *test, struct tmm_device_region **dr)
{
	KUNIT_EXPECT_EQ(test, tmm_device_region_remove(fa_of(test), dr), 0);
	KUNIT_EXPECT_PTR_EQ(test, *dr, NULL);
}

/* Expects the region to be refused with @err, and nothing to change. */
static void refuse_add(struct kunit *test, u64 start, u64 nr_bytes, enum tmm_memory_type type,
		       int err)
{
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct tmm_device_region *dr = try_add(test, start, nr_bytes, type);

	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(dr), err, "%#llx + %#llx", start, nr_bytes);
	KUNIT_EXPECT_EQ(test, tmm_device_region_remove(fa_of(test), &dr), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
}

/* Expects no part of the range to be claimed. */
static void expect_unclaimed(struct kunit *test, u64 start, u64 nr_bytes)
{
	struct resource *res = request_mem_region(start, nr_bytes, "tmm_test");

	KUNIT_EXPECT_NOT_NULL(test, res);
	if (res)
		release_mem_region(start, nr_bytes);
}

static void add_gives_frames_by_address_only(struct kunit *test)
{
	struct tmm_device_region *dr = add_region(test, hole_of(test), NR_BYTES, TMM_UNCACHED);
	struct tmm_allocation_request range =
		tmm_request_in_range(hole_of(test) >> 12, U64_MAX, 1);
	struct tmm_allocation_request any = tmm_request_any(101);
	struct fixture *f = test->priv;
	struct tmm_allocated_frames *frames;

	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_frame_allocator_allocate(fa_of(test), &any)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_frame_allocator_allocate(fa_of(test), &range)), -ERANGE);
	frames = tmm_test_frames_take(test, f->tf, tmm_request_at(hole_of(test) >> 12, 16));
	KUNIT_EXPECT_EQ(test, frames->f.region->memory_type, TMM_UNCACHED);
	KUNIT_EXPECT_PTR_EQ(test, frames->f.region->window, NULL);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), -EOPNOTSUPP);
	tmm_allocated_frames_drop(&frames);
	remove_region(test, &dr);
}

static void add_and_remove_undo_each_other(struct kunit *test)
{
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	struct tmm_device_region *dr;
	enum tmm_memory_type type;

	for (type = 0; type < TMM_NR_MEMORY_TYPES; type++) {
		dr = add_region(test, hole_of(test), NR_BYTES, type);
		KUNIT_EXPECT_TRUE(test, is_exclusive(hole_of(test)));
		KUNIT_EXPECT_TRUE(test, is_exclusive(hole_of(test) + NR_BYTES - 1));
		KUNIT_EXPECT_PTR_EQ(test, request_mem_region(hole_of(test), 4096, "tmm_test"),
				    NULL);
		remove_region(test, &dr);
		KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
		expect_unclaimed(test, hole_of(test), NR_BYTES);
	}
}

static void add_of_a_malformed_range(struct kunit *test)
{
	u64 last = 1ULL << boot_cpu_data.x86_phys_bits;

	refuse_add(test, hole_of(test), 0, TMM_UNCACHED, -EINVAL);
	refuse_add(test, hole_of(test) + 1, NR_BYTES, TMM_UNCACHED, -EINVAL);
	refuse_add(test, hole_of(test), NR_BYTES + 2048, TMM_UNCACHED, -EINVAL);
	refuse_add(test, hole_of(test), NR_BYTES, TMM_NR_MEMORY_TYPES, -EINVAL);
	refuse_add(test, hole_of(test), NR_BYTES, -1, -EINVAL);
	refuse_add(test, last - NR_BYTES, NR_BYTES + 4096, TMM_UNCACHED, -EOVERFLOW);
	refuse_add(test, last, 4096, TMM_UNCACHED, -EOVERFLOW);
	refuse_add(test, hole_of(test), -4096ULL, TMM_UNCACHED, -EOVERFLOW);
	refuse_add(test, -4096ULL, 4096, TMM_UNCACHED, -EOVERFLOW);
	expect_unclaimed(test, hole_of(test), NR_BYTES);
}

/* The module's own claim, which is a child of the range that memmap= reserved in /proc/iomem. */
static struct resource *own_memory(void)
{
	struct resource *top;

	for (top = iomem_resource.child; top; top = top->sibling)
		if (top->child && !strcmp(top->child->name, "theseus_mm"))
			return top->child;
	return NULL;
}

/*
 * The module refuses a device region with RAM, whether Linux uses the RAM or it is reserved. One
 * page of RAM at the beginning or at the end is enough for that.
 */
static void add_of_ram(struct kunit *test)
{
	u64 page = virt_to_phys(tmm_test_kvzalloc(test, 64)) & PAGE_MASK;
	struct resource *own = own_memory();

	refuse_add(test, page, 4096, TMM_WRITE_BACK, -EOPNOTSUPP);
	refuse_add(test, page, 4096, TMM_UNCACHED, -EOPNOTSUPP);
	refuse_add(test, 0, hole_of(test), TMM_WRITE_BACK, -EOPNOTSUPP);
	KUNIT_ASSERT_NOT_NULL(test, own);
	refuse_add(test, own->start, 4096, TMM_UNCACHED, -EOPNOTSUPP);
	refuse_add(test, own->end + 1 - 4096, hole_of(test) - own->end - 1, TMM_UNCACHED,
		   -EOPNOTSUPP);
}

static void add_of_an_overlapping_region(struct kunit *test)
{
	struct tmm_device_region *dr = add_region(test, hole_of(test), NR_BYTES, TMM_UNCACHED);
	struct tmm_device_region *next;

	refuse_add(test, hole_of(test), NR_BYTES, TMM_UNCACHED, -EADDRINUSE);
	refuse_add(test, hole_of(test) + NR_BYTES - 4096, 8192, TMM_UNCACHED, -EADDRINUSE);
	refuse_add(test, hole_of(test) - 4096, 8192, TMM_UNCACHED, -EADDRINUSE);
	refuse_add(test, hole_of(test) - 4096, NR_BYTES + 8192, TMM_UNCACHED, -EADDRINUSE);
	next = add_region(test, hole_of(test) + NR_BYTES, NR_BYTES, TMM_UNCACHED);
	remove_region(test, &dr);
	remove_region(test, &next);
}

static void add_of_memory_that_a_driver_claimed(struct kunit *test)
{
	struct tmm_device_region *dr;

	KUNIT_ASSERT_NOT_NULL(test, request_mem_region(hole_of(test) + 4096, 4096, "tmm_test"));
	refuse_add(test, hole_of(test), NR_BYTES, TMM_UNCACHED, -EBUSY);
	refuse_add(test, hole_of(test) + 4096, 4096, TMM_WRITE_COMBINING, -EBUSY);
	dr = try_add(test, hole_of(test), 4096, TMM_UNCACHED);
	KUNIT_EXPECT_FALSE(test, IS_ERR(dr));
	KUNIT_EXPECT_EQ(test, tmm_device_region_remove(fa_of(test), &dr), 0);
	release_mem_region(hole_of(test) + 4096, 4096);
	dr = add_region(test, hole_of(test), NR_BYTES, TMM_UNCACHED);
	remove_region(test, &dr);
}

static void add_without_memory(struct kunit *test)
{
	struct tmm_device_region *dr;
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));
	unsigned int nr_busy = 0;
	unsigned int nth;
	bool hit;

	for (nth = 1;; nth++) {
		tmm_test_fail_alloc(test, nth);
		dr = try_add(test, hole_of(test), NR_BYTES, TMM_WRITE_COMBINING);
		hit = tmm_test_fail_alloc_end();
		if (!hit)
			break;
		/* Linux returns no reason for a refused claim, so -EBUSY can stand for -ENOMEM. */
		if (dr == ERR_PTR(-EBUSY))
			nr_busy++;
		else
			KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(dr), -ENOMEM,
					    "allocation %u", nth);
		KUNIT_EXPECT_EQ(test, tmm_device_region_remove(fa_of(test), &dr), 0);
		KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
		expect_unclaimed(test, hole_of(test), NR_BYTES);
	}
	KUNIT_EXPECT_EQ(test, nr_busy, 1);
	/* The allocations: the region, its maps and table, the claim, the type. */
	KUNIT_EXPECT_GE(test, nth, pat_enabled() ? 5 : 4);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dr));
	remove_region(test, &dr);
}

static void remove_while_a_frame_is_owned(struct kunit *test)
{
	struct tmm_device_region *dr = add_region(test, hole_of(test), NR_BYTES,
						  TMM_WRITE_COMBINING);
	struct tmm_device_region *same = dr;
	struct fixture *f = test->priv;
	struct tmm_allocated_frames *frames =
		tmm_test_frames_take(test, f->tf, tmm_request_at((hole_of(test) >> 12) + 15, 1));
	u64 before = tmm_test_fa_fingerprint(test, fa_of(test));

	KUNIT_EXPECT_EQ(test, tmm_device_region_remove(fa_of(test), &dr), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, dr, same);
	KUNIT_EXPECT_EQ(test, tmm_test_fa_fingerprint(test, fa_of(test)), before);
	KUNIT_EXPECT_TRUE(test, is_exclusive(hole_of(test)));
	tmm_allocated_frames_drop(&frames);
	remove_region(test, &dr);
}

static void remove_of_nothing(struct kunit *test)
{
	struct tmm_device_region *dr = NULL;

	remove_region(test, &dr);
	dr = ERR_PTR(-EBUSY);
	remove_region(test, &dr);
}

/* The cache bits of Linux's own mapping of the hole. */
static u64 cache_bits_of_linux(struct kunit *test)
{
	void __iomem *mapped = ioremap(hole_of(test), 4096);
	unsigned int level;
	pte_t *entry;
	u64 bits;

	KUNIT_ASSERT_NOT_NULL(test, (__force void *)mapped);
	entry = lookup_address((unsigned long)mapped, &level);
	bits = entry && level == PG_LEVEL_4K ? pte_val(*entry) & _PAGE_CACHE_MASK : U64_MAX;
	iounmap(mapped);
	return bits;
}

/* While the module has the region, Linux maps it with the same memory type. */
static void write_combining_binds_linux_too(struct kunit *test)
{
	struct tmm_device_region *dr;
	u64 before = cache_bits_of_linux(test);

	if (!pat_enabled())
		kunit_skip(test, "this CPU has no page attribute table");
	KUNIT_EXPECT_EQ(test, before, cachemode2protval(_PAGE_CACHE_MODE_UC_MINUS));
	dr = add_region(test, hole_of(test), NR_BYTES, TMM_WRITE_COMBINING);
	KUNIT_EXPECT_EQ(test, cache_bits_of_linux(test),
			cachemode2protval(_PAGE_CACHE_MODE_WC));
	remove_region(test, &dr);
	KUNIT_EXPECT_EQ(test, cache_bits_of_linux(test), before);
}

static struct kunit_case device_region_cases[] = {
	KUNIT_CASE(add_gives_frames_by_address_only),
	KUNIT_CASE(add_and_remove_undo_each_other),
	KUNIT_CASE(add_of_a_malformed_range),
	KUNIT_CASE(add_of_ram),
	KUNIT_CASE(add_of_an_overlapping_region),
	KUNIT_CASE(add_of_memory_that_a_driver_claimed),
	KUNIT_CASE(add_without_memory),
	KUNIT_CASE(remove_while_a_frame_is_owned),
	KUNIT_CASE(remove_of_nothing),
	KUNIT_CASE(write_combining_binds_linux_too),
	{}
};

static struct kunit_suite device_region_suite = {
	.name = "theseus_mm_device_region",
	.init = init_case,
	.exit = exit_case,
	.test_cases = device_region_cases,
};

kunit_test_suite(device_region_suite);
