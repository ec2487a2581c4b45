/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split and merge: two mappings of one, and one of two.
 *
 * Invariant: both parts together have the pages, frames and tables that the whole has. An error
 * leaves everything as it was.
 * Lock: none; a mapping is claimed while it is split or merged (mapping/mapped_pages.h).
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_SPLIT_H
#define TMM_MAPPING_MAPPED_PAGES_SPLIT_H

#include <linux/types.h>

struct tmm_mapped_pages;

int __must_check tmm_mapped_pages_merge(struct tmm_mapped_pages *mp,
					struct tmm_mapped_pages **other);
int __must_check tmm_mapped_pages_split(struct tmm_mapped_pages *mp, u64 at_page,
					struct tmm_mapped_pages **second);

#endif /* TMM_MAPPING_MAPPED_PAGES_SPLIT_H */
