// SPDX-License-Identifier: GPL-2.0
#include "alloc/magazine_fill.h"

#include "alloc/chunk.h"
#include "alloc/magazine.h"
#include "alloc/range_allocator.h"
#include "alloc/range_search.h"
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
 * Move up to @nr chunks, the first free run of the general regions, to a magazine. @objects has @nr
 * objects that are not set. Returns n, the number of chunks. The magazine then has the first n
 * objects, or the last of these is left if @is_one_left is set.
 */
static unsigned int move_to_magazine(struct tmm_range_allocator *ra, struct tmm_magazine *magazine,
				     void **objects, unsigned int nr, bool *is_one_left)
{
	struct tmm_range_region *region;
	struct tmm_chunk *spare[2];
	struct tmm_chunk run;
	u64 start;

	lockdep_assert_held(&ra->lock);
	if (tmm_range_search_one(ra, &region, &start))
		return 0;
	run = run_around(region, start, nr);
	if (ra->hooks->cached)
		ra->hooks->cached(region, run.start, run.nr);
	spare[0] = objects[run.nr - 1];
	spare[0]->account = NULL;
	spare[1] = NULL;
	objects[run.nr - 1] = tmm_free_set_take(&region->free, run.start, run.nr, spare);
	tmm_magazine_add(magazine, region, &run, objects);
	*is_one_left = spare[0];
	if (spare[0])
		objects[run.nr - 1] = spare[0];
	return run.nr;
}

/*
 * Fill the magazine of this CPU from the free set. If that fails, the magazine stays as it is. May
 * sleep. Takes and releases the locks of the magazine and of the allocator. O(log n).
 */
void tmm_magazine_fill(struct tmm_range_allocator *ra)
{
	void *objects[TMM_MAGAZINE_HALF] TMM_UNINITIALIZED;
	unsigned int nr = tmm_magazine_nr_wanted(ra);
	struct tmm_magazine *magazine;
	unsigned int nr_moved = 0;
	bool is_one_left = false;

	if (!kmem_cache_alloc_bulk(ra->objects.cache, GFP_KERNEL_ACCOUNT | __GFP_NOWARN, nr,
				   objects))
		return;
	magazine = tmm_magazine_begin_fill(ra);
	if (tmm_magazine_has_room(ra, magazine, nr)) {
		spin_lock(&ra->lock);
		nr_moved = move_to_magazine(ra, magazine, objects, nr, &is_one_left);
		spin_unlock(&ra->lock);
		tmm_magazine_adapt(magazine, nr_moved == nr);
	}
	tmm_magazine_end_fill(magazine);
	nr_moved -= is_one_left;
	tmm_chunk_cache_free_many(&ra->objects, nr - nr_moved, &objects[nr_moved]);
}
