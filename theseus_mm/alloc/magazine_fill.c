// SPDX-License-Identifier: GPL-2.0
#include "alloc/magazine_fill.h"

#include "alloc/chunk.h"
#include "alloc/magazine.h"
#include "alloc/range_allocator.h"
#include "alloc/range_search.h"

#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

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
 * objects of single chunks without an owner. The magazine first gives out the chunk that came last,
 * so the chunks enter in reverse. Returns n, the number of chunks. The magazine then has the first
 * n objects, and @objects[0] is an object that was not needed, or NULL.
 */
static unsigned int move_to_magazine(struct tmm_range_allocator *ra, struct tmm_magazine *magazine,
				     void **objects, unsigned int nr)
{
	struct tmm_range_region *region;
	struct tmm_chunk *spare[2];
	struct tmm_chunk run;
	unsigned int i;
	u64 start;

	lockdep_assert_held(&ra->lock);
	if (tmm_range_search_one(ra, &region, &start))
		return 0;
	run = run_around(region, start, nr);
	if (ra->hooks->cached)
		ra->hooks->cached(region, run.start, run.nr);
	spare[0] = objects[0];
	spare[1] = NULL;
	objects[0] = tmm_free_set_take(&region->free, run.start, run.nr, spare);
	((struct tmm_chunk *)objects[0])->nr = 1;
	for (i = 0; i < run.nr; i++) {
		struct tmm_chunk *chunk = objects[i];

		chunk->start = region->is_reversed ? run.start + i : run.start + run.nr - 1 - i;
	}
	tmm_magazine_add(magazine, region, objects, run.nr);
	objects[0] = spare[0];
	return run.nr;
}

/* Allocate objects of single chunks without an owner. Return: false if memory is exhausted. */
static bool new_objects(struct tmm_range_allocator *ra, void **objects, unsigned int nr)
{
	unsigned int i;

	if (!kmem_cache_alloc_bulk(ra->objects.cache, GFP_KERNEL_ACCOUNT | __GFP_NOWARN, nr,
				   objects))
		return false;
	for (i = 0; i < nr; i++) {
		struct tmm_chunk *chunk = objects[i];

		chunk->nr = 1;
		chunk->account = NULL;
	}
	return true;
}

/*
 * Fill the magazine of this CPU from the free set. If that fails, the magazine stays as it is. May
 * sleep. Takes and releases the locks of the magazine and of the allocator. O(log n).
 */
void tmm_magazine_fill(struct tmm_range_allocator *ra)
{
	unsigned int nr = tmm_magazine_nr_wanted(ra);
	void *objects[TMM_MAGAZINE_HALF];
	struct tmm_magazine *magazine;
	unsigned int nr_moved = 0;

	if (!new_objects(ra, objects, nr))
		return;
	magazine = tmm_magazine_begin_fill(ra);
	if (tmm_magazine_has_room(ra, magazine, nr)) {
		spin_lock(&ra->lock);
		nr_moved = move_to_magazine(ra, magazine, objects, nr);
		spin_unlock(&ra->lock);
		tmm_magazine_adapt(magazine, nr_moved == nr);
	}
	tmm_magazine_end_fill(magazine);
	if (nr_moved > 1)
		memset(&objects[1], 0, (nr_moved - 1) * sizeof(objects[0]));
	tmm_chunk_cache_free_many(&ra->objects, nr, objects);
}
