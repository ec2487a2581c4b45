/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read, search and write the files of /proc, /sys and debugfs.
 */
#ifndef TESTS_TEXT_H
#define TESTS_TEXT_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer than every text that the tests read. */
#define TEXT_MAX	(1 << 20)

/* Read the rest of @fd, @step bytes at a time. Return: the text, to be freed; NULL with errno */
static inline char *text_rest(int fd, size_t step)
{
	char *text = malloc(TEXT_MAX);
	size_t nr = 0;
	ssize_t got;

	if (!text)
		return NULL;
	do {
		got = read(fd, text + nr, nr + step < TEXT_MAX ? step : TEXT_MAX - 1 - nr);
		if (got < 0) {
			free(text);
			return NULL;
		}
		nr += got;
	} while (got > 0);
	text[nr] = '\0';
	return text;
}

static inline char *text_in_steps(const char *path, size_t step)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return NULL;
	text = text_rest(fd, step);
	close(fd);
	return text;
}

static inline char *text_of(const char *path)
{
	return text_in_steps(path, 65536);
}

/* Does @text contain the formatted string? */
__attribute__((format(printf, 2, 3)))
static inline bool text_has(const char *text, const char *format, ...)
{
	char wanted[256];
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	return text && strstr(text, wanted);
}

static inline bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

#endif /* TESTS_TEXT_H */
