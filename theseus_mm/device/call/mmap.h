/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mmap() of the three kinds of descriptors.
 */
#ifndef TMM_DEVICE_CALL_MMAP_H
#define TMM_DEVICE_CALL_MMAP_H

struct file;
struct vm_area_struct;

int tmm_mmap(struct file *file, struct vm_area_struct *vma);
int tmm_export_mmap(struct file *file, struct vm_area_struct *vma);
int tmm_lending_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* TMM_DEVICE_CALL_MMAP_H */
