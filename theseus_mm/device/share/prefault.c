// SPDX-License-Identifier: GPL-2.0
#include "device/share/prefault.h"

#include "device/share/fault.h"
#include "device/share/loan.h"
#include "device/share/vma.h"

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/* A request to fill an area. */
struct prefault {
	struct list_head link;	/* in @asked */
	/* the task that asked, in a system call that has not returned; never dereferenced */
	struct task_struct *task;
	struct mm_struct *mm;	/* the process that asked; used only while it is current->mm */
	unsigned long start;
	unsigned long end;	/* first byte after the area, once the area exists */
	u64 loan;	/* number of the loan that the area shows; 0 until the area exists */
};

static DEFINE_SPINLOCK(asked_lock);	/* protects @asked and the requests in it */
static LIST_HEAD(asked);

/*
 * Fault at @address. The fault inserts all entries of the area that lie in the same page
 * table. A page whose memory fails has no entry, but the pages behind it have theirs. Return the
 * address to go on from, or 0 if no area of the loan is there or the fault failed.
 */
static unsigned long prefault_table(const struct prefault *prefault, unsigned long address)
{
	struct mm_struct *mm = prefault->mm;
	struct vm_area_struct *vma = vma_lookup(mm, address);
	bool is_writable;

	if (!vma || !tmm_vma_shows(vma, prefault->loan))
		return 0;
	is_writable = vma->vm_flags & VM_WRITE;
	if (!fixup_user_fault(mm, address, is_writable ? FAULT_FLAG_WRITE : 0, NULL))
		return min(vma->vm_end, ALIGN_DOWN(address, PMD_SIZE) + PMD_SIZE);
	return tmm_fault_is_on_bad_memory(vma, tmm_vma_loan(vma), address) ? address + PAGE_SIZE :
									    0;
}

static void prefault_all(const struct prefault *prefault)
{
	unsigned long address = prefault->start;

	while (address && address < prefault->end) {
		if (mmap_read_lock_killable(prefault->mm))
			return;
		address = prefault_table(prefault, address);
		mmap_read_unlock(prefault->mm);
		if (fatal_signal_pending(current))
			return;
		cond_resched();
	}
}

/*
 * Fill the area on the way back to user space. An exiting task no longer has an mm, so nothing
 * is filled.
 */
static int release(struct inode *inode, struct file *file)
{
	struct prefault *prefault = file->private_data;

	spin_lock(&asked_lock);
	list_del(&prefault->link);
	spin_unlock(&asked_lock);
	if (prefault->loan && prefault->mm == current->mm)
		prefault_all(prefault);
	kfree(prefault);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = release,
};

/* fput() delays ->release() until the task returns to user space, where it holds no lock. */
static void enqueue_prefault(struct prefault *prefault)
{
	struct file *file = anon_inode_getfile("theseus_mm-prefault", &fops, prefault, O_RDONLY);

	if (IS_ERR(file)) {
		kfree(prefault);
		return;
	}
	spin_lock(&asked_lock);
	list_add(&prefault->link, &asked);
	spin_unlock(&asked_lock);
	fput(file);
}

static struct prefault *create_prefault(unsigned long start)
{
	struct prefault *prefault = kzalloc(sizeof(*prefault), GFP_KERNEL_ACCOUNT);

	if (!prefault)
		return NULL;
	INIT_LIST_HEAD(&prefault->link);
	prefault->task = current;
	prefault->mm = current->mm;
	prefault->start = start;
	return prefault;
}

/*
 * Ask to fill the area that mmap() will make at @start, before this system call returns. As
 * with Linux's own populating, mmap() succeeds even if memory is too short to fill the area.
 *
 * May sleep; the caller is in a system call and holds mmap_lock. The calling task fills the area
 * later. The filling is O(leaves) and killable.
 */
void tmm_prefault_ask(unsigned long start)
{
	struct prefault *prefault = create_prefault(start);

	if (prefault)
		enqueue_prefault(prefault);
}

/* Find the request of this system call. The requests of the task's earlier calls are gone. */
static struct prefault *find_asked(unsigned long start)
{
	struct prefault *prefault;

	lockdep_assert_held(&asked_lock);
	list_for_each_entry(prefault, &asked, link)
		if (prefault->task == current && prefault->start == start)
			return prefault;
	return NULL;
}

/*
 * Fill the new area @vma, which shows @loan, if this system call asked for it, or if the area is
 * locked into memory without MCL_ONFAULT. May sleep; the caller is in a system call and holds
 * mmap_lock.
 */
void tmm_prefault_begin(const struct vm_area_struct *vma, const struct tmm_loan *loan)
{
	struct prefault *prefault = NULL;

	/* Most calls ask for nothing. A request of this call is in the list already. */
	if (!list_empty(&asked)) {
		spin_lock(&asked_lock);
		prefault = find_asked(vma->vm_start);
		if (prefault) {
			prefault->end = vma->vm_end;
			prefault->loan = loan->number;
		}
		spin_unlock(&asked_lock);
	}
	if (prefault || (vma->vm_flags & (VM_LOCKED | VM_LOCKONFAULT)) != VM_LOCKED)
		return;
	prefault = create_prefault(vma->vm_start);
	if (!prefault)
		return;
	prefault->end = vma->vm_end;
	prefault->loan = loan->number;
	enqueue_prefault(prefault);
}
