/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_PERCPU_H
#define HOST_LINUX_PERCPU_H

#include "runtime.h"

#include <linux/types.h>

void *host_alloc_percpu(size_t nr_bytes);
void host_free_percpu(void *each);

#define alloc_percpu(type)		((type *)host_alloc_percpu(sizeof(type)))
#define free_percpu(each)		host_free_percpu(each)
#define per_cpu_ptr(each, cpu)		((each) + (cpu))
#define raw_cpu_ptr(each)		((each) + host_cpu)

#endif
