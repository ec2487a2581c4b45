/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random walk over an allocator of frames or pages, compared with a naive model
 * (walk/range_model.h).
 *
 * One walker has the allocator for itself: the model predicts each result and errno, and after
 * each step everything is compared. Several walkers share allocator and model (walk/crew.h): each
 * has objects and an account of its own, and predicts what other walkers cannot change. After each
 * step, a walker compares its own objects, and checks the whole allocator under the allocator's
 * lock. Between two rounds, while no walker takes a step, everything is compared.
 */
#ifndef TMM_KUNIT_RANGE_WALK_H
#define TMM_KUNIT_RANGE_WALK_H

#include "alloc/account.h"
#include "support/invariants.h"
#include "walk/crew.h"
#include "walk/range_model.h"

#include <linux/prandom.h>

/* All walkers together have at most as many objects as a model has owners. */
#define WALK_NR_OBJECTS 48

static_assert(CREW_MAX * WALK_NR_OBJECTS < MODEL_NR_OWNERS);

/* Of 16 steps on average, the number of each kind. All other steps merge. */
struct range_walk_param {
	const char *name;
	unsigned int nr_allocate;
	unsigned int nr_drop;
	unsigned int nr_split;
	unsigned int nr_deferred;
	bool has_magazines;
};

/* The walks of each allocator, for TMM_ARRAY_PARAM(). */
#define RANGE_WALK_NR_PARAMS 5
extern const struct range_walk_param range_walk_params[RANGE_WALK_NR_PARAMS];

/**
 * struct range_walk_ops - the differences between frames and pages
 * @allocate: allocate a run, deferred if @action is not NULL; errors as error pointers
 * @drop: give a run back
 * @split: as tmm_allocated_frames_split_at()
 * @merge: as tmm_allocated_frames_merge()
 * @find_broken: check the allocator; the caller holds the allocator's lock
 * @check_run: check what the allocator knows of an owned run; likewise; may be NULL
 */
struct range_walk_ops {
	struct tmm_chunk *(*allocate)(struct tmm_range_allocator *ra,
				      const struct tmm_allocation_request *req,
				      struct tmm_deferred_action *action);
	void (*drop)(struct tmm_chunk *chunk);
	int (*split)(struct tmm_chunk *chunk, u64 at, struct tmm_chunk **second);
	int (*merge)(struct tmm_chunk *chunk, struct tmm_chunk **other);
	void (*find_broken)(struct tmm_range_allocator *ra, struct tmm_finding *finding);
	void (*check_run)(struct tmm_range_allocator *ra, const struct tmm_chunk *chunk,
			  struct tmm_finding *finding);
};

/* An owned run, and what the model expects of it. */
struct range_object {
	struct tmm_chunk *chunk;	/* NULL if the place is free */
	u64 start;
	u64 nr;
	const struct model_region *region;
	struct tmm_account *account;
};

struct range_walk;

/* One walker. */
struct range_walker {
	struct range_walk *walk;
	unsigned int index;
	struct rnd_state rnd;
	unsigned int step;
	struct tmm_finding wrong;	/* the first error */
	struct range_object objects[WALK_NR_OBJECTS];
	struct tmm_deferred_action action;
	struct tmm_account *account;	/* has a limit; a child of @parent of struct range_walk */
	u64 nr_charged;
	unsigned int nr_done;
	unsigned int nr_refused;
};

/**
 * struct range_walk - what all walkers share
 * @test: the case
 * @ops: frames or pages
 * @ra: the allocator
 * @model: the owners
 * @param: how often each kind of step is taken
 * @resource: what the accounts are charged for
 * @nr_steps: steps of a walker that is alone
 * @nr_rounds: rounds of a crew, each with up to three steps of each walker
 * @max_charged: limit of each walker's account
 * @parent: the account above those of the walkers
 * @walkers: the walkers
 * @nr_walkers: number of walkers
 * @nr_begun: number of allocations that have begun
 * @nr_held: upper limit of the number of owned chunks
 * @nr_steps_taken: steps that a crew has taken
 * @nr_steps_checked: of these, the steps after which a check of the allocator began; protected by
 *                    the allocator's lock
 */
struct range_walk {
	struct kunit *test;
	const struct range_walk_ops *ops;
	struct tmm_range_allocator *ra;
	struct range_model model;
	const struct range_walk_param *param;
	enum tmm_resource resource;
	unsigned int nr_steps;
	unsigned int nr_rounds;
	u64 max_charged;
	struct tmm_account *parent;
	struct range_walker walkers[CREW_MAX];
	unsigned int nr_walkers;
	atomic_t nr_begun;
	atomic64_t nr_held;
	atomic_t nr_steps_taken;
	int nr_steps_checked;
};

/* Records the message as an error unless @cond is true. The value of the macro is @cond. */
#define WALK_EXPECT(w, cond, fmt, ...) ({							\
	bool __right = (cond);								\
											\
	if (!__right)									\
		tmm_finding_note(&(w)->wrong, fmt, ##__VA_ARGS__);			\
	__right;									\
})

/* Make the walk of a case with a parameter. The caller makes the model. */
struct range_walk *range_walk_create(struct kunit *test, const struct range_walk_ops *ops,
				     struct tmm_range_allocator *ra, enum tmm_resource resource);
/* The number of the case's parameter, so that each case has random numbers of its own. */
u64 range_walk_number(const struct kunit *test);

/* Walk with one walker, or with one on each CPU. Fails the case at the first error. */
void range_walk_alone(struct range_walk *walk, u64 salt);
void range_walk_crew(struct range_walk *walk, u64 salt);

#endif /* TMM_KUNIT_RANGE_WALK_H */
