/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail on request; for the suites of any module.
 */
#ifndef TMM_KUNIT_FAULT_H
#define TMM_KUNIT_FAULT_H

#include <linux/types.h>

struct kunit;

/*
 * The @nth allocation of the running case from now on fails, 1 being the next;
 * only those that may sleep and may fail count. Nothing that can fail a case may come
 * between the two calls. Returns whether the failure happened.
 */
void tmm_test_fail_alloc(struct kunit *test, unsigned int nth);
bool tmm_test_fail_alloc_end(void);

/*
 * The same, but @meanwhile runs in the middle of that allocation, as if another CPU had
 * been quick, and then the allocation goes on. It may sleep.
 */
void tmm_test_in_alloc(struct kunit *test, unsigned int nth, void (*meanwhile)(void *),
		       void *context);

#endif /* TMM_KUNIT_FAULT_H */
