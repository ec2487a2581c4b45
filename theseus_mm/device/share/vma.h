/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas: a process's view of a loan. Faults insert an area's entries (device/share/fault.h).
 *
 * Invariant: a loan that is for one process is shown in the areas of that process only. The
 * permissions of an area can only be reduced.
 * Lock: mmap_lock.
 * Owner: the process; each area has a reference on its loan.
 */
#ifndef TMM_DEVICE_SHARE_VMA_H
#define TMM_DEVICE_SHARE_VMA_H

#include <linux/compiler_types.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct tmm_loan;
struct tmm_mapped_pages;

/* Returns the loan that one of our areas shows, or NULL if the area shows no loan. */
static inline struct tmm_loan *tmm_vma_loan(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

int __must_check tmm_vma_check(const struct vm_area_struct *vma, const struct tmm_mapped_pages *mp);
bool tmm_vma_shows(const struct vm_area_struct *vma, u64 loan);
void tmm_vma_set_up(struct vm_area_struct *vma, struct tmm_loan *loan);

#endif /* TMM_DEVICE_SHARE_VMA_H */
