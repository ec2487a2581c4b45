/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Start-up of the layer that programs use: its caches, hooks and files, and last the device.
 *
 * Owner: main.c.
 */
#ifndef TMM_DEVICE_STARTUP_H
#define TMM_DEVICE_STARTUP_H

#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/types.h>

struct tmm_instance;

int __init __must_check tmm_device_start(struct tmm_instance *inst, bool quarantine);
void tmm_device_stop(void);

#endif /* TMM_DEVICE_STARTUP_H */
