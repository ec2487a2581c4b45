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
 * struct prefault - what is asked for
 * @mm: of the process that asked; to be compared only
 * @start: first byte
 * @end: behind the last byte
 */
struct prefault {
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;
};

/*
 * A fault at @address brings what its table has of the area.
 * Return: where to go on; or 0 if there is none of our areas, or it cannot be shown
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

/* A task that ends has no memory any more. */
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
 * tmm_prefault_later() - have all entries before this system call returns
 * @start: of an area that is being made in this process
 * @nr_bytes: its size
 *
 * As far as the area then is one of ours. As with Linux's own populating, an area that
 * cannot be filled, for want of memory, is good nevertheless.
 *
 * fput() leaves ->release() to the way back to user space, where no lock is held.
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
