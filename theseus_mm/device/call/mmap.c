// SPDX-License-Identifier: GPL-2.0
#include "device/call/call.h"

#include "core/types.h"
#include "device/client/client.h"
#include "device/client/lending.h"
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
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/sched.h>

int tmm_ioctl_map_offset(struct tmm_call *call)
{
	int err;

	/* The offset counts as a handle: check first that the reply can be written. */
	call->arg.map_offset.offset = 0;
	call->arg.map_offset.nr_bytes = 0;
	err = tmm_call_reply(call);
	if (err)
		return err;
	err = tmm_object_map_offset(call->client, &call->arg.map_offset, in_compat_syscall());
	return err ?: tmm_call_reply(call);
}

/*
 * Revoking cannot be undone, and its result is known only afterwards: check first that the
 * reply can be written.
 */
static int prepare_reply(struct tmm_call *call)
{
	call->arg.revoke.nr_revoked = 0;
	call->arg.revoke.nr_pinned = 0;
	return tmm_call_reply(call);
}

/*
 * The revocation is done, so the call succeeds. If the structure cannot be written now, it
 * lay in a revoked area, or its process unmapped it: nobody could read the counts.
 */
static void reply_late(const struct tmm_call *call)
{
	int err = tmm_call_reply(call);

	(void)err;
}

int tmm_ioctl_revoke(struct tmm_call *call)
{
	struct theseus_mm_revoke *request = &call->arg.revoke;
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_object_mapping_file(call->client, request->handle, &mf);
	if (err)
		return err;
	err = prepare_reply(call);
	/* A mapping without a file was never lent. */
	if (!mf)
		return err;
	if (!err) {
		request->nr_revoked = tmm_mapping_file_revoke(mf, &request->nr_pinned);
		reply_late(call);
	}
	fput(mf->file);
	return err;
}

int tmm_ioctl_revoke_export(struct tmm_call *call)
{
	struct theseus_mm_revoke *request = &call->arg.revoke;
	int err;

	if (request->handle)
		return -EINVAL;
	err = prepare_reply(call);
	if (!err)
		err = tmm_mapping_file_revoke_export(call->mf, &request->nr_revoked,
						     &request->nr_pinned);
	if (!err)
		reply_late(call);
	return err;
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
static int lend(struct tmm_client *client, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_object_lend(client, vma->vm_pgoff, vma->vm_end - vma->vm_start,
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
	err = lend(file->private_data, vma, loan);
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
	err = tmm_mapping_file_lend(mf, (u64)vma->vm_pgoff << PAGE_SHIFT,
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

/* Large areas go where large leaves fit: as far from a boundary as @like is. */
static unsigned long place(struct file *file, unsigned long address, unsigned long nr_bytes,
			   unsigned long pgoff, unsigned long flags, unsigned long like)
{
	unsigned long size = nr_bytes >= tmm_page_size_bytes(TMM_1G) ? tmm_page_size_bytes(TMM_1G) :
			     tmm_page_size_bytes(TMM_2M);
	unsigned long found, more;

	if (!address && nr_bytes >= size && !(flags & MAP_FIXED) &&
	    !check_add_overflow(nr_bytes, size, &more)) {
		found = current->mm->get_unmapped_area(file, 0, more, pgoff, flags);
		if (!IS_ERR_VALUE(found))
			return found + ((like - found) & (size - 1));
	}
	return current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
}

/* Only ->get_unmapped_area() gets the flags of mmap(), and it knows the area's address. */
static unsigned long populate(unsigned long address, unsigned long flags)
{
	if (!IS_ERR_VALUE(address) && (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		tmm_prefault_ask(address);
	return address;
}

/**
 * tmm_get_unmapped_area() - choose the address of an area of a client's mapping
 * @file: the client's
 * @address: the caller's hint, or 0
 * @nr_bytes: size of the area
 * @pgoff: the mapping's offset, as MAP_OFFSET returned it
 * @flags: of mmap()
 *
 * Return: the address, or an error
 */
unsigned long tmm_get_unmapped_area(struct file *file, unsigned long address,
				    unsigned long nr_bytes, unsigned long pgoff,
				    unsigned long flags)
{
	u64 like;

	if (tmm_object_address(file->private_data, pgoff, &like))
		address = current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
	else
		address = place(file, address, nr_bytes, pgoff, flags, like);
	return populate(address, flags);
}

/**
 * tmm_export_get_unmapped_area() - where to put an area of an exported mapping
 * @file: the mapping's
 * @address: the caller's hint, or 0
 * @nr_bytes: its size
 * @pgoff: its offset in the mapping
 * @flags: of mmap()
 *
 * Return: the address, or an error
 */
unsigned long tmm_export_get_unmapped_area(struct file *file, unsigned long address,
					   unsigned long nr_bytes, unsigned long pgoff,
					   unsigned long flags)
{
	struct theseus_mm_query query;

	if (tmm_mapping_file_query(file->private_data, &query))
		return current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
	address = place(file, address, nr_bytes, pgoff, flags, query.start + (pgoff << PAGE_SHIFT));
	return populate(address, flags);
}

/**
 * tmm_lending_get_unmapped_area() - choose the address of an area of a lent mapping
 * @file: the descriptor's
 * @address: the caller's hint, or 0
 * @nr_bytes: size of the area
 * @pgoff: offset in the mapping
 * @flags: of mmap()
 *
 * Return: the address, or an error
 */
unsigned long tmm_lending_get_unmapped_area(struct file *file, unsigned long address,
					    unsigned long nr_bytes, unsigned long pgoff,
					    unsigned long flags)
{
	struct theseus_mm_query query;

	if (tmm_lending_query(file->private_data, &query))
		return current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
	address = place(file, address, nr_bytes, pgoff, flags, query.start + (pgoff << PAGE_SHIFT));
	return populate(address, flags);
}
