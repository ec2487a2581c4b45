/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lingering loans: a loan's borrow ends at once, or when I/O no longer pins the memory.
 *
 * Memory with struct pages can be pinned by I/O. A loan that ends while one of its pages
 * is pinned *lingers*: the loan is revoked, but keeps its borrow until the last pin is
 * gone. A work item checks for pins at intervals. The work item does not check a page again
 * after finding the page unpinned, and overlapping lingering loans of one lender are joined.
 * Therefore, any number of overlapping loans costs no more than one loan.
 *
 * Invariant: a loan is in its file's list and tree of lingering loans exactly while the
 * loan is revoked and its borrow has not ended. While a loan lingers, the work item holds the
 * file.
 * Lock: the mapping file's @revoke_lock; see device/share/loan.h.
 * Owner: the mapping file, and the areas of the loan while there are any.
 */
#ifndef TMM_DEVICE_SHARE_LINGER_H
#define TMM_DEVICE_SHARE_LINGER_H

#include <linux/init.h>
#include <linux/types.h>

struct list_head;
struct tmm_loan;
struct tmm_mapped_pages;
struct tmm_mapping_file;

int __init tmm_linger_init(void);
void tmm_linger_exit(void);

/* One loan. @unused collects the loans that no area refers to. */
void tmm_linger_or_end(struct tmm_loan *loan, struct list_head *unused);
void tmm_linger_settle(struct tmm_loan *loan);
void tmm_linger_free(struct tmm_loan *loan);
void tmm_linger_free_unused(struct list_head *unused);

/* All lingering loans of a mapping file */
void tmm_linger_init_file(struct tmm_mapping_file *mf);
unsigned int tmm_linger_settle_all(struct tmm_mapping_file *mf);
bool tmm_linger_is_only_borrower(struct tmm_mapping_file *mf, const struct tmm_mapped_pages *mp);

#endif /* TMM_DEVICE_SHARE_LINGER_H */
