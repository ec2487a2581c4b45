/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TMM_KUNIT_MAPPING_WALK_DEVICE_H
#define TMM_KUNIT_MAPPING_WALK_DEVICE_H

#include "walk/mapping_walk.h"

/*
 * walk_has_device_frames() returns true if this walk owns a frame of the run.
 * walk_foretell_device() returns the expected error of a request for the run, or 0.
 */
bool walk_has_device_frames(const struct model *m, u64 first, u64 nr);
int walk_foretell_device(const struct model *m, u64 first, u64 nr);
/* A random run, mostly within the device region. */
void walk_draw_device_run(struct model *m, u64 *first, u64 *nr);
void step_map_frame_range(struct model *m);
void step_device(struct model *m);

#endif /* TMM_KUNIT_MAPPING_WALK_DEVICE_H */
