// SPDX-License-Identifier: GPL-2.0
/*
 * The lower half of a root, which has the identity mappings. Linux's fault handler takes addresses
 * there for user addresses.
 */
#include "paging/leaf_runs.h"
#include "paging/window.h"
#include "paging/window_copy.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/mapper.h"

#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>
#include <asm/smap.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define NR_PAGES	4

static void map_run(struct kunit *test, u64 page, u64 frame, u64 nr, tmm_pte_flags_t flags)
{
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(tmm_test_root(test), tmm_test_pages(page, nr),
					     tmm_frame_4k(frame), tmm_pte_leaf_bits(flags, true),
					     TMM_2M), 0);
}

static struct tmm_vaddr at_byte(u64 page, u64 offset)
{
	return (struct tmm_vaddr){ tmm_test_vaddr(page).v + offset };
}

/* Expects the state of the CPU and the task to be as before the copy. */
static void expect_restored(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, pagefault_disabled());
	KUNIT_EXPECT_FALSE(test, native_save_fl() & X86_EFLAGS_AC);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

/* Each page has the number of its frame. */
static void identity_mapping_is_read_and_written(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, NR_PAGES);
	const u64 first = frames->f.chunk.start, nr = 3 * TMM_PAGE_SIZE;
	struct tmm_page_table *pt = tmm_test_root(test);
	u8 *buffer = tmm_test_kvzalloc(test, NR_PAGES << TMM_PAGE_SHIFT);
	u8 *alias = tmm_test_alias(first);
	size_t left = 1;
	u64 i;

	map_run(test, first, first, NR_PAGES, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_LT(test, tmm_test_vaddr(first).v, 1ULL << 46);
	for (i = 0; i < nr; i++)
		buffer[i] = i * 13 + (i >> 8);
	memset(alias, 0x11, NR_PAGES << TMM_PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, at_byte(first, 100), buffer, nr, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	expect_restored(test);
	KUNIT_EXPECT_EQ(test, memcmp(alias + 100, buffer, nr), 0);
	KUNIT_EXPECT_EQ(test, alias[99], 0x11);
	KUNIT_EXPECT_EQ(test, alias[100 + nr], 0x11);

	memset(buffer, 0, nr);
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, at_byte(first, 100), buffer, nr, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, memcmp(alias + 100, buffer, nr), 0);
	tmm_test_expect_mapped(test, first, first, NR_PAGES);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, pt), pt->levels - 1);
	tmm_mapper_unmap(pt, tmm_test_pages(first, NR_PAGES));
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	tmm_allocated_frames_drop(&frames);
}

/*
 * A fault in the lower half ends the copy. Linux does not crash, and does not look for a page of
 * the current process at the address.
 */
static void copy_stops_at_the_first_byte_that_faults(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 2);
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = frames->f.chunk.start;
	u8 buffer[32] = { 1 };
	size_t left = 0;

	/* Nothing is mapped, not even a table. */
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, at_byte(first, 0), buffer, 8, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 8);
	expect_restored(test);
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, (struct tmm_vaddr){ 0 }, buffer, 8, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 8);
	KUNIT_EXPECT_EQ(test, buffer[0], 1);

	map_run(test, first, first, 1, TMM_TEST_WRITABLE);
	map_run(test, first + 1, first + 1, 1, TMM_TEST_READ_ONLY);
	memset(tmm_test_alias(first), 0x22, 2 * TMM_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, at_byte(first, 4096 - 10), buffer, 32, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 22);
	expect_restored(test);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_test_alias(first + 1), 0x22, 4096), NULL);
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, at_byte(first, 8192 - 6), buffer, 32, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 26);
	KUNIT_EXPECT_EQ(test, buffer[5], 0x22);
	KUNIT_EXPECT_EQ(test, buffer[6], 0);
	expect_restored(test);
	tmm_mapper_unmap(pt, tmm_test_pages(first, 2));
	tmm_allocated_frames_drop(&frames);
}

static void copy_in_a_large_leaf(struct kunit *test)
{
	struct page *memory = tmm_test_large_take(test);
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = page_to_pfn(memory);
	u64 value = 0x123456789abcdef0;
	size_t left;

	map_run(test, first, first, 512, TMM_TEST_WRITABLE);
	KUNIT_EXPECT_EQ(test, tmm_mapper_leaf_size(pt, tmm_page_4k(first)), TMM_2M);
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, at_byte(first + 511, 4088), &value, 8, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)(page_address(memory) + 512 * 4096 - 8), value);
	/* The page after the last one is not mapped. */
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, at_byte(first + 511, 4092), &value, 8, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 4);
	tmm_mapper_unmap(pt, tmm_test_pages(first, 512));
	tmm_test_large_give(memory);
}

