/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All differences between kernel versions. No file but this one and compat.c checks the version.
 */
#ifndef TMM_CORE_COMPAT_H
#define TMM_CORE_COMPAT_H

#include <linux/version.h>
/* This comes first, since an old kernel may lack the other headers. */
#if KERNEL_VERSION(6, 1, 0) > LINUX_VERSION_CODE
#error "theseus_mm needs Linux 6.1 or later: build against the headers of a newer kernel"
#endif

#include "core/page.h"

#include <asm/e820/api.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/hardirq.h>
#include <linux/mm.h>
#include <linux/module.h>
/* hex_to_bin() is in linux/kernel.h in Linux 6.1. */
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#include <linux/hex.h>
#endif

/* The name of a symbol namespace: an identifier before Linux 6.13, a string since Linux 6.13. */
#if KERNEL_VERSION(6, 13, 0) <= LINUX_VERSION_CODE
#define TMM_COMPAT_NS(name)	#name
#else
#define TMM_COMPAT_NS(name)	name
#endif

/*
 * A large local variable that the compiler need not clear. Linux's builds clear local variables,
 * which costs too much on the shortest paths. Every byte is written before it is read.
 */
#if __has_attribute(__uninitialized__)
#define TMM_UNINITIALIZED	__attribute__((__uninitialized__))
#else
#define TMM_UNINITIALIZED
#endif

/* Export a function of the public header to modules that import the namespace THESEUS_MM. */
#define EXPORT_SYMBOL_TMM(symbol) EXPORT_SYMBOL_NS_GPL(symbol, TMM_COMPAT_NS(THESEUS_MM))

/*
 * Return the text of a module's parameters if KUnit may run the module's suites before Linux parses
 * the parameters, else NULL. Since Linux 6.6, KUnit waits until the module is loaded.
 */
static inline const char *tmm_compat_module_args(const struct module *module)
{
#if KERNEL_VERSION(6, 6, 0) > LINUX_VERSION_CODE
	return module->args;
#else
	return NULL;
#endif
}

/*
 * True if modules can query the firmware's memory map. The function for that is exported to KVM
 * only since Linux 7.0 at the latest.
 */
static inline bool tmm_compat_has_raw_map(void)
{
	return KERNEL_VERSION(6, 19, 0) > LINUX_VERSION_CODE;
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
 * How many interrupts of the timer and of irq_work this CPU has had. In Linux 7.3, the counts are
 * an array.
 */
static inline u64 tmm_compat_nr_local_interrupts(void)
{
#if KERNEL_VERSION(7, 3, 0) <= LINUX_VERSION_CODE
	return this_cpu_read(irq_stat.counts[IRQ_COUNT_APIC_TIMER]) +
	       this_cpu_read(irq_stat.counts[IRQ_COUNT_IRQ_WORK]);
#else
	return this_cpu_read(irq_stat.apic_timer_irqs) +
	       this_cpu_read(irq_stat.apic_irq_work_irqs);
#endif
}

bool tmm_compat_raw_map_any(u64 start, u64 end, enum e820_type type);
unsigned long tmm_compat_unmapped_area(struct file *file, unsigned long address,
				       unsigned long nr_bytes, unsigned long pgoff,
				       unsigned long flags);
void tmm_compat_zap(struct vm_area_struct *vma, unsigned long start, unsigned long nr_bytes);
vm_fault_t tmm_compat_insert_small(struct vm_area_struct *vma, unsigned long address, u64 paddr,
				   bool has_struct_page);
vm_fault_t tmm_compat_insert_large(struct vm_fault *vmf, u64 paddr, enum tmm_page_size size,
				   bool has_struct_page);
void tmm_compat_say_untested(void);

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
