/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines that never get longer than they may: text is collected, then cut where the
 * width ends, whatever colours and letters it is made of.
 */
#ifndef TMM_CANVAS_H
#define TMM_CANVAS_H

#include <stdio.h>

/**
 * canvas_print() - print collected text
 * @out: where
 * @text: lines, with UTF-8 and ESC[...m in them
 * @width: columns that a line may have
 * @rows: lines that there may be; 0 for any number
 * @clear: what to print behind each line; "" for nothing
 *
 * Of too many lines, the last that is printed says how many are missing.
 */
void canvas_print(FILE *out, const char *text, unsigned int width, unsigned int rows,
		  const char *clear);

/* Prints @text in lines of at most @width columns, broken at blanks. */
void canvas_paragraph(FILE *out, const char *text, unsigned int width);

#endif /* TMM_CANVAS_H */
