/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Splitting: the module replaces a leaf with a table of smaller leaves that map the same
 * frames.
 */
#ifndef TMM_PAGING_SPLIT_LEAF_H
#define TMM_PAGING_SPLIT_LEAF_H

#include "core/page.h"

struct tmm_page_table;

int __must_check tmm_split_leaf_at(struct tmm_page_table *pt, struct tmm_page page);

#endif /* TMM_PAGING_SPLIT_LEAF_H */
