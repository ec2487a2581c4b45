/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Draw a view as SVG, for browsers and documents.
 */
#ifndef TMM_SVG_H
#define TMM_SVG_H

#include "view.h"

/* The number of cells for the largest region, for view_take(). */
#define SVG_CELLS	2048

/* Write an SVG document that needs no other file. The caller checks @out for errors. */
void svg_draw(FILE *out, const struct view *view, bool by_owner);

#endif /* TMM_SVG_H */
