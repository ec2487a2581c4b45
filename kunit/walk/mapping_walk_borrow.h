/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_BORROW_H
#define TMM_KUNIT_MAPPING_WALK_BORROW_H

#include "walk/mapping_walk.h"

void step_borrow(struct model *m);
/* Ends the borrow, and updates the model. */
void walk_end_borrow(struct model *m, struct model_borrow *borrow);
void step_end_borrow(struct model *m);
void step_write(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_BORROW_H */
