/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_CPUMASK_H
#define HOST_LINUX_CPUMASK_H

#include "runtime.h"

#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < HOST_NR_CPUS; (cpu)++)

#endif
