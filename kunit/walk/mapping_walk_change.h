/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_CHANGE_H
#define TMM_KUNIT_MAPPING_WALK_CHANGE_H

#include "walk/mapping_walk.h"

void step_split(struct model *m);
void step_merge(struct model *m);
void step_remap(struct model *m);
/* Drops the mapping, and updates the model. */
void walk_drop(struct model *m, struct model_mapping *mapping);
void step_drop(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_CHANGE_H */
