// SPDX-License-Identifier: GPL-2.0
#include "device/share/vma.h"

#include "core/compat.h"
#include "device/share/fault.h"
#include "device/share/loan.h"
#include "device/share/mapping_file.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_memory.h"

#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

/*
 * Returns true if an entry of 1 GiB maps @address. mmap_lock keeps Linux from freeing the page
 * tables.
 */
static bool has_1g_entry(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t pud;

	lockdep_assert_held_write(&mm->mmap_lock);
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
 * entries when it changes, moves or splits an area (change_pud_range(), move_page_tables(),
 * vma_adjust_trans_huge()). So the module removes the entries first, and the next fault
 * inserts them again. Linux handles smaller entries itself. No other area has to fault again.
 */
static void zap_1g_entries(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long address = ALIGN_DOWN(start, PUD_SIZE);

	/* No fault inserts an entry again before Linux has changed the area. */
	tmm_compat_lock_vma(vma);
	for (; address < end; address += PUD_SIZE)
		if (has_1g_entry(vma->vm_mm, address))
			tmm_compat_zap(vma, address, PUD_SIZE);
}

/* Linux is about to split the area at @address. */
static int may_split_area(struct vm_area_struct *vma, unsigned long address)
{
	if (!IS_ALIGNED(address, PUD_SIZE))
		zap_1g_entries(vma, address, address + 1);
	return 0;
}

/* Remove the 1 GiB entries of @vma in the part of the mapping that @moved is going to show. */
static void zap_moved(struct vm_area_struct *vma, struct vm_area_struct *moved)
{
	pgoff_t first = max(vma->vm_pgoff, moved->vm_pgoff);
	pgoff_t end = min(vma->vm_pgoff + vma_pages(vma), moved->vm_pgoff + vma_pages(moved));

	if (first < end)
		zap_1g_entries(vma, vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT),
			       vma->vm_start + ((end - vma->vm_pgoff) << PAGE_SHIFT));
}

/*
 * mremap() has made @vma, and moves entries into @vma next. Linux does not tell the callback
 * the source area, but the source can only be an area of the same loan. If @vma lies inside an
 * area of the loan, that area is being split instead.
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
 * Linux calls this function for an area that is split, moved or copied by fork(). fork() copies
 * an area if madvise(MADV_DOFORK) has undone VM_DONTCOPY, which Linux allows if VM_IO is not set.
 * The child has no right to the mapping, so its area shows nothing. The area does not even show
 * pages that the parent has touched, because Linux leaves these pages to faults. (A dma-buf's
 * areas may be in any process.)
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

/* Debuggers access the area with ptrace() and /proc/PID/mem, as far as the borrow allows. */
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

/* True if @vma, which may be any VMA, is an area of loan number @loan, or a part of one. */
bool tmm_vma_shows(const struct vm_area_struct *vma, u64 loan)
{
	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	return vma->vm_ops == &area_ops && tmm_vma_loan(vma) && tmm_vma_loan(vma)->number == loan;
}

/*
 * With READ_IMPLIES_EXEC (old programs), Linux adds PROT_EXEC to PROT_READ. Such a program
 * gets an area that is not executable, as for a file system that is mounted noexec.
 */
static bool asks_to_execute(const struct vm_area_struct *vma)
{
	bool is_implied = (current->personality & READ_IMPLIES_EXEC) && (vma->vm_flags & VM_READ);

	return (vma->vm_flags & VM_EXEC) && !is_implied;
}

/*
 * May the area that mmap() is making show the borrowed mapping @mp? The result is -EACCES if
 * the program asks to execute a mapping that is not executable, -EOPNOTSUPP for write-back
 * device memory, or -ENODEV if the device was removed.
 *
 * Linux takes the memory type of entries in processes from its own list. RAM that the kernel maps
 * as write-back is write-back, memory listed as write-combining is write-combining, and
 * everything else is uncached. So write-back device memory would have two memory types at once.
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

/*
 * A kernel without PAT does not use its list of memory types, so the area needs the memory
 * type in its protection bits.
 */
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

/*
 * Let a new area show a loan. mmap() is making the area, which is shared, and tmm_vma_check() has
 * accepted the area. The area has the mapping's file, and takes over the caller's reference on
 * the loan.
 *
 * The area cannot grow, fork() does not copy the area, a core dump leaves it out, and its
 * permissions can only be reduced. VM_PFNMAP and VM_IO keep get_user_pages() away from memory
 * without struct pages, which cannot count pins.
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
