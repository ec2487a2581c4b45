/* SPDX-License-Identifier: GPL-2.0 */
/* Headers that a source of the module gets from Linux without naming them. */
#ifndef HOST_COMMON_H
#define HOST_COMMON_H

#include <linux/compiler_types.h>
#include <linux/init.h>
#include <linux/kernel.h>

/* The checks of a debug kernel are on. */
#define IS_ENABLED(option)	true

#endif
