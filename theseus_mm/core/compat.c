// SPDX-License-Identifier: GPL-2.0
#include "core/compat.h"

#include <linux/lockdep.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/utsname.h>
#if KERNEL_VERSION(6, 17, 0) > LINUX_VERSION_CODE
#include <linux/pfn_t.h>
#endif

/* The versions of Linux that the module was tested on, each with all its stable releases. */
#define TMM_COMPAT_VERSION	(LINUX_VERSION_CODE & ~0xff)
#ifndef TMM_COMPAT_IS_TESTED
#define TMM_COMPAT_IS_TESTED	(KERNEL_VERSION(6, 1, 0) == TMM_COMPAT_VERSION ||	\
				 KERNEL_VERSION(6, 12, 0) == TMM_COMPAT_VERSION ||	\
				 KERNEL_VERSION(7, 3, 0) == TMM_COMPAT_VERSION)
#endif

/* This is no #warning, which would end a build with -Werror. */
#if !TMM_COMPAT_IS_TESTED
#pragma message("warning: theseus_mm was not tested on this version of Linux")
#endif

/* Log a warning if the module was not tested on this version of Linux. */
void tmm_compat_say_untested(void)
{
	if (!TMM_COMPAT_IS_TESTED)
		pr_warn("Linux %s: this module was tested on 6.1, 6.12 and 7.3 only: run its tests (make test-kernels), or use one of these\n",
			init_utsname()->release);
}

/* True if a byte of the range has this type in the firmware's map. */
bool tmm_compat_raw_map_any(u64 start, u64 end, enum e820_type type)
{
#if KERNEL_VERSION(6, 19, 0) > LINUX_VERSION_CODE
	return e820__mapped_raw_any(start, end, type);
#else
	return false;
#endif
}

/* Choose an address for mmap(), as Linux does for a file without a function for that. */
unsigned long tmm_compat_unmapped_area(struct file *file, unsigned long address,
				       unsigned long nr_bytes, unsigned long pgoff,
				       unsigned long flags)
{
#if KERNEL_VERSION(6, 19, 0) <= LINUX_VERSION_CODE
	return mm_get_unmapped_area(file, address, nr_bytes, pgoff, flags);
#elif KERNEL_VERSION(6, 10, 0) <= LINUX_VERSION_CODE
	return mm_get_unmapped_area(current->mm, file, address, nr_bytes, pgoff, flags);
#else
	return current->mm->get_unmapped_area(file, address, nr_bytes, pgoff, flags);
#endif
}

/*
 * Remove the page-table entries of a part of an area; other areas keep their entries.
 * zap_vma_ptes(), which has another name since Linux 7.1, is the only function for this purpose
 * that modules can call, and does nothing unless VM_PFNMAP is set. The caller holds mmap_lock for
 * writing.
 */
void tmm_compat_zap(struct vm_area_struct *vma, unsigned long start, unsigned long nr_bytes)
{
	bool is_pfnmap = vma->vm_flags & VM_PFNMAP;

	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
	if (!is_pfnmap)
		tmm_compat_vm_flags(vma, VM_PFNMAP, 0);
#if KERNEL_VERSION(7, 1, 0) <= LINUX_VERSION_CODE
	zap_special_vma_range(vma, start, nr_bytes);
#else
	zap_vma_ptes(vma, start, nr_bytes);
#endif
	if (!is_pfnmap)
		tmm_compat_vm_flags(vma, 0, VM_PFNMAP);
}

/*
 * Insert an entry of 4 KiB. If the memory has a struct page, get_user_pages() can pin the page;
 * otherwise nobody can pin the memory.
 */
vm_fault_t tmm_compat_insert_small(struct vm_area_struct *vma, unsigned long address, u64 paddr,
				   bool has_struct_page)
{
#if KERNEL_VERSION(6, 15, 0) > LINUX_VERSION_CODE
	if (has_struct_page)
		return vmf_insert_mixed(vma, address, phys_to_pfn_t(paddr, PFN_DEV | PFN_MAP));
#endif
	return vmf_insert_pfn(vma, address, PHYS_PFN(paddr));
}

/*
 * True if memory at @paddr may have entries of 2 MiB in processes.
 *
 * Up to Linux 6.12.95 at least, mbind(MPOL_MF_STRICT) reads the node from the struct page behind
 * an entry of 2 MiB, for any kind of area, and oopses if there is no struct page. Linux 6.12.118
 * and 7.3 leave special entries alone, but only 7.3 was tested with such entries. mbind() breaks
 * up entries of 1 GiB, and handles small entries correctly.
 *
 * An area whose memory has struct pages is not VM_PFNMAP, so that get_user_pages() finds
 * the struct pages. In such an area, madvise(MADV_COLD) takes an entry of 2 MiB for a
 * broken entry, clears the entry, and does not flush the TLB. A later revocation would find
 * no entry to flush, so a process could still use the old translation.
 */
static bool may_insert_2m(u64 paddr, bool has_struct_page)
{
	if (has_struct_page)
		return false;
	return KERNEL_VERSION(7, 3, 0) <= LINUX_VERSION_CODE || !IS_ENABLED(CONFIG_NUMA) ||
	       pfn_valid(PHYS_PFN(paddr));
}

/*
 * The frame number for an entry of 2 MiB or 1 GiB. Before Linux 6.12, only PFN_MAP and PFN_DEV
 * say that the memory may have no struct page: without these flags, a plain vmsplice() assumes
 * that it has one. Since Linux 6.12, an entry without these flags is special, and Linux does not
 * look for a struct page.
 */
#if KERNEL_VERSION(6, 17, 0) <= LINUX_VERSION_CODE
static unsigned long large_pfn(u64 paddr, bool has_struct_page)
{
	return PHYS_PFN(paddr);
}
#else
static pfn_t large_pfn(u64 paddr, bool has_struct_page)
{
	bool is_special = KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE && !has_struct_page;

	return phys_to_pfn_t(paddr, is_special ? 0 : PFN_DEV | PFN_MAP);
}
#endif

/*
 * Insert an entry of 2 MiB or 1 GiB. Linux has such entries only with transparent huge pages, which
 * a kernel with PREEMPT_RT does not have. After VM_FAULT_FALLBACK, Linux asks for small entries.
 */
vm_fault_t tmm_compat_insert_large(struct vm_fault *vmf, u64 paddr, enum tmm_page_size size,
				   bool has_struct_page)
{
	bool is_write = vmf->flags & FAULT_FLAG_WRITE;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return VM_FAULT_FALLBACK;
	if (size == TMM_2M && !may_insert_2m(paddr, has_struct_page))
		return VM_FAULT_FALLBACK;
	if (size == TMM_2M)
		return vmf_insert_pfn_pmd(vmf, large_pfn(paddr, has_struct_page), is_write);
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	return vmf_insert_pfn_pud(vmf, large_pfn(paddr, has_struct_page), is_write);
#else
	return VM_FAULT_FALLBACK;
#endif
}
