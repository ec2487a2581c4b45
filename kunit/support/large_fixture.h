/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Like instance_fixture.h, but the RAM is several runs, each with one block for a leaf of 2 MiB.
 * The functions of instance_fixture.h work on this instance too.
 */
#ifndef TMM_KUNIT_LARGE_FIXTURE_H
#define TMM_KUNIT_LARGE_FIXTURE_H

#include <kunit/test.h>

#define TMM_TEST_NR_LARGE	4

/* The init and exit functions of a suite. */
int tmm_test_large_init(struct kunit *test);
void tmm_test_large_exit(struct kunit *test);

#endif /* TMM_KUNIT_LARGE_FIXTURE_H */
