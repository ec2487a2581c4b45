/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dispatch: the ioctl() of each kind of descriptor finds and runs the function of the call.
 */
#ifndef TMM_DEVICE_CALL_DISPATCH_H
#define TMM_DEVICE_CALL_DISPATCH_H

struct file;

long tmm_ioctl(struct file *file, unsigned int cmd, unsigned long user);
long tmm_export_ioctl(struct file *file, unsigned int cmd, unsigned long user);
long tmm_lending_ioctl(struct file *file, unsigned int cmd, unsigned long user);

#endif /* TMM_DEVICE_CALL_DISPATCH_H */
