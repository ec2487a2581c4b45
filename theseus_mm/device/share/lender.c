// SPDX-License-Identifier: GPL-2.0
#include "device/share/lender.h"

#include "device/share/mapping_file.h"

#include <linux/slab.h>

/*
 * Initialise a lender. The lender is allocated, or is part of an object that outlives the lender's
 * loans. @generation is the mapping file's present generation, or TMM_ANY_GENERATION.
 */
void tmm_lender_init(struct tmm_lender *lender, u64 generation)
{
	kref_init(&lender->kref);
	lender->generation = generation;
	lender->nr_loans = 0;
}

static void free_lender(struct kref *kref)
{
	kfree(container_of(kref, struct tmm_lender, kref));
}

/*
 * Drop a reference to @lender, in any context. The last reference frees an allocated lender. A
 * lender that is part of an object keeps its first reference, so this function never frees it.
 */
void tmm_lender_put(struct tmm_lender *lender)
{
	kref_put(&lender->kref, free_lender);
}

/* Returns true if @lender no longer lends the mapping of @mf. A stale lender stays stale. */
bool tmm_lender_is_stale(const struct tmm_lender *lender, const struct tmm_mapping_file *mf)
{
	return lender->generation != TMM_ANY_GENERATION &&
	       lender->generation != READ_ONCE(mf->generation);
}
