// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_search.h"

#include "alloc/range_request.h"
#include "core/page.h"

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>

static int find_at(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		   struct tmm_range_region **region)
{
	struct tmm_range_region *found = tmm_range_allocator_region_at(ra, req->at);
	u64 end;

	if (!found)
		return -ERANGE;
	if (found->is_closed)
		return -ENODEV;
	if (req->general_only &&
	    (found->type == TMM_REGION_KERNEL || found->type == TMM_REGION_DESIGNATED))
		return -ERANGE;
	end = tmm_free_set_run_end(&found->free, req->at);
	if (end == req->at)
		return -EADDRINUSE;
	if (end - req->at < req->nr)
		return -EADDRNOTAVAIL;
	if (req->general_only && found->type != TMM_REGION_GENERAL)
		return -EOPNOTSUPP;
	*region = found;
	return 0;
}

/* Begin a search. */
struct tmm_range_search tmm_range_search_for(const struct tmm_allocation_request *req)
{
	const u64 align = req->align ?: 1;

	return (struct tmm_range_search){
		.fit = {
			.nr = req->nr + req->behind,
			.align = align,
			.min = req->min,
			.end = req->max == U64_MAX ? U64_MAX : req->max + 1,
			.from_top = align >= tmm_page_size_4k_pages(TMM_2M),
		},
	};
}

static int find_in_region(struct tmm_range_search *s, const struct tmm_range_region *region,
			  u64 *start)
{
	struct tmm_fit_cursor cursor = {};
	struct tmm_fit_request here = s->fit;
	int err;

	if (s->cursor.is_set && region->type == s->type) {
		/* The search has been in the regions before this one. */
		if (s->fit.from_top ? region->first > s->first : region->first < s->first)
			return -ENOSPC;
		if (region->first == s->first)
			cursor = s->cursor;
	}
	here.from_top ^= region->is_reversed;
	err = tmm_free_set_find(&region->free, &here, &cursor, start);
	if (err != -EAGAIN)
		return err;
	s->cursor = cursor;
	s->type = region->type;
	s->first = region->first;
	return -EAGAIN;
}

/* Return: 0, -ENOSPC, or -EAGAIN if the search is not finished. */
static int find_in_type(struct tmm_range_allocator *ra, struct tmm_range_search *s,
			enum tmm_region_type type, struct tmm_range_region **found, u64 *start)
{
	struct list_head *link = s->fit.from_top ? ra->regions.prev : ra->regions.next;
	struct tmm_range_region *region;
	int err;

	if (s->cursor.is_set && type < s->type)
		return -ENOSPC;
	for (; link != &ra->regions; link = s->fit.from_top ? link->prev : link->next) {
		region = list_entry(link, struct tmm_range_region, link);
		if (region->type != type)
			continue;
		err = find_in_region(s, region, start);
		if (err == -ENOSPC)
			continue;
		*found = region;
		return err;
	}
	return -ENOSPC;
}

static bool touches_a_region(struct tmm_range_allocator *ra, const struct tmm_fit_request *fit,
			     bool general_only)
{
	struct tmm_range_region *region;

	list_for_each_entry(region, &ra->regions, link) {
		if (region->type == TMM_REGION_RESERVED ||
		    (general_only && region->type != TMM_REGION_GENERAL))
			continue;
		if (region->first < fit->end && fit->min < region->first + region->nr)
			return true;
	}
	return false;
}

static int find_fit(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		    struct tmm_range_search *s, struct tmm_range_region **region, u64 *start)
{
	int err;

	err = find_in_type(ra, s, TMM_REGION_GENERAL, region, start);
	if (err == -ENOSPC && !req->general_only)
		err = find_in_type(ra, s, TMM_REGION_KERNEL, region, start);
	if (err == -ENOSPC && !req->general_only)
		err = find_in_type(ra, s, TMM_REGION_DESIGNATED, region, start);
	/* -ERANGE is possible only if the caller asked for a range. */
	if (err != -ENOSPC || (!req->min && req->max == U64_MAX))
		return err;
	return touches_a_region(ra, &s->fit, req->general_only) ? -ENOSPC : -ERANGE;
}

/*
 * Find room for a request; @region and @start are set on success only. The caller holds the
 * allocator's lock. Return: 0, an error of tmm_range_request_allocate(), or -EAGAIN if the search
 * is not finished. Then the caller releases the lock and calls the function again.
 */
int tmm_range_search_run(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
			 struct tmm_range_search *search, struct tmm_range_region **region,
			 u64 *start)
{
	int err;

	lockdep_assert_held(&ra->lock);
	if (req->is_at) {
		*start = req->at;
		return find_at(ra, req, region);
	}
	err = find_fit(ra, req, search, region, start);
	if (err)
		return err;
	*start += req->behind;
	return 0;
}

/*
 * Find a free chunk of a general region; @region and @start are set on success only. The caller
 * holds the allocator's lock. Return: 0, or -ENOSPC if all general regions are exhausted.
 */
int tmm_range_search_one(struct tmm_range_allocator *ra, struct tmm_range_region **region,
			 u64 *start)
{
	struct tmm_range_search search = { .fit = { .nr = 1, .align = 1, .end = U64_MAX } };

	lockdep_assert_held(&ra->lock);
	return find_in_type(ra, &search, TMM_REGION_GENERAL, region, start);
}
