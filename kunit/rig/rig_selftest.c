// SPDX-License-Identifier: GPL-2.0
/*
 * Misbehaves on purpose, for `make test-harness`: a rig that stays green when this
 * module is loaded is broken. Each case commits one sin, and for each there is one
 * check that must notice it alone:
 *
 *   fails           the parser, in KUnit's own output
 *   warns           the scan of the console and the taint; KUnit prints "ok"
 *   leaks_a_frame   the count of free frames; KUnit prints "ok"
 *
 * One more dies in a window, which the module must outlive: KUnit prints "ok".
 */
#include "linux/theseus_mm.h"

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>

static void fails(struct kunit *test)
{
	KUNIT_FAIL(test, "on purpose");
}

static void warns(struct kunit *test)
{
	WARN(1, "theseus_mm rig: a warning on purpose\n");
}

static void leaks_a_frame(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames(1);

	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(frames));
}

/* If the CPU stayed inside for ever, every other CPU would wait for it. */
static int die_in_a_window(void *borrow)
{
	struct tmm_window window;

	if (!IS_ERR(tmm_borrow_enter_window(borrow, &window)))
		asm volatile("ud2");
	return 0;
}

static void oopses_in_a_window(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_create_mapping(TMM_PAGE_SIZE, TMM_DMA_FLAGS);
	struct tmm_mapped_pages *other = tmm_create_mapping(TMM_PAGE_SIZE, TMM_DMA_FLAGS);
	struct task_struct *task;
	struct tmm_borrow borrow;

	KUNIT_ASSERT_FALSE(test, IS_ERR(mp) || IS_ERR(other));
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, false, &borrow), 0);
	task = kthread_create(die_in_a_window, &borrow, "tmm_rig_dies");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	while (!READ_ONCE(task->exit_state))
		schedule_timeout_interruptible(1);
	put_task_struct(task);
	/* Waits until all have left that are inside now. */
	tmm_mapped_pages_drop(&other);
	KUNIT_EXPECT_TRUE(test, !other);
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

static struct kunit_case rig_selftest_cases[] = {
	KUNIT_CASE(fails),
	KUNIT_CASE(warns),
	KUNIT_CASE(leaks_a_frame),
	KUNIT_CASE(oopses_in_a_window),
	{}
};

static struct kunit_suite rig_selftest_suite = {
	.name = "theseus_mm_rig_selftest",
	.test_cases = rig_selftest_cases,
};

kunit_test_suite(rig_selftest_suite);

MODULE_DESCRIPTION("A failing case, a warning and a leaked frame, on purpose");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(THESEUS_MM);
