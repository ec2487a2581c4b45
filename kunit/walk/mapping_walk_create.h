/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_CREATE_H
#define TMM_KUNIT_MAPPING_WALK_CREATE_H

#include "walk/mapping_walk.h"

void step_create(struct model *m);
void step_create_contiguous(struct model *m);
void step_create_identity(struct model *m);
void step_deep_copy(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_CREATE_H */
