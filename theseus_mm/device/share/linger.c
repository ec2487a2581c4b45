// SPDX-License-Identifier: GPL-2.0
#include "device/share/linger.h"

#include "alloc/wake.h"
#include "device/share/lender.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_pin.h"

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* Shortest and longest delay between two checks for pins of lingering loans. */
#define WATCH_FIRST	msecs_to_jiffies(50)
#define WATCH_LAST	msecs_to_jiffies(1000)

/*
 * The limit of pages to check before the lock is released for a while. Each checked loan counts
 * as PAGES_A_LOAN of these pages.
 */
#define PAGES_AT_A_TIME	16384
#define PAGES_A_LOAN	64

static struct workqueue_struct *watchers;

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

/* Return 1 if the loan is pinned, 0 if it is not, or -EAGAIN if @budget ran out first. */
static int is_pinned(struct tmm_loan *loan, u64 *budget)
{
	if (loan->nr_uses)
		return 1;
	return may_be_pinned(loan) ? tmm_mapped_pages_search_pins(&loan->search, budget) : 0;
}

/*
 * End the borrow of a loan that no area shows. Either no I/O pins the loan, or another loan has
 * joined it and keeps a borrow. If the owner has dropped the mapping, the end of the last borrow
 * frees the mapping.
 */
static void end_borrow(struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf = loan->mf;

	tmm_borrow_mark_dirty(&loan->borrow);
	/*
	 * Clear the file from the struct pages: the next owner has another file, and this file
	 * may be freed.
	 */
	if (mf->is_in_pages && tmm_mapping_file_has_no_loan(mf)) {
		tmm_mapped_pages_clear_file(loan->borrow.mp, mf->lent_first,
					    mf->lent_end - mf->lent_first);
		mf->is_in_pages = false;
	}
	tmm_borrow_end(&loan->borrow);
	/* A client that sees the count fall, or poll() report the end, may borrow at once. */
	if (loan->is_lingering)
		WRITE_ONCE(mf->nr_lingering, mf->nr_lingering - 1);
	loan->is_lingering = false;
	loan->lender->nr_loans--;
	/* Pairs with poll(), which queues itself before it looks for this change. */
	if (wq_has_sleeper(&mf->wait))
		tmm_wake_all(&mf->wait, NULL);
}

/* Free a loan that no area and no list refers to. */
void tmm_linger_free(struct tmm_loan *loan)
{
	if (loan->lender)
		tmm_lender_put(loan->lender);
	kfree(loan);
}

/* Remove a loan from the lingering loans. The loan goes to @unused if no area has a reference. */
static void stop_lingering(struct tmm_loan *loan, struct list_head *unused)
{
	struct tmm_mapping_file *mf = loan->mf;

	lockdep_assert_held_write(&mf->revoke_lock);
	list_del(&loan->link);
	tree_remove(loan, &mf->lingering_tree);
	end_borrow(loan);
	if (!loan->has_areas)
		list_add(&loan->link, unused);
}

/*
 * Find a lingering loan of the same lender that overlaps @loan and that no device uses. The
 * two loans can be joined.
 */
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

/*
 * Extend @loan by the pages of @other. Search first at the page of @other that was last found
 * pinned, because I/O probably still pins that page.
 */
static void join_loan(struct tmm_loan *loan, const struct tmm_loan *other)
{
	struct tmm_borrow *a = &loan->borrow;
	const struct tmm_borrow *b = &other->borrow;
	u64 end = max(a->offset + a->nr_bytes, b->offset + b->nr_bytes);

	a->offset = min(a->offset, b->offset);
	a->nr_bytes = end - a->offset;
	/*
	 * A mapping can have both borrows at once only if both are immutable, or if the mapping
	 * is shareable. So the joined borrow excludes no other borrow.
	 */
	a->is_mutable |= b->is_mutable;
	tmm_borrow_search_pins(a, &loan->search);
	loan->search.pinned = other->search.pinned;
}

