// SPDX-License-Identifier: GPL-2.0
#include "mapping/placement.h"

#include "alloc/pages.h"
#include "mapping/request.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

/**
 * tmm_chunks_of_bytes() - chunks that a number of bytes touches
 * @offset: where in the first chunk they start, below 4096
 * @nr_bytes: how many
 * @nr: set on success only
 *
 * Return: 0, -EINVAL if @nr_bytes is 0, or -EOVERFLOW
 */
int tmm_chunks_of_bytes(u64 offset, u64 nr_bytes, u64 *nr)
{
	u64 end;

	if (!nr_bytes)
		return -EINVAL;
	if (check_add_overflow(offset, nr_bytes, &end) ||
	    check_add_overflow(end, TMM_PAGE_SIZE - 1, &end))
		return -EOVERFLOW;
	*nr = end >> TMM_PAGE_SHIFT;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunks_of_bytes);

/**
 * tmm_largest_leaf_in() - the largest leaf that lies whole in a run
 * @number: first chunk
 * @nr: how many
 *
 * Return: its size
 */
enum tmm_page_size tmm_largest_leaf_in(u64 number, u64 nr)
{
	enum tmm_page_size size;

	for (size = TMM_1G; size > TMM_4K; size--) {
		u64 leaf = tmm_page_size_4k_pages(size);
		u64 start = round_up(number, leaf);

		if (start - number < nr && nr - (start - number) >= leaf)
			break;
	}
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_largest_leaf_in);

/* Pages as @req says, the first of them @offset behind a multiple of @unit. */
static struct tmm_allocated_pages *allocate_at_offset(struct tmm_page_allocator *pa,
						      const struct tmm_mapping_request *req,
						      u64 unit, u64 offset)
{
	struct tmm_allocation_request want = tmm_request_aligned(unit, req->nr);

	want.behind = offset;
	want.general_only = req->general_only;
	want.account = req->account;
	return tmm_page_allocator_allocate(pa, &want);
}

u64 tmm_placement_unit(const struct tmm_mapping_request *req, enum tmm_page_size size)
{
	return max(tmm_page_size_4k_pages(size), req->align);
}

enum tmm_page_size tmm_placement_largest(const struct tmm_mapping_request *req, u64 number)
{
	return req->is_sized ? req->leaf : tmm_largest_leaf_in(number, req->nr);
}

enum tmm_page_size tmm_placement_smallest(const struct tmm_mapping_request *req)
{
	return req->is_sized ? req->leaf : TMM_4K;
}

/* By leaves of the size asked for, or as large as there is room for. */
static struct tmm_allocated_pages *place(struct tmm_page_allocator *pa, u64 number,
					 const struct tmm_mapping_request *req)
{
	enum tmm_page_size size = tmm_placement_largest(req, number);
	struct tmm_allocated_pages *pages;

	for (;; size--) {
		u64 unit = tmm_placement_unit(req, size);

		pages = allocate_at_offset(pa, req, unit, number & (unit - 1));
		if (pages != ERR_PTR(-ENOSPC) || size == tmm_placement_smallest(req))
			return pages;
	}
}

/**
 * tmm_place_pages() - pages that large leaves can map to a given run
 * @pa: the allocator
 * @number: first frame of the run, or first page of a mapping to be copied; 0 if any
 *          frames will do
 * @req: how many, and where they may be
 *
 * The first page has the same offset as @number within the largest leaf that lies
 * in the run; within a smaller one, if no such pages are free, unless @req names one.
 * With an alignment, @number is a multiple of it too. Smaller leaves come
 * before a last resort: a designated region is asked only when no general one has
 * room, however small the leaves.
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the pages, or an error of tmm_page_allocator_allocate()
 */
struct tmm_allocated_pages *tmm_place_pages(struct tmm_page_allocator *pa, u64 number,
					    const struct tmm_mapping_request *req)
{
	struct tmm_mapping_request general = *req;
	struct tmm_allocated_pages *pages;

	general.general_only = true;
	pages = place(pa, number, &general);
	if (pages == ERR_PTR(-ENOSPC) && !req->general_only)
		pages = place(pa, number, req);
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_place_pages);

/**
 * tmm_allocate_congruent_pages() - the same, wherever there is room
 * @pa: the allocator
 * @number: as there
 * @nr: how many, 1 or more
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the pages, or an error of tmm_page_allocator_allocate()
 */
struct tmm_allocated_pages *tmm_allocate_congruent_pages(struct tmm_page_allocator *pa, u64 number,
							 u64 nr)
{
	const struct tmm_mapping_request req = { .nr = nr };

	return tmm_place_pages(pa, number, &req);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocate_congruent_pages);
