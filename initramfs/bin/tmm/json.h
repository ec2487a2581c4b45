/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON, written as it comes: the writer knows where a comma belongs, and that what
 * others put into a name may be no text at all.
 *
 * Members of an object have a key; elements of an array, and the outermost value, have
 * NULL. Addresses are strings, "0x...": numbers of 64 bits do not survive every reader.
 */
#ifndef TMM_JSON_H
#define TMM_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a document in the making
 * @out: where to
 * @is_line: all on one line, for one document after the other
 * @depth: open objects and arrays
 * @is_first: nothing was written yet in the innermost of them
 */
struct json {
	FILE *out;
	bool is_line;
	unsigned int depth;
	bool is_first;
};

/* Begins and ends a document, which is an object. */
struct json json_begin(FILE *out, bool is_line);
void json_end(struct json *json);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

void json_number(struct json *json, const char *key, uint64_t value);
/* With @nr_digits behind the point. */
void json_fraction(struct json *json, const char *key, double value, int nr_digits);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_text(struct json *json, const char *key, const char *value);
void json_address(struct json *json, const char *key, uint64_t value);
/* 0 is what the kernel says to those who may not know: null. */
void json_physical(struct json *json, const char *key, uint64_t value);

#endif /* TMM_JSON_H */
