// SPDX-License-Identifier: GPL-2.0
#include "descriptor.h"

#include "text.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

int get_descriptor(int pid, int number)
{
	int pidfd, fd, error;

	if (!pid)
		return number;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		failed(errno, "process %d", pid);
		return -1;
	}
	fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	error = errno;
	close(pidfd);
	if (fd < 0)
		failed(error, "descriptor %d of process %d", number, pid);
	return fd;
}

bool parse_int(const char *text, int *number)
{
	__u64 value;

	if (!parse_size(text, &value) || value > INT_MAX)
		return false;
	*number = value;
	return true;
}
