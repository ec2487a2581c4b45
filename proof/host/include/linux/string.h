/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_STRING_H
#define HOST_LINUX_STRING_H

#include <linux/types.h>

void *memset(void *at, int byte, size_t nr_bytes);
void *memcpy(void *to, const void *from, size_t nr_bytes);
int memcmp(const void *a, const void *b, size_t nr_bytes);
size_t strlen(const char *text);
char *strchr(const char *text, int c);
char *strsep(char **text, const char *separators);

static inline void *memset64(u64 *at, u64 value, size_t nr)
{
	size_t i;

	/* @at need not be aligned, as on x86. */
	for (i = 0; i < nr; i++)
		memcpy(at + i, &value, sizeof(value));
	return at;
}

static inline void *memchr_inv(const void *at, int byte, size_t nr_bytes)
{
	const u8 *c = at;

	for (; nr_bytes; c++, nr_bytes--)
		if (*c != (u8)byte)
			return (void *)c;
	return NULL;
}

#endif
