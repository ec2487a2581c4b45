/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_REFCOUNT_H
#define HOST_LINUX_REFCOUNT_H

#include "runtime.h"

#include <linux/atomic.h>

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

static inline void refcount_set(refcount_t *r, int nr)
{
	atomic_set(&r->refs, nr);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return atomic_read(&r->refs);
}

static inline void refcount_inc(refcount_t *r)
{
	if (atomic_read(&r->refs) <= 0)
		host_fail(__FILE__, __LINE__, "a reference on an object that is gone");
	atomic_inc(&r->refs);
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	if (atomic_read(&r->refs) <= 0)
		host_fail(__FILE__, __LINE__, "a reference is dropped twice");
	return atomic_dec_and_test(&r->refs);
}

#endif
