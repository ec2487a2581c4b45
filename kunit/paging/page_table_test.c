// SPDX-License-Identifier: GPL-2.0
#include "paging/page_table.h"

#include "support/frames_fixture.h"
#include "support/instance_fixture.h"

#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/map.h"
#include "paging/mapper.h"
#include "paging/mirror.h"
#include "paging/window.h"
#include "paging/window_copy.h"

#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/smp.h>
#include <linux/string.h>

static struct tmm_page_table *create_root(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_page_table_create(&tmm_test_inst(test)->fa);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	return pt;
}

static const u64 *live_root(void)
{
	return phys_to_virt(__read_cr3() & CR3_ADDR_MASK);
}

static void create_mirrors_linux(struct kunit *test)
{
	struct tmm_page_table *pt = create_root(test);
	const u64 *live = live_root();
	unsigned int slot, differ = 0;

	KUNIT_EXPECT_EQ(test, pt->levels, tmm_paging_levels());
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->top, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->low, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
	for (slot = TMM_FIRST_MIRROR_SLOT; slot < TMM_TABLE_ENTRIES; slot++)
		differ += pt->top[slot] != live[slot] || pt->low[slot] != live[slot];
	KUNIT_EXPECT_EQ(test, differ, 0);
	/* The slot for the LDT differs between processes, so a root leaves the slot empty. */
	KUNIT_EXPECT_EQ(test, pgd_index(LDT_BASE_ADDR), TMM_FIRST_MIRROR_SLOT - 1);
	tmm_page_table_put(pt);
}

/* With PTI, entry code sets or clears bit 12 of CR3: the bit selects one frame of the root. */
static void create_takes_two_aligned_frames(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;
	unsigned int i;

	/* Each round takes a frame, so the lowest free frame is even and odd by turns. */
	for (i = 0; i < 4; i++) {
		struct tmm_page_table *pt = create_root(test);

		KUNIT_EXPECT_EQ(test, tmm_page_table_physical_address(pt).v, pt->paddr);
		KUNIT_EXPECT_EQ(test, pt->paddr & (2 * TMM_PAGE_SIZE - 1), 0);
		KUNIT_EXPECT_EQ(test, tmm_frames_nr(&pt->frames->f), 2);
		KUNIT_EXPECT_PTR_EQ(test, (void *)pt->top, tmm_test_alias(pt->paddr >> 12));
		KUNIT_EXPECT_PTR_EQ(test, (void *)pt->low, (void *)pt->top + TMM_PAGE_SIZE);
		tmm_page_table_put(pt);
		list_add(&tmm_test_take_frames(test, 1)->f.link, &ti->hogs);
	}
}

static void create_without_two_frames_together(struct kunit *test)
{
	struct tmm_page_table *pt;
	unsigned int i;
	u64 before;

	tmm_test_hog(test);
	for (i = 0; i < 5; i++)
		tmm_test_unhog(test, 1);
	before = tmm_test_fingerprint(test);
	pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -ENOSPC);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void put_gives_back_at_the_last_reference(struct kunit *test)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *pt = create_root(test);
	const u64 *top = pt->top;

	tmm_page_table_get(pt);
	tmm_page_table_put(pt);
	KUNIT_EXPECT_NE(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_NE(test, top[TMM_TABLE_ENTRIES - 1], 0);
	tmm_page_table_put(pt);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	/* The next owner of the frames must not see Linux's entries. */
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(top, 0, 2 * TMM_PAGE_SIZE), NULL);
}

/* The case clears an entry of the root, as if Linux had added memory after the root was made. */
static void window_takes_over_what_linux_has_added(struct kunit *test)
{
	/* This slot maps only struct pages, which a window does not need. */
	const unsigned int slot = pgd_index((unsigned long)virt_to_page(tmm_test_root(test)->top));
	struct tmm_page_table *pt = create_root(test);
	struct tmm_window window;
	u64 entry = pt->top[slot];
	u64 inside = 0;
	int err;

	KUNIT_ASSERT_NE(test, entry, 0);
	pt->top[slot] = 0;
	pt->mirror_gaps[0] = (struct tmm_mirror_gap){ slot, slot + 1 };
	pt->nr_mirror_gaps = 1;
	err = tmm_window_enter(pt, &window);
	if (!err) {
		inside = pt->top[slot];
		tmm_window_leave(&window);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, inside, entry);
	tmm_page_table_put(pt);
}

