/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs of leaves: consecutive pages that map consecutive frames. A search may run at the same
 * time as any change.
 */
#ifndef TMM_PAGING_LEAF_RUNS_H
#define TMM_PAGING_LEAF_RUNS_H

#include "core/page.h"
#include "core/pte_flags.h"
#include "core/range.h"

#include <linux/types.h>

struct tmm_page_table;

/* Consecutive leaves of one size with the same flags. */
struct tmm_leaf_run {
	u64 page;			/* number of the first page */
	u64 frame;			/* number of the frame behind @page */
	u64 nr;				/* pages of 4 KiB */
	enum tmm_page_size size;	/* of each leaf */
	tmm_pte_flags_t flags;		/* of each leaf */
};

bool tmm_leaf_runs_find(struct tmm_page_table *pt, struct tmm_page_range pages,
			struct tmm_leaf_run *run);
bool tmm_leaf_runs_any_bad(struct tmm_page_table *pt, struct tmm_page_range pages);

#endif /* TMM_PAGING_LEAF_RUNS_H */
