/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_KERNEL_H
#define HOST_LINUX_KERNEL_H

#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define pr_err(...)	((void)0)
#define might_sleep()	host_may_sleep()

int kstrtoull(const char *text, unsigned int base, unsigned long long *value);
int hex_to_bin(unsigned char digit);

#endif
