/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Identity mappings: frames at virtual addresses equal to their physical addresses.
 *
 * Invariant: all or nothing. If another owner has the pages of some frames, the search holds
 * those frames until it ends, so that the next try gets other frames. The held frames are
 * charged to no account.
 * Lock: the locks of the page and the frame allocator are never held together.
 */
#ifndef TMM_MAPPING_CREATE_IDENTITY_H
#define TMM_MAPPING_CREATE_IDENTITY_H

#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_allocation_request;
struct tmm_instance;
struct tmm_mapped_pages;
struct tmm_mapping_request;
struct tmm_page_table;

struct tmm_mapped_pages * __must_check
tmm_create_identity(struct tmm_instance *inst, struct tmm_page_table *pt,
		    const struct tmm_mapping_request *req);
/* For kernel callers, with a choice of frames */
struct tmm_mapped_pages * __must_check
tmm_instance_create_identity_mapping(struct tmm_instance *inst, struct tmm_page_table *pt,
				     const struct tmm_allocation_request *req,
				     tmm_pte_flags_t flags, bool zero);

#endif /* TMM_MAPPING_CREATE_IDENTITY_H */
