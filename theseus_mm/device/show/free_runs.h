/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two files of /sys/kernel/debug/theseus_mm/: the regions of the frame allocator and of the page
 * allocator, each followed by its free runs.
 */
#ifndef TMM_DEVICE_SHOW_FREE_RUNS_H
#define TMM_DEVICE_SHOW_FREE_RUNS_H

#include <linux/fs.h>

extern const struct file_operations tmm_debugfs_frame_allocator_fops;
extern const struct file_operations tmm_debugfs_page_allocator_fops;

#endif /* TMM_DEVICE_SHOW_FREE_RUNS_H */
