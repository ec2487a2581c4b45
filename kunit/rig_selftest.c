// SPDX-License-Identifier: GPL-2.0
/*
 * Misbehaves on purpose, for `make test-harness`: a rig that stays green when this
 * module is loaded is broken. Each case commits one sin, and for each there is one
 * check that must notice it alone:
 *
 *   fails           the parser, in KUnit's own output
 *   warns           the scan of the console and the taint; KUnit prints "ok"
 *   leaks_a_frame   the count of free frames; KUnit prints "ok"
 */
#include "theseus_mm.h"

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/module.h>

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

static struct kunit_case rig_selftest_cases[] = {
	KUNIT_CASE(fails),
	KUNIT_CASE(warns),
	KUNIT_CASE(leaks_a_frame),
	{}
};

static struct kunit_suite rig_selftest_suite = {
	.name = "theseus_mm_rig_selftest",
	.test_cases = rig_selftest_cases,
};

kunit_test_suite(rig_selftest_suite);

MODULE_DESCRIPTION("A failing case, a warning and a leaked frame, on purpose");
MODULE_LICENSE("GPL");
