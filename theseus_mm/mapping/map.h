/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Map: constructors of a mapping from pages and frames that the caller owns.
 *
 * Invariant: all or nothing. The consumed arguments are NULL after success, and untouched after
 * an error. The caller chooses the root.
 */
#ifndef TMM_MAPPING_MAP_H
#define TMM_MAPPING_MAP_H

#include "core/pte_flags.h"
#include "core/range.h"

struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_mapped_pages;
struct tmm_mapping_request;
struct tmm_page_table;

/*
 * The request has been checked. These functions ignore the request's count and choice of
 * frames.
 */
struct tmm_mapped_pages * __must_check
tmm_map_pages(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
	      const struct tmm_mapping_request *req);
struct tmm_mapped_pages * __must_check
tmm_map_pages_to(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
		 struct tmm_allocated_frames **frames, const struct tmm_mapping_request *req);

/* Forms for other modules, which check their arguments */
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages_to(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			   struct tmm_allocated_frames **frames, tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages_to_sized(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
				 struct tmm_allocated_frames **frames, tmm_pte_flags_t flags,
				 enum tmm_page_size size);
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			tmm_pte_flags_t flags, bool zero);
struct tmm_mapped_pages * __must_check
tmm_map_allocated_pages_sized(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			      tmm_pte_flags_t flags, bool zero, enum tmm_page_size size);
struct tmm_mapped_pages * __must_check
tmm_map_to_non_exclusive(struct tmm_page_table *pt, struct tmm_allocated_pages **pages,
			 struct tmm_allocated_frames *frames, tmm_pte_flags_t flags);

#endif /* TMM_MAPPING_MAP_H */
