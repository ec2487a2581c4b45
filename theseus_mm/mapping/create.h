/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Create: an instance allocates memory and maps it in one step.
 *
 * Invariant: all or nothing. After an error the instance is unchanged.
 */
#ifndef TMM_MAPPING_CREATE_H
#define TMM_MAPPING_CREATE_H

#include "core/pte_flags.h"
#include "core/range.h"

struct tmm_instance;
struct tmm_mapped_pages;
struct tmm_mapping_request;
struct tmm_page_table;

/* Allocate pages and frames, and write the entries. @pt is a root of @inst. */
struct tmm_mapped_pages * __must_check
tmm_instance_create(struct tmm_instance *inst, struct tmm_page_table *pt,
		    const struct tmm_mapping_request *req);

/*
 * Forms for kernel callers, which give a size in bytes and leave the addresses to the
 * allocators
 */
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
