// SPDX-License-Identifier: GPL-2.0
#include "device/loan.h"

#include "core/number.h"
#include "device/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "observe/trace.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* How soon, and how seldom, to look whether a lingering loan is still pinned. */
#define WATCH_FIRST	msecs_to_jiffies(50)
#define WATCH_LAST	msecs_to_jiffies(1000)

/*
 * A device that VFIO programs keeps the numbers of frames it found in an area of
 * memory without struct pages, and holds nothing that could be asked.
 */
static bool quarantine;
module_param_cb(quarantine, &tmm_param_ops_switch, &quarantine, 0400);
MODULE_PARM_DESC(quarantine, "give memory that was mmapped to nobody else until the module is unloaded (default off)");

static struct workqueue_struct *watchers;

/* None but one that is about to come or go. */
static bool has_no_loan(const struct tmm_mapping_file *mf)
{
	lockdep_assert_held_write(&mf->revoke_lock);
	return list_empty(&mf->loans) && list_empty(&mf->lingering);
}

/*
 * No area shows it any more, nor is it pinned. The last loan of a dropped mapping
 * takes it with it.
 */
static void end(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;

	tmm_borrow_mark_dirty(&loan->borrow);
	/* The next owner's futexes are others, and the file may go. */
	if (mf->is_in_pages && has_no_loan(mf)) {
		tmm_mapped_pages_clear_file(loan->borrow.mp, mf->lent_first,
					    mf->lent_end - mf->lent_first);
		mf->is_in_pages = false;
	}
	tmm_borrow_end(&loan->borrow);
}

static bool is_pinned(const struct tmm_loan *loan)
{
	if (loan->nr_uses)
		return true;
	return loan->has_struct_pages && READ_ONCE(loan->was_shown) &&
	       tmm_borrow_is_pinned(&loan->borrow);
}

static void destroy(struct kref *kref);

/* Let those go that are pinned no more. They are moved to @ended, with their references. */
static void end_unpinned(struct tmm_mapping_file *mf, struct list_head *ended)
{
	struct tmm_loan *loan, *next;

	lockdep_assert_held_write(&mf->revoke_lock);
	list_for_each_entry_safe(loan, next, &mf->lingering, link) {
		if (is_pinned(loan))
			continue;
		list_move_tail(&loan->link, ended);
		WRITE_ONCE(mf->nr_lingering, mf->nr_lingering - 1);
		end(loan);
		cond_resched();
	}
}

static void watch(struct work_struct *work)
{
	struct tmm_mapping_file *mf = container_of(to_delayed_work(work), struct tmm_mapping_file,
						   watch);
	struct tmm_loan *loan, *next;
	LIST_HEAD(ended);
	bool is_done;

	down_write(&mf->revoke_lock);
	end_unpinned(mf, &ended);
	is_done = list_empty(&mf->lingering);
	if (!is_done) {
		mf->watch_delay = min(2 * mf->watch_delay, WATCH_LAST);
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	up_write(&mf->revoke_lock);
	list_for_each_entry_safe(loan, next, &ended, link) {
		kref_put(&loan->kref, destroy);
		cond_resched();
	}
	if (is_done)
		fput(mf->file);
}

/* It takes over a reference of the loan. */
static void linger(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;

	lockdep_assert_held_write(&mf->revoke_lock);
	if (list_empty(&mf->lingering)) {
		get_file(mf->file);
		mf->watch_delay = WATCH_FIRST;
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	list_add_tail(&loan->link, &mf->lingering);
	WRITE_ONCE(mf->nr_lingering, mf->nr_lingering + 1);
}

/**
 * tmm_loans_init() - make what all loans share
 *
 * Return: 0 or -ENOMEM
 */
int __init tmm_loans_init(void)
{
	watchers = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	return watchers ? 0 : -ENOMEM;
}

/**
 * tmm_loans_exit() - undo tmm_loans_init()
 *
 * Context: Process context, may sleep. There are no loans any more.
 */
void tmm_loans_exit(void)
{
	destroy_workqueue(watchers);
}

/**
 * tmm_loans_quarantine() - does what was mmapped go to nobody else?
 *
 * Return: the module parameter
 */
bool tmm_loans_quarantine(void)
{
	return quarantine;
}

/**
 * tmm_loans_init_file() - a mapping file that lends nothing yet
 * @mf: the file
 */
void tmm_loans_init_file(struct tmm_mapping_file *mf)
{
	init_rwsem(&mf->revoke_lock);
	INIT_LIST_HEAD(&mf->loans);
	INIT_LIST_HEAD(&mf->lingering);
	INIT_DELAYED_WORK(&mf->watch, watch);
}

/**
 * tmm_loan_create() - a loan of nothing yet
 *
 * Context: Process context, may sleep.
 * Return: the loan: @borrow is to be begun, then tmm_loan_prepare() and
 * tmm_loan_begin(); or NULL if the kernel heap is exhausted
 */
struct tmm_loan *tmm_loan_create(void)
{
	struct tmm_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);

	if (loan)
		kref_init(&loan->kref);
	return loan;
}

/**
 * tmm_loan_prepare() - learn what a loan needs to know of its borrow
 * @loan: has a borrow
 * @mm: whose areas will show it
 *
 * Context: Process context, may sleep. O(runs of frames).
 */
void tmm_loan_prepare(struct tmm_loan *loan, struct mm_struct *mm)
{
	loan->mm = mm;
	loan->has_struct_pages = tmm_mapped_pages_have_struct_pages(loan->borrow.mp);
}

static void note_lent(struct tmm_mapping_file *mf, const struct tmm_borrow *borrow)
{
	u64 first = borrow->offset >> TMM_PAGE_SHIFT;
	u64 end = (borrow->offset + borrow->nr_bytes + TMM_PAGE_SIZE - 1) >> TMM_PAGE_SHIFT;
	bool is_first = has_no_loan(mf);

	mf->lent_first = is_first ? first : min(mf->lent_first, first);
	mf->lent_end = is_first ? end : max(mf->lent_end, end);
}

/**
 * tmm_loan_begin() - let a loan be revoked
 * @loan: prepared; nobody but the area's faults and munmap() looks at it any more
 * @mf: the file of the mapping that is borrowed
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_begin(struct tmm_loan *loan, struct tmm_mapping_file *mf)
{
	unsigned int nr_pinned;
	bool is_closed;

	loan->mf = mf;
	down_write(&mf->revoke_lock);
	note_lent(mf, &loan->borrow);
	list_add_tail(&loan->link, &mf->loans);
	is_closed = tmm_mapped_pages_is_closed(loan->borrow.mp);
	up_write(&mf->revoke_lock);
	/* Whoever closed it may have looked at this file before. */
	if (is_closed)
		tmm_mapping_file_revoke(mf, &nr_pinned);
}

