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
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* How soon, and how seldom, to look whether a lingering loan is still pinned. */
#define WATCH_FIRST	msecs_to_jiffies(50)
#define WATCH_LAST	msecs_to_jiffies(1000)

/* How many pages to look at while the lock is held; a loan counts for some as well. */
#define PAGES_AT_A_TIME	16384
#define PAGES_A_LOAN	64

/*
 * A device that VFIO programs keeps the numbers of frames it found in an area of
 * memory without struct pages, and holds nothing that could be asked.
 */
static bool quarantine;
module_param_cb(quarantine, &tmm_param_ops_switch, &quarantine, 0400);
MODULE_PARM_DESC(quarantine, "do not reuse memory that was mmapped until the module is unloaded (default off)");

static struct workqueue_struct *watchers;

/* None but one that is about to come or go. */
static bool has_no_loan(const struct tmm_mapping_file *mf)
{
	lockdep_assert_held_write(&mf->revoke_lock);
	return list_empty(&mf->loans) && list_empty(&mf->lingering);
}

static u64 first_page(const struct tmm_loan *loan)
{
	return loan->borrow.offset >> TMM_PAGE_SHIFT;
}

static u64 last_page(const struct tmm_loan *loan)
{
	return (loan->borrow.offset + loan->borrow.nr_bytes - 1) >> TMM_PAGE_SHIFT;
}

INTERVAL_TREE_DEFINE(struct tmm_loan, node, u64, last_below, first_page, last_page, static, tree)

static bool may_be_pinned(const struct tmm_loan *loan)
{
	return loan->nr_uses || (loan->has_struct_pages && READ_ONCE(loan->was_shown));
}

/* Return: 1, 0, or -EAGAIN if that is not known yet */
static int is_pinned(struct tmm_loan *loan, u64 *budget)
{
	if (loan->nr_uses)
		return 1;
	return may_be_pinned(loan) ? tmm_pin_search(&loan->search, budget) : 0;
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
	loan->lender->nr_loans--;
	wake_up_all(&loan->mf->wait);
}

static void free_loan(struct tmm_loan *loan)
{
	if (loan->lender)
		tmm_lender_put(loan->lender);
	kfree(loan);
}

/* Of a lingering loan; if nobody else has it, it goes to @unused, to be freed. */
static void stop_lingering(struct tmm_loan *loan, struct list_head *unused)
{
	struct tmm_mapping_file *mf = loan->mf;

	lockdep_assert_held_write(&mf->revoke_lock);
	list_del(&loan->link);
	tree_remove(loan, &mf->lingering_tree);
	WRITE_ONCE(mf->nr_lingering, mf->nr_lingering - 1);
	loan->is_lingering = false;
	end(loan);
	if (!loan->has_areas)
		list_add(&loan->link, unused);
}

/* One that lingers, overlaps, and can become one with @loan: no device counts on it. */
static struct tmm_loan *find_alike(const struct tmm_loan *loan)
{
	const u64 first = first_page(loan), last = last_page(loan);
	struct tmm_loan *other;

	if (loan->nr_uses)
		return NULL;
	other = tree_iter_first(&loan->mf->lingering_tree, first, last);
	while (other && (other->lender != loan->lender || other->nr_uses))
		other = tree_iter_next(other, first, last);
	return other;
}

/* What @other showed, @loan is of from now on; what was pinned of it most likely still is. */
static void join(struct tmm_loan *loan, const struct tmm_loan *other)
{
	struct tmm_borrow *a = &loan->borrow;
	const struct tmm_borrow *b = &other->borrow;
	u64 end = max(a->offset + a->nr_bytes, b->offset + b->nr_bytes);

	a->offset = min(a->offset, b->offset);
	a->nr_bytes = end - a->offset;
	/* Both at a time: neither excludes others, or the mapping is shareable. */
	a->is_mutable |= b->is_mutable;
	tmm_borrow_search_pins(a, &loan->search);
	loan->search.pinned = other->search.pinned;
}

