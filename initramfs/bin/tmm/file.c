// SPDX-License-Identifier: GPL-2.0
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

ssize_t file_read(const char *path, char *buffer, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;
	int error;

	buffer[0] = '\0';
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buffer + length, room - 1 - length);
		if (got > 0)
			length += got;
	} while (got > 0 && length < room - 1);
	error = errno;
	close(fd);
	if (got < 0)
		return -error;
	buffer[length] = '\0';
	return length;
}

ssize_t file_read_line(const char *path, char *buffer, size_t room)
{
	ssize_t length = file_read(path, buffer, room);

	if (length > 0 && buffer[length - 1] == '\n')
		buffer[--length] = '\0';
	return length;
}
