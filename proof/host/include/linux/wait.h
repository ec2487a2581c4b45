/* SPDX-License-Identifier: GPL-2.0 */
/* The one task never sleeps, so nobody is to be woken. */
#ifndef HOST_LINUX_WAIT_H
#define HOST_LINUX_WAIT_H

#include <linux/types.h>

struct wait_queue_head {
	int unused;
};

#define DECLARE_WAIT_QUEUE_HEAD(name)	struct wait_queue_head name
#define wake_up_all(queue)		((void)(queue))

static inline bool wq_has_sleeper(struct wait_queue_head *queue)
{
	return false;
}

#endif
