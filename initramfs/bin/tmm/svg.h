/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A view as a picture for browsers and documents.
 */
#ifndef TMM_SVG_H
#define TMM_SVG_H

#include "view.h"

/* Cells for the largest region, to be given to view_take(). */
#define SVG_CELLS	2048

/* One SVG document that needs nothing else. Errors stay with @out. */
void svg_draw(FILE *out, const struct view *view, bool by_owner);

#endif /* TMM_SVG_H */
