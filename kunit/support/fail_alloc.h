/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations of one task that fail, or in which something else happens, on request.
 * Linked into each module that needs it.
 */
#ifndef TMM_KUNIT_FAIL_ALLOC_H
#define TMM_KUNIT_FAIL_ALLOC_H

#include <linux/types.h>

int tmm_fail_alloc_register(void);
void tmm_fail_alloc_unregister(void);

/*
 * The @nth allocation of the current task from now on fails, 1 being the next; or, if
 * there is @meanwhile, that runs in the middle of it, in process context, and the
 * allocation goes on. Only those count that may sleep and may fail.
 */
void tmm_fail_alloc_arm(unsigned int nth, void (*meanwhile)(void *), void *context);
/* Has it happened? Nothing more will. */
bool tmm_fail_alloc_disarm(void);

#endif /* TMM_KUNIT_FAIL_ALLOC_H */
