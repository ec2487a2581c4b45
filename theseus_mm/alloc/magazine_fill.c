// SPDX-License-Identifier: GPL-2.0
#include "alloc/magazine_fill.h"

#include "alloc/chunk.h"
#include "alloc/magazine.h"
#include "alloc/magazine_home.h"
#include "alloc/range_allocator.h"
#include "core/compat.h"

#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>

/* Up to @nr free chunks that begin at @number, or, in a reversed region, that end with @number. */
static struct tmm_chunk run_around(const struct tmm_range_region *region, u64 number, u64 nr)
{
	u64 first;

	if (!region->is_reversed)
		return (struct tmm_chunk){
			.start = number,
			.nr = min(tmm_free_set_run_end(&region->free, number) - number, nr),
		};
	first = tmm_free_set_run_start(&region->free, number);
	nr = min(number + 1 - first, nr);
	return (struct tmm_chunk){ .start = number + 1 - nr, .nr = nr };
}

/*
 * Move a free run of a general region, up to @nr chunks, to a magazine. @objects has @nr objects
 * that are not set, and one more for pages: a run in the middle of a free range needs an object for
 * the rest of the range. Return: the number of objects, the first ones, that are used up.
 */
static unsigned int move_to_magazine(struct tmm_range_allocator *ra, struct tmm_magazine *magazine,
				     void **objects, unsigned int nr)
{
	struct tmm_chunk *spare[2] = {};
	struct tmm_range_region *region;
	unsigned int nr_spares = 1;
	struct tmm_chunk run;
	unsigned int limit;
	u64 start;

	lockdep_assert_held(&ra->lock);
	tmm_magazine_home_leave(ra, magazine);
	if (tmm_magazine_home_find(ra, &region, &start)) {
		tmm_magazine_adapt(magazine, false);
		return 0;
	}
	limit = tmm_magazine_home_limit(ra, region, start, nr);
	run = run_around(region, start, limit);
	tmm_magazine_home_enter(ra, magazine,
				region->is_reversed ? run.start : tmm_chunk_end(&run) - 1);
	/* The home of another, which cuts a run short, says nothing of the runs. */
	if (limit == nr || run.nr < limit)
		tmm_magazine_adapt(magazine, run.nr == nr);
	if (ra->hooks->cached)
		ra->hooks->cached(region, run.start, run.nr);
	spare[0] = objects[run.nr - 1];
	spare[0]->account = NULL;
	if (!ra->hooks->has_maps) {
		nr_spares = 2;
		spare[1] = objects[run.nr];
		spare[1]->account = NULL;
	}
	objects[run.nr - 1] = tmm_free_set_take(&region->free, run.start, run.nr, spare);
	tmm_magazine_add(magazine, region, &run, objects);
	/* A run that is a whole range brings its own object. The last objects are left. */
	if (spare[0])
		objects[run.nr - 1] = spare[0];
	return run.nr - 1 + nr_spares - !!spare[0] - !!spare[1];
}

/*
 * Fill the magazine of this CPU from the free set. If that fails, the magazine stays as it is. May
 * sleep. Takes and releases the locks of the magazine and of the allocator. O(log n).
 */
void tmm_magazine_fill(struct tmm_range_allocator *ra)
{
	void *objects[TMM_MAGAZINE_HALF + 1] TMM_UNINITIALIZED;
	const unsigned int nr = tmm_magazine_nr_wanted(ra);
	const unsigned int nr_objects = nr + !ra->hooks->has_maps;
	struct tmm_magazine *magazine;
	unsigned int nr_used = 0;

	if (!kmem_cache_alloc_bulk(ra->objects.cache, GFP_KERNEL_ACCOUNT | __GFP_NOWARN, nr_objects,
				   objects))
		return;
	magazine = tmm_magazine_begin_fill(ra);
	if (tmm_magazine_has_room(ra, magazine, nr)) {
		spin_lock(&ra->lock);
		nr_used = move_to_magazine(ra, magazine, objects, nr);
		spin_unlock(&ra->lock);
	}
	tmm_magazine_end_fill(magazine);
	tmm_chunk_cache_free_many(&ra->objects, nr_objects - nr_used, &objects[nr_used]);
}