/*
 * A copy of the lower half loads the second table. With PTI, an NMI that interrupts the copy runs
 * on the first table. So both tables need the entries that Linux has added.
 */
static void copy_of_either_half_updates_both_tables(struct kunit *test)
{
	const unsigned int slot = pgd_index((unsigned long)virt_to_page(tmm_test_root(test)->top));
	const struct tmm_vaddr addresses[] = { { TMM_PAGE_SIZE },
					       tmm_test_vaddr(tmm_private_first_page()) };
	struct tmm_page_table *pt = create_root(test);
	const u64 entry = pt->top[slot];
	size_t left = 0;
	unsigned int i;
	u64 value;

	pt->mirror_gaps[0] = (struct tmm_mirror_gap){ slot, slot + 1 };
	pt->nr_mirror_gaps = 1;
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		pt->top[slot] = 0;
		pt->low[slot] = 0;
		/* no page is mapped at this address */
		KUNIT_EXPECT_EQ(test, tmm_window_read(pt, addresses[i], &value, sizeof(value),
						      &left), 0);
		KUNIT_EXPECT_EQ(test, left, sizeof(value));
		KUNIT_EXPECT_EQ_MSG(test, pt->top[slot], entry, "from %#llx", addresses[i].v);
		KUNIT_EXPECT_EQ_MSG(test, pt->low[slot], entry, "from %#llx", addresses[i].v);
	}
	tmm_page_table_put(pt);
}

static void add_mapping(void *pt)
{
	tmm_page_table_add_mapping(pt);
}

static void remove_mapping(void *pt)
{
	tmm_page_table_remove_mapping(pt);
}

/* Each CPU counts the mappings that it makes and drops; a mapping can be dropped on another CPU. */
static void mappings_are_counted_over_all_cpus(struct kunit *test)
{
	struct tmm_page_table *pt = create_root(test);
	const unsigned int cpu = cpumask_last(cpu_online_mask);

	KUNIT_EXPECT_EQ(test, smp_call_function_single(cpu, add_mapping, pt, true), 0);
	tmm_page_table_add_mapping(pt);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(pt), 2);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), -EBUSY);
	tmm_page_table_remove_mapping(pt);
	KUNIT_EXPECT_EQ(test, smp_call_function_single(0, remove_mapping, pt, true), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(pt), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
}

/*
 * Linux may fill the slots of all memory that the machine can have: those of the direct map, and of
 * the array of struct pages.
 */
static void slots_of_memory_may_be_filled(struct kunit *test)
{
	const u64 end = min_t(u64, iomem_resource.end, BIT_ULL(MAX_PHYSMEM_BITS) - 1);
	u64 at;

	KUNIT_EXPECT_GE(test, end, (u64)virt_to_phys(high_memory - 1));
	for (at = 0; at < end; at += end / 256) {
		unsigned int direct = pgd_index(PAGE_OFFSET + at);
		unsigned int pages = pgd_index((unsigned long)pfn_to_page(at >> PAGE_SHIFT));

		KUNIT_EXPECT_TRUE_MSG(test, tmm_mirror_may_be_filled(direct), "%#llx", at);
		KUNIT_EXPECT_TRUE_MSG(test, tmm_mirror_may_be_filled(pages), "%#llx", at);
	}
	KUNIT_EXPECT_TRUE(test, tmm_mirror_may_be_filled(pgd_index(PAGE_OFFSET + end)));
	/* This slot contains Linux's text. */
	KUNIT_EXPECT_FALSE(test, tmm_mirror_may_be_filled(TMM_TABLE_ENTRIES - 1));
}

