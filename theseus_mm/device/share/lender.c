// SPDX-License-Identifier: GPL-2.0
#include "device/share/lender.h"

#include "device/share/mapping_file.h"

#include <linux/slab.h>

/**
 * tmm_lender_init() - initialise a lender
 * @lender: filled in; part of an object that outlives its loans, or allocated
 * @generation: the mapping file's present generation, or TMM_ANY_GENERATION
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

/**
 * tmm_lender_put() - give a reference back
 * @lender: an allocated one, or a reference of a loan
 *
 * Context: Any.
 */
void tmm_lender_put(struct tmm_lender *lender)
{
	kref_put(&lender->kref, free_lender);
}

/**
 * tmm_lender_is_stale() - is a lender stale?
 * @lender: the lender
 * @mf: the mapping's file
 *
 * Return: true once the lender is stale, and always from then on
 */
bool tmm_lender_is_stale(const struct tmm_lender *lender, const struct tmm_mapping_file *mf)
{
	return lender->generation != TMM_ANY_GENERATION &&
	       lender->generation != READ_ONCE(mf->generation);
}
