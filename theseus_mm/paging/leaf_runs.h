/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs of leaves: pages in a row that map frames in a row, seen beside all changes.
 */
#ifndef TMM_PAGING_LEAF_RUNS_H
#define TMM_PAGING_LEAF_RUNS_H

#include "core/page.h"
#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_page_table;

/**
 * struct tmm_leaf_run - leaves that are alike and lie one behind the other
 * @page: number of the first page
 * @frame: number of the frame behind it
 * @nr: pages of 4 KiB
 * @size: of each leaf
 * @flags: what each leaf shows
 */
struct tmm_leaf_run {
	u64 page;
	u64 frame;
	u64 nr;
	enum tmm_page_size size;
	tmm_pte_flags_t flags;
};

bool tmm_leaf_runs_find(struct tmm_page_table *pt, u64 page, u64 end, struct tmm_leaf_run *run);
bool tmm_leaf_runs_any_bad(struct tmm_page_table *pt, u64 page, u64 nr);

#endif /* TMM_PAGING_LEAF_RUNS_H */
