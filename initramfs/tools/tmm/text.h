/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words and numbers: what the user typed, what the user reads.
 */
#ifndef TMM_TEXT_H
#define TMM_TEXT_H

#include <linux/types.h>
#include <stdbool.h>

/* Room for any number below, with its unit. */
#define TEXT_SIZE	32
/* Room for all flags' names. */
#define TEXT_FLAGS	160

/* "512 MiB": the largest unit that shows the value exactly enough. */
const char *size_text(char buffer[TEXT_SIZE], __u64 bytes);
/* As memmap= takes it: "512M", "0x1000" if no unit divides it. */
const char *memparse_text(char buffer[TEXT_SIZE], __u64 bytes);
/* "writable, no-execute, exclusive" */
const char *flags_text(char buffer[TEXT_FLAGS], __u64 pte_flags);
/* The size of a leaf by its shift: "4 KiB" */
const char *page_text(unsigned int shift);

/* Decimal, 0x or 0 in front, with K, M, G, T behind. False if it is not that. */
bool parse_size(const char *text, __u64 *bytes);
/* As above without a unit; a v or p in front is allowed, as tmm prints it. */
bool parse_address(const char *text, __u64 *address);

/**
 * failed() - say on stderr which call on what failed and why
 * @err: negative errno value
 * @format: the call and its arguments
 *
 * Return: TMM_FAILED
 */
int failed(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens the device or says why not. Return: the descriptor, or -1. */
int open_device(void);

#endif /* TMM_TEXT_H */
