// SPDX-License-Identifier: GPL-2.0
/* Mappings in the memory of processes: offsets for mmap(), and mmap() itself. */
#include "device/call/mmap.h"

#include "device/call/call.h"
#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/lending.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"
#include "device/share/prefault.h"
#include "device/share/vma.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"

#include <linux/compat.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

int tmm_ioctl_map_offset(struct tmm_call *call)
{
	int err;

	/* The offset counts as a handle: check first that the reply can be written. */
	call->arg.map_offset.offset = 0;
	call->arg.map_offset.nr_bytes = 0;
	err = tmm_call_reply(call);
	if (err)
		return err;
	err = tmm_mmap_offset_assign(call->client, &call->arg.map_offset, in_compat_syscall());
	return err ?: tmm_call_reply(call);
}

/* The area shows what was borrowed for it. If it may not, the borrow ends. */
static int set_up(struct vm_area_struct *vma, struct tmm_loan *loan, struct tmm_mapping_file *mf,
		  struct tmm_lender *lender)
{
	int err = tmm_vma_check(vma, loan->borrow.mp);

	if (err)
		goto err_end;
	vma->vm_pgoff = loan->borrow.offset >> PAGE_SHIFT;
	if (vma->vm_file != mf->file)
		vma_set_file(vma, mf->file);
	tmm_loan_prepare(loan, vma->vm_mm);
	tmm_vma_set_up(vma, loan);
	/* Last: from here on the loan can be revoked. Linux removes the area on an error. */
	err = tmm_loan_begin(loan, mf, lender);
	if (err)
		goto err_end;
	tmm_loan_taint(loan);
	tmm_prefault_begin(vma, loan);
	return 0;

err_end:
	tmm_borrow_end(&loan->borrow);
	return err;
}

/* Borrow what the area asks for, and give the area the mapping's file. */
static int lend_offset(struct tmm_client *client, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_mmap_offset_lend(client, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				   vma->vm_flags & VM_WRITE, loan, &mf);
	if (err)
		return err;
	err = set_up(vma, loan, mf, &mf->owner);
	fput(mf->file);
	return err;
}

/**
 * tmm_mmap() - borrow a mapping for a process
 * @file: the client's
 * @vma: the area
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0; -EINVAL if it is not shared; -EBADF if the client was opened for reading
 * only; -ENOENT if the offset is no mapping's; -EACCES if the mapping's flags forbid
 * it; -EOPNOTSUPP for device memory that is write-back; or an error of
 * tmm_borrow_begin()
 */
int tmm_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct tmm_loan *loan;
	int err;

	/* A private copy would be made of memory that has no struct page. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	/* A client that may only inspect owns nothing to mmap: EBADF, as for calls. */
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	loan = tmm_loan_create();
	if (!loan)
		return -ENOMEM;
	err = lend_offset(file->private_data, vma, loan);
	if (err)
		kfree(loan);
	return err;
}

/**
 * tmm_export_mmap() - borrow an exported mapping for a process
 * @file: the mapping's
 * @vma: the area; its offset is one into the mapping
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0; -ESTALE if it was imported; else as tmm_mmap()
 */
int tmm_export_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct tmm_mapping_file *mf = file->private_data;
	struct tmm_loan *loan;
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	loan = tmm_loan_create();
	if (!loan)
		return -ENOMEM;
	err = tmm_export_lend(mf, (u64)vma->vm_pgoff << PAGE_SHIFT,
			      vma->vm_end - vma->vm_start, vma->vm_flags & VM_WRITE, loan);
	if (!err)
		err = set_up(vma, loan, mf, &mf->descriptors);
	if (err)
		kfree(loan);
	return err;
}

/**
 * tmm_lending_mmap() - borrow a mapping for a process, through a descriptor that lends it
 * @file: the descriptor's
 * @vma: the area; its offset is one into the mapping
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0; an error of tmm_lending_lend(); else as tmm_mmap()
 */
int tmm_lending_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct tmm_lending *lending = file->private_data;
	struct tmm_loan *loan;
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	loan = tmm_loan_create();
	if (!loan)
		return -ENOMEM;
	err = tmm_lending_lend(lending, (u64)vma->vm_pgoff << PAGE_SHIFT,
			       vma->vm_end - vma->vm_start, vma->vm_flags & VM_WRITE, loan);
	if (!err)
		err = set_up(vma, loan, lending->mf, lending->lender);
	if (err)
		kfree(loan);
	return err;
}
