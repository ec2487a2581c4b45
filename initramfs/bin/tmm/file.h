/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read the short files of /proc and /sys as a whole.
 */
#ifndef TMM_FILE_H
#define TMM_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Read a file into @buffer, and add a null byte. What does not fit is left out. Return: the
 * number of bytes, or a negative errno.
 */
ssize_t file_read(const char *path, char *buffer, size_t room);

/* Read a file as file_read() does, and remove the line break at the end. */
ssize_t file_read_line(const char *path, char *buffer, size_t room);

#endif /* TMM_FILE_H */
