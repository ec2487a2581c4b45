/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removal of devices whose memory is a region. A notifier closes the region, revokes its
 * areas and releases the claim.
 *
 * Invariant: when Linux releases a device's resources, no claim of ours lies below them that
 * was made before the device's last event. PCI's lock keeps later claims away.
 * Lock: none of its own. Linux calls the notifier with its lock for PCI removal held, but not
 * for platform devices, nor when a driver is unbound that made PCI devices.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_SHARE_UNPLUG_H
#define TMM_DEVICE_SHARE_UNPLUG_H

#include <linux/init.h>

struct tmm_instance;

int __init tmm_unplug_init(struct tmm_instance *inst);
void tmm_unplug_exit(void);

#endif /* TMM_DEVICE_SHARE_UNPLUG_H */
