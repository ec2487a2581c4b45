/* SPDX-License-Identifier: GPL-2.0 */
/* Compares an allocator with the model of its walkers, and with what each walker owns. */
#ifndef TMM_KUNIT_RANGE_COMPARE_H
#define TMM_KUNIT_RANGE_COMPARE_H

#include "walk/range_walk.h"

/* Compares after a step of @w, while other walkers may take steps. */
void range_compare_step(struct range_walker *w);

/*
 * Compares everything. @context is the struct range_walk. No walker takes a step meanwhile. Returns
 * true if no walker has an error.
 */
bool range_compare_all(void *context);

#endif /* TMM_KUNIT_RANGE_COMPARE_H */
