/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loans: parts of a mapping that processes and devices use through the mapping's file.
 *
 * A loan is a borrow that lasts until munmap() or exit, or until it is revoked.
 *
 *	mmap	borrow the mapping		-> the area's faults insert entries
 *	munmap	entries are gone, TLBs flushed	-> the borrow ends
 *	revoke	zap, flush, mark the loans	-> the borrows end; faults are SIGBUS
 *
 * If I/O still pins a loan's memory when the loan ends, the loan *lingers*
 * (device/share/linger.h).
 * Each loan has a *lender* (device/share/lender.h).
 *
 * Invariant: a loan holds its borrow until the loan is revoked. A lingering loan holds its borrow
 * longer. So memory that an area shows or that I/O pins cannot be changed or freed. A revoked
 * loan has no entry in any process.
 * Lock: the mapping file's @revoke_lock. A fault checks the loan and inserts entries with this
 * lock held for reading, so no fault inserts an entry after a revocation has cleared the entries.
 * Order: mmap_lock, @lend_lock, @revoke_lock, i_mmap_rwsem, page-table locks.
 * Owner: the areas, or a dma-buf. The mapping file also owns a lingering loan.
 */
#ifndef TMM_DEVICE_SHARE_LOAN_H
#define TMM_DEVICE_SHARE_LOAN_H

#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_pin.h"

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rbtree.h>

struct mm_struct;
struct tmm_lender;
struct tmm_mapping_file;

/* A part of a mapping that a process or device uses. */
struct tmm_loan {
	/*
	 * held by areas and by a dma-buf; munmap() or mprotect() of a part can split the area of
	 * one mmap()
	 */
	struct kref kref;
	u64 number;	/* unique and never 0 */
	struct tmm_lender *lender;	/* a reference, since tmm_loan_begin() */
	struct tmm_mapping_file *mf;
	/* the process of the areas, never dereferenced; NULL allows any process */
	struct mm_struct *mm;
	struct tmm_borrow borrow;	/* has ended if @is_revoked, unless the loan lingers */
	/* in one of @mf's lists. @mf's lock protects this field and all below. */
	struct list_head link;
	bool is_revoked;	/* faults insert no more entries */
	bool is_lingering;	/* in @mf's list and tree of lingering loans */
	/* areas or a dma-buf may use the loan; cleared after the last reference is dropped */
	bool has_areas;
	bool has_struct_pages;	/* I/O can pin its pages */
	bool was_shown;	/* had entries, so I/O may pin its pages */
	bool was_shown_1g;	/* had entries of 1 GiB */
	unsigned int nr_uses;	/* devices that have its addresses; these count as pins */
	struct tmm_pin_search search;	/* the search for pins, while the loan lingers */
	struct rb_node node;	/* in @mf's tree of lingering loans, by first page */
	u64 last_below;	/* highest last page of the loans in the subtree at @node */
};

void tmm_loans_set_quarantine(bool on);
bool tmm_loans_quarantine(void);

struct tmm_loan * __must_check tmm_loan_create(void);
void tmm_loan_prepare(struct tmm_loan *loan, struct mm_struct *mm);
int __must_check tmm_loan_begin(struct tmm_loan *loan, struct tmm_mapping_file *mf,
				struct tmm_lender *lender);
void tmm_loan_taint(struct tmm_loan *loan);
void tmm_loan_put(struct tmm_loan *loan);
bool tmm_loan_is_revoked(const struct tmm_loan *loan);
int __must_check tmm_loan_use(struct tmm_loan *loan);
void tmm_loan_unuse(struct tmm_loan *loan);

/* All loans of a mapping file */
void tmm_loans_init_file(struct tmm_mapping_file *mf);
unsigned int tmm_loans_revoke(struct tmm_mapping_file *mf);
unsigned int tmm_loans_revoke_file(struct tmm_mapping_file *mf, unsigned int *nr_pinned);
void tmm_loans_wait_for_mmap(struct tmm_mapping_file *mf);
void tmm_loans_end_descriptors(struct tmm_mapping_file *mf);

#endif /* TMM_DEVICE_SHARE_LOAN_H */
