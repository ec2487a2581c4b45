/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_PGTABLE_H
#define HOST_LINUX_PGTABLE_H

#include "runtime.h"

#define pgtable_l5_enabled()	(host_nr_levels == 5)

#endif
