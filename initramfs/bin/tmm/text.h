/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Convert numbers, names and errors to text for the user, and the user's text to numbers.
 */
#ifndef TMM_TEXT_H
#define TMM_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Room for any number with its unit. */
#define TEXT_SIZE	32
/* Room for the names of all flags. */
#define TEXT_FLAGS	160
/* Room for the text of any error. */
#define TEXT_ERROR	128

struct tmm_client;
struct tmm_translation;

/* Write "512 MiB": the largest unit that the value reaches, rounded down to a tenth. */
const char *size_text(char buffer[TEXT_SIZE], __u64 bytes);
/* Write a number as in memmap=: "512M", or "0x1000" if no unit divides the value. */
const char *memparse_text(char buffer[TEXT_SIZE], __u64 bytes);
/* Write the names of flags: "writable, no-execute, exclusive". */
const char *flags_text(char buffer[TEXT_FLAGS], __u64 pte_flags);
/* Return the flags of the leaf entry, with "valid" and "exclusive", which libtmm leaves out. */
__u64 translation_flags(const struct tmm_translation *translation);
/* Return the size of a leaf, given its shift: "4 KiB". */
const char *page_text(unsigned int shift);

/*
 * Parse a size: decimal, octal (0) or hexadecimal (0x), with a suffix such as K, KB or KiB if
 * wanted, up to T. False if @text is no size.
 */
bool parse_size(const char *text, __u64 *bytes);
/*
 * Parse an address: a number without suffix, with or without the v or p that tmm prints before it.
 */
bool parse_address(const char *text, __u64 *address);

/* Write "1 mapping" or "3 mappings". */
const char *count_text(char buffer[TEXT_SIZE], __u64 nr, const char *noun);
/* Write a share as "12.3 %"; 0 of 0 is "0.0 %". */
const char *share_text(char buffer[TEXT_SIZE], __u64 part, __u64 whole);

/* Write the user's name in /etc/passwd, or the number. */
const char *user_text(char buffer[TEXT_SIZE], __u32 uid);
/* Replace all bytes that are not printable ASCII: a process can choose any name. */
const char *plain_text(char buffer[TEXT_SIZE], const char *name);
/* Length of the UTF-8 sequence at the start of @text; 0 if the bytes are not UTF-8. */
size_t utf8_length(const char *text);

/**
 * failed() - print on stderr which call failed, and why
 * @error: errno
 * @format: the call and its arguments
 *
 * Return: TMM_FAILED
 */
int failed(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print on stderr what is wrong with a file. Return: TMM_FAILED */
int complained(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write an error as "No such file or directory (ENOENT)". */
const char *error_text(char buffer[TEXT_ERROR], int error);

/* Open a client. Return NULL after printing the error. */
struct tmm_client *open_device(void);
/* Return the path that open_device() opens: the variable TMM_DEVICE, else the constant. */
const char *device_path(void);

#endif /* TMM_TEXT_H */
