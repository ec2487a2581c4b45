/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_ROOT_H
#define TMM_KUNIT_MAPPING_WALK_ROOT_H

#include "walk/mapping_walk.h"

void step_new_root(struct model *m);
void step_drop_root(struct model *m);
void step_switch(struct model *m);
/* Drops the context, and updates the model. */
void walk_drop_context(struct model *m);
void step_context(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_ROOT_H */
