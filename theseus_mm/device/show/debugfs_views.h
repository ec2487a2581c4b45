/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two files of /sys/kernel/debug/theseus_mm/ that are too long to be produced in one read, and
 * the file "walk", which shows the entries for an address that was written to it. Each open file
 * of the first two has its own position: an object's number or an address. Reading resumes at
 * that position, even if objects or mappings have come or gone since the last read.
 */
#ifndef TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H
#define TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H

#include <linux/fs.h>

extern const struct file_operations tmm_debugfs_clients_fops;
extern const struct file_operations tmm_debugfs_mappings_fops;
extern const struct file_operations tmm_debugfs_walk_fops;

#endif /* TMM_DEVICE_SHOW_DEBUGFS_VIEWS_H */
