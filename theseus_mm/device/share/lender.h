/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lenders: the owner of a mapping, or a descriptor of the mapping. Each loan
 * (device/share/loan.h) has a lender.
 *
 * A descriptor can become stale. A stale descriptor lends nothing: tmm_loan_begin() returns
 * -ESTALE.
 *
 * Invariant: a lender exists for as long as it has a loan. A stale lender stays stale.
 * Lock: the mapping file's @revoke_lock.
 * Owner: the loans of the lender, and the object that contains or allocated the lender.
 */
#ifndef TMM_DEVICE_SHARE_LENDER_H
#define TMM_DEVICE_SHARE_LENDER_H

#include <linux/kref.h>
#include <linux/types.h>

struct tmm_mapping_file;

/* The generation of a lender that is never stale. */
#define TMM_ANY_GENERATION	0

/* The owner or descriptor that lends a mapping. */
struct tmm_lender {
	/* held by the loans, and by the object that contains or allocated the lender */
	struct kref kref;
	u64 generation;	/* the lender is stale if the mapping file has another generation */
	unsigned int nr_loans;	/* loans with a borrow; under the mapping file's lock */
};

void tmm_lender_init(struct tmm_lender *lender, u64 generation);
void tmm_lender_put(struct tmm_lender *lender);
bool tmm_lender_is_stale(const struct tmm_lender *lender, const struct tmm_mapping_file *mf);

#endif /* TMM_DEVICE_SHARE_LENDER_H */
