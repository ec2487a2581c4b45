/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choose the address of a VMA for mmap(), so that the VMA can have large leaves.
 */
#ifndef TMM_DEVICE_CALL_UNMAPPED_AREA_H
#define TMM_DEVICE_CALL_UNMAPPED_AREA_H

struct file;

unsigned long tmm_unmapped_area(struct file *file, unsigned long address,
				unsigned long nr_bytes, unsigned long pgoff,
				unsigned long flags);
unsigned long tmm_export_unmapped_area(struct file *file, unsigned long address,
				       unsigned long nr_bytes, unsigned long pgoff,
				       unsigned long flags);
unsigned long tmm_lending_unmapped_area(struct file *file, unsigned long address,
					unsigned long nr_bytes, unsigned long pgoff,
					unsigned long flags);

#endif /* TMM_DEVICE_CALL_UNMAPPED_AREA_H */
