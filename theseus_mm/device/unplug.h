/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that go while their memory is a region: what Linux says about it, and what is
 * done: the region is closed, its areas are revoked, the claim is given up.
 *
 * Invariant: when Linux takes a device's resources back, nothing of ours lies below them.
 * Lock: none of its own; Linux calls under PCI's lock of removals.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_UNPLUG_H
#define TMM_DEVICE_UNPLUG_H

#include <linux/init.h>

struct tmm_instance;

int __init tmm_unplug_init(struct tmm_instance *inst);
void tmm_unplug_exit(void);

#endif /* TMM_DEVICE_UNPLUG_H */
