/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for tests of limits: module parameters, other users, fewer capabilities.
 */
#ifndef TESTS_LIMITS_H
#define TESTS_LIMITS_H

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARAMETERS	"/sys/module/theseus_mm/parameters/"

static inline int write_parameter(const char *name, const char *text)
{
	char path[80];
	ssize_t written;
	int fd, err;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	err = written < 0 ? -errno : 0;
	close(fd);
	return err;
}

static inline int write_number(const char *name, __u64 number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return write_parameter(name, text);
}

static inline int read_parameter(const char *name, char text[32])
{
	char path[80];
	ssize_t nr;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	nr = read(fd, text, 31);
	close(fd);
	text[nr > 0 ? nr : 0] = 0;
	return 0;
}

/* Open a client as another user, although only root may open the device. */
static inline int open_as(uid_t uid)
{
	int fd;

	if (setreuid(uid, -1))
		return -errno;
	fd = uapi_open(NULL);
	return setreuid(0, -1) ? -errno : fd;
}

/* Clear or set a capability in the effective set. */
static inline int set_capability(unsigned int capability, bool is_on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	__u32 bit = 1U << capability % 32;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	if (is_on)
		data[capability / 32].effective |= bit;
	else
		data[capability / 32].effective &= ~bit;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

#endif /* TESTS_LIMITS_H */
