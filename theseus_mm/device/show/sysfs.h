/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /sys/class/misc/theseus_mm/: one value per file, or one line per region.
 */
#ifndef TMM_DEVICE_SHOW_SYSFS_H
#define TMM_DEVICE_SHOW_SYSFS_H

struct attribute_group;
struct tmm_instance;

const struct attribute_group **tmm_sysfs_init(struct tmm_instance *inst);

#endif /* TMM_DEVICE_SHOW_SYSFS_H */
