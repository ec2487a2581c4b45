/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is it JSON? Nothing is made of it: a value, and blanks, and no byte more.
 */
#ifndef TESTS_JSON_CHECK_H
#define TESTS_JSON_CHECK_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/**
 * struct json_text - what is left of it
 * @at: the next byte
 * @end: behind the last one
 */
struct json_text {
	const char *at;
	const char *end;
};

static bool json_value(struct json_text *text, unsigned int depth);

static void json_blanks(struct json_text *text)
{
	while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
		text->at++;
}

static bool json_take(struct json_text *text, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length))
		return false;
	text->at += length;
	return true;
}

static bool json_string(struct json_text *text)
{
	unsigned int i;

	if (!json_take(text, "\""))
		return false;
	while (text->at < text->end && *text->at != '"') {
		if ((unsigned char)*text->at < ' ')
			return false;
		if (*text->at++ != '\\')
			continue;
		if (text->at >= text->end || !strchr("\"\\/bfnrtu", *text->at))
			return false;
		if (*text->at++ != 'u')
			continue;
		for (i = 0; i < 4; i++)
			if (text->at >= text->end || !isxdigit((unsigned char)*text->at++))
				return false;
	}
	return json_take(text, "\"");
}

static bool json_digits(struct json_text *text)
{
	const char *start = text->at;

	while (text->at < text->end && isdigit((unsigned char)*text->at))
		text->at++;
	return text->at > start;
}

static bool json_number(struct json_text *text)
{
	json_take(text, "-");
	if (!json_take(text, "0") && !json_digits(text))
		return false;
	if (json_take(text, ".") && !json_digits(text))
		return false;
	if (!json_take(text, "e") && !json_take(text, "E"))
		return true;
	if (!json_take(text, "+"))
		json_take(text, "-");
	return json_digits(text);
}

/* The rest of an object or array, up to @close. */
static bool json_members(struct json_text *text, unsigned int depth, bool has_keys,
			 const char *close)
{
	json_blanks(text);
	if (json_take(text, close))
		return true;
	do {
		json_blanks(text);
		if (has_keys && !json_string(text))
			return false;
		json_blanks(text);
		if (has_keys && !json_take(text, ":"))
			return false;
		if (!json_value(text, depth + 1))
			return false;
		json_blanks(text);
	} while (json_take(text, ","));
	return json_take(text, close);
}

static bool json_value(struct json_text *text, unsigned int depth)
{
	json_blanks(text);
	if (depth > 100 || text->at >= text->end)
		return false;
	if (*text->at == '"')
		return json_string(text);
	if (json_take(text, "{"))
		return json_members(text, depth, true, "}");
	if (json_take(text, "["))
		return json_members(text, depth, false, "]");
	return json_take(text, "true") || json_take(text, "false") || json_take(text, "null") ||
	       json_number(text);
}

static bool json_is_valid(const char *bytes, size_t length)
{
	struct json_text text = { .at = bytes, .end = bytes + length };

	if (!json_value(&text, 0))
		return false;
	json_blanks(&text);
	return text.at == text.end;
}

#endif /* TESTS_JSON_CHECK_H */