/* Its entries are gone; what is pinned is not known yet. */
static void linger(struct tmm_loan *loan, struct list_head *unused)
{
	struct tmm_mapping_file *mf = loan->mf;
	struct tmm_loan *other;

	tmm_borrow_search_pins(&loan->borrow, &loan->search);
	list_add_tail(&loan->link, &mf->lingering);
	while ((other = find_alike(loan))) {
		join(loan, other);
		stop_lingering(other, unused);
	}
	tree_insert(loan, &mf->lingering_tree);
	WRITE_ONCE(mf->nr_lingering, mf->nr_lingering + 1);
	loan->is_lingering = true;
}

/* Nothing may be seen through it any more; entries there have been are gone. */
static void revoke(struct tmm_loan *loan, struct list_head *unused)
{
	lockdep_assert_held_write(&loan->mf->revoke_lock);
	list_del(&loan->link);
	WRITE_ONCE(loan->is_revoked, true);
	if (may_be_pinned(loan))
		linger(loan, unused);
	else
		end(loan);
}

static void free_unused(struct list_head *unused)
{
	struct tmm_loan *loan, *next;

	list_for_each_entry_safe(loan, next, unused, link) {
		free_loan(loan);
		cond_resched();
	}
}

/* Look at what lingers, for one hold of the lock; takes from @nr how many were looked at. */
static void look_at_some(struct tmm_mapping_file *mf, unsigned int *nr, struct list_head *unused)
{
	u64 budget = PAGES_AT_A_TIME;
	struct tmm_loan *loan;
	int pinned;

	down_write(&mf->revoke_lock);
	while (*nr && budget && !list_empty(&mf->lingering)) {
		loan = list_first_entry(&mf->lingering, struct tmm_loan, link);
		pinned = is_pinned(loan, &budget);
		if (pinned < 0)
			break;
		--*nr;
		budget -= min_t(u64, budget, PAGES_A_LOAN);
		if (pinned)
			list_move_tail(&loan->link, &mf->lingering);
		else
			stop_lingering(loan, unused);
	}
	if (list_empty(&mf->lingering))
		*nr = 0;
	up_write(&mf->revoke_lock);
}

