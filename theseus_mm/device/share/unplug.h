/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removal of devices whose memory is a region. A notifier closes the region, revokes its
 * areas and releases the claim.
 *
 * Invariant: when Linux releases a device's resources, every claim that the module made below
 * them before the device's last event is gone. PCI's lock prevents later claims.
 * Lock: none of its own. Linux calls the notifier with its lock for PCI removal held. Linux does
 * not hold this lock for platform devices, or when a driver that made PCI devices is unbound.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_SHARE_UNPLUG_H
#define TMM_DEVICE_SHARE_UNPLUG_H

#include <linux/init.h>

struct tmm_instance;

int __init tmm_unplug_init(struct tmm_instance *inst);
void tmm_unplug_exit(void);

#endif /* TMM_DEVICE_SHARE_UNPLUG_H */
