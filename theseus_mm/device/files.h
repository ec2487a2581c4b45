/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/theseus_mm, and the file operations of every descriptor that a program can have.
 *
 * Owner: device/startup.c. An open file holds a reference to the module, so the instance
 * outlives every client.
 */
#ifndef TMM_DEVICE_FILES_H
#define TMM_DEVICE_FILES_H

#include <linux/miscdevice.h>

struct tmm_instance;

/* The device /dev/theseus_mm. Its clients work on @inst. */
struct tmm_chardev {
	struct miscdevice misc;
	struct tmm_instance *inst;
};

int __must_check tmm_files_register(struct tmm_chardev *dev, struct tmm_instance *inst);
void tmm_files_unregister(struct tmm_chardev *dev);

#endif /* TMM_DEVICE_FILES_H */
