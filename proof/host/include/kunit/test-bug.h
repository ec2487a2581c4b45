/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_KUNIT_TEST_BUG_H
#define HOST_KUNIT_TEST_BUG_H
/* The warning has failed the check already. */
#define kunit_fail_current_test(text)	((void)0)
#endif
