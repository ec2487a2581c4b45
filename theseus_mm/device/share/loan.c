// SPDX-License-Identifier: GPL-2.0
#include "device/share/loan.h"

#include "alloc/trace.h"
#include "core/number.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"

#include <kunit/visibility.h>
#include <linux/atomic.h>
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

/* First and longest delay between two checks whether a lingering loan is still pinned. */
#define WATCH_FIRST	msecs_to_jiffies(50)
#define WATCH_LAST	msecs_to_jiffies(1000)

/* Pages to check in one hold of the lock; each loan counts as some pages too. */
#define PAGES_AT_A_TIME	16384
#define PAGES_A_LOAN	64

/*
 * VFIO copies frame numbers out of an area of memory without struct pages into a device's
 * tables. It takes no reference, so the module cannot ask whether the device still uses them.
 */
static bool quarantine;
module_param_cb(quarantine, &tmm_param_ops_switch, &quarantine, 0400);
MODULE_PARM_DESC(quarantine, "do not reuse memory that was mmapped until the module is unloaded (default off)");

static struct workqueue_struct *watchers;
static atomic64_t last_number;

/* The file has no loans, except one that is just beginning or ending. */
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

/* Return: 1 if pinned, 0 if not, or -EAGAIN if @budget was used up before that is known */
static int is_pinned(struct tmm_loan *loan, u64 *budget)
{
	if (loan->nr_uses)
		return 1;
	return may_be_pinned(loan) ? tmm_pin_search(&loan->search, budget) : 0;
}

/*
 * End the borrow of a loan that no area shows and no I/O pins. The end of the last borrow
 * frees a dropped mapping.
 */
static void end(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;

	tmm_borrow_mark_dirty(&loan->borrow);
	/* Clear the names: the next owner has another file, and this one may be freed. */
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

/* Take a loan off the lingering ones; without other references it goes to @unused. */
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

/* Find a lingering loan that overlaps @loan and can be joined with it: no device uses it. */
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

/* Extend @loan by the pages of @other. A page of @other found pinned is likely still so. */
static void join(struct tmm_loan *loan, const struct tmm_loan *other)
{
	struct tmm_borrow *a = &loan->borrow;
	const struct tmm_borrow *b = &other->borrow;
	u64 end = max(a->offset + a->nr_bytes, b->offset + b->nr_bytes);

	a->offset = min(a->offset, b->offset);
	a->nr_bytes = end - a->offset;
	/* Both exist at a time: neither is mutable, or the mapping is shareable. */
	a->is_mutable |= b->is_mutable;
	tmm_borrow_search_pins(a, &loan->search);
	loan->search.pinned = other->search.pinned;
}

/* Let a loan linger: its entries are gone, and its pins are not searched yet. */
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

/* Mark a loan as revoked: its entries are cleared, and faults insert none any more. */
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

/* Check lingering loans for one hold of the lock; subtract their number from @nr. */
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

/* Start the watch, which runs while a loan lingers and holds the file. */
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
 * tmm_loans_settle() - check each lingering loan once, and end those that are not pinned
 * @mf: the mapping's file, which stays
 *
 * Context: Process context, may sleep. O(lingering loans + pages not known to be
 *          unpinned); the lock is released in between.
 * Return: number of loans that still linger
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

/* Check a loan, on which the caller has a reference, until it ends or is found pinned. */
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
 * tmm_loans_init() - make the workqueue that all loans share
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
	INIT_LIST_HEAD(&mf->lingering);
	mf->lingering_tree = RB_ROOT_CACHED;
	init_waitqueue_head(&mf->wait);
	mf->generation = TMM_ANY_GENERATION + 1;
	tmm_lender_init(&mf->owner, TMM_ANY_GENERATION);
	tmm_lender_init(&mf->descriptors, mf->generation);
	INIT_DELAYED_WORK(&mf->watch, watch);
}

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
	bool is_first = has_no_loan(mf);

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
		tmm_mapping_file_revoke(mf, &nr_pinned);
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
		/* Until here the borrow kept the frames, whatever other loans did. */
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
 * tmm_loan_put() - drop an area's reference, since the area is gone
 * @loan: the area's loan; the area's entries are cleared and flushed
 *
 * Context: Process context, may sleep; under mmap_lock.
 */
void tmm_loan_put(struct tmm_loan *loan)
{
	kref_put(&loan->kref, destroy);
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
 * @mf: its file; locked for writing; the caller calls tmm_loans_settle() after unlocking
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
 * @nr_pinned: set to the number of borrows, of these or of earlier loans, that have not
 *             ended because I/O still pins some of their memory
 *
 * When this returns, no process can reach the mapping's memory, and all borrows by mmap()
 * have ended, except those in @nr_pinned. Areas stay; touching them raises SIGBUS. Lending
 * descriptors are stale.
 *
 * Context: Process context, may sleep. As tmm_loans_revoke() and tmm_loans_settle().
 * Return: number of loans that were revoked
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
 * tmm_mapping_file_end_descriptors() - make all lending descriptors of a mapping stale
 * @mf: the mapping's file
 *
 * Context: Process context, may sleep. Existing loans stay.
 */
void tmm_mapping_file_end_descriptors(struct tmm_mapping_file *mf)
{
	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	up_write(&mf->revoke_lock);
	wake_up_all(&mf->wait);
}

/**
 * tmm_mapping_file_only_lingers() - is a mapping borrowed by lingering loans only?
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
