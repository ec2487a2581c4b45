/* SPDX-License-Identifier: GPL-2.0 */
/* The steps that can be tried in a world: each calls one function of the allocator. */
#ifndef HOST_STEPS_H
#define HOST_STEPS_H

#include "world.h"

enum step_kind {
	STEP_ALLOCATE,		/* @req, on CPU @a */
	STEP_ALLOCATE_ONE,	/* on CPU @a; @b: charged */
	STEP_ALLOCATE_DEFERRED,	/* @req */
	STEP_FINISH,
	STEP_DROP,		/* object @a on CPU @b */
	STEP_SPLIT_AT,		/* object @a before its chunk @b */
	STEP_SPLIT_RANGE,	/* object @a, keep @c chunks from its chunk @b on */
	STEP_MERGE,		/* objects @a and @b */
	STEP_RETIRE,		/* chunk @req.at */
	STEP_TAKE_TABLE,
	STEP_GIVE_TABLE,	/* chunk @req.at */
	STEP_CHANGE_STATE,	/* object @a to its next state */
	STEP_BORROW,		/* object @a */
	STEP_UNBORROW,		/* object @a */
	STEP_TOTALS,
	STEP_LEAVE_CPU,		/* CPU @a */
	STEP_TAKE_PIECE,
	STEP_CLEAR_ONE,
	STEP_NR_KINDS,
};

struct step {
	enum step_kind kind;
	unsigned int a;
	unsigned int b;
	unsigned int c;
	struct tmm_allocation_request req;
};

enum step_result {
	STEP_NOT_POSSIBLE,	/* the world has no such object, or no room for another */
	STEP_REFUSED,		/* the world is as before */
	STEP_NO_MEMORY,		/* -ENOMEM: the world is as before */
	STEP_DONE,
};

#define STEP_MAX	2048

/* All steps that a world of this kind may be able to make. Returns their number. */
unsigned int steps_of(const struct world_config *config, struct step *steps);
/* Make a step, and compare its result with the model, which then follows. */
enum step_result step_make(struct world *world, const struct step *step);
void step_print(const struct step *step);

#endif
