// SPDX-License-Identifier: GPL-2.0
#include "alloc/fit.h"

#include <linux/errno.h>
#include <linux/minmax.h>

/*
 * Set @start to the place of a request in the run [@first, @end): the lowest, or the highest if
 * from the top. Return: false if the request does not fit.
 */
bool tmm_fit_place(u64 first, u64 end, const struct tmm_fit_request *req, u64 *start)
{
	u64 at;

	first = max(first, req->min);
	end = min(end, req->end);
	if (first >= end || end - first < req->nr)
		return false;
	if (req->from_top)
		at = end - req->nr - (end - req->nr) % req->align;
	else
		at = first % req->align ? first - first % req->align + req->align : first;
	if (at < first || at > end - req->nr)
		return false;
	*start = at;
	return true;
}

/*
 * Try up to TMM_FIT_TRIES runs of a set, from @cursor on if it is set. Return: 0 if the request
 * fits at @start, -ENOSPC if the request fits no run that is left, or -EAGAIN with a new cursor.
 */
int tmm_fit_try_runs(const struct tmm_fit_request *req, tmm_fit_next_fn next, const void *set,
		     struct tmm_fit_cursor *cursor, u64 *start)
{
	struct tmm_fit_request rest = *req;
	unsigned int tries;
	u64 first, end;

	if (cursor->is_set && req->from_top)
		rest.end = min(rest.end, cursor->number);
	else if (cursor->is_set)
		rest.min = max(rest.min, cursor->number);
	for (tries = 0; tries < TMM_FIT_TRIES; tries++) {
		if (!next(set, &rest, &first, &end))
			return -ENOSPC;
		if (tmm_fit_place(first, end, req, start))
			return 0;
		if (req->from_top)
			rest.end = first;
		else
			rest.min = end;
	}
	cursor->is_set = true;
	cursor->number = req->from_top ? rest.end : rest.min;
	return -EAGAIN;
}
