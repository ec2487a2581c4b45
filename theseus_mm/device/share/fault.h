/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults: a fault inserts the entries that show a loan in a process. An entry is as large as
 * the leaf behind it. A fault inserts all small entries of one page table at a time.
 *
 * Invariant: a fault inserts no entry for a revoked loan or a bad frame.
 * Lock: mmap_lock or the area's lock, from Linux; then the mapping file's @revoke_lock for
 * reading.
 * Owner: the area; Linux clears the entries when the area goes.
 */
#ifndef TMM_DEVICE_SHARE_FAULT_H
#define TMM_DEVICE_SHARE_FAULT_H

#include "core/compat.h"

#include <linux/mm_types.h>
#include <linux/types.h>

struct tmm_loan;

vm_fault_t tmm_fault_small(struct vm_fault *vmf);
vm_fault_t tmm_fault_huge(struct vm_fault *vmf, tmm_compat_fault_size_t fault_size);
bool tmm_fault_is_on_bad_memory(struct vm_area_struct *vma, struct tmm_loan *loan,
				unsigned long address);

#endif /* TMM_DEVICE_SHARE_FAULT_H */
