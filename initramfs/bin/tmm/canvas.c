// SPDX-License-Identifier: GPL-2.0
#include "canvas.h"

#include "text.h"

#include <stdbool.h>
#include <string.h>

/* Length of the escape sequence at the start of @text; 0 if there is none. */
static size_t escape_length(const char *text)
{
	size_t length;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	for (length = 2; text[length] && (text[length] < '@' || text[length] > '~'); length++)
		;
	return text[length] ? length + 1 : length;
}

/* Print one line, and return the start of the next one. */
static const char *print_line(FILE *out, const char *text, unsigned int width)
{
	unsigned int column = 0;
	bool has_colour = false;
	size_t length;

	for (; *text && *text != '\n'; text += length) {
		length = escape_length(text);
		has_colour = has_colour || length;
		if (!length) {
			length = utf8_length(text);
			length += !length;
			if (column++ >= width)
				continue;
		}
		fwrite(text, 1, length, out);
	}
	if (has_colour && column > width)
		fputs("\033[0m", out);
	return *text ? text + 1 : text;
}

static unsigned int count_lines(const char *text)
{
	unsigned int nr = 0;

	for (; *text; text += !!*text) {
		text = strchrnul(text, '\n');
		nr++;
	}
	return nr;
}

void canvas_print(FILE *out, const char *text, unsigned int width, unsigned int rows,
		  const char *clear)
{
	unsigned int nr = count_lines(text), i;

	for (i = 0; i < nr && (!rows || i < rows); i++) {
		if (rows && nr > rows && i == rows - 1)
			fprintf(out, "... %u more lines", nr - i);
		else
			text = print_line(out, text, width);
		fputs(clear, out);
		/* no newline in the last row, since it would scroll the terminal */
		if (!rows || i < rows - 1)
			putc('\n', out);
	}
}

void canvas_paragraph(FILE *out, const char *text, unsigned int width)
{
	unsigned int column = 0, length;

	while (*text) {
		length = strcspn(text, " ");
		if (column && column + 1 + length > width) {
			putc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%s%.*s", column ? " " : "", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
	putc('\n', out);
}
