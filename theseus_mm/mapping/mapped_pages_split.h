/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split a mapping into two, and merge two mappings into one.
 *
 * Invariant: both parts together have the pages, frames and tables of the whole. After an error
 * nothing has changed.
 * Lock: none. A mapping is claimed during a split or a merge (mapping/mapped_pages.h).
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
