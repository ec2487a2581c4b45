/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Start-up of the module's own instance, which takes the claimed pools as memory.
 *
 * Owner: main.c.
 */
#ifndef TMM_KERNEL_STARTUP_H
#define TMM_KERNEL_STARTUP_H

#include <linux/compiler.h>

struct tmm_pools;

int __must_check tmm_kernel_start(const struct tmm_pools *pools, const char *bad);
void tmm_kernel_stop(void);
void tmm_kernel_announce(void);

#endif /* TMM_KERNEL_STARTUP_H */
