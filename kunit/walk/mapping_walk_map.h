/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_MAP_H
#define TMM_KUNIT_MAPPING_WALK_MAP_H

#include "walk/mapping_walk.h"

void step_unmap(struct model *m);
void step_map_to(struct model *m);
void step_map_lent(struct model *m);
void step_map_pages(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_MAP_H */
