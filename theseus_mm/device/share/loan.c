// SPDX-License-Identifier: GPL-2.0
#include "device/share/loan.h"

#include "alloc/wake.h"
#include "device/share/lender.h"
#include "device/share/linger.h"
#include "device/share/mapping_file.h"
#include "device/share/trace.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/mapped_pages_pin.h"

#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/wait.h>

/*
 * If @quarantine is set, memory that was mmapped is withheld from other clients. VFIO copies
 * frame numbers from an area of memory without struct pages into a device's tables. VFIO takes no
 * reference, so the module cannot find out whether the device still uses the frames.
 */
static bool quarantine;

/* Loans that each CPU has created, so that clients on two CPUs write no common cache line. */
static DEFINE_PER_CPU(u64, nr_created);

/*
 * Mark a loan as revoked. The caller has cleared the loan's entries, and faults insert no new
 * entries.
 */
static void revoke_loan(struct tmm_loan *loan, struct list_head *unused)
{
	lockdep_assert_held_write(&loan->mf->revoke_lock);
	list_del(&loan->link);
	WRITE_ONCE(loan->is_revoked, true);
	tmm_linger_or_end(loan, unused);
}

/*
 * Choose whether memory that was mmapped is withheld from other clients. The caller calls this
 * function before the first loan is made.
 */
void tmm_loans_set_quarantine(bool on)
{
	quarantine = on;
}

/* True if memory that was mmapped is withheld from other clients (a module parameter). */
bool tmm_loans_quarantine(void)
{
	return quarantine;
}

/* Initialise the fields of a mapping file that loans use. The file has no loans yet. */
void tmm_loans_init_file(struct tmm_mapping_file *mf)
{
	init_rwsem(&mf->lend_lock);
	init_rwsem(&mf->revoke_lock);
	INIT_LIST_HEAD(&mf->loans);
	init_waitqueue_head(&mf->wait);
	mf->generation = TMM_ANY_GENERATION + 1;
	tmm_lender_init(&mf->owner, TMM_ANY_GENERATION);
	tmm_linger_init_file(mf);
}

/* A number that no loan has had. */
static u64 new_number(void)
{
	const unsigned int cpu = get_cpu();
	const u64 number = this_cpu_inc_return(nr_created) * nr_cpu_ids + cpu;

	put_cpu();
	return number;
}

/*
 * Allocate a loan without a borrow; may sleep. The caller begins @borrow and calls
 * tmm_loan_prepare() and tmm_loan_begin(), or frees the loan with kfree(). The result is NULL
 * if the kernel heap is exhausted.
 */
struct tmm_loan *tmm_loan_create(void)
{
	struct tmm_loan *loan = kmalloc(sizeof(*loan), GFP_KERNEL_ACCOUNT);

	if (!loan)
		return NULL;
	/* kzalloc() would clear each byte, which is more work than all else here. */
	*loan = (struct tmm_loan){
		.kref = KREF_INIT(1),
		.number = new_number(),
		.has_areas = true,
	};
	return loan;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_create);

/*
 * Set the fields of a loan that follow from its borrow. Only areas of @mm will show the loan;
 * NULL allows any process. May sleep; O(runs of frames).
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

/*
 * Add a prepared loan to its mapping's file, so that the loan can be revoked; may sleep. After
 * this call, the loan's user gives the loan up by tmm_loan_put() only. If @lender has become
 * stale, the result is -ESTALE and the caller has to end the borrow.
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
	/* If the device goes at the same time, the notifier may have missed this new loan. */
	if (is_closed)
		tmm_loans_revoke_file(mf, &nr_pinned);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_begin);

/*
 * With quarantine, taint the mapping of a loan that has begun, because code outside the module
 * may keep the frame numbers for ever. Callers call this function last, when the call can no
 * longer fail. May sleep.
 */
void tmm_loan_taint(struct tmm_loan *loan)
{
	if (!quarantine)
		return;
	down_read(&loan->mf->revoke_lock);
	/* If the loan is already revoked, no entry ever showed its frames. */
	if (!loan->is_revoked)
		tmm_mapped_pages_taint(loan->borrow.mp);
	up_read(&loan->mf->revoke_lock);
}

/* The last area of the loan is gone: end the borrow, or let the loan linger. */
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
		/* Until now @has_areas has kept other tasks from freeing the loan. */
		down_write(&mf->revoke_lock);
		loan->has_areas = false;
		is_lingering = loan->is_lingering;
		up_write(&mf->revoke_lock);
	}
	tmm_linger_free_unused(&unused);
	if (!is_lingering)
		tmm_linger_free(loan);
}

/*
 * Drop the reference of an area that is gone, or of a dma-buf. The area's entries are cleared
 * and flushed. May sleep; the caller may hold mmap_lock.
 */
void tmm_loan_put(struct tmm_loan *loan)
{
	kref_put(&loan->kref, destroy_loan);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loan_put);

/*
 * Returns true if the loan is revoked. A revoked loan stays revoked. The caller has a reference
 * on the loan.
 */
bool tmm_loan_is_revoked(const struct tmm_loan *loan)
{
	return READ_ONCE(loan->is_revoked);
}

/*
 * Let a device have the addresses of the lent memory. The borrow does not end before
 * tmm_loan_unuse(). The result is -ENODEV if the loan is revoked. The caller has a reference
 * on the loan; may sleep.
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

/* Undo tmm_loan_use(): the device no longer uses the addresses. May sleep. */
void tmm_loan_unuse(struct tmm_loan *loan)
{
	down_write(&loan->mf->revoke_lock);
	loan->nr_uses--;
	up_write(&loan->mf->revoke_lock);
}

/*
 * Take a mapping out of all processes, and return the number of loans revoked. The caller
 * holds @revoke_lock for writing, and calls tmm_linger_settle_all() after releasing it. May
 * sleep; O(entries in processes + loans * log lingering).
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

/*
 * Take a mapping out of all processes, and make its lending descriptors stale. Return the number
 * of loans revoked.
 *
 * After this call, no process can reach the mapping's memory. The borrows of all loans have
 * ended, except @nr_pinned borrows whose memory I/O still pins. @nr_pinned includes loans that
 * were revoked earlier. The areas stay, and accesses to the areas raise SIGBUS.
 *
 * May sleep. The cost is that of tmm_loans_revoke() and tmm_linger_settle_all().
 */
unsigned int tmm_loans_revoke_file(struct tmm_mapping_file *mf, unsigned int *nr_pinned)
{
	unsigned int nr;

	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	nr = tmm_loans_revoke(mf);
	up_write(&mf->revoke_lock);
	*nr_pinned = tmm_linger_settle_all(mf);
	tmm_wake_all(&mf->wait, NULL);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_loans_revoke_file);

/*
 * Wait for each mmap() of a descriptor that had borrowed the mapping before the descriptor became
 * stale. Such an mmap() fails, or its loan is revoked. When this function returns, its borrow has
 * ended, so the owner can change the mapping at once. May sleep.
 */
void tmm_loans_wait_for_mmap(struct tmm_mapping_file *mf)
{
	down_write(&mf->lend_lock);
	up_write(&mf->lend_lock);
}

/* Make all lending descriptors of a mapping stale. Existing loans stay. May sleep. */
void tmm_loans_end_descriptors(struct tmm_mapping_file *mf)
{
	down_write(&mf->revoke_lock);
	WRITE_ONCE(mf->generation, mf->generation + 1);
	up_write(&mf->revoke_lock);
	tmm_wake_all(&mf->wait, NULL);
}
