/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parameters of the kernel's command line, with which the host describes the guest.
 */
#ifndef TESTS_COMMAND_LINE_H
#define TESTS_COMMAND_LINE_H

#include "text.h"

#define COMMAND_LINE	2048

/* Copy the value of the last "@name=". Return: false if there is none, or an empty one */
static inline bool command_line_value(const char *name, char value[COMMAND_LINE])
{
	char *line = text_of("/proc/cmdline"), *word, *rest;
	size_t length = strlen(name);

	value[0] = '\0';
	for (word = line ? strtok_r(line, "\n ", &rest) : NULL; word;
	     word = strtok_r(NULL, "\n ", &rest))
		if (!strncmp(word, name, length) && word[length] == '=')
			snprintf(value, COMMAND_LINE, "%s", word + length + 1);
	free(line);
	return value[0];
}

#endif /* TESTS_COMMAND_LINE_H */
