// SPDX-License-Identifier: GPL-2.0
#include "device/share/fault.h"

#include "alloc/bad_frames.h"
#include "alloc/pins.h"
#include "core/bug.h"
#include "device/share/area_entries.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "device/share/vma.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"
#include "paging/leaf_runs.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/translate.h"

#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>

/*
 * Find the frame behind page @pgoff of the mapping, which the loan borrows. The revoke lock keeps
 * the loan's borrow.
 */
static int look_up(const struct tmm_loan *loan, pgoff_t pgoff, struct tmm_translation *found)
{
	const struct tmm_mapped_pages *mp = loan->borrow.mp;

	lockdep_assert_held(&loan->mf->revoke_lock);
	return tmm_translate_borrowed(tmm_mapped_pages_root(mp),
				      tmm_page_4k(tmm_mapped_pages_first(mp) + pgoff), found);
}

/* Let the struct pages refer to the file: Linux identifies a shared futex by file and page. */
static void set_file(struct vm_area_struct *vma, const struct tmm_loan *loan,
		     unsigned long address, u64 paddr, u64 nr_bytes)
{
	if (!loan->has_struct_pages)
		return;
	WRITE_ONCE(loan->mf->is_in_pages, true);
	tmm_pins_set_file(PHYS_PFN(paddr), nr_bytes >> PAGE_SHIFT, loan->mf->file->f_mapping,
			  linear_page_index(vma, address));
}

/* A frame that is known to be bad gets no entry in a process. */
static bool is_bad(const struct tmm_loan *loan, u64 paddr, enum tmm_page_size size)
{
	const struct tmm_mapped_pages *mp = loan->borrow.mp;

	return tmm_bad_frames_any(tmm_mapped_pages_root(mp)->fa, paddr >> TMM_PAGE_SHIFT,
				  tmm_page_size_4k_pages(size));
}

static vm_fault_t insert_page(struct vm_area_struct *vma, const struct tmm_loan *loan,
			      unsigned long address)
{
	struct tmm_translation found;

	if (TMM_BUG_IF(look_up(loan, linear_page_index(vma, address), &found)))
		return VM_FAULT_SIGBUS;
	/* Linux passes the address to the process with the signal. */
	if (is_bad(loan, found.paddr.v, TMM_4K))
		return VM_FAULT_HWPOISON;
	set_file(vma, loan, address, found.paddr.v, PAGE_SIZE);
	return tmm_compat_insert_small(vma, address, found.paddr.v, loan->has_struct_pages);
}

/* Insert the pages @address .. @end one by one. Bad frames get no entries. */
static void insert_pages(struct vm_area_struct *vma, const struct tmm_loan *loan,
			 unsigned long address, unsigned long end)
{
	for (; address < end; address += PAGE_SIZE)
		if (insert_page(vma, loan, address) & (VM_FAULT_ERROR & ~VM_FAULT_HWPOISON))
			return;
}

/* Insert a run of pages, from @address on. */
static void insert_run(struct vm_area_struct *vma, const struct tmm_loan *loan,
		       unsigned long address, const struct tmm_leaf_run *run, pgprot_t bits)
{
	const u64 nr_bytes = run->nr << TMM_PAGE_SHIFT, paddr = run->frame << TMM_PAGE_SHIFT;

	if (tmm_bad_frames_any(tmm_mapped_pages_root(loan->borrow.mp)->fa, run->frame, run->nr)) {
		insert_pages(vma, loan, address, address + nr_bytes);
		return;
	}
	set_file(vma, loan, address, paddr, nr_bytes);
	tmm_area_entries_write(vma, address, paddr, run->nr, bits);
}

/*
 * Insert the pages @address .. @end, which one page table covers, run by run of their frames. The
 * entries get @bits.
 */
static void insert_runs(struct vm_area_struct *vma, const struct tmm_loan *loan,
			unsigned long address, unsigned long end, pgprot_t bits)
{
	const struct tmm_mapped_pages *mp = loan->borrow.mp;
	struct tmm_page_range pages = tmm_mapped_pages_range(mp);
	struct tmm_leaf_run run;

	pages.r.first += linear_page_index(vma, address);
	pages.r.nr = (end - address) >> PAGE_SHIFT;
	while (pages.r.nr) {
		if (TMM_BUG_IF(!tmm_leaf_runs_find(tmm_mapped_pages_root(mp), pages, &run) ||
			       run.page != pages.r.first))
			return;
		insert_run(vma, loan, address, &run, bits);
		address += run.nr << TMM_PAGE_SHIFT;
		pages.r.first += run.nr;
		pages.r.nr -= run.nr;
	}
}