/* Let a loan linger, and begin its search for pins. The loan's entries are already cleared. */
static void start_lingering(struct tmm_loan *loan, struct list_head *unused)
{
	struct tmm_mapping_file *mf = loan->mf;
	struct tmm_loan *other;

	tmm_borrow_search_pins(&loan->borrow, &loan->search);
	list_add_tail(&loan->link, &mf->lingering);
	/* Count this loan first, so that clients do not see the mapping without pins. */
	WRITE_ONCE(mf->nr_lingering, mf->nr_lingering + 1);
	while ((other = find_alike(loan))) {
		join_loan(loan, other);
		stop_lingering(other, unused);
	}
	tree_insert(loan, &mf->lingering_tree);
	loan->is_lingering = true;
}

/*
 * End the borrow of a loan that was just revoked, or let the loan linger if I/O may pin its
 * memory.
 */
void tmm_linger_or_end(struct tmm_loan *loan, struct list_head *unused)
{
	lockdep_assert_held_write(&loan->mf->revoke_lock);
	if (may_be_pinned(loan))
		start_lingering(loan, unused);
	else
		end_borrow(loan);
}

/* Free all loans in @unused, which no area refers to. */
void tmm_linger_free_unused(struct list_head *unused)
{
	struct tmm_loan *loan, *next;

	list_for_each_entry_safe(loan, next, unused, link) {
		tmm_linger_free(loan);
		cond_resched();
	}
}

/*
 * Take the lock once, and check as many of the next @nr lingering loans as the budget allows.
 * Subtract the number of checked loans from @nr.
 */
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

/*
 * Start the work item that watches lingering loans. The work item repeats while a loan
 * lingers, and holds a reference on the file.
 */
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

/*
 * Check each lingering loan once, end the loans that are not pinned, and return how many still
 * linger. The caller keeps @mf. May sleep, and releases the lock after every PAGES_AT_A_TIME pages.
 * O(lingering loans + pages that were not checked earlier).
 */
unsigned int tmm_linger_settle_all(struct tmm_mapping_file *mf)
{
	unsigned int nr = READ_ONCE(mf->nr_lingering);
	LIST_HEAD(unused);

	while (nr) {
		look_at_some(mf, &nr, &unused);
		cond_resched();
	}
	tmm_linger_free_unused(&unused);
	start_watch(mf);
	return READ_ONCE(mf->nr_lingering);
}

static void watch_loans(struct work_struct *work)
{
	struct tmm_mapping_file *mf = container_of(to_delayed_work(work), struct tmm_mapping_file,
						   watch);
	bool is_done;

	tmm_linger_settle_all(mf);
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

/*
 * Check one loan until its borrow ends or the loan is found pinned. The caller has a reference
 * on the loan.
 */
void tmm_linger_settle(struct tmm_loan *loan)
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

/* Make the workqueue that the work items of all mapping files share. */
int __init tmm_linger_init(void)
{
	watchers = alloc_workqueue(KBUILD_MODNAME, WQ_UNBOUND, 0);
	return watchers ? 0 : -ENOMEM;
}

/* Undo tmm_linger_init() once no loan is left. May sleep. */
void tmm_linger_exit(void)
{
	destroy_workqueue(watchers);
}

/* Initialise the fields of a mapping file that lingering loans use. */
void tmm_linger_init_file(struct tmm_mapping_file *mf)
{
	INIT_LIST_HEAD(&mf->lingering);
	mf->lingering_tree = RB_ROOT_CACHED;
	INIT_DELAYED_WORK(&mf->watch, watch_loans);
}

/*
 * True if all borrows of @mp are lingering loans of its file @mf. The caller ensures that no
 * new borrow of @mp can begin. May sleep.
 */
bool tmm_linger_is_only_borrower(struct tmm_mapping_file *mf, const struct tmm_mapped_pages *mp)
{
	bool only;

	down_read(&mf->revoke_lock);
	only = tmm_mapped_pages_nr_borrows(mp) == mf->nr_lingering;
	up_read(&mf->revoke_lock);
	return only;
}
