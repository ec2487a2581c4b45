/* SPDX-License-Identifier: GPL-2.0 */
/* The steps that concern frames without an owner, and the clearing of frames for a new one. */
#ifndef HOST_FRAME_STEPS_H
#define HOST_FRAME_STEPS_H

#include "steps.h"

void steps_use_frames(struct tmm_allocated_frames *frames);
enum step_result steps_retire(struct world *world, const struct step *step);
enum step_result steps_give_table(struct world *world, const struct step *step);
enum step_result steps_take_piece(struct world *world);
enum step_result steps_clear_one(struct world *world);

#endif
