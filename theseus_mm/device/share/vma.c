// SPDX-License-Identifier: GPL-2.0
#include "device/share/vma.h"

#include "core/compat.h"
#include "device/share/fault.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

/* Is there an entry of 1 GiB? The caller holds mmap_lock for writing, which keeps tables. */
static bool has_1g_entry(const struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t pud;

	if (pgd_none(READ_ONCE(*pgd)))
		return false;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(READ_ONCE(*p4d)))
		return false;
	pud = READ_ONCE(*pud_offset(p4d, address));
	return pud_present(pud) && pud_leaf(pud);
}

/*
 * Remove the entries of 1 GiB that overlap @start .. @end. Linux 6.1 does not handle such
 * entries where it changes, moves or splits an area (change_pud_range(),
 * move_page_tables(), vma_adjust_trans_huge()). So it finds none, and the next fault
 * brings them back. Linux changes smaller entries itself. No other area has to fault again.
 */
static void zap_1g_entries(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long address = ALIGN_DOWN(start, PUD_SIZE);

	for (; address < end; address += PUD_SIZE)
		if (has_1g_entry(vma->vm_mm, address))
			tmm_compat_zap(vma, address, PUD_SIZE);
}

/* The area is about to be split at @address. */
static int may_split_area(struct vm_area_struct *vma, unsigned long address)
{
	if (!IS_ALIGNED(address, PUD_SIZE))
		zap_1g_entries(vma, address, address + 1);
	return 0;
}

/* Remove entries of @vma in the part of the mapping that @moved is going to show. */
static void zap_moved(struct vm_area_struct *vma, struct vm_area_struct *moved)
{
	pgoff_t first = max(vma->vm_pgoff, moved->vm_pgoff);
	pgoff_t end = min(vma->vm_pgoff + vma_pages(vma), moved->vm_pgoff + vma_pages(moved));

	if (first < end)
		zap_1g_entries(vma, vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT),
			       vma->vm_start + ((end - vma->vm_pgoff) << PAGE_SHIFT));
}

/*
 * mremap() has made @vma, and moves entries there next. The callback is not told from
 * where, but it can only be an area of the same loan. If @vma lies inside an area of the
 * loan, that area is being split instead.
 */
static void before_move(struct vm_area_struct *vma, const struct tmm_loan *loan)
{
	VMA_ITERATOR(areas, vma->vm_mm, 0);
	struct vm_area_struct *area;

	if (!READ_ONCE(loan->was_shown_1g))
		return;
	area = find_vma(vma->vm_mm, vma->vm_start);
	if (area && area->vm_start <= vma->vm_start)
		return;
	for_each_vma(areas, area) {
		if (tmm_vma_loan(area) == loan && area->vm_ops == vma->vm_ops)
			zap_moved(area, vma);
		cond_resched();
	}
}

/*
 * A part of the area becomes one of its own, or it moves. Or fork() made it in a
 * process that has no right to it: VM_DONTCOPY can be undone by
 * madvise(MADV_DOFORK), where VM_IO does not forbid that. Such an area shows nothing,
 * not even what the parent has touched: Linux leaves it to faults. (Areas of a dma-buf
 * have no such process.)
 */
static void open_area(struct vm_area_struct *vma)
{
	struct tmm_loan *loan = tmm_vma_loan(vma);

	if (!loan)
		return;
	if (loan->mm && loan->mm != vma->vm_mm) {
		vma->vm_private_data = NULL;
		return;
	}
	kref_get(&loan->kref);
	before_move(vma, loan);
}

static void close_area(struct vm_area_struct *vma)
{
	struct tmm_loan *loan = tmm_vma_loan(vma);

	if (loan)
		tmm_loan_put(loan);
}

static int mprotect_area(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			 unsigned long new_flags)
{
	zap_1g_entries(vma, start, end);
	return 0;
}

/* Debuggers, by ptrace() and /proc/PID/mem: all that the borrow allows. */
static int access_area(struct vm_area_struct *vma, unsigned long address, void *buffer,
		       int nr_bytes, int is_write)
{
	struct tmm_loan *loan = tmm_vma_loan(vma);
	int err = -EIO;
	u64 offset;

	if (!loan)
		return err;
	nr_bytes = min_t(unsigned long, nr_bytes, vma->vm_end - address);
	offset = (address - vma->vm_start) + ((u64)vma->vm_pgoff << PAGE_SHIFT);
	down_read(&loan->mf->revoke_lock);
	if (!loan->is_revoked) {
		offset -= loan->borrow.offset;
		err = is_write ? tmm_borrow_write(&loan->borrow, offset, buffer, nr_bytes) :
				 tmm_borrow_read(&loan->borrow, offset, buffer, nr_bytes);
	}
	up_read(&loan->mf->revoke_lock);
	return err ?: nr_bytes;
}