/* Copies between the halves in both directions, and within each half. */
static void copy_between_any_halves(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 4);
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = frames->f.chunk.start, high = tmm_private_first_page() + 510;
	const u64 nr = TMM_PAGE_SIZE + 300;
	unsigned int to_low, from_low;
	size_t left;
	u64 i;

	/* Both halves map a source and a destination of two pages each. */
	map_run(test, first, first, 4, TMM_TEST_WRITABLE);
	map_run(test, high, first, 4, TMM_TEST_WRITABLE);
	for (to_low = 0; to_low < 2; to_low++) {
		for (from_low = 0; from_low < 2; from_low++) {
			struct tmm_vaddr to = at_byte(to_low ? first + 2 : high + 2, 7);
			struct tmm_vaddr from = at_byte(from_low ? first : high, 11);
			u8 *alias = tmm_test_alias(first);

			for (i = 0; i < 2 * TMM_PAGE_SIZE; i++)
				alias[i] = i * 3 + (i >> 8) + to_low * 2 + from_low;
			memset(alias + 2 * TMM_PAGE_SIZE, 0, 2 * TMM_PAGE_SIZE);
			KUNIT_EXPECT_EQ(test, tmm_window_copy_between(pt, to, from, nr, &left), 0);
			KUNIT_EXPECT_EQ(test, left, 0);
			alias += 2 * TMM_PAGE_SIZE;
			KUNIT_EXPECT_EQ(test, memcmp(alias + 7, alias - 2 * TMM_PAGE_SIZE + 11, nr),
					0);
			KUNIT_EXPECT_EQ(test, alias[6], 0);
			KUNIT_EXPECT_EQ(test, alias[7 + nr], 0);
			expect_restored(test);
		}
	}
	tmm_mapper_unmap(pt, tmm_test_pages(first, 4));
	tmm_mapper_unmap(pt, tmm_test_pages(high, 4));
	tmm_allocated_frames_drop(&frames);
}

static void copy_between_stops_at_either_end(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 2);
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = frames->f.chunk.start, high = tmm_private_first_page();
	size_t left = 0;

	map_run(test, first, first, 1, TMM_TEST_WRITABLE);
	map_run(test, high, first + 1, 1, TMM_TEST_READ_ONLY);
	/* The copy stops because the source or the destination ends, or is read-only. */
	KUNIT_EXPECT_EQ(test, tmm_window_copy_between(pt, at_byte(first, 0), at_byte(high, 4090),
						      20, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 14);
	KUNIT_EXPECT_EQ(test, tmm_window_copy_between(pt, at_byte(first, 4091), at_byte(high, 0),
						      20, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 15);
	KUNIT_EXPECT_EQ(test, tmm_window_copy_between(pt, at_byte(high, 0), at_byte(first, 0),
						      20, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 20);
	KUNIT_EXPECT_EQ(test, tmm_window_copy_between(pt, at_byte(high, 0), at_byte(first, 0),
						      0, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
	tmm_mapper_unmap(pt, tmm_test_pages(first, 1));
	tmm_mapper_unmap(pt, tmm_test_pages(high, 1));
	tmm_allocated_frames_drop(&frames);
}

/* Reads as an NMI handler reads user memory. Returns the number of bytes not read. */
static size_t read_as_user_memory(void *to, const void *from, size_t nr)
{
	pagefault_disable();
	stac();
	asm volatile("1:	rep movsb\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+D" (to), "+S" (from), "+c" (nr)
		     : : "memory");
	clac();
	pagefault_enable();
	return nr;
}

/* Only copies of the lower half map the lower half; other windows do not. */
static void lower_half_is_not_there_in_a_window(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 1);
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = frames->f.chunk.start;
	struct tmm_window window;
	size_t left = 0;
	u64 value = 0;
	int err;

	memset(tmm_test_alias(first), 0x77, TMM_PAGE_SIZE);
	map_run(test, first, first, 1, TMM_TEST_WRITABLE);
	err = tmm_window_enter(pt, &window);
	if (!err) {
		left = read_as_user_memory(&value, (void *)at_byte(first, 8).v, sizeof(value));
		tmm_window_leave(&window);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, left, sizeof(value));
	KUNIT_EXPECT_EQ(test, value, 0);
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, at_byte(first, 8), &value, sizeof(value), &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, value, 0x7777777777777777);
	tmm_mapper_unmap(pt, tmm_test_pages(first, 1));
	tmm_allocated_frames_drop(&frames);
}

static void count_hit(struct perf_event *event, struct perf_sample_data *data,
		      struct pt_regs *regs)
{
	atomic_inc(event->overflow_handler_context);
}

static struct perf_event * __percpu *watch_page(struct kunit *test, unsigned long address,
						atomic_t *hits)
{
	struct perf_event * __percpu *events;
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = address;
	attr.bp_len = HW_BREAKPOINT_LEN_8;
	attr.bp_type = HW_BREAKPOINT_RW;
	events = register_wide_hw_breakpoint(&attr, count_hit, hits);
	KUNIT_EXPECT_FALSE(test, IS_ERR((void __force *)events));
	return events;
}

/*
 * A debugger that watches an address of the lower half means user memory. A copy from or to an
 * identity mapping at the address does not trigger the watchpoint, and all watchpoints work again
 * after the copy.
 */
static void watchpoints_are_off_in_a_copy(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 1);
	struct perf_event * __percpu *low, * __percpu *elsewhere;
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 first = frames->f.chunk.start;
	u64 *alias = tmm_test_alias(first);
	atomic_t hits[2] = {};
	u64 value = 0;
	size_t left;

	*alias = 0x1234;
	map_run(test, first, first, 1, TMM_TEST_WRITABLE);
	low = watch_page(test, at_byte(first, 0).v, &hits[0]);
	elsewhere = watch_page(test, (unsigned long)alias, &hits[1]);
	/* watchpoints work on this machine */
	KUNIT_EXPECT_EQ(test, READ_ONCE(*alias), 0x1234);
	KUNIT_EXPECT_EQ(test, atomic_read(&hits[1]), 1);
	KUNIT_EXPECT_EQ(test, tmm_window_read(pt, at_byte(first, 0), &value, sizeof(value), &left),
			0);
	KUNIT_EXPECT_EQ(test, value, 0x1234);
	value++;
	KUNIT_EXPECT_EQ(test, tmm_window_write(pt, at_byte(first, 0), &value, sizeof(value), &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&hits[0]), 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*alias), 0x1235);
	KUNIT_EXPECT_EQ(test, atomic_read(&hits[1]), 2);
	if (!IS_ERR((void __force *)elsewhere))
		unregister_wide_hw_breakpoint(elsewhere);
	if (!IS_ERR((void __force *)low))
		unregister_wide_hw_breakpoint(low);
	tmm_mapper_unmap(pt, tmm_test_pages(first, 1));
	tmm_allocated_frames_drop(&frames);
}

