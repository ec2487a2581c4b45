// SPDX-License-Identifier: GPL-2.0
#include "device/share/prefault.h"

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

/**
 * struct prefault - the area to fill
 * @link: in the list
 * @task: the task that asked, in a system call that has not returned; only compared
 * @mm: the process that asked; only compared
 * @start: first byte
 * @end: byte after the last, once there is an area
 * @loan: number of the loan that the area shows; 0 until there is one
 */
struct prefault {
	struct list_head link;
	struct task_struct *task;
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
	u64 loan;
};

static DEFINE_SPINLOCK(asked_lock);	/* asked, and all that is in it */
static LIST_HEAD(asked);

/*
 * Fault at @address, which inserts all entries of its page table that the area has.
 * Return: address to go on from; or 0 if no area of the loan is there, or the fault failed
 */
static unsigned long prefault_table(const struct prefault *prefault, unsigned long address)
{
	struct mm_struct *mm = prefault->mm;
	struct vm_area_struct *vma = vma_lookup(mm, address);
	bool is_writable;

	if (!vma || !tmm_vma_shows(vma, prefault->loan))
		return 0;
	is_writable = vma->vm_flags & VM_WRITE;
	if (fixup_user_fault(mm, address, is_writable ? FAULT_FLAG_WRITE : 0, NULL))
		return 0;
	return min(vma->vm_end, ALIGN_DOWN(address, PMD_SIZE) + PMD_SIZE);
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

/* An exiting task has no mm any more. */
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

/**
 * tmm_prefault_ask() - insert all entries of an area before this system call returns
 * @start: where mmap() will put the area, unless it fails
 *
 * As with Linux's own populating, mmap() succeeds even if the area cannot be filled for
 * lack of memory.
 *
 * Context: Process context, may sleep; in a system call, under mmap_lock. The work is
 * O(leaves), killable, and in this process's time.
 */
void tmm_prefault_ask(unsigned long start)
{
	struct prefault *prefault = create_prefault(start);

	if (prefault)
		enqueue_prefault(prefault);
}

/* The request of this system call: those of earlier calls of this task are gone. */
static struct prefault *find_asked(unsigned long start)
{
	struct prefault *prefault;

	lockdep_assert_held(&asked_lock);
	list_for_each_entry(prefault, &asked, link)
		if (prefault->task == current && prefault->start == start)
			return prefault;
	return NULL;
}

/**
 * tmm_prefault_begin() - fill an area if this system call asked for it
 * @vma: the area, which is being made; an area that is locked into memory is always filled
 * @loan: the loan that it shows
 *
 * Context: Process context, may sleep; in a system call, under mmap_lock.
 */
void tmm_prefault_begin(const struct vm_area_struct *vma, const struct tmm_loan *loan)
{
	struct prefault *prefault;

	spin_lock(&asked_lock);
	prefault = find_asked(vma->vm_start);
	if (prefault) {
		prefault->end = vma->vm_end;
		prefault->loan = loan->number;
	}
	spin_unlock(&asked_lock);
	if (prefault || (vma->vm_flags & (VM_LOCKED | VM_LOCKONFAULT)) != VM_LOCKED)
		return;
	prefault = create_prefault(vma->vm_start);
	if (!prefault)
		return;
	prefault->end = vma->vm_end;
	prefault->loan = loan->number;
	enqueue_prefault(prefault);
}
