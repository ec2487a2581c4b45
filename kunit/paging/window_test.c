// SPDX-License-Identifier: GPL-2.0
#include "paging/window.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/mapper.h"
#include "paging/tlb.h"
#include "paging/window_copy.h"
#include "paging/window_fixture.h"

#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/preempt.h>
#include <linux/sched.h>

static void enter_nested(struct kunit *test)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	struct tmm_window window, second;
	unsigned long cr3, inside;
	int err, err_nested;

	err = tmm_window_enter(pt, &window);
	inside = __read_cr3();
	err_nested = tmm_window_enter(pt, &second);
	cr3 = __read_cr3();
	if (!err)
		tmm_window_leave(&window);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, err_nested, -EDEADLK);
	KUNIT_EXPECT_EQ(test, inside, pt->paddr);
	KUNIT_EXPECT_EQ(test, cr3, inside);
	/* After the first window has been left, a new one can be entered. */
	err = tmm_window_enter(pt, &window);
	if (!err)
		tmm_window_leave(&window);
	KUNIT_EXPECT_EQ(test, err, 0);
}

static void leave_restores_root_and_interrupts(struct kunit *test)
{
	bool off_inside, off_after, off_after_off;
	struct tmm_window window;
	unsigned long cr3, after;
	int err;

	preempt_disable();
	cr3 = __read_cr3();
	err = tmm_window_enter(tmm_test_root(test), &window);
	off_inside = irqs_disabled();
	if (!err)
		tmm_window_leave(&window);
	off_after = irqs_disabled();
	after = __read_cr3();
	preempt_enable();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_TRUE(test, off_inside);
	KUNIT_EXPECT_FALSE(test, off_after);
	KUNIT_EXPECT_EQ(test, after, cr3);

	local_irq_disable();
	err = tmm_window_enter(tmm_test_root(test), &window);
	if (!err)
		tmm_window_leave(&window);
	off_after_off = irqs_disabled();
	local_irq_enable();
	KUNIT_EXPECT_TRUE(test, off_after_off);
}

struct context {
	struct irq_work work;
	struct tasklet_struct tasklet;
	struct tmm_page_table *pt;
	int err_enter;
	int err_read;
	size_t left;
};

static void try_window(struct context *context)
{
	struct tmm_window window;
	u8 byte;

	context->err_enter = tmm_window_enter(context->pt, &window);
	if (!context->err_enter)
		tmm_window_leave(&window);
	context->err_read = tmm_window_read(context->pt, window_at(0), &byte, 1, &context->left);
}

static void from_interrupt(struct irq_work *work)
{
	try_window(container_of(work, struct context, work));
}

static void from_softirq(struct tasklet_struct *tasklet)
{
	try_window(container_of(tasklet, struct context, tasklet));
}

static void enter_outside_of_process_context(struct kunit *test)
{
	struct context *context = tmm_test_kvzalloc(test, sizeof(*context));

	context->pt = tmm_test_root(test);
	context->work = IRQ_WORK_INIT_HARD(from_interrupt);
	irq_work_queue(&context->work);
	irq_work_sync(&context->work);
	KUNIT_EXPECT_EQ(test, context->err_enter, -EPERM);
	KUNIT_EXPECT_EQ(test, context->err_read, -EPERM);
	KUNIT_EXPECT_EQ(test, context->left, 1);

	context->err_enter = 0;
	context->err_read = 0;
	tasklet_setup(&context->tasklet, from_softirq);
	tasklet_schedule(&context->tasklet);
	tasklet_kill(&context->tasklet);
	KUNIT_EXPECT_EQ(test, context->err_enter, -EPERM);
	KUNIT_EXPECT_EQ(test, context->err_read, -EPERM);
}

/* No TLB entry of a window survives until the next window. */
static void read_after_the_page_went_elsewhere(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned int i;
	size_t left;
	u8 byte;

	for (i = 0; i < WINDOW_NR_PAGES; i++) {
		tmm_mapper_unmap(pt, tmm_test_pages(window_page(), 1));
		KUNIT_ASSERT_EQ(test, tmm_mapper_map(pt, tmm_test_pages(window_page(), 1),
						     tmm_frame_4k(frames->f.chunk.start + i),
						     tmm_pte_leaf_bits(TMM_PTE_NONE, true), TMM_4K),
				0);
		KUNIT_EXPECT_EQ(test, tmm_window_read(pt, window_at(7), &byte, 1, &left), 0);
		KUNIT_EXPECT_EQ(test, byte, 0x10 + WINDOW_NR_PAGES - 1 - i);
	}
	window_unmap(test, &frames);
}

