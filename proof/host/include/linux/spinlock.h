/* SPDX-License-Identifier: GPL-2.0 */
/* Locks of the one task that a check has. Each lock knows whether it is held. */
#ifndef HOST_LINUX_SPINLOCK_H
#define HOST_LINUX_SPINLOCK_H

#include "runtime.h"

#include <linux/compiler.h>
#include <linux/types.h>

typedef struct spinlock {
	bool is_held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->is_held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	host_lock(&lock->is_held);
}

static inline void spin_unlock(spinlock_t *lock)
{
	host_unlock(&lock->is_held);
}

#define spin_lock_irqsave(lock, flags)		do { (flags) = 0; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags)	do { (void)(flags); spin_unlock(lock); } while (0)

#define lockdep_is_held(lock)		((lock)->is_held)
#define lockdep_assert_held(lock)						\
	do {									\
		if (!(lock)->is_held)						\
			host_fail(__FILE__, __LINE__, #lock " is not held");	\
	} while (0)

#endif
