/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /sys/kernel/debug/theseus_mm/: the state of the module, for people to read. Not ABI.
 */
#ifndef TMM_DEVICE_SHOW_DEBUGFS_H
#define TMM_DEVICE_SHOW_DEBUGFS_H

struct tmm_instance;

void tmm_debugfs_init(struct tmm_instance *inst);
void tmm_debugfs_exit(void);

#endif /* TMM_DEVICE_SHOW_DEBUGFS_H */