/*
 * Insert the faulting page, and all other pages of the area that the same page table covers. Linux
 * makes the table for the first entry, and keeps it as long as the lock of the fault is held. A
 * failure of the first entry is that of the fault. Other pages that fail are left to later faults.
 */
static vm_fault_t insert_small(struct vm_fault *vmf, const struct tmm_loan *loan)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long block = vmf->address & PMD_MASK;
	unsigned long address = max(vma->vm_start, block);
	unsigned long end = min(vma->vm_end - 1, block + PMD_SIZE - 1) + 1;
	vm_fault_t ret = insert_page(vma, loan, vmf->address);
	pgprot_t bits;

	if ((ret & VM_FAULT_ERROR) || end - address == PAGE_SIZE)
		return ret;
	/* Device memory is of the type that Linux lists for the page, which may change within. */
	if (!tmm_mapped_pages_is_ram(loan->borrow.mp))
		insert_pages(vma, loan, address, end);
	else if (tmm_area_entries_read(vma, vmf->address, &bits))
		insert_runs(vma, loan, address, end, bits);
	return ret;
}

/* Does a leaf of at least @size map the whole block around the fault, inside the area? */
static bool finds_leaf(struct vm_fault *vmf, const struct tmm_loan *loan, enum tmm_page_size size,
		       struct tmm_translation *found)
{
	struct vm_area_struct *vma = vmf->vma;
	const u64 nr_bytes = tmm_page_size_bytes(size);
	unsigned long start = ALIGN_DOWN(vmf->address, nr_bytes);

	if (start < vma->vm_start || vma->vm_end - start < nr_bytes)
		return false;
	return !look_up(loan, linear_page_index(vma, start), found) && found->size >= size &&
	       IS_ALIGNED(found->paddr.v, nr_bytes);
}

static vm_fault_t insert_large(struct vm_fault *vmf, struct tmm_loan *loan,
			       enum tmm_page_size size)
{
	struct tmm_translation found;

	if (!finds_leaf(vmf, loan, size, &found))
		return VM_FAULT_FALLBACK;
	if (is_bad(loan, found.paddr.v, size))
		return VM_FAULT_FALLBACK;
	if (size == TMM_1G) {
		WRITE_ONCE(loan->was_shown_1g, true);
		set_file(vmf->vma, loan, ALIGN_DOWN(vmf->address, PUD_SIZE), found.paddr.v,
			 PUD_SIZE);
	}
	return tmm_compat_insert_large(vmf, found.paddr.v, size, loan->has_struct_pages);
}

/* Insert entries of @size for a fault, unless the loan is revoked. */
static vm_fault_t insert_entries(struct vm_fault *vmf, enum tmm_page_size size)
{
	struct tmm_loan *loan = tmm_vma_loan(vmf->vma);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (!loan)
		return ret;
	down_read(&loan->mf->revoke_lock);
	if (!loan->is_revoked) {
		WRITE_ONCE(loan->was_shown, true);
		ret = size == TMM_4K ? insert_small(vmf, loan) : insert_large(vmf, loan, size);
	}
	up_read(&loan->mf->revoke_lock);
	return ret;
}

/*
 * True if the memory behind @address in the area @vma, which shows @loan, is known to fail. Faults
 * on it fail until the mapping ends. May sleep; the caller holds mmap_lock.
 */
bool tmm_fault_is_on_bad_memory(struct vm_area_struct *vma, struct tmm_loan *loan,
				unsigned long address)
{
	struct tmm_translation found;
	bool is_known;

	down_read(&loan->mf->revoke_lock);
	is_known = !loan->is_revoked && !look_up(loan, linear_page_index(vma, address), &found) &&
		   is_bad(loan, found.paddr.v, TMM_4K);
	up_read(&loan->mf->revoke_lock);
	return is_known;
}

/* Handle a fault that asks for a small entry. */
vm_fault_t tmm_fault_small(struct vm_fault *vmf)
{
	return insert_entries(vmf, TMM_4K);
}

/* Handle a fault for which Linux tries an entry of 2 MiB or 1 GiB first. */
vm_fault_t tmm_fault_huge(struct vm_fault *vmf, tmm_compat_fault_size_t fault_size)
{
	enum tmm_page_size size = tmm_compat_fault_size(fault_size);

	return size == TMM_4K ? VM_FAULT_FALLBACK : insert_entries(vmf, size);
}
