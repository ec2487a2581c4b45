/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_CPUHOTPLUG_H
#define HOST_LINUX_CPUHOTPLUG_H

#include "runtime.h"

#include <linux/list.h>

enum cpuhp_state {
	CPUHP_INVALID,
	CPUHP_BP_PREPARE_DYN,
};

/* The function that a check calls for a CPU that goes */
extern int (*host_leave_cpu)(unsigned int cpu, struct hlist_node *node);

static inline int cpuhp_setup_state_multi(enum cpuhp_state state, const char *name,
					  int (*startup)(unsigned int cpu, struct hlist_node *node),
					  int (*teardown)(unsigned int cpu,
							  struct hlist_node *node))
{
	host_leave_cpu = teardown;
	return state;
}

static inline void cpuhp_remove_multi_state(enum cpuhp_state state)
{
}

static inline int cpuhp_state_add_instance_nocalls(enum cpuhp_state state, struct hlist_node *node)
{
	return host_heap_refuses() ? -12 : 0;
}

static inline void cpuhp_state_remove_instance_nocalls(enum cpuhp_state state,
						       struct hlist_node *node)
{
}

#endif
