/* SPDX-License-Identifier: GPL-2.0 */
/* Placement: the choice of pages that large leaves can map. Pure policy, no state. */
#ifndef TMM_MAPPING_PLACEMENT_H
#define TMM_MAPPING_PLACEMENT_H

#include "core/page.h"

struct tmm_allocated_pages;
struct tmm_mapping_request;
struct tmm_page_allocator;

/* The largest leaf that lies entirely in the @nr chunks from @number on. */
enum tmm_page_size tmm_placement_leaf_in(u64 number, u64 nr);

/* Alignment in chunks of the start of a run, for the request @req and leaves of @size. */
u64 tmm_placement_unit(const struct tmm_mapping_request *req, enum tmm_page_size size);
/* The largest and the smallest leaf to try for a run from @number on. */
enum tmm_page_size tmm_placement_largest(const struct tmm_mapping_request *req, u64 number);
enum tmm_page_size tmm_placement_smallest(const struct tmm_mapping_request *req);

struct tmm_allocated_pages * __must_check
tmm_placement_allocate_pages(struct tmm_page_allocator *pa, u64 number,
			     const struct tmm_mapping_request *req);
struct tmm_allocated_pages * __must_check
tmm_placement_allocate_congruent(struct tmm_page_allocator *pa, u64 number, u64 nr);

#endif /* TMM_MAPPING_PLACEMENT_H */
