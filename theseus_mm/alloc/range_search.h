/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Search for a request in the regions of a range allocator.
 *
 * Invariant: a run that a search finds is free until the allocator's lock is released.
 * Lock: the range allocator's, held by the caller. The caller releases the lock between the pieces
 * of a long search.
 * Owner: the caller, who keeps the search on the stack.
 */
#ifndef TMM_ALLOC_RANGE_SEARCH_H
#define TMM_ALLOC_RANGE_SEARCH_H

#include "alloc/fit.h"
#include "alloc/range_allocator.h"

struct tmm_allocation_request;

/* A search over all regions, in the order of their types. */
struct tmm_range_search {
	struct tmm_fit_request fit;	/* the run that is wanted */
	struct tmm_fit_cursor cursor;	/* set if the search of a region is not finished */
	enum tmm_region_type type;	/* of that region */
	u64 first;			/* first chunk of that region */
};

struct tmm_range_search tmm_range_search_for(const struct tmm_allocation_request *req);
int __must_check tmm_range_search_run(struct tmm_range_allocator *ra,
				      const struct tmm_allocation_request *req,
				      struct tmm_range_search *search,
				      struct tmm_range_region **region, u64 *start);
int __must_check tmm_range_search_one(struct tmm_range_allocator *ra,
				      struct tmm_range_region **region, u64 *start);

#endif /* TMM_ALLOC_RANGE_SEARCH_H */
