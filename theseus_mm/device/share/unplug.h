/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removal of devices whose memory is a region. A notifier closes the region, revokes its
 * areas and releases the claim.
 *
 * Invariant: at the last event of a device, the module releases the claims that lie below the
 * device's resources in Linux's resource tree. Linux releases the resources later, and Linux's
 * lock for PCI removal prevents new claims until then.
 * Lock: none of its own. Linux holds its lock for PCI removal during the notifier, but not for
 * platform devices, and not when a driver that made PCI devices is unbound.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_SHARE_UNPLUG_H
#define TMM_DEVICE_SHARE_UNPLUG_H

#include <linux/init.h>

struct tmm_instance;

int __init tmm_unplug_init(struct tmm_instance *inst);
void tmm_unplug_exit(void);

#endif /* TMM_DEVICE_SHARE_UNPLUG_H */
