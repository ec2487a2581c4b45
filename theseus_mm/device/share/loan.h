/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loans: parts of a mapping that processes and devices use, through its mapping file.
 *
 * A loan is a borrow that lasts until munmap() or exit, or until it is revoked.
 *
 *	mmap	borrow the mapping		-> the area's faults insert entries
 *	munmap	entries are gone, TLBs flushed	-> the borrow ends
 *	revoke	mark the loans, zap, flush	-> the borrows end; faults are SIGBUS
 *
 * A loan whose memory I/O still pins when it ends *lingers* (device/share/linger.h).
 * Each loan has a *lender* (device/share/lender.h).
 *
 * Invariant: a loan that is not revoked, or lingers, holds a borrow, so memory that its
 * area shows, or that I/O pins, cannot be changed or freed. A revoked loan has no entry in
 * any process.
 * Lock: the mapping file's @revoke_lock. A fault checks and inserts with this lock held for
 * reading, so that no fault inserts after a revocation has zapped. Order: mmap_lock,
 * @revoke_lock, i_mmap_rwsem, page-table locks.
 * Owner: the areas, or a dma-buf; of a lingering loan, its mapping file as well.
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

/**
 * struct tmm_loan - a part of a mapping in a process
 * @kref: held by areas: munmap() or mprotect() of a part makes several of one mmap()
 * @number: never 0, and never that of another loan
 * @lender: its lender; a reference, from tmm_loan_begin() on
 * @mf: the mapping's file
 * @mm: the process of the areas; only compared; NULL if they may be in any process
 * @borrow: the borrow; ended if @is_revoked, unless the loan lingers
 * @link: in one of @mf's lists; protected by @mf's lock, as all that follows
 * @is_revoked: faults insert no entries any more
 * @is_lingering: the loan is in @mf's list and tree of lingering loans
 * @has_areas: @kref is not 0, or the task that made it 0 has not cleared this yet
 * @has_struct_pages: its pages can be pinned
 * @was_shown: it has had entries, so its pages may be pinned
 * @was_shown_1g: it has had entries of 1 GiB
 * @nr_uses: devices that have its addresses; they count as pins
 * @search: the search for pins, while it lingers
 * @node: in the tree, by its first page
 * @last_below: the last page of the loans in the subtree below @node
 */
struct tmm_loan {
	struct kref kref;
	u64 number;
	struct tmm_lender *lender;
	struct tmm_mapping_file *mf;
	struct mm_struct *mm;
	struct tmm_borrow borrow;
	struct list_head link;
	bool is_revoked;
	bool is_lingering;
	bool has_areas;
	bool has_struct_pages;
	bool was_shown;
	bool was_shown_1g;
	unsigned int nr_uses;
	struct tmm_pin_search search;
	struct rb_node node;
	u64 last_below;
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
void tmm_loans_end_descriptors(struct tmm_mapping_file *mf);

#endif /* TMM_DEVICE_SHARE_LOAN_H */
