// SPDX-License-Identifier: GPL-2.0
/*
 * `make test-harness` loads this module, which misbehaves on purpose: if the run still passes,
 * the test rig is broken. Each of these cases has to be detected by the checks beside its name:
 *
 *   fails           the parser of KUnit's output
 *   warns           the scan of the console, and the taint; KUnit prints "ok"
 *   leaks_a_frame   the count of free frames; KUnit prints "ok"
 *
 * In oopses_in_a_window a task dies in a window. The module must survive the death of the task, so
 * KUnit prints "ok".
 */
#include "core/compat.h"
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

/*
 * Dies by an oops. If the CPU counted as inside a window after that, the next change of an entry
 * would wait for the CPU for ever.
 */
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
	/* The drop waits until each CPU that is in a window has left the window. */
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

MODULE_DESCRIPTION("A failing case, a warning, a leaked frame and an oops, on purpose");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TMM_COMPAT_NS(THESEUS_MM));
