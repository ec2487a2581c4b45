// SPDX-License-Identifier: GPL-2.0
#include "device/ioctl.h"

#include "core/types.h"
#include "device/client.h"
#include "device/mapping_file.h"
#include "mapping/borrow.h"
#include "mapping/mapped_pages.h"

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
	int err = tmm_object_map_offset(call->client, &call->arg.map_offset);

	return err ?: tmm_call_reply(call);
}

int tmm_ioctl_revoke(struct tmm_call *call)
{
	struct theseus_mm_revoke *request = &call->arg.revoke;
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_object_mapping_file(call->client, request->handle, &mf);
	if (err)
		return err;
	/* It cannot be undone: see first whether the caller can learn it. */
	request->nr_revoked = 0;
	request->nr_pinned = 0;
	err = tmm_call_reply(call);
	if (!mf)
		return err;
	if (!err) {
		request->nr_revoked = tmm_mapping_file_revoke(mf);
		err = tmm_call_reply(call);
	}
	fput(mf->file);
	return err;
}

/* Borrow what the area asks for, and give the area the mapping's file. */
static int lend(struct tmm_client *client, struct vm_area_struct *vma, struct tmm_loan *loan)
{
	/* 21 bits of it at most: offsets have 64 */
	const u32 cookie = vma->vm_pgoff >> TMM_COOKIE_SHIFT;
	const u64 page = vma->vm_pgoff & ((1ULL << TMM_COOKIE_SHIFT) - 1);
	struct tmm_mapping_file *mf;
	bool is_executable;
	int err;

	err = tmm_object_lend(client, cookie, page, vma->vm_end - vma->vm_start,
			      vma->vm_flags & VM_WRITE, loan, &mf);
	if (err)
		return err;
	is_executable = tmm_pte_flags_is_executable(tmm_mapped_pages_flags(loan->borrow.mp));
	if ((vma->vm_flags & VM_EXEC) && !is_executable) {
		tmm_borrow_end(&loan->borrow);
		fput(mf->file);
		return -EACCES;
	}
	/* From here on it cannot fail. */
	vma->vm_pgoff = loan->borrow.offset >> PAGE_SHIFT;
	vma_set_file(vma, mf->file);
	fput(mf->file);
	tmm_loan_begin(loan, mf);
	tmm_vma_set_up(vma, loan, is_executable);
	return 0;
}

/**
 * tmm_mmap() - borrow a mapping for a process
 * @file: the client's
 * @vma: the area
 *
 * Context: Process context, may sleep; under mmap_lock.
 * Return: 0; -EINVAL if it is not shared; -ENOENT if the offset is no mapping's;
 * -EACCES if the mapping's flags forbid it; or an error of tmm_borrow_begin()
 */
int tmm_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct tmm_loan *loan;
	int err;

	/*
	 * A private copy would be made of memory that has no struct page. VM_SHARED is
	 * not asked for: it is missing if the client was opened for reading only.
	 */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	loan = tmm_loan_create();
	if (!loan)
		return -ENOMEM;
	err = lend(file->private_data, vma, loan);
	if (err)
		kfree(loan);
	return err;
}

/**
 * tmm_get_unmapped_area() - where to put an area
 * @file: the client's
 * @address: the caller's hint, or 0
 * @nr_bytes: its size
 * @pgoff: its offset
 * @flags: of mmap()
 *
 * Large areas go where large leaves fit.
 *
 * Return: the address, or an error
 */
unsigned long tmm_get_unmapped_area(struct file *file, unsigned long address,
				    unsigned long nr_bytes, unsigned long pgoff,
				    unsigned long flags)
{
	unsigned long size = nr_bytes >= tmm_page_size_bytes(TMM_1G) ? tmm_page_size_bytes(TMM_1G) :
			     tmm_page_size_bytes(TMM_2M);
	unsigned long found, more;

	if (!address && nr_bytes >= size && !(flags & MAP_FIXED) &&
	    !check_add_overflow(nr_bytes, size, &more)) {
		found = current->mm->get_unmapped_area(file, 0, more, pgoff, flags);
		if (!IS_ERR_VALUE(found))
			return found + (((pgoff << PAGE_SHIFT) - found) & (size - 1));
	}
	return current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
}
