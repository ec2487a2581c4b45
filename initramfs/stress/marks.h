/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The content oracle: every word that a program writes into memory is a mark. The first four bytes
 * name the domain, the processes that hand memory to each other; the others are a number that grows.
 * No byte of a mark is 0, and each is at its own place in a word. So one of the first four bytes is
 * enough to show a writer of another domain, unless both domains have that byte in common.
 */
#ifndef STRESS_MARKS_H
#define STRESS_MARKS_H

#include <stddef.h>
#include <stdint.h>

#define MARK_BYTES	8

/* Return: the mark of @domain with the number @sequence */
uint64_t mark_make(uint32_t domain, uint32_t sequence);

/* Fill @length bytes, a multiple of MARK_BYTES, with @mark. */
void mark_fill(void *memory, size_t length, uint64_t mark);

/*
 * Look for bytes that are neither 0 nor of @domain. @offset is the place of the first byte in its
 * mapping.
 *
 * Return: the place of the first such byte, or @length
 */
size_t mark_find_foreign(const void *memory, size_t length, uint64_t offset, uint32_t domain);

/* Return: the place of the first byte that is not 0, or @length */
size_t mark_find_used(const void *memory, size_t length);

#endif /* STRESS_MARKS_H */