static void runs_of_both_halves_are_found(struct kunit *test)
{
	const u64 high = tmm_private_first_page() + 3, end = high + 100;
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_leaf_run run;

	map_run(test, 1000, 7, 2, TMM_TEST_WRITABLE);
	map_run(test, high, 9, 1, TMM_TEST_WRITABLE);
	KUNIT_ASSERT_TRUE(test, tmm_leaf_runs_find(pt, tmm_test_pages(0, end), &run));
	KUNIT_EXPECT_EQ(test, run.page, 1000);
	KUNIT_EXPECT_EQ(test, run.nr, 2);
	KUNIT_ASSERT_TRUE(test, tmm_leaf_runs_find(pt, tmm_test_pages(1002, end - 1002), &run));
	KUNIT_EXPECT_EQ(test, run.page, high);
	KUNIT_EXPECT_EQ(test, run.frame, 9);
	KUNIT_EXPECT_FALSE(test, tmm_leaf_runs_find(pt, tmm_test_pages(1002, high - 1002), &run));
	KUNIT_EXPECT_FALSE(test, tmm_leaf_runs_find(pt, tmm_test_pages(high + 1, end - (high + 1)),
						    &run));
	tmm_mapper_unmap(pt, tmm_test_pages(1000, 2));
	tmm_mapper_unmap(pt, tmm_test_pages(high, 1));
}

static void copy_between_halves_without_heap(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	const u64 high = tmm_private_first_page();
	size_t left = 0;
	int err;

	map_run(test, 1000, 7, 1, TMM_TEST_WRITABLE);
	map_run(test, high, 9, 1, TMM_TEST_WRITABLE);
	tmm_test_fail_alloc(test, 1);
	err = tmm_window_copy_between(pt, at_byte(high, 0), at_byte(1000, 0), 8, &left);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, left, 8);
	tmm_mapper_unmap(pt, tmm_test_pages(1000, 1));
	tmm_mapper_unmap(pt, tmm_test_pages(high, 1));
}

static struct kunit_case low_half_cases[] = {
	KUNIT_CASE(identity_mapping_is_read_and_written),
	KUNIT_CASE(copy_stops_at_the_first_byte_that_faults),
	KUNIT_CASE(copy_in_a_large_leaf),
	KUNIT_CASE(copy_between_any_halves),
	KUNIT_CASE(copy_between_stops_at_either_end),
	KUNIT_CASE(lower_half_is_not_there_in_a_window),
	KUNIT_CASE(watchpoints_are_off_in_a_copy),
	KUNIT_CASE(runs_of_both_halves_are_found),
	KUNIT_CASE(copy_between_halves_without_heap),
	{}
};

static struct kunit_suite low_half_suite = {
	.name = "theseus_mm_low_half",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = low_half_cases,
};

kunit_test_suite(low_half_suite);
