/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes one chosen allocation of a task fail, or runs a function in the middle of the
 * allocation. Each test module that needs these functions links a copy of fail_alloc.c.
 */
#ifndef TMM_KUNIT_FAIL_ALLOC_H
#define TMM_KUNIT_FAIL_ALLOC_H

#include <linux/types.h>

int tmm_fail_alloc_register(void);
void tmm_fail_alloc_unregister(void);

/*
 * Makes the @nth allocation of the current task fail; 1 is the next one. With @meanwhile, the
 * allocation succeeds instead, and @meanwhile runs in the middle of it, in process context. Only
 * allocations that may sleep and may fail are counted.
 */
void tmm_fail_alloc_arm(unsigned int nth, void (*meanwhile)(void *), void *context);
/* Cancels the request. Returns true if the @nth allocation took place. */
bool tmm_fail_alloc_disarm(void);

#endif /* TMM_KUNIT_FAIL_ALLOC_H */
