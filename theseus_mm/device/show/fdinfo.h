/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/PID/fdinfo/FD of a client, an exported mapping or a lending descriptor, in the format
 * of DRM's fdinfo: "<key>:\t<value>[ KiB]". Keys may be added, and are never changed. No
 * physical address is shown.
 */
#ifndef TMM_DEVICE_SHOW_FDINFO_H
#define TMM_DEVICE_SHOW_FDINFO_H

struct file;
struct seq_file;

void tmm_export_show_fdinfo(struct seq_file *m, struct file *file);
void tmm_lending_show_fdinfo(struct seq_file *m, struct file *file);
void tmm_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* TMM_DEVICE_SHOW_FDINFO_H */
