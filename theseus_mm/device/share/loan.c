// SPDX-License-Identifier: GPL-2.0
#include "device/share/loan.h"

#include "device/share/lender.h"
#include "device/share/linger.h"
#include "device/share/mapping_file.h"
#include "device/share/trace.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/mapped_pages_pin.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

/*
 * VFIO copies frame numbers out of an area of memory without struct pages into a device's
 * tables. It takes no reference, so the module cannot ask whether the device still uses them.
 */
static bool quarantine;

static atomic64_t last_number;

/* Mark a loan as revoked: its entries are cleared, and faults insert none any more. */
static void revoke_loan(struct tmm_loan *loan, struct list_head *unused)
{
	lockdep_assert_held_write(&loan->mf->revoke_lock);
	list_del(&loan->link);
	WRITE_ONCE(loan->is_revoked, true);
	tmm_linger_or_end(loan, unused);
}

/* Set before the first loan is made: is memory that was mmapped withheld from others? */
void tmm_loans_set_quarantine(bool on)
{
	quarantine = on;
}

/**
 * tmm_loans_quarantine() - is memory that was mmapped withheld from others?
 *
 * Return: the module parameter
 */
bool tmm_loans_quarantine(void)
{
	return quarantine;
}

/**
 * tmm_loans_init_file() - initialise a mapping file without loans
 * @mf: the file
 */
void tmm_loans_init_file(struct tmm_mapping_file *mf)
{
	init_rwsem(&mf->revoke_lock);
	INIT_LIST_HEAD(&mf->loans);
	init_waitqueue_head(&mf->wait);
	mf->generation = TMM_ANY_GENERATION + 1;
	tmm_lender_init(&mf->owner, TMM_ANY_GENERATION);
	tmm_lender_init(&mf->descriptors, mf->generation);
	tmm_linger_init_file(mf);
}

/**
 * tmm_loan_create() - make a loan that has no borrow yet
 *
 * Context: Process context, may sleep.
 * Return: the loan: @borrow is to be begun, then tmm_loan_prepare() and
 * tmm_loan_begin(); or to be freed by kfree(). NULL if the kernel heap is exhausted
 */
struct tmm_loan *tmm_loan_create(void)
{
	struct tmm_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);

	if (!loan)
		return NULL;
	kref_init(&loan->kref);
	loan->number = atomic64_inc_return(&last_number);
	loan->has_areas = true;
	return loan;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_create);

/**
 * tmm_loan_prepare() - set the fields of a loan that follow from its borrow
 * @loan: has a borrow
 * @mm: the process whose areas will show the loan; NULL for any
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
void tmm_loan_prepare(struct tmm_loan *loan, struct mm_struct *mm)
{
	loan->mm = mm;
	loan->has_struct_pages = tmm_mapped_pages_have_struct_pages(loan->borrow.mp);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_prepare);

static void note_lent(struct tmm_mapping_file *mf, const struct tmm_borrow *borrow)
{
	u64 first = borrow->offset >> TMM_PAGE_SHIFT;
	u64 end = (borrow->offset + borrow->nr_bytes + TMM_PAGE_SIZE - 1) >> TMM_PAGE_SHIFT;
	bool is_first = tmm_mapping_file_has_no_loan(mf);

	mf->lent_first = is_first ? first : min(mf->lent_first, first);
	mf->lent_end = is_first ? end : max(mf->lent_end, end);
}

/**
 * tmm_loan_begin() - let a loan be revoked
 * @loan: prepared; from here on only the area's faults and munmap() use it
 * @mf: the file of the mapping that is borrowed
 * @lender: the lender of the loan
 *
 * Context: Process context, may sleep.
 * Return: 0; or -ESTALE if @lender has become stale: then the caller has to end the borrow
 */
int tmm_loan_begin(struct tmm_loan *loan, struct tmm_mapping_file *mf, struct tmm_lender *lender)
{
	unsigned int nr_pinned;
	bool is_closed;

	down_write(&mf->revoke_lock);
	if (tmm_lender_is_stale(lender, mf)) {
		up_write(&mf->revoke_lock);
		return -ESTALE;
	}
	kref_get(&lender->kref);
	lender->nr_loans++;
	loan->lender = lender;
	loan->mf = mf;
	note_lent(mf, &loan->borrow);
	list_add_tail(&loan->link, &mf->loans);
	is_closed = tmm_mapped_pages_is_closed(loan->borrow.mp);
	up_write(&mf->revoke_lock);
	/* The region may have been closed after its notifier looked at this file's loans. */
	if (is_closed)
		tmm_loans_revoke_file(mf, &nr_pinned);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_begin);

/**
 * tmm_loan_taint() - mark a loan's frames: others may know their numbers for ever
 * @loan: begun; nothing can fail any more
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_taint(struct tmm_loan *loan)
{
	if (!quarantine)
		return;
	down_read(&loan->mf->revoke_lock);
	/* A loan that is revoked already has shown nothing. */
	if (!loan->is_revoked)
		tmm_mapped_pages_taint(loan->borrow.mp);
	up_read(&loan->mf->revoke_lock);
}

