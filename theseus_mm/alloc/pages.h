/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages: sole ownership of a run of virtual addresses, and the allocator of such runs.
 *
 * Invariant: a page is in the free set or in exactly one object.
 * Lock: the range allocator's.
 * Owner: the holder of the object. Functions that take a T ** consume the object: the pointer
 * is NULL after success and untouched after an error.
 */
#ifndef TMM_ALLOC_PAGES_H
#define TMM_ALLOC_PAGES_H

#include "alloc/range_request.h"
#include "core/range.h"

#include <linux/err.h>

/**
 * struct tmm_page_allocator - virtual addresses of one instance
 * @ra: regions, free sets, lock
 */
struct tmm_page_allocator {
	struct tmm_range_allocator ra;
};

/**
 * struct tmm_allocated_pages - a run of pages that has an owner
 * @chunk: first page and count, and the account that is charged for the pages
 * @node: @chunk as a node of the free set, once the run is given back
 * @allocator: the allocator of the pages
 * @region: the region that contains the pages
 *
 * Theseus: AllocatedPages
 */
struct tmm_allocated_pages {
	/* private: */
	union {
		struct tmm_chunk chunk;
		struct tmm_range_node node;
	};
	struct tmm_page_allocator *allocator;
	struct tmm_range_region *region;
};

int __init tmm_pages_init(void);
void tmm_pages_exit(void);

void tmm_page_allocator_init(struct tmm_page_allocator *pa);
int __must_check tmm_page_allocator_add(struct tmm_page_allocator *pa,
					struct tmm_range_region *region);
struct tmm_allocated_pages * __must_check
tmm_page_allocator_empty(struct tmm_page_allocator *pa);
void tmm_page_allocator_destroy(struct tmm_page_allocator *pa);
struct tmm_allocated_pages * __must_check
tmm_page_allocator_allocate(struct tmm_page_allocator *pa,
			    const struct tmm_allocation_request *req);
struct tmm_allocated_pages * __must_check
tmm_page_allocator_allocate_one(struct tmm_page_allocator *pa, struct tmm_account *account);
struct tmm_allocated_pages * __must_check
tmm_page_allocator_allocate_deferred(struct tmm_page_allocator *pa,
				     const struct tmm_allocation_request *req,
				     struct tmm_deferred_action *action);

static inline struct tmm_page_range tmm_allocated_pages_range(const struct tmm_allocated_pages *p)
{
	return tmm_page_range_of(tmm_page_4k(p->chunk.start), p->chunk.nr);
}

static inline u64 tmm_allocated_pages_nr(const struct tmm_allocated_pages *pages)
{
	return pages->chunk.nr;
}

int __must_check tmm_allocated_pages_merge(struct tmm_allocated_pages *pages,
					   struct tmm_allocated_pages **other);
int __must_check tmm_allocated_pages_append(struct tmm_allocated_pages *pages,
					    struct tmm_allocated_pages **other);
int __must_check tmm_allocated_pages_split_at(struct tmm_allocated_pages *pages, u64 at,
					      struct tmm_allocated_pages **second);
int __must_check tmm_allocated_pages_split_range(struct tmm_allocated_pages *pages,
						 struct tmm_page_range middle,
						 struct tmm_allocated_pages **before,
						 struct tmm_allocated_pages **after);
void tmm_allocated_pages_drop(struct tmm_allocated_pages **pages);

#endif /* TMM_ALLOC_PAGES_H */
