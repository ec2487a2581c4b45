/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_PARTS_H
#define TMM_KUNIT_MAPPING_WALK_PARTS_H

#include "walk/mapping_walk.h"

void step_take_pages(struct model *m);
void step_take_frames(struct model *m);
void step_drop_part(struct model *m);
void step_split_part(struct model *m);
void step_defer(struct model *m);
void step_finish(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_PARTS_H */
