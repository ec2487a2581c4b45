/* SPDX-License-Identifier: GPL-2.0 */
/* A sorted array: the bad frames of a check are few. */
#ifndef HOST_LINUX_XARRAY_H
#define HOST_LINUX_XARRAY_H

#include "runtime.h"

#include <linux/errno.h>
#include <linux/types.h>

#define HOST_XARRAY_SIZE	16
#define XA_PRESENT		0
#define xa_mk_value(value)	((void *)(((unsigned long)(value) << 1) | 1))

struct xarray {
	unsigned int nr;
	unsigned long index[HOST_XARRAY_SIZE];
	void *entry[HOST_XARRAY_SIZE];
};

static inline void xa_init(struct xarray *xa)
{
	xa->nr = 0;
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !xa->nr;
}

static inline int xa_insert(struct xarray *xa, unsigned long index, void *entry, unsigned int flags)
{
	unsigned int i = 0, j;

	while (i < xa->nr && xa->index[i] < index)
		i++;
	if (i < xa->nr && xa->index[i] == index)
		return -EBUSY;
	if (host_heap_refuses())
		return -ENOMEM;
	if (xa->nr == HOST_XARRAY_SIZE)
		host_fail(__FILE__, __LINE__, "the stand-in for xarrays is too small");
	for (j = xa->nr++; j > i; j--) {
		xa->index[j] = xa->index[j - 1];
		xa->entry[j] = xa->entry[j - 1];
	}
	xa->index[i] = index;
	xa->entry[i] = entry;
	return 0;
}

static inline void xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned int i, j = 0;

	for (i = 0; i < xa->nr; i++) {
		if (xa->index[i] == index)
			continue;
		xa->index[j] = xa->index[i];
		xa->entry[j++] = xa->entry[i];
	}
	xa->nr = j;
}

static inline void *xa_find(const struct xarray *xa, unsigned long *index, unsigned long max,
			    unsigned int filter)
{
	unsigned int i;

	for (i = 0; i < xa->nr; i++) {
		if (xa->index[i] < *index || xa->index[i] > max)
			continue;
		*index = xa->index[i];
		return xa->entry[i];
	}
	return NULL;
}

static inline void *host_xa_after(const struct xarray *xa, unsigned long *index, unsigned long max)
{
	++*index;
	return *index ? xa_find(xa, index, max, XA_PRESENT) : NULL;
}

#define xa_for_each_range(xa, at, element, start, last)				\
	for ((at) = (start), (element) = xa_find(xa, &(at), last, XA_PRESENT);	\
	     (element); (element) = host_xa_after(xa, &(at), last))
#define xa_for_each(xa, at, element)	xa_for_each_range(xa, at, element, 0, ~0UL)

#endif
