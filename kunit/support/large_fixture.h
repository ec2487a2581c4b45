/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As instance_fixture.h has it, but the RAM is several runs, each with one block for a
 * leaf of 2 MiB. What instance_fixture.h offers works on this instance too.
 */
#ifndef TMM_KUNIT_LARGE_FIXTURE_H
#define TMM_KUNIT_LARGE_FIXTURE_H

#include <kunit/test.h>

#define TMM_TEST_NR_LARGE	4

/* The .init and .exit of a suite. */
int tmm_test_large_init(struct kunit *test);
void tmm_test_large_exit(struct kunit *test);

#endif /* TMM_KUNIT_LARGE_FIXTURE_H */
