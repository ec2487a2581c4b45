// SPDX-License-Identifier: GPL-2.0
#include "marks.h"

#include <string.h>

/* A number as four bytes from 1 to 255, the lowest first. */
static void encode(unsigned char bytes[4], uint32_t number)
{
	int i;

	for (i = 0; i < 4; i++) {
		bytes[i] = 1 + number % 255;
		number /= 255;
	}
}

uint64_t mark_make(uint32_t domain, uint32_t sequence)
{
	unsigned char bytes[MARK_BYTES];
	uint64_t mark;

	encode(bytes, domain);
	encode(bytes + 4, sequence);
	memcpy(&mark, bytes, sizeof(mark));
	return mark;
}

void mark_fill(void *memory, size_t length, uint64_t mark)
{
	size_t i;

	for (i = 0; i + MARK_BYTES <= length; i += MARK_BYTES)
		memcpy((char *)memory + i, &mark, MARK_BYTES);
}

size_t mark_find_foreign(const void *memory, size_t length, uint64_t offset, uint32_t domain)
{
	const unsigned char *bytes = memory;
	unsigned char mine[4];
	unsigned int lane;
	size_t i;

	encode(mine, domain);
	for (i = 0; i < length; i++) {
		lane = (offset + i) % MARK_BYTES;
		if (lane < 4 && bytes[i] && bytes[i] != mine[lane])
			break;
	}
	return i;
}

size_t mark_find_used(const void *memory, size_t length)
{
	const unsigned char *bytes = memory;
	size_t i;

	for (i = 0; i < length && !bytes[i]; i++)
		;
	return i;
}
