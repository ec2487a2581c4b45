/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Create: mappings of memory that an instance gives out with them.
 *
 * Invariant: all or nothing. After an error the instance is as it was.
 */
#ifndef TMM_MAPPING_CREATE_H
#define TMM_MAPPING_CREATE_H

#include "core/pte_flags.h"
#include "core/range.h"

struct tmm_instance;
struct tmm_mapped_pages;
struct tmm_mapping_request;
struct tmm_page_table;

/* Pages, frames and entries at once; @pt is a root of @inst */
struct tmm_mapped_pages * __must_check
tmm_instance_create(struct tmm_instance *inst, struct tmm_page_table *pt,
		    const struct tmm_mapping_request *req);

/* The same for callers in the kernel, by bytes and from wherever there is room */
struct tmm_mapped_pages * __must_check
tmm_instance_create_mapping(struct tmm_instance *inst, struct tmm_page_table *pt, u64 nr_bytes,
			    tmm_pte_flags_t flags, bool zero);
struct tmm_mapped_pages * __must_check
tmm_instance_create_contiguous_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				       u64 nr_bytes, tmm_pte_flags_t flags, bool zero,
				       struct tmm_paddr *paddr);
struct tmm_mapped_pages * __must_check
tmm_instance_map_frame_range(struct tmm_instance *inst, struct tmm_page_table *pt,
			     struct tmm_paddr start, u64 nr_bytes, tmm_pte_flags_t flags);

#endif /* TMM_MAPPING_CREATE_H */
