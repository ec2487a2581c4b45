/* SPDX-License-Identifier: GPL-2.0 */
/* All differences between kernel versions. No other file checks the version. */
#ifndef TMM_CORE_COMPAT_H
#define TMM_CORE_COMPAT_H

#include "core/page.h"

#include <asm/e820/api.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/utsname.h>
#include <linux/version.h>

#if KERNEL_VERSION(6, 1, 0) > LINUX_VERSION_CODE
#error "theseus_mm needs Linux 6.1 or later: build against the headers of a newer kernel"
#endif
/*
 * The newest kernel that the module was tested on, with all its stable releases. The build for a
 * newer kernel says that, and so does the module when it is loaded.
 */
#ifndef TMM_COMPAT_NEWEST
#define TMM_COMPAT_NEWEST	KERNEL_VERSION(7, 3, 255)
#endif

#if KERNEL_VERSION(6, 17, 0) > LINUX_VERSION_CODE
#include <linux/pfn_t.h>
#endif
/* hex_to_bin() is in linux/kernel.h in Linux 6.1. */
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#include <linux/hex.h>
#endif

/* main.c calls this macro when the module is loaded. A pragma is no error with -Werror. */
#if LINUX_VERSION_CODE > TMM_COMPAT_NEWEST
#define tmm_compat_say_untested()							\
	do {										\
		_Pragma("message(\"warning: theseus_mm was not tested on this version of Linux\")") \
		pr_warn("Linux %s: newer than all kernels that this module was tested on: run the module's tests (make test-kernels), or use an older kernel\n", \
			init_utsname()->release);					\
	} while (0)
#else
static inline void tmm_compat_say_untested(void)
{
}
#endif

/* The name of a symbol namespace: an identifier before Linux 6.13, a string since Linux 6.13. */
#if KERNEL_VERSION(6, 13, 0) <= LINUX_VERSION_CODE
#define TMM_COMPAT_NS(name)	#name
#else
#define TMM_COMPAT_NS(name)	name
#endif

/* Export a function of the public header to modules that import the namespace THESEUS_MM. */
#define EXPORT_SYMBOL_TMM(symbol) EXPORT_SYMBOL_NS_GPL(symbol, TMM_COMPAT_NS(THESEUS_MM))

/*
 * True if modules can query the firmware's memory map. The function for that is exported to KVM
 * only since Linux 7.0 at the latest.
 */
static inline bool tmm_compat_has_raw_map(void)
{
	return KERNEL_VERSION(6, 19, 0) > LINUX_VERSION_CODE;
}

/* True if a byte of the range has this type in the firmware's map. */
static inline bool tmm_compat_raw_map_any(u64 start, u64 end, enum e820_type type)
{
#if KERNEL_VERSION(6, 19, 0) > LINUX_VERSION_CODE
	return e820__mapped_raw_any(start, end, type);
#else
	return false;
#endif
}

