/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CAP_SYS_RAWIO, which identity mappings and device memory need.
 */
#ifndef TESTS_RAWIO_H
#define TESTS_RAWIO_H

#include "client.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#define DEVICE_DATA	(THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY)
#define LARGE		(512 * PAGE)

static inline int set_rawio(bool is_on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	data[0].effective |= (__u32)is_on << CAP_SYS_RAWIO;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

#endif /* TESTS_RAWIO_H */