/* The root records each slot that is empty in Linux's root and may be filled, and no other slot. */
static void create_notes_the_gaps(struct kunit *test)
{
	struct tmm_page_table *pt = create_root(test);
	unsigned int i, slot, nr_empty = 0, nr_noted = 0, nr_filled = 0;

	for (slot = TMM_FIRST_MIRROR_SLOT; slot < TMM_TABLE_ENTRIES; slot++)
		nr_empty += !pt->top[slot] &&
			    (TMM_MIRROR_HAS_SHADOWS || tmm_mirror_may_be_filled(slot));
	for (i = 0; i < pt->nr_mirror_gaps; i++) {
		for (slot = pt->mirror_gaps[i].first; slot < pt->mirror_gaps[i].end; slot++)
			nr_filled += !!pt->top[slot];
		nr_noted += pt->mirror_gaps[i].end - pt->mirror_gaps[i].first;
	}
	KUNIT_EXPECT_EQ(test, nr_noted, nr_empty);
	KUNIT_EXPECT_EQ(test, nr_filled, 0);
	tmm_page_table_put(pt);
}

static struct tmm_allocated_frames *take_frames(struct kunit *test, u64 align, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_aligned(align, nr);
	struct tmm_allocated_frames *frames;

	frames = tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	return frames;
}

static void new_table_of_frames_that_are_given(struct kunit *test)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_allocated_frames *frames = take_frames(test, 2, 2);
	u64 number = frames->f.chunk.start;
	struct tmm_page_table *pt;
	struct tmm_window window;
	unsigned long inside = 0;

	memset(tmm_test_alias(number), 0xff, 2 * TMM_PAGE_SIZE);
	pt = tmm_page_table_new_table(tmm_test_root(test), &frames);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	KUNIT_EXPECT_EQ(test, tmm_page_table_physical_address(pt).v, number << 12);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->top, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(pt->low, 0, TMM_FIRST_MIRROR_SLOT * 8), NULL);
	KUNIT_EXPECT_EQ(test, tmm_window_enter(pt, &window), 0);
	inside = __read_cr3();
	tmm_window_leave(&window);
	KUNIT_EXPECT_EQ(test, inside, number << 12);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
	KUNIT_EXPECT_PTR_EQ(test, pt, NULL);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void new_table_of_frames_that_it_takes(struct kunit *test)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *pt = tmm_page_table_new_table(tmm_test_root(test), NULL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pt);
	KUNIT_EXPECT_PTR_EQ(test, pt->fa, tmm_test_root(test)->fa);
	KUNIT_EXPECT_NE(test, pt->paddr, tmm_test_root(test)->paddr);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_test_hog(test);
	for (i = 0; i < 3; i++)
		tmm_test_unhog(test, 1);
	pt = tmm_page_table_new_table(tmm_test_root(test), NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -ENOSPC);
}

static void expect_new_table_refused(struct kunit *test, struct tmm_allocated_frames *frames,
				     int err)
{
	struct tmm_allocated_frames *given = frames;
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *pt;

	pt = tmm_page_table_new_table(tmm_test_root(test), &given);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), err);
	KUNIT_EXPECT_PTR_EQ(test, given, frames);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void new_table_refuses_frames_that_do_not_fit(struct kunit *test)
{
	struct tmm_allocated_frames *odd = take_frames(test, 2, 4), *rest, *two;
	struct tmm_test_frames *tf = tmm_test_frames_create(test);
	struct tmm_allocated_frames *other;
	struct tmm_frame_region *region;
	void *window;

	expect_new_table_refused(test, NULL, -EINVAL);
	expect_new_table_refused(test, ERR_PTR(-ENOSPC), -EINVAL);
	expect_new_table_refused(test, odd, -EINVAL);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(odd, odd->f.chunk.start + 1, &two), 0);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(two, two->f.chunk.start + 2, &rest), 0);
	expect_new_table_refused(test, odd, -EINVAL);
	expect_new_table_refused(test, two, -EINVAL);
	tmm_allocated_frames_drop(&rest);
	tmm_allocated_frames_drop(&two);
	tmm_allocated_frames_drop(&odd);

	two = take_frames(test, 2, 2);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_borrow(two), 0);
	expect_new_table_refused(test, two, -EBUSY);
	tmm_allocated_frames_unborrow(two);
	/* If @window is NULL, Linux does not map the frames, as with device memory. */
	region = two->f.region;
	window = region->window;
	region->window = NULL;
	expect_new_table_refused(test, two, -EOPNOTSUPP);
	region->window = window;
	tmm_allocated_frames_drop(&two);

	tmm_test_frames_add(test, tf, TMM_REGION_GENERAL, 1000, 16);
	other = tmm_test_frames_take(test, tf, tmm_request_at(1000, 2));
	expect_new_table_refused(test, other, -EXDEV);
	tmm_allocated_frames_drop(&other);
	tmm_test_frames_destroy(test, tf);
}

