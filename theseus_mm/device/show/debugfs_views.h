/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of /sys/kernel/debug/theseus_mm/ that are too long to be made at once, or
 * that are asked something. Each open file has a position of its own, an object's
 * or an address, and goes on from there whatever has come and gone meanwhile.
 */
#ifndef TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H
#define TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H

#include <linux/fs.h>

extern const struct file_operations tmm_debugfs_clients_fops;
extern const struct file_operations tmm_debugfs_mappings_fops;
extern const struct file_operations tmm_debugfs_walk_fops;

#endif /* TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H */