static inline void tmm_compat_vm_flags(struct vm_area_struct *vma, unsigned long set,
				       unsigned long clear)
{
#if KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

/*
 * Keep faults out of an area until the caller unlocks mmap_lock, which the caller holds for
 * writing. Before Linux 6.4, mmap_lock alone keeps them out.
 */
static inline void tmm_compat_lock_vma(struct vm_area_struct *vma)
{
	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
#if KERNEL_VERSION(6, 4, 0) <= LINUX_VERSION_CODE
	vma_start_write(vma);
#endif
}

/* Choose an address for mmap(), as Linux does for a file without a function for that. */
static inline unsigned long tmm_compat_unmapped_area(struct file *file, unsigned long address,
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
 * Take a reference on a file; false if the file has no reference left. The caller makes sure
 * that the file is not freed.
 */
static inline bool tmm_compat_get_file(struct file *file)
{
#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE
	return get_file_active(&file);
#else
	return get_file_rcu(file);
#endif
}

/*
 * Remove the page-table entries of a part of an area; other areas keep their entries.
 * zap_vma_ptes(), which has another name since Linux 7.1, is the only function for this purpose
 * that modules can call, and does nothing unless VM_PFNMAP is set. The caller holds mmap_lock for
 * writing.
 */
static inline void tmm_compat_zap(struct vm_area_struct *vma, unsigned long start,
				  unsigned long nr_bytes)
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
 * True if the module can use struct pages (struct_pages=1). Since Linux 6.15, Linux counts a
 * reference for each entry that shows such a page, so the count of a page does not tell whether
 * I/O has pinned the page. Since Linux 6.17, the functions that insert entries of such pages
 * refuse areas without VM_MIXEDMAP (SIGBUS), or stop the kernel (BUG).
 */
static inline bool tmm_compat_has_struct_pages(void)
{
	return KERNEL_VERSION(6, 15, 0) > LINUX_VERSION_CODE;
}

/*
 * The flags of a mapping file's inode. Up to Linux 6.11, Linux asks for entries of 2 MiB and 1 GiB
 * only for DAX files. Since Linux 6.15, Linux takes a large entry of a DAX file for one with a
 * struct page, and oopses when it removes or splits an entry that has none.
 */
static inline unsigned int tmm_compat_inode_flags(void)
{
	return tmm_compat_has_struct_pages() ? S_DAX : 0;
}

/* Set the index of a page in its file. Kernels without struct_pages=1 have no such field. */
static inline void tmm_compat_set_index(struct page *page, pgoff_t index)
{
#if KERNEL_VERSION(6, 15, 0) > LINUX_VERSION_CODE
	WRITE_ONCE(page->index, index);
#endif
}

/*
 * Insert an entry of 4 KiB. If the memory has a struct page, get_user_pages() can pin the page;
 * otherwise nobody can pin the memory.
 */
static inline vm_fault_t tmm_compat_insert_small(struct vm_area_struct *vma, unsigned long address,
						 u64 paddr, bool has_struct_page)
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
 * Up to Linux 6.12 at least, mbind(MPOL_MF_STRICT) reads the node from the struct page behind an
 * entry of 2 MiB, for any kind of area, and oopses if there is no struct page. Linux 7.3 leaves
 * special entries alone. mbind() breaks up entries of 1 GiB, and handles small entries correctly.
 *
 * An area whose memory has struct pages is not VM_PFNMAP, so that get_user_pages() finds
 * the struct pages. In such an area, madvise(MADV_COLD) takes an entry of 2 MiB for a
 * broken entry, clears the entry, and does not flush the TLB. A later revocation would find
 * no entry to flush, so a process could still use the old translation.
 */
static inline bool tmm_compat_may_insert_2m(u64 paddr, bool has_struct_page)
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
static inline unsigned long tmm_compat_large_pfn(u64 paddr, bool has_struct_page)
{
	return PHYS_PFN(paddr);
}
#else
static inline pfn_t tmm_compat_large_pfn(u64 paddr, bool has_struct_page)
{
	bool is_special = KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE && !has_struct_page;

	return phys_to_pfn_t(paddr, is_special ? 0 : PFN_DEV | PFN_MAP);
}
#endif

/* Insert an entry of 2 MiB or 1 GiB. */
static inline vm_fault_t tmm_compat_insert_large(struct vm_fault *vmf, u64 paddr,
						 enum tmm_page_size size, bool has_struct_page)
{
	bool is_write = vmf->flags & FAULT_FLAG_WRITE;

	if (size == TMM_2M && !tmm_compat_may_insert_2m(paddr, has_struct_page))
		return VM_FAULT_FALLBACK;
	if (size == TMM_2M)
		return vmf_insert_pfn_pmd(vmf, tmm_compat_large_pfn(paddr, has_struct_page),
					  is_write);
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	return vmf_insert_pfn_pud(vmf, tmm_compat_large_pfn(paddr, has_struct_page), is_write);
#else
	return VM_FAULT_FALLBACK;
#endif
}

/* The type of the size argument of huge_fault(), and the page size that a value stands for. */
#if KERNEL_VERSION(6, 6, 0) <= LINUX_VERSION_CODE
typedef unsigned int tmm_compat_fault_size_t;

static inline enum tmm_page_size tmm_compat_fault_size(tmm_compat_fault_size_t order)
{
	return order == PUD_SHIFT - PAGE_SHIFT ? TMM_1G :
	       order == PMD_SHIFT - PAGE_SHIFT ? TMM_2M : TMM_4K;
}
#else
typedef enum page_entry_size tmm_compat_fault_size_t;

static inline enum tmm_page_size tmm_compat_fault_size(tmm_compat_fault_size_t size)
{
	return size == PE_SIZE_PUD ? TMM_1G : size == PE_SIZE_PMD ? TMM_2M : TMM_4K;
}
#endif

#endif /* TMM_CORE_COMPAT_H */
