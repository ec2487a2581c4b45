/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux's own memory map, /proc/iomem.
 */
#ifndef TMM_IOMEM_H
#define TMM_IOMEM_H

#include "ranges.h"

/**
 * struct iomem - the RAM of Linux
 * @ram: all System RAM
 * @in_use: the part with a use of its own: the kernel's image, the crash kernel and others
 */
struct iomem {
	struct ranges ram;
	struct ranges in_use;
};

/* Read a map. Return TMM_OK, or TMM_FAILED after printing the error. */
int iomem_read(const char *path, struct iomem *iomem);

#endif /* TMM_IOMEM_H */