static const struct vm_operations_struct area_ops = {
	.open = open_area,
	.close = close_area,
	.may_split = may_split_area,
	.fault = tmm_fault_small,
	.huge_fault = tmm_fault_huge,
	.mprotect = mprotect_area,
	.access = access_area,
};

/**
 * tmm_vma_shows() - does a VMA show a loan?
 * @vma: any; the caller holds mmap_lock
 * @loan: the loan's number
 *
 * Return: true if it is an area of that loan, or a part of one
 */
bool tmm_vma_shows(const struct vm_area_struct *vma, u64 loan)
{
	return vma->vm_ops == &area_ops && tmm_vma_loan(vma) && tmm_vma_loan(vma)->number == loan;
}

/*
 * With READ_IMPLIES_EXEC (old programs), Linux adds PROT_EXEC to PROT_READ. Such a program
 * gets an area that is not executable, as from a file system that is mounted noexec.
 */
static bool asks_to_execute(const struct vm_area_struct *vma)
{
	bool is_implied = (current->personality & READ_IMPLIES_EXEC) && (vma->vm_flags & VM_READ);

	return (vma->vm_flags & VM_EXEC) && !is_implied;
}

/**
 * tmm_vma_check() - may an area show a mapping?
 * @vma: the area, being made by mmap()
 * @mp: the mapping, borrowed for it
 *
 * Linux takes the memory type of entries in processes from its own list. RAM with a
 * write-back alias is write-back, memory listed as write-combining is write-combining, and
 * everything else is uncached. So write-back device memory would have two types at a time.
 *
 * Return: 0; -EACCES if the program asks to execute a mapping that is not executable;
 * -EOPNOTSUPP for write-back device memory; or -ENODEV if the device was removed
 */
int tmm_vma_check(const struct vm_area_struct *vma, const struct tmm_mapped_pages *mp)
{
	if (tmm_mapped_pages_is_closed(mp))
		return -ENODEV;
	if (!tmm_mapped_pages_is_ram(mp) && tmm_mapped_pages_memory_type(mp) == TMM_WRITE_BACK)
		return -EOPNOTSUPP;
	if (asks_to_execute(vma) && !tmm_pte_flags_is_executable(tmm_mapped_pages_flags(mp)))
		return -EACCES;
	return 0;
}

/* For a kernel without PAT, which does not look at its list. */
static pgprot_t protection_of(const struct vm_area_struct *vma, enum tmm_memory_type type)
{
	switch (type) {
	case TMM_UNCACHED:
		return pgprot_noncached(vma->vm_page_prot);
	case TMM_WRITE_COMBINING:
		return pgprot_writecombine(vma->vm_page_prot);
	default:
		return vma->vm_page_prot;
	}
}

/**
 * tmm_vma_set_up() - make an area show a loan
 * @vma: the area, being made by mmap(); shared, with the mapping's file; checked
 * @loan: what it shows; its reference becomes the area's
 *
 * The area cannot grow, fork() does not copy it, a core dump leaves it out, and its
 * permissions can only be reduced. VM_PFNMAP and VM_IO keep get_user_pages() away from
 * memory without struct pages, which cannot count pins.
 */
void tmm_vma_set_up(struct vm_area_struct *vma, struct tmm_loan *loan)
{
	const struct tmm_mapped_pages *mp = loan->borrow.mp;
	unsigned long always = VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP;
	unsigned long never = 0;

	if (!loan->borrow.is_mutable)
		never |= VM_MAYWRITE;
	if (!tmm_pte_flags_is_executable(tmm_mapped_pages_flags(mp)))
		never |= VM_EXEC | VM_MAYEXEC;
	if (!loan->has_struct_pages)
		always |= VM_PFNMAP | VM_IO;
	tmm_compat_vm_flags(vma, always, never);
	vma->vm_page_prot = protection_of(vma, tmm_mapped_pages_memory_type(mp));
	vma->vm_private_data = loan;
	vma->vm_ops = &area_ops;
}
