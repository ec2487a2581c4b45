// SPDX-License-Identifier: GPL-2.0
#include "device/prefault.h"

#include "device/mapping_file.h"

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

/**
 * struct prefault - the part of an area to fill
 * @mm: the process that asked; only compared
 * @start: first byte
 * @end: byte after the last
 */
struct prefault {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
};

/*
 * Fault at @address, which inserts all entries of its page table that the area has.
 * Return: address to go on from; or 0 if no area of ours is there, or the fault failed
 */
static unsigned long prefault_table(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);
	bool is_writable;

	if (!vma || !tmm_vma_is_area(vma))
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
		address = prefault_table(prefault->mm, address);
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

	if (prefault->mm == current->mm)
		prefault_all(prefault);
	kfree(prefault);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.release = release,
};

/**
 * tmm_prefault_later() - insert all entries of an area before this system call returns
 * @start: start of an area that is being made in this process
 * @nr_bytes: its size
 *
 * Addresses that turn out not to be in an area of ours are skipped. As with Linux's own
 * populating, mmap() succeeds even if the area cannot be filled for lack of memory.
 *
 * fput() delays ->release() until the task returns to user space, where it holds no lock.
 *
 * Context: Process context, may sleep; in a system call, under mmap_lock. The work is
 * O(leaves), killable, and in this process's time.
 */
void tmm_prefault_later(unsigned long start, unsigned long nr_bytes)
{
	struct prefault *prefault = kmalloc(sizeof(*prefault), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!prefault)
		return;
	prefault->mm = current->mm;
	prefault->start = start;
	prefault->end = start + nr_bytes;
	file = anon_inode_getfile("theseus_mm-prefault", &fops, prefault, O_RDONLY);
	if (IS_ERR(file))
		kfree(prefault);
	else
		fput(file);
}
