/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words and numbers: what the user typed, what the user reads.
 */
#ifndef TMM_TEXT_H
#define TMM_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Room for any number below, with its unit. */
#define TEXT_SIZE	32
/* Room for all flags' names. */
#define TEXT_FLAGS	160
/* Room for any error's words. */
#define TEXT_ERROR	128

struct tmm_client;
struct tmm_translation;

/* "512 MiB": the largest unit that shows the value exactly enough. */
const char *size_text(char buffer[TEXT_SIZE], __u64 bytes);
/* As memmap= takes it: "512M", "0x1000" if no unit divides it. */
const char *memparse_text(char buffer[TEXT_SIZE], __u64 bytes);
/* "writable, no-execute, exclusive" */
const char *flags_text(char buffer[TEXT_FLAGS], __u64 pte_flags);
/* What the entry shows: a leaf that was found is valid; libtmm tells exclusive apart. */
__u64 translation_flags(const struct tmm_translation *translation);
/* The size of a leaf by its shift: "4 KiB" */
const char *page_text(unsigned int shift);

/* Decimal, 0x or 0 in front, with K, M, G, T behind. False if it is not that. */
bool parse_size(const char *text, __u64 *bytes);
/* As above without a unit; a v or p in front is allowed, as tmm prints it. */
bool parse_address(const char *text, __u64 *address);

/* "3 mappings": the noun as the number wants it. */
const char *count_text(char buffer[TEXT_SIZE], __u64 nr, const char *noun);
/* "12.3 %"; 0 of 0 is none. */
const char *share_text(char buffer[TEXT_SIZE], __u64 part, __u64 whole);

/* The name of a user of this system's /etc/passwd, or the number. */
const char *user_text(char buffer[TEXT_SIZE], __u32 uid);
/* What a process calls itself may be anything: nothing that moves a cursor remains. */
const char *plain_text(char buffer[TEXT_SIZE], const char *name);
/* Bytes of the UTF-8 sequence that @text begins with; 0 if it is none. */
size_t utf8_length(const char *text);

/**
 * failed() - say on stderr which call on what failed and why
 * @error: errno
 * @format: the call and its arguments
 *
 * Return: TMM_FAILED
 */
int failed(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "No such file or directory (ENOENT)" */
const char *error_text(char buffer[TEXT_ERROR], int error);

/* Becomes a client, or says why not. Return: the client, or NULL. */
struct tmm_client *open_device(void);
/* What open_device() opens: what TMM_DEVICE in the environment names, else TMM_DEVICE. */
const char *device_path(void);

#endif /* TMM_TEXT_H */
