/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run out of open files on purpose. fs.file-max is the limit of all files together; processes with
 * CAP_SYS_ADMIN may open more.
 */
#ifndef TESTS_OPEN_FILES_H
#define TESTS_OPEN_FILES_H

#include "limits.h"

#define OPEN_FILES_MAX	"/proc/sys/fs/file-max"
#define OPEN_FILES_TEXT	32

static inline int open_files_set_max(const char *max)
{
	int fd = open(OPEN_FILES_MAX, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, max, strlen(max)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/*
 * Let Linux give this process no more files. @max receives the old limit, for
 * open_files_resume().
 */
static inline int open_files_end(char max[OPEN_FILES_TEXT])
{
	int fd = open(OPEN_FILES_MAX, O_RDONLY | O_CLOEXEC), err;
	ssize_t nr;

	if (fd < 0)
		return -errno;
	nr = read(fd, max, OPEN_FILES_TEXT - 1);
	close(fd);
	if (nr <= 0)
		return -EIO;
	max[nr] = '\0';
	err = open_files_set_max("0");
	if (err)
		return err;
	err = set_capability(CAP_SYS_ADMIN, false);
	if (err)
		open_files_set_max(max);
	return err;
}

static inline int open_files_resume(const char *max)
{
	int err = set_capability(CAP_SYS_ADMIN, true);

	return err ? err : open_files_set_max(max);
}

#endif /* TESTS_OPEN_FILES_H */
