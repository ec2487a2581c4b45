// SPDX-License-Identifier: GPL-2.0
#include "mapping/placement.h"

#include "alloc/pages.h"
#include "mapping/request.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>

/* Returns the size of the largest leaf that lies entirely in the @nr chunks from @number on. */
enum tmm_page_size tmm_placement_leaf_in(u64 number, u64 nr)
{
	enum tmm_page_size size;

	for (size = TMM_1G; size > TMM_4K; size--) {
		u64 leaf = tmm_page_size_4k_pages(size);
		u64 start;

		if (nr < leaf)
			continue;
		start = round_up(number, leaf);
		if (start - number < nr && nr - (start - number) >= leaf)
			break;
	}
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_placement_leaf_in);

/* Allocate pages for @req. The first page is @offset pages after a multiple of @unit. */
static struct tmm_allocated_pages *allocate_at_offset(struct tmm_page_allocator *pa,
						      const struct tmm_mapping_request *req,
						      bool general_only, u64 unit, u64 offset)
{
	struct tmm_allocation_request want = tmm_request_aligned(unit, req->nr);

	want.behind = offset;
	want.general_only = general_only;
	want.account = req->account;
	return tmm_page_allocator_allocate(pa, &want);
}

u64 tmm_placement_unit(const struct tmm_mapping_request *req, enum tmm_page_size size)
{
	return max(tmm_page_size_4k_pages(size), req->align);
}

enum tmm_page_size tmm_placement_largest(const struct tmm_mapping_request *req, u64 number)
{
	return req->is_sized ? req->leaf : tmm_placement_leaf_in(number, req->nr);
}

enum tmm_page_size tmm_placement_smallest(const struct tmm_mapping_request *req)
{
	return req->is_sized ? req->leaf : TMM_4K;
}

/* Place pages for leaves of the requested size, or else for the largest leaves that fit. */
static struct tmm_allocated_pages *place_request(struct tmm_page_allocator *pa, u64 number,
						 const struct tmm_mapping_request *req,
						 bool general_only)
{
	enum tmm_page_size size = tmm_placement_largest(req, number);
	struct tmm_allocated_pages *pages;

	for (;; size--) {
		u64 unit = tmm_placement_unit(req, size);

		pages = allocate_at_offset(pa, req, general_only, unit, number & (unit - 1));
		if (pages != ERR_PTR(-ENOSPC) || size == tmm_placement_smallest(req))
			return pages;
	}
}

/*
 * Allocate pages that large leaves can map to a given run. @number is the first frame of the
 * run, or the first page of a mapping to be copied, or 0 for any frames. The first page has the
 * same offset as @number within the largest leaf that lies in the run. If no such pages are
 * free, and @req names no leaf size, the function tries smaller leaves. If @req has an
 * alignment, @number is a multiple of that alignment. The function uses a kernel or designated
 * region only if no general region has room, even with the smallest leaves. Returns an error of
 * tmm_page_allocator_allocate().
 *
 * Context: Process context, may sleep. O(log n).
 */
struct tmm_allocated_pages *tmm_placement_allocate_pages(struct tmm_page_allocator *pa, u64 number,
							 const struct tmm_mapping_request *req)
{
	struct tmm_allocated_pages *pages;

	/* A single page suits any frame. */
	if (req->nr == 1 && req->align <= 1)
		pages = tmm_page_allocator_allocate_one(pa, req->account);
	else
		pages = place_request(pa, number, req, true);
	if (pages == ERR_PTR(-ENOSPC) && !req->general_only)
		pages = place_request(pa, number, req, false);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_placement_allocate_pages);

/* Do what tmm_placement_allocate_pages() does, for @nr pages (1 or more) in any region. */
struct tmm_allocated_pages *tmm_placement_allocate_congruent(struct tmm_page_allocator *pa,
							     u64 number, u64 nr)
{
	const struct tmm_mapping_request req = { .nr = nr };

	return tmm_placement_allocate_pages(pa, number, &req);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_placement_allocate_congruent);
