/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/theseus_mm, what it shows in sysfs, and the operations of all files that programs
 * have descriptors of.
 *
 * Owner: device/startup.c. Open files hold the module in place, so the instance outlives
 * every client.
 */
#ifndef TMM_DEVICE_FILES_H
#define TMM_DEVICE_FILES_H

#include <linux/miscdevice.h>

struct tmm_instance;

/**
 * struct tmm_chardev - the device
 * @misc: its registration
 * @inst: the instance that its clients work on
 */
struct tmm_chardev {
	struct miscdevice misc;
	struct tmm_instance *inst;
};

int __must_check tmm_files_register(struct tmm_chardev *dev, struct tmm_instance *inst);
void tmm_files_unregister(struct tmm_chardev *dev);

/* show/sysfs.c */
extern const struct attribute_group *tmm_sysfs_groups[];

#endif /* TMM_DEVICE_FILES_H */
