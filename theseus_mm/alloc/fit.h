/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fits: a search for room in a set of free runs, of frames (alloc/frame_maps.h) or of pages
 * (alloc/free_ranges.h).
 *
 * The sets index the lengths of runs, and of runs that begin at 2 MiB or 1 GiB. A search for such a
 * run is O(log n) and exact. A search with another alignment tries the runs that are long enough
 * in turn, and may find that the request fits none of them. So the search tries a few runs, then
 * takes any run so long that the request fits at each alignment, and if there is none, returns
 * -EAGAIN with a cursor. The caller releases the lock before it continues the search.
 *
 * Lock: that of the set.
 */
#ifndef TMM_ALLOC_FIT_H
#define TMM_ALLOC_FIT_H

#include <linux/types.h>

/* Runs that one call of a search tries, so that the lock is held for a short time. */
#define TMM_FIT_TRIES	8

/**
 * struct tmm_fit_request - a search for free chunks
 * @nr: number of chunks, 1 or more
 * @align: the run starts at a multiple of @align, 1 or more
 * @min: first chunk that may be used
 * @end: one above the last chunk that may be used
 * @from_top: find the highest fit, not the lowest
 */
struct tmm_fit_request {
	u64 nr;
	u64 align;
	u64 min;
	u64 end;
	bool from_top;
};

/**
 * struct tmm_fit_cursor - where an unfinished search continues
 * @is_set: false before the first call of a search
 * @number: the runs below (or above, if from the top) do not fit
 */
struct tmm_fit_cursor {
	bool is_set;
	u64 number;
};

/*
 * A function of a set that finds the first run within the bounds of @req that is long enough, and
 * cuts the run off at these bounds. The alignment of @req is ignored.
 */
typedef bool (*tmm_fit_next_fn)(const void *set, const struct tmm_fit_request *req, u64 *first,
				u64 *end);

bool tmm_fit_place(u64 first, u64 end, const struct tmm_fit_request *req, u64 *start);
int tmm_fit_try_runs(const struct tmm_fit_request *req, tmm_fit_next_fn next, const void *set,
		     struct tmm_fit_cursor *cursor, u64 *start);

#endif /* TMM_ALLOC_FIT_H */