static void windows_of_two_roots(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_page_table *other = tmm_page_table_create(&tmm_test_inst(test)->fa);
	u8 first, second;
	size_t left;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(other, tmm_test_pages(window_page(), 1),
					     tmm_frame_4k(frames->f.chunk.start),
					     tmm_pte_leaf_bits(TMM_PTE_NONE, false), TMM_4K), 0);
	KUNIT_EXPECT_EQ(test, tmm_window_read(tmm_test_root(test), window_at(0), &first, 1, &left),
			0);
	KUNIT_EXPECT_EQ(test, tmm_window_read(other, window_at(0), &second, 1, &left), 0);
	KUNIT_EXPECT_EQ(test, first, 0x10);
	KUNIT_EXPECT_EQ(test, second, 0x10 + WINDOW_NR_PAGES - 1);
	KUNIT_EXPECT_EQ(test, tmm_window_read(other, window_at(TMM_PAGE_SIZE), &second, 1, &left),
			0);
	KUNIT_EXPECT_EQ(test, left, 1);
	tmm_mapper_unmap(other, tmm_test_pages(window_page(), 1));
	tmm_page_table_put(other);
	window_unmap(test, &frames);
}

/* Does the work of the die notifier for a task that dies by an oops in a window. */
static void dead_task_is_taken_out_of_its_window(struct kunit *test)
{
	struct tmm_allocated_frames *frames = window_map(test, TMM_TEST_WRITABLE);
	struct tmm_page_table *pt = tmm_test_root(test);
	unsigned long before, after = 0;
	struct tmm_window window;
	bool still_inside = true;
	int err;

	preempt_disable();
	before = __read_cr3();
	err = tmm_window_enter(pt, &window);
	if (!err) {
		tmm_window_abandon();
		after = __read_cr3();
		still_inside = tmm_tlb_is_inside();
		local_irq_restore(window.flags);
	}
	preempt_enable();
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_FALSE(test, still_inside);
	KUNIT_EXPECT_EQ(test, after & CR3_ADDR_MASK, before & CR3_ADDR_MASK);
	/* Shootdowns do not wait for ever, and new windows can be entered. */
	tmm_mapper_remap(pt, tmm_test_pages(window_page(), WINDOW_NR_PAGES), false);
	KUNIT_EXPECT_EQ(test, tmm_window_enter(pt, &window), 0);
	tmm_window_leave(&window);
	window_unmap(test, &frames);
}

static void dead_task_is_taken_out_of_its_walk(struct kunit *test)
{
	struct tmm_walk walk;
	bool still_inside;

	tmm_tlb_walk_begin(&walk);
	tmm_window_abandon();
	still_inside = tmm_tlb_is_inside();
	local_irq_restore(walk.flags);
	KUNIT_EXPECT_FALSE(test, still_inside);
}

/* An oops outside a window changes nothing. */
static void task_outside_of_a_window_stays_where_it_is(struct kunit *test)
{
	unsigned long cr3;
	bool is_inside;

	tmm_window_abandon();
	local_irq_disable();
	cr3 = __read_cr3();
	tmm_window_abandon();
	is_inside = tmm_tlb_is_inside() || cr3 != __read_cr3();
	local_irq_enable();
	KUNIT_EXPECT_FALSE(test, is_inside);
}

static struct kunit_case window_cases[] = {
	KUNIT_CASE(enter_nested),
	KUNIT_CASE(leave_restores_root_and_interrupts),
	KUNIT_CASE(enter_outside_of_process_context),
	KUNIT_CASE(read_after_the_page_went_elsewhere),
	KUNIT_CASE(windows_of_two_roots),
	KUNIT_CASE(dead_task_is_taken_out_of_its_window),
	KUNIT_CASE(dead_task_is_taken_out_of_its_walk),
	KUNIT_CASE(task_outside_of_a_window_stays_where_it_is),
	{}
};

static struct kunit_suite window_suite = {
	.name = "theseus_mm_window",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = window_cases,
};

kunit_test_suite(window_suite);
