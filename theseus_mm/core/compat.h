/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions, all of it. Nothing else asks for a version.
 */
#ifndef TMM_CORE_COMPAT_H
#define TMM_CORE_COMPAT_H

#include "core/types.h"

#include <linux/mm.h>
#include <linux/pfn_t.h>

static inline void tmm_compat_vm_flags(struct vm_area_struct *vma, unsigned long set,
				       unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}

/*
 * May memory at @paddr have entries of 2 MiB in processes? mbind(MPOL_MF_STRICT)
 * asks the struct page behind one for its node, whatever the area is (entries of
 * 1 GiB it breaks up, small ones it knows): where there is none, that is an oops.
 */
static inline bool tmm_compat_may_insert_2m(u64 paddr)
{
	return !IS_ENABLED(CONFIG_NUMA) || pfn_valid(PHYS_PFN(paddr));
}

/*
 * Insert an entry of 2 MiB or 1 GiB. PFN_MAP and PFN_DEV, or a plain vmsplice()
 * takes it for memory with a struct page, which it is not.
 */
static inline vm_fault_t tmm_compat_insert_large(struct vm_fault *vmf, u64 paddr,
						 enum tmm_page_size size)
{
	pfn_t pfn = phys_to_pfn_t(paddr, PFN_DEV | PFN_MAP);
	bool is_write = vmf->flags & FAULT_FLAG_WRITE;

	if (size == TMM_2M && !tmm_compat_may_insert_2m(paddr))
		return VM_FAULT_FALLBACK;
	if (size == TMM_2M)
		return vmf_insert_pfn_pmd_prot(vmf, pfn, vmf->vma->vm_page_prot, is_write);
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	return vmf_insert_pfn_pud_prot(vmf, pfn, vmf->vma->vm_page_prot, is_write);
#else
	return VM_FAULT_FALLBACK;
#endif
}

/* What a huge_fault is told of the size, and the size it stands for. */
typedef enum page_entry_size tmm_compat_fault_size_t;

static inline enum tmm_page_size tmm_compat_fault_size(tmm_compat_fault_size_t size)
{
	return size == PE_SIZE_PUD ? TMM_1G : size == PE_SIZE_PMD ? TMM_2M : TMM_4K;
}

#endif /* TMM_CORE_COMPAT_H */
