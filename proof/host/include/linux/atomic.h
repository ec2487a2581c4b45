/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_ATOMIC_H
#define HOST_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define HOST_ATOMIC(name, type, value_type)						\
static inline value_type name##_read(const type *v)					\
{											\
	return v->counter;								\
}											\
static inline void name##_set(type *v, value_type value)				\
{											\
	v->counter = value;								\
}											\
static inline value_type name##_add_return(value_type nr, type *v)			\
{											\
	return v->counter += nr;							\
}											\
static inline value_type name##_sub_return(value_type nr, type *v)			\
{											\
	return v->counter -= nr;							\
}											\
static inline void name##_inc(type *v)							\
{											\
	v->counter++;									\
}											\
static inline void name##_dec(type *v)							\
{											\
	v->counter--;									\
}											\
static inline bool name##_dec_and_test(type *v)						\
{											\
	return !--v->counter;								\
}											\
static inline bool name##_add_unless(type *v, value_type nr, value_type unless)		\
{											\
	if (v->counter == unless)							\
		return false;								\
	v->counter += nr;								\
	return true;									\
}											\
static inline void name##_or(value_type bits, type *v)					\
{											\
	v->counter |= bits;								\
}											\
static inline value_type name##_xchg(type *v, value_type value)				\
{											\
	value_type old = v->counter;							\
											\
	v->counter = value;								\
	return old;									\
}											\
static inline bool name##_try_cmpxchg(type *v, value_type *old, value_type value)	\
{											\
	if (v->counter != *old) {							\
		*old = v->counter;							\
		return false;								\
	}										\
	v->counter = value;								\
	return true;									\
}

HOST_ATOMIC(atomic, atomic_t, int)
HOST_ATOMIC(atomic64, atomic64_t, s64)

#endif
