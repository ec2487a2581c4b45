/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_SCHED_H
#define HOST_LINUX_SCHED_H

#include "runtime.h"

#define current			host_task
#define cond_resched()		host_may_sleep()
#define TASK_NORMAL		3
#define preempt_model_full()	false
#define preempt_model_rt()	false

#endif
