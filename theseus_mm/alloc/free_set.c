// SPDX-License-Identifier: GPL-2.0
#include "alloc/free_set.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/minmax.h>

/*
 * Find room for a request, and set @start on success only. @cursor is not set before the first
 * call, and the caller passes the same request and cursor to each call of one search. The caller
 * holds the allocator's lock. Return: 0, -ENOSPC if the request does not fit, or -EAGAIN if the
 * search is not finished; then the caller releases the lock before the next call.
 */
int tmm_free_set_find(const struct tmm_free_set *set, const struct tmm_fit_request *req,
		      struct tmm_fit_cursor *cursor, u64 *start)
{
	if (set->maps)
		return tmm_frame_maps_find(set->maps, req, cursor, start);
	return tmm_free_ranges_find(&set->ranges, req, cursor, start);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_find);

/*
 * The end of the free run that contains a chunk of the region; the chunk's own number if the chunk
 * is not free. O(log n).
 */
u64 tmm_free_set_run_end(const struct tmm_free_set *set, u64 number)
{
	const struct tmm_chunk *range;

	if (set->maps)
		return tmm_frame_maps_run_end(set->maps, number);
	range = tmm_free_ranges_at(&set->ranges, number);
	return range ? tmm_chunk_end(range) : number;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_run_end);

/*
 * The start of the free run that contains a chunk of the region, which is free. O(log n).
 */
u64 tmm_free_set_run_start(const struct tmm_free_set *set, u64 number)
{
	if (set->maps)
		return tmm_frame_maps_run_start(set->maps, number);
	return tmm_free_ranges_at(&set->ranges, number)->start;
}

/*
 * Find the first free run that ends above @number, without the part below @number. O(log n).
 * Return: false if no chunk from @number on is free.
 */
bool tmm_free_set_next_run(const struct tmm_free_set *set, u64 number, u64 *first, u64 *end)
{
	const struct tmm_chunk *range;

	if (set->maps)
		return tmm_frame_maps_next_run(set->maps, number, first, end);
	range = tmm_free_ranges_from(&set->ranges, number);
	if (!range)
		return false;
	*first = max(number, range->start);
	*end = tmm_chunk_end(range);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_next_run);

/*
 * Length in chunks of 4 KiB of the longest free run that starts at a multiple of @size: of frames,
 * in whole frames of @size; of pages, to the end of the run, and TMM_MAX_RUN at most. O(1).
 */
u64 tmm_free_set_largest(const struct tmm_free_set *set, enum tmm_page_size size)
{
	return set->maps ? tmm_frame_maps_largest(set->maps, size) :
			   tmm_free_ranges_largest(&set->ranges, size);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_largest);

/*
 * Number of objects that tmm_free_set_take() uses for a free run. A run of frames becomes one
 * object. A run of pages uses an object for each side on which pages stay free.
 */
unsigned int tmm_free_set_nr_spares(const struct tmm_free_set *set, u64 start, u64 nr)
{
	const struct tmm_chunk *range;

	if (set->maps)
		return 1;
	range = tmm_free_ranges_at(&set->ranges, start);
	return (range->start < start) + (start + nr < tmm_chunk_end(range));
}

/* The first of the spare objects, which becomes the object of an owned run. */
static struct tmm_chunk *use_spare(struct tmm_chunk *spare[2], u64 start, u64 nr)
{
	unsigned int i = spare[0] ? 0 : 1;
	struct tmm_chunk *chunk = spare[i];

	spare[i] = NULL;
	chunk->start = start;
	chunk->nr = nr;
	return chunk;
}

/*
 * Take a run of 1 chunk or more, all of which is free, out of the set. @spare has unlinked objects,
 * as many as tmm_free_set_nr_spares() says; the objects that are used are set to NULL. The caller
 * holds the allocator's lock. O(log n). Return: the run, which the caller now owns.
 */
struct tmm_chunk *tmm_free_set_take(struct tmm_free_set *set, u64 start, u64 nr,
				    struct tmm_chunk *spare[2])
{
	if (!set->maps)
		return tmm_free_ranges_take(&set->ranges, start, nr, spare);
	tmm_frame_maps_take(set->maps, start, nr);
	return use_spare(spare, start, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_take);

/*
 * Put a run into the set. On success, @absorbed is set to the objects that are no longer needed,
 * with NULL for none; the caller releases these objects. The caller holds the allocator's lock.
 * Needs no memory. O(log n). Return: 0, or -EEXIST if a part of the run was already free, so the
 * caller's bookkeeping is broken; then nothing has changed. Of frames, the frame table has told the
 * caller that they are not free.
 */
int tmm_free_set_give(struct tmm_free_set *set, struct tmm_chunk *chunk,
		      struct tmm_chunk *absorbed[2])
{
	if (!set->maps)
		return tmm_free_ranges_give(&set->ranges, chunk, absorbed);
	tmm_frame_maps_give(set->maps, chunk->start, chunk->nr);
	absorbed[0] = chunk;
	absorbed[1] = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_free_set_give);
