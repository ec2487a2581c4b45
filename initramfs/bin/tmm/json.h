/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Write JSON to a file, value by value. The writer sets commas, and escapes strings, which
 * may be any bytes.
 *
 * Members of an object have a key; for elements of an array and the outermost value, the key
 * is NULL. Addresses are strings, "0x...", since many readers round numbers of 64 bits.
 */
#ifndef TMM_JSON_H
#define TMM_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a document that is being written
 * @out: where to write
 * @is_line: the document is one line
 * @depth: number of open objects and arrays
 * @is_first: the innermost open object or array is still empty
 */
struct json {
	FILE *out;
	bool is_line;
	unsigned int depth;
	bool is_first;
};

/* Begin and end a document, which is an object. */
struct json json_begin(FILE *out, bool is_line);
void json_end(struct json *json);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

void json_number(struct json *json, const char *key, uint64_t value);
/* Write a number with @nr_digits digits after the point. */
void json_fraction(struct json *json, const char *key, double value, int nr_digits);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_text(struct json *json, const char *key, const char *value);
void json_address(struct json *json, const char *key, uint64_t value);
/*
 * Write a physical address. The kernel returns 0 without CAP_SYS_ADMIN, which is written as null.
 */
void json_physical(struct json *json, const char *key, uint64_t value);

#endif /* TMM_JSON_H */
