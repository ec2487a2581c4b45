// SPDX-License-Identifier: GPL-2.0
#include "walk/range_compare.h"

#include <linux/lockdep.h>
#include <linux/spinlock.h>

/* Only this walker changes what is compared here. */
static void compare_own(struct range_walker *w)
{
	struct range_walk *walk = w->walk;
	u64 nr_charged = 0;
	unsigned int i;

	for (i = 0; i < WALK_NR_OBJECTS; i++) {
		struct range_object *object = &w->objects[i];
		const struct tmm_chunk *chunk;

		if (!object->chunk)
			continue;
		chunk = object->chunk;
		WALK_EXPECT(w, chunk->start == object->start && chunk->nr == object->nr,
			    "object %u is [%#llx, +%llu), not [%#llx, +%llu)", i, chunk->start,
			    chunk->nr, object->start, object->nr);
		WALK_EXPECT(w, chunk->account == object->account, "account of object %u", i);
		if (object->account)
			nr_charged += object->nr;
	}
	WALK_EXPECT(w, nr_charged == w->nr_charged &&
		    tmm_account_count(w->account, walk->resource) == nr_charged,
		    "%llu are charged, %llu owned, the walker counted %llu",
		    tmm_account_count(w->account, walk->resource), nr_charged, w->nr_charged);
}

/* A cached run is free, so it has no owner. */
static void check_unowned(u64 start, u64 nr, void *context)
{
	struct range_walker *w = context;

	WALK_EXPECT(w, w->walk->model.ops->is_free(&w->walk->model, start, nr),
		    "[%#llx, +%llu) is free, but has an owner", start, nr);
}

/* Checks what the allocator knows of this walker's runs. */
static void check_runs(struct range_walker *w)
{
	struct range_walk *walk = w->walk;
	unsigned int i;

	lockdep_assert_held(&walk->ra->lock);
	for (i = 0; i < WALK_NR_OBJECTS && walk->ops->check_run; i++)
		if (w->objects[i].chunk)
			walk->ops->check_run(walk->ra, w->objects[i].chunk, &w->wrong);
}

/*
 * Checks the allocator, while other walkers may take steps. A walker gives up a run in the model
 * before the walker frees the run, and claims a run after the allocation. So a chunk that is free
 * has no owner in the model at any time.
 */
static void check_allocator(struct range_walker *w)
{
	struct range_walk *walk = w->walk;
	const struct tmm_range_region *region;
	u64 first, end;

	lockdep_assert_held(&walk->ra->lock);
	walk->ops->find_broken(walk->ra, &w->wrong);
	list_for_each_entry(region, &walk->ra->regions, link)
		tmm_for_each_free_run(region, first, end)
			check_unowned(first, end - first, w);
	tmm_visit_cached(walk->ra, check_unowned, w);
}

/*
 * A check of the allocator that begins after a step covers the step, whichever walker makes the
 * check. So a walker that waited for the lock often has nothing left to check.
 */
void range_compare_step(struct range_walker *w)
{
	struct range_walk *walk = w->walk;
	const int step = atomic_inc_return(&walk->nr_steps_taken);

	compare_own(w);
	tmm_test_lock_all(walk->ra);
	check_runs(w);
	if (walk->nr_steps_checked < step) {
		walk->nr_steps_checked = atomic_read(&walk->nr_steps_taken);
		check_allocator(w);
	}
	tmm_test_unlock_all(walk->ra);
}

struct cached_count {
	const struct tmm_range_region *region;
	u64 nr;
};

static void count_cached(u64 start, u64 nr, void *context)
{
	struct cached_count *count = context;

	if (start - count->region->first < count->region->nr)
		count->nr += nr;
}

/*
 * Each chunk is free or has an owner. check_allocator() has found that no chunk is both. No walker
 * takes a step during this check.
 */
static void compare_sums(struct range_walk *walk)
{
	struct range_walker *w = &walk->walkers[0];
	const struct tmm_range_region *region;
	unsigned int nr_reserve = walk->ra->nr_reserve;
	u64 nr_charged = 0;
	unsigned int i;

	list_for_each_entry(region, &walk->ra->regions, link) {
		const u64 nr_free = tmm_free_set_nr_free(&region->free);
		struct cached_count cached = { region };
		u64 nr_owned = walk->model.ops->nr_owned(&walk->model, region->first,
							 region->first + region->nr);

		tmm_visit_cached(walk->ra, count_cached, &cached);
		WALK_EXPECT(w, nr_free + cached.nr + nr_owned == region->nr,
			    "region [%#llx, +%llu): %llu free, %llu cached, %llu owned",
			    region->first, region->nr, nr_free, cached.nr, nr_owned);
	}
	for (i = 0; i < walk->nr_walkers; i++) {
		nr_charged += walk->walkers[i].nr_charged;
		nr_reserve += walk->walkers[i].action.nr_owed;
	}
	WALK_EXPECT(w, tmm_account_count(walk->parent, walk->resource) == nr_charged,
		    "%llu are charged to the parent, not %llu",
		    tmm_account_count(walk->parent, walk->resource), nr_charged);
	WALK_EXPECT(w, nr_reserve == TMM_NR_RESERVE, "%u objects in reserve or owed", nr_reserve);
}

bool range_compare_all(void *context)
{
	struct range_walk *walk = context;
	bool is_right = true;
	unsigned int i;

	tmm_test_lock_all(walk->ra);
	check_allocator(&walk->walkers[0]);
	for (i = 0; i < walk->nr_walkers; i++)
		check_runs(&walk->walkers[i]);
	tmm_test_unlock_all(walk->ra);
	for (i = 0; i < walk->nr_walkers; i++)
		compare_own(&walk->walkers[i]);
	compare_sums(walk);
	for (i = 0; i < walk->nr_walkers; i++)
		is_right &= !*walk->walkers[i].wrong.text;
	return is_right;
}
