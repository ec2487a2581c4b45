/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail on request, for the suites of all test modules. */
#ifndef TMM_KUNIT_FAULT_H
#define TMM_KUNIT_FAULT_H

#include <linux/types.h>

struct kunit;

/*
 * Makes the @nth allocation of the running case fail; 1 is the next one. Only allocations that
 * may sleep and may fail are counted. From tmm_test_fail_alloc() to tmm_test_fail_alloc_end() the
 * case must not use any KUNIT_ macro. tmm_test_fail_alloc_end() returns true if the allocation
 * failed.
 */
void tmm_test_fail_alloc(struct kunit *test, unsigned int nth);
bool tmm_test_fail_alloc_end(void);

/*
 * Like tmm_test_fail_alloc(), but the allocation succeeds, and @meanwhile runs in the middle of
 * the allocation, as if another CPU were faster. @meanwhile may sleep.
 */
void tmm_test_in_alloc(struct kunit *test, unsigned int nth, void (*meanwhile)(void *),
		       void *context);

#endif /* TMM_KUNIT_FAULT_H */
