// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include "text.h"

static void new_line(const struct json *json)
{
	unsigned int i;

	if (json->is_line)
		return;
	putc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

static void put_text(FILE *out, const char *text)
{
	size_t length;

	putc('"', out);
	for (; *text; text += length) {
		length = utf8_length(text);
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (length > 1 || ((unsigned char)*text >= ' ' && *text < 0x7f))
			fwrite(text, 1, length, out);
		else
			/* a control character, or a byte that is not UTF-8, taken as Latin-1 */
			fprintf(out, "\\u%04x", (unsigned char)*text);
		length += !length;
	}
	putc('"', out);
}

/* Write the comma, the line break and the key before a value. */
static void lead(struct json *json, const char *key)
{
	if (!json->is_first)
		putc(',', json->out);
	if (json->depth && !json->is_line)
		new_line(json);
	else if (!json->is_first)
		putc(' ', json->out);
	json->is_first = false;
	if (key) {
		put_text(json->out, key);
		fputs(": ", json->out);
	}
}

static void open_with(struct json *json, const char *key, char bracket)
{
	lead(json, key);
	putc(bracket, json->out);
	json->depth++;
	json->is_first = true;
}

static void close_with(struct json *json, char bracket)
{
	bool is_empty = json->is_first;

	json->depth--;
	json->is_first = false;
	if (!is_empty)
		new_line(json);
	putc(bracket, json->out);
}

struct json json_begin(FILE *out, bool is_line)
{
	struct json json = { .out = out, .is_line = is_line, .is_first = true };

	json_open_object(&json, NULL);
	return json;
}

void json_end(struct json *json)
{
	json_close_object(json);
	putc('\n', json->out);
	fflush(json->out);
}

void json_open_object(struct json *json, const char *key)
{
	open_with(json, key, '{');
}

void json_close_object(struct json *json)
{
	close_with(json, '}');
}

void json_open_array(struct json *json, const char *key)
{
	open_with(json, key, '[');
}

void json_close_array(struct json *json)
{
	close_with(json, ']');
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	lead(json, key);
	fprintf(json->out, "%llu", (unsigned long long)value);
}

void json_fraction(struct json *json, const char *key, double value, int nr_digits)
{
	lead(json, key);
	fprintf(json->out, "%.*f", nr_digits, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	lead(json, key);
	fputs("null", json->out);
}

void json_text(struct json *json, const char *key, const char *value)
{
	lead(json, key);
	put_text(json->out, value);
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	lead(json, key);
	fprintf(json->out, "\"0x%llx\"", (unsigned long long)value);
}

void json_physical(struct json *json, const char *key, uint64_t value)
{
	if (value)
		json_address(json, key, value);
	else
		json_null(json, key);
}