/* The last area of the loan is gone. */
static void destroy_loan(struct kref *kref)
{
	struct tmm_loan *loan = container_of(kref, struct tmm_loan, kref);
	struct tmm_mapping_file *mf = loan->mf;
	LIST_HEAD(unused);
	bool is_lingering;

	down_write(&mf->revoke_lock);
	if (!loan->is_revoked)
		revoke_loan(loan, &unused);
	is_lingering = loan->is_lingering;
	up_write(&mf->revoke_lock);
	if (is_lingering) {
		tmm_linger_settle(loan);
		/* Until here the borrow kept the frames, whatever other loans did. */
		down_write(&mf->revoke_lock);
		loan->has_areas = false;
		is_lingering = loan->is_lingering;
		up_write(&mf->revoke_lock);
	}
	tmm_linger_free_unused(&unused);
	if (!is_lingering)
		tmm_linger_free(loan);
}

/**
 * tmm_loan_put() - drop an area's reference, since the area is gone
 * @loan: the area's loan; the area's entries are cleared and flushed
 *
 * Context: Process context, may sleep; under mmap_lock.
 */
void tmm_loan_put(struct tmm_loan *loan)
{
	kref_put(&loan->kref, destroy_loan);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_put);

/**
 * tmm_loan_is_revoked() - is a loan revoked?
 * @loan: the loan; the caller has a reference
 *
 * Return: true once the loan is revoked, and always from then on
 */
bool tmm_loan_is_revoked(const struct tmm_loan *loan)
{
	return READ_ONCE(loan->is_revoked);
}

/**
 * tmm_loan_use() - let a device have the addresses of the lent memory
 * @loan: the loan; the caller has a reference
 *
 * Context: Process context, may sleep.
 * Return: 0, and the borrow does not end before tmm_loan_unuse(); or -ENODEV if the loan is
 * revoked
 */
int tmm_loan_use(struct tmm_loan *loan)
{
	int err = 0;

	down_write(&loan->mf->revoke_lock);
	if (loan->is_revoked)
		err = -ENODEV;
	else
		loan->nr_uses++;
	up_write(&loan->mf->revoke_lock);
	return err;
}

/**
 * tmm_loan_unuse() - undo tmm_loan_use(): the device no longer uses the addresses
 * @loan: from tmm_loan_use()
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_unuse(struct tmm_loan *loan)
{
	down_write(&loan->mf->revoke_lock);
	loan->nr_uses--;
	up_write(&loan->mf->revoke_lock);
}

/**
 * tmm_loans_revoke() - take a mapping out of all processes
 * @mf: its file; locked for writing; the caller calls tmm_linger_settle_all() after unlocking
 *
 * Context: Process context, may sleep. O(entries in processes + loans * log lingering).
 * Return: number of loans that were revoked
 */
unsigned int tmm_loans_revoke(struct tmm_mapping_file *mf)
{
	struct tmm_loan *loan, *next;
	LIST_HEAD(unused);
	unsigned int nr = 0;

	lockdep_assert_held_write(&mf->revoke_lock);
	unmap_mapping_range(mf->file->f_mapping, 0, 0, 1);
	list_for_each_entry_safe(loan, next, &mf->loans, link) {
		trace_tmm_revoke(tmm_mapped_pages_range(loan->borrow.mp).r.first,
				 loan->borrow.offset, loan->borrow.nr_bytes,
				 loan->borrow.is_mutable);
		revoke_loan(loan, &unused);
		nr++;
		cond_resched();
	}
	tmm_linger_free_unused(&unused);
	return nr;
}

/**
 * tmm_loans_revoke_file() - take a mapping out of all processes, and end its descriptors
 * @mf: its file; a client owns the mapping
 * @nr_pinned: set to the number of borrows, of these or of earlier loans, that have not
 *             ended because I/O still pins some of their memory
 *
 * When this returns, no process can reach the mapping's memory, and all borrows by mmap()
 * have ended, except those in @nr_pinned. Areas stay; touching them raises SIGBUS. Lending
 * descriptors are stale.
 *
 * Context: Process context, may sleep. As tmm_loans_revoke() and tmm_linger_settle_all().
 * Return: number of loans that were revoked
 */
unsigned int tmm_loans_revoke_file(struct tmm_mapping_file *mf, unsigned int *nr_pinned)
{
	unsigned int nr;

	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	nr = tmm_loans_revoke(mf);
	up_write(&mf->revoke_lock);
	*nr_pinned = tmm_linger_settle_all(mf);
	wake_up_all(&mf->wait);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loans_revoke_file);

/**
 * tmm_loans_end_descriptors() - make all lending descriptors of a mapping stale
 * @mf: the mapping's file
 *
 * Context: Process context, may sleep. Existing loans stay.
 */
void tmm_loans_end_descriptors(struct tmm_mapping_file *mf)
{
	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	up_write(&mf->revoke_lock);
	wake_up_all(&mf->wait);
}
