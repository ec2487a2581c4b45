/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Print text in lines of limited width. Colours do not count as columns, and a UTF-8
 * sequence counts as one.
 */
#ifndef TMM_CANVAS_H
#define TMM_CANVAS_H

#include <stdio.h>

/**
 * canvas_print() - print collected text
 * @out: where to print
 * @text: lines, with UTF-8 and ESC[...m in them
 * @width: columns that a line may have; the rest of a longer line is cut off
 * @rows: lines to print at most; 0 for any number
 * @clear: text to print after each line; may be ""
 *
 * If there are too many lines, the last printed line says how many are missing.
 */
void canvas_print(FILE *out, const char *text, unsigned int width, unsigned int rows,
		  const char *clear);

/* Prints @text in lines of at most @width columns, broken at blanks. */
void canvas_paragraph(FILE *out, const char *text, unsigned int width);

#endif /* TMM_CANVAS_H */
