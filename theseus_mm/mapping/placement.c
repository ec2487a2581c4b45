// SPDX-License-Identifier: GPL-2.0
#include "mapping/placement.h"

#include "alloc/pages.h"
#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math.h>
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

/* @nr pages, the first of them @offset behind a multiple of @leaf. */
static struct tmm_allocated_pages *allocate_at_offset(struct tmm_page_allocator *pa, u64 leaf,
						      u64 offset, u64 nr)
{
	struct tmm_allocated_pages *head, *pages;
	struct tmm_allocation_request req;
	int err;

	if (check_add_overflow(nr, offset, &nr))
		return ERR_PTR(-EOVERFLOW);
	req = tmm_request_aligned(leaf, nr);
	head = tmm_page_allocator_allocate(pa, &req);
	if (IS_ERR(head) || !offset)
		return head;
	err = tmm_allocated_pages_split_at(head, head->chunk.start + offset, &pages);
	tmm_allocated_pages_drop(&head);
	return err ? ERR_PTR(err) : pages;
}

/**
 * tmm_allocate_congruent_pages() - pages that large leaves can map to a given run
 * @pa: the allocator
 * @number: first frame of the run, or first page of a mapping to be copied
 * @nr: how many, 1 or more
 *
 * The first page has the same offset as @number within the largest leaf that lies
 * in the run; within a smaller one, if no such pages are free.
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the pages, or an error of tmm_page_allocator_allocate()
 */
struct tmm_allocated_pages *tmm_allocate_congruent_pages(struct tmm_page_allocator *pa, u64 number,
							 u64 nr)
{
	enum tmm_page_size size = tmm_largest_leaf_in(number, nr);
	struct tmm_allocated_pages *pages;

	for (;; size--) {
		u64 leaf = tmm_page_size_4k_pages(size);

		pages = allocate_at_offset(pa, leaf, number & (leaf - 1), nr);
		if (pages != ERR_PTR(-ENOSPC) || size == TMM_4K)
			return pages;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocate_congruent_pages);