/**
 * tmm_loan_taint() - from now on its frames may be known to others for ever
 * @loan: begun; nothing can fail any more
 *
 * Context: Process context, may sleep.
 */
void tmm_loan_taint(struct tmm_loan *loan)
{
	if (!quarantine)
		return;
	down_read(&loan->mf->revoke_lock);
	/* If it is revoked already, nothing was seen. */
	if (!loan->is_revoked)
		tmm_mapped_pages_taint(loan->borrow.mp);
	up_read(&loan->mf->revoke_lock);
}

/* Return: whether it lingers, and is not to be freed */
static bool end_or_linger(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;
	bool is_kept = false;

	down_write(&mf->revoke_lock);
	if (!loan->is_revoked) {
		list_del(&loan->link);
		WRITE_ONCE(loan->is_revoked, true);
		is_kept = is_pinned(loan);
		if (is_kept) {
			kref_init(&loan->kref);
			linger(loan);
		} else {
			end(loan);
		}
	}
	up_write(&mf->revoke_lock);
	return is_kept;
}

/* No area has it, nor does it linger. */
static void destroy(struct kref *kref)
{
	struct tmm_loan *loan = container_of(kref, struct tmm_loan, kref);

	if (!end_or_linger(loan))
		kfree(loan);
}

/**
 * tmm_loan_put() - an area is gone
 * @loan: the area's; its entries are cleared and flushed
 *
 * Context: Process context, may sleep; under mmap_lock.
 */
void tmm_loan_put(struct tmm_loan *loan)
{
	kref_put(&loan->kref, destroy);
}

/**
 * tmm_loan_is_revoked() - may nothing be seen through it any more?
 * @loan: the loan; the caller has a reference
 *
 * Return: true once it is so; it stays so
 */
bool tmm_loan_is_revoked(const struct tmm_loan *loan)
{
	return READ_ONCE(loan->is_revoked);
}

/**
 * tmm_loan_use() - let a device have the addresses of what is lent
 * @loan: the loan; the caller has a reference
 *
 * Context: Process context, may sleep.
 * Return: 0, the borrow does not end before tmm_loan_unuse(); or -ENODEV if it is
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
 * tmm_loan_unuse() - the device has forgotten them
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
 * tmm_mapping_file_revoke() - take a mapping out of all processes
 * @mf: its file
 * @nr_pinned: set to how many borrows, of these or of earlier ones, have not ended,
 *             because I/O still holds some of their memory
 *
 * When this returns, no process can reach the mapping's memory, and all borrows
 * by mmap() but those have ended. Areas stay; touching them is SIGBUS.
 *
 * Context: Process context, may sleep. O(entries in processes).
 * Return: how many loans there were
 */
unsigned int tmm_mapping_file_revoke(struct tmm_mapping_file *mf, unsigned int *nr_pinned)
{
	struct tmm_loan *loan, *next;
	unsigned int nr = 0;

	down_write(&mf->revoke_lock);
	unmap_mapping_range(mf->file->f_mapping, 0, 0, 1);
	list_for_each_entry_safe(loan, next, &mf->loans, link) {
		list_del(&loan->link);
		WRITE_ONCE(loan->is_revoked, true);
		trace_tmm_revoke(tmm_mapped_pages_range(loan->borrow.mp).r.first,
				 loan->borrow.offset, loan->borrow.nr_bytes,
				 loan->borrow.is_mutable);
		if (is_pinned(loan)) {
			kref_get(&loan->kref);
			linger(loan);
		} else {
			end(loan);
		}
		nr++;
		cond_resched();
	}
	*nr_pinned = mf->nr_lingering;
	up_write(&mf->revoke_lock);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_revoke);

/**
 * tmm_mapping_file_only_lingers() - is I/O all that keeps a mapping borrowed?
 * @mf: its file
 * @mp: the mapping; nobody can begin a borrow of it
 *
 * Context: Process context, may sleep.
 * Return: true if all its borrows are lingering loans
 */
bool tmm_mapping_file_only_lingers(struct tmm_mapping_file *mf, const struct tmm_mapped_pages *mp)
{
	bool only;

	down_read(&mf->revoke_lock);
	only = tmm_mapped_pages_nr_borrows(mp) == mf->nr_lingering;
	up_read(&mf->revoke_lock);
	return only;
}