/* There is a watch while something lingers; the file stays for it. */
static void start_watch(struct tmm_mapping_file *mf)
{
	down_write(&mf->revoke_lock);
	if (!mf->is_watched && !list_empty(&mf->lingering)) {
		mf->is_watched = true;
		get_file(mf->file);
		mf->watch_delay = WATCH_FIRST;
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	up_write(&mf->revoke_lock);
}

/**
 * tmm_loans_settle() - look once at each loan that lingers, and end what is not pinned
 * @mf: the mapping's file, which stays
 *
 * Context: Process context, may sleep. O(lingering loans + pages not known to be
 *          unpinned); the lock is free in between.
 * Return: how many linger on
 */
unsigned int tmm_loans_settle(struct tmm_mapping_file *mf)
{
	unsigned int nr = READ_ONCE(mf->nr_lingering);
	LIST_HEAD(unused);

	while (nr) {
		look_at_some(mf, &nr, &unused);
		cond_resched();
	}
	free_unused(&unused);
	start_watch(mf);
	return READ_ONCE(mf->nr_lingering);
}

static void watch(struct work_struct *work)
{
	struct tmm_mapping_file *mf = container_of(to_delayed_work(work), struct tmm_mapping_file,
						   watch);
	bool is_done;

	tmm_loans_settle(mf);
	down_write(&mf->revoke_lock);
	is_done = list_empty(&mf->lingering);
	mf->is_watched = !is_done;
	if (!is_done) {
		mf->watch_delay = min(2 * mf->watch_delay, WATCH_LAST);
		queue_delayed_work(watchers, &mf->watch, mf->watch_delay);
	}
	up_write(&mf->revoke_lock);
	if (is_done)
		fput(mf->file);
}

/* Of a loan that whoever calls this keeps: does it linger on? */
static void settle(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;
	LIST_HEAD(unused);
	int pinned;

	do {
		u64 budget = PAGES_AT_A_TIME;

		down_write(&mf->revoke_lock);
		pinned = loan->is_lingering ? is_pinned(loan, &budget) : 1;
		if (!pinned)
			stop_lingering(loan, &unused);
		up_write(&mf->revoke_lock);
		cond_resched();
	} while (pinned < 0);
	start_watch(mf);
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
	mf->lingering_tree = RB_ROOT_CACHED;
	init_waitqueue_head(&mf->wait);
	mf->generation = TMM_ANY_GENERATION + 1;
	tmm_lender_init(&mf->owner, TMM_ANY_GENERATION);
	tmm_lender_init(&mf->descriptors, mf->generation);
	INIT_DELAYED_WORK(&mf->watch, watch);
}

/**
 * tmm_lender_init() - something that loans are made through
 * @lender: filled in; part of what outlives its loans, or allocated
 * @generation: the mapping file's now, or TMM_ANY_GENERATION
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
 * tmm_lender_is_stale() - does it lend no more?
 * @lender: the lender
 * @mf: the mapping's file
 *
 * Return: true once it is so; it stays so
 */
bool tmm_lender_is_stale(const struct tmm_lender *lender, const struct tmm_mapping_file *mf)
{
	return lender->generation != TMM_ANY_GENERATION &&
	       lender->generation != READ_ONCE(mf->generation);
}

/**
 * tmm_loan_create() - a loan of nothing yet
 *
 * Context: Process context, may sleep.
 * Return: the loan: @borrow is to be begun, then tmm_loan_prepare() and
 * tmm_loan_begin(); or to be freed by kfree(). NULL if the kernel heap is exhausted
 */
struct tmm_loan *tmm_loan_create(void)
{
	struct tmm_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);

	if (loan) {
		kref_init(&loan->kref);
		loan->has_areas = true;
	}
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
 * @lender: what it is made through
 *
 * Context: Process context, may sleep.
 * Return: 0; or -ESTALE if @lender has become stale: the borrow is the caller's to end
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
	/* Whoever closed it may have looked at this file before. */
	if (is_closed)
		tmm_mapping_file_revoke(mf, &nr_pinned);
	return 0;
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

/* No area has it any more. */
static void destroy(struct kref *kref)
{
	struct tmm_loan *loan = container_of(kref, struct tmm_loan, kref);
	struct tmm_mapping_file *mf = loan->mf;
	LIST_HEAD(unused);
	bool is_lingering;

	down_write(&mf->revoke_lock);
	if (!loan->is_revoked)
		revoke(loan, &unused);
	is_lingering = loan->is_lingering;
	up_write(&mf->revoke_lock);
	if (is_lingering) {
		settle(loan);
		/* Until here it was ours, whatever others have found. */
		down_write(&mf->revoke_lock);
		loan->has_areas = false;
		is_lingering = loan->is_lingering;
		up_write(&mf->revoke_lock);
	}
	free_unused(&unused);
	if (!is_lingering)
		free_loan(loan);
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
 * tmm_loans_revoke() - take a mapping out of all processes
 * @mf: its file; locked for writing, to be settled when it no longer is
 *
 * Context: Process context, may sleep. O(entries in processes + loans * log lingering).
 * Return: how many loans there were
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
		revoke(loan, &unused);
		nr++;
		cond_resched();
	}
	free_unused(&unused);
	return nr;
}

/**
 * tmm_mapping_file_revoke() - take a mapping out of all processes, and end its descriptors
 * @mf: its file; a client owns the mapping
 * @nr_pinned: set to how many borrows, of these or of earlier ones, have not ended,
 *             because I/O still holds some of their memory
 *
 * When this returns, no process can reach the mapping's memory, and all borrows
 * by mmap() but those have ended. Areas stay; touching them is SIGBUS. Descriptors that
 * only borrow are stale.
 *
 * Context: Process context, may sleep. As tmm_loans_revoke() and tmm_loans_settle().
 * Return: how many loans there were
 */
unsigned int tmm_mapping_file_revoke(struct tmm_mapping_file *mf, unsigned int *nr_pinned)
{
	unsigned int nr;

	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	nr = tmm_loans_revoke(mf);
	up_write(&mf->revoke_lock);
	*nr_pinned = tmm_loans_settle(mf);
	wake_up_all(&mf->wait);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapping_file_revoke);

/**
 * tmm_mapping_file_end_descriptors() - no more is lent through descriptors
 * @mf: the mapping's file
 *
 * Context: Process context, may sleep. What is lent stays lent.
 */
void tmm_mapping_file_end_descriptors(struct tmm_mapping_file *mf)
{
	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	up_write(&mf->revoke_lock);
	wake_up_all(&mf->wait);
}

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
