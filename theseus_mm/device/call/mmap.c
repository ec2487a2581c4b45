// SPDX-License-Identifier: GPL-2.0
/* MAP_OFFSET and mmap(): show a mapping in the address space of a process. */
#include "device/call/mmap.h"

#include "device/call/call.h"
#include "device/client/exports.h"
#include "device/client/lending.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"
#include "device/share/prefault.h"
#include "device/share/vma.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"

#include <linux/compat.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

int tmm_ioctl_map_offset(struct tmm_call *call)
{
	int err;

	/*
	 * A new offset counts as a handle. Check that the reply can be written before the offset
	 * is assigned.
	 */
	call->arg.map_offset.offset = 0;
	call->arg.map_offset.nr_bytes = 0;
	err = tmm_call_reply(call);
	if (err)
		return err;
	err = tmm_mmap_offset_assign(call->client, &call->arg.map_offset, in_compat_syscall());
	return err ?: tmm_call_reply(call);
}

/* Let the VMA show the part of the mapping that @loan borrowed. On an error the borrow ends. */
static int set_up_area(struct vm_area_struct *vma, struct tmm_loan *loan,
		       struct tmm_mapping_file *mf, struct tmm_lender *lender)
{
	int err;

	err = tmm_vma_check(vma, loan->borrow.mp);
	if (err)
		goto err_end;
	vma->vm_pgoff = loan->borrow.offset >> PAGE_SHIFT;
	if (vma->vm_file != mf->file)
		vma_set_file(vma, mf->file);
	tmm_loan_prepare(loan, vma->vm_mm);
	tmm_vma_set_up(vma, loan);
	/*
	 * A loan that has begun can be revoked, so the loan begins after the VMA is set up.
	 * Linux removes the VMA if mmap() fails.
	 */
	err = tmm_loan_begin(loan, mf, lender);
	if (err)
		goto err_end;
	tmm_loan_taint(loan);
	return 0;

err_end:
	tmm_borrow_end(&loan->borrow);
	return err;
}

/* Make a loan. @lend borrows the part of the mapping that the VMA asks for, and sets the VMA up. */
static int mmap_loan(struct file *file, struct vm_area_struct *vma,
		     int (*lend)(struct file *file, struct vm_area_struct *vma,
				 struct tmm_loan *loan))
{
	struct tmm_loan *loan;
	int err;

	/* A private VMA would copy pages on write, and this memory may have no struct pages. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	loan = tmm_loan_create();
	if (!loan)
		return -ENOMEM;
	err = lend(file, vma, loan);
	if (err) {
		kfree(loan);
		return err;
	}
	/* This function allocates memory of the borrower, for which no owner may have to wait. */
	tmm_prefault_begin(vma, loan);
	return 0;
}

static int lend_offset(struct file *file, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf;
	int err;

	/*
	 * A read-only client owns nothing to mmap. A call that changes something returns -EBADF
	 * for such a client, too.
	 */
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	err = tmm_mmap_offset_lend(file->private_data, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				   vma->vm_flags & VM_WRITE, loan, &mf);
	if (err)
		return err;
	err = set_up_area(vma, loan, mf, &mf->owner);
	fput(mf->file);
	return err;
}

static int lend_export(struct file *file, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	struct tmm_export *export = file->private_data;
	int err;

	down_read(&export->mf.lend_lock);
	err = tmm_export_lend(export, (u64)vma->vm_pgoff << PAGE_SHIFT,
			      vma->vm_end - vma->vm_start, vma->vm_flags & VM_WRITE, loan);
	if (!err)
		err = set_up_area(vma, loan, &export->mf, &export->descriptors);
	up_read(&export->mf.lend_lock);
	return err;
}

static int lend_lending(struct file *file, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	const struct tmm_lending *lending = file->private_data;
	int err;

	down_read(&lending->mf->lend_lock);
	err = tmm_lending_lend(lending, (u64)vma->vm_pgoff << PAGE_SHIFT,
			       vma->vm_end - vma->vm_start, vma->vm_flags & VM_WRITE, loan);
	if (!err)
		err = set_up_area(vma, loan, lending->mf, lending->lender);
	up_read(&lending->mf->lend_lock);
	return err;
}

/*
 * mmap() of a client's descriptor: borrow the mapping that vm_pgoff names. Runs under mmap_lock
 * and may sleep. Errors: -EINVAL if the VMA is not shared, -EBADF if the client was opened
 * read-only, -ENOENT if no mapping has the offset, -EACCES if the mapping's flags forbid the
 * access, -EOPNOTSUPP for write-back device memory, -ENODEV if the device was removed, -ENOMEM,
 * and the errors of tmm_borrow_begin().
 */
int tmm_mmap(struct file *file, struct vm_area_struct *vma)
{
	return mmap_loan(file, vma, lend_offset);
}

/*
 * mmap() of an exporting descriptor: vm_pgoff is an offset in the exported mapping. Runs under
 * mmap_lock and may sleep. Returns -ESTALE if the export no longer owns the mapping, or an error
 * that tmm_mmap() can return.
 */
int tmm_export_mmap(struct file *file, struct vm_area_struct *vma)
{
	return mmap_loan(file, vma, lend_export);
}

/*
 * mmap() of a lending descriptor: vm_pgoff is an offset in the lent mapping. Runs under
 * mmap_lock and may sleep. Returns an error of tmm_lending_lend(), or an error that tmm_mmap() can
 * return.
 */
int tmm_lending_mmap(struct file *file, struct vm_area_struct *vma)
{
	return mmap_loan(file, vma, lend_lending);
}