static void new_table_without_heap_changes_nothing(struct kunit *test)
{
	struct tmm_allocated_frames *frames = take_frames(test, 2, 2);
	struct tmm_allocated_frames *given = frames;
	u64 before = tmm_test_fingerprint(test);
	struct tmm_page_table *pt;

	memset(tmm_test_alias(frames->f.chunk.start), 0x77, TMM_PAGE_SIZE);
	tmm_test_fail_alloc(test, 1);
	pt = tmm_page_table_new_table(tmm_test_root(test), &given);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, given, frames);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	KUNIT_EXPECT_EQ(test, *(u8 *)tmm_test_alias(frames->f.chunk.start), 0x77);
	tmm_allocated_frames_drop(&frames);
}

/* Theseus drops a root also while it is in use. */
static void drop_of_a_root_in_use_is_refused(struct kunit *test)
{
	const tmm_leaf_bits_t bits = tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true);
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, tmm_private_first_page(), 1);
	u64 page = pages->chunk.start;
	struct tmm_page_table *pt = create_root(test), *same = pt;
	struct tmm_mapped_pages *mp;

	tmm_page_table_get(pt);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), -EBUSY);
	KUNIT_ASSERT_PTR_EQ(test, pt, same);
	KUNIT_EXPECT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(page + 1, 1), tmm_frame_4k(99),
					     bits, TMM_4K), 0);
	tmm_mapper_unmap(pt, tmm_test_pages(page + 1, 1));
	tmm_page_table_put(pt);

	/* A mapping uses its root as well. */
	mp = tmm_map_allocated_pages(pt, &pages, TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), -EBUSY);
	KUNIT_ASSERT_PTR_EQ(test, pt, same);
	KUNIT_EXPECT_NE(test, tmm_test_translate(pt, page), TMM_TEST_UNMAPPED);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
	KUNIT_EXPECT_PTR_EQ(test, pt, NULL);
}

static void drop_of_no_root(struct kunit *test)
{
	struct tmm_page_table *pt = NULL;

	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
	pt = ERR_PTR(-ENOMEM);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&pt), 0);
	KUNIT_EXPECT_PTR_EQ(test, pt, NULL);
}

static struct kunit_case page_table_cases[] = {
	KUNIT_CASE(create_mirrors_linux),
	KUNIT_CASE(create_takes_two_aligned_frames),
	KUNIT_CASE(mappings_are_counted_over_all_cpus),
	KUNIT_CASE(slots_of_memory_may_be_filled),
	KUNIT_CASE(create_notes_the_gaps),
	KUNIT_CASE(create_without_two_frames_together),
	KUNIT_CASE(put_gives_back_at_the_last_reference),
	KUNIT_CASE(window_takes_over_what_linux_has_added),
	KUNIT_CASE(copy_of_either_half_updates_both_tables),
	KUNIT_CASE(new_table_of_frames_that_are_given),
	KUNIT_CASE(new_table_of_frames_that_it_takes),
	KUNIT_CASE(new_table_refuses_frames_that_do_not_fit),
	KUNIT_CASE(new_table_without_heap_changes_nothing),
	KUNIT_CASE(drop_of_a_root_in_use_is_refused),
	KUNIT_CASE(drop_of_no_root),
	{}
};

static struct kunit_suite page_table_suite = {
	.name = "theseus_mm_page_table",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = page_table_cases,
};

kunit_test_suite(page_table_suite);
