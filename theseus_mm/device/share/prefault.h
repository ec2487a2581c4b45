/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prefaulting: insert all entries of an area before mmap() returns to the program.
 *
 * Linux does so for MAP_POPULATE and after mlockall(MCL_FUTURE), but skips areas without
 * struct pages. An entry may be inserted only where a revocation finds it: in an area that
 * is linked to its file, which happens after ->mmap() has returned. So the work is queued
 * within mmap(), and done on the way back to the program. mmap() may fail after queuing the
 * work, so the work does nothing unless the area got its loan. The work fills areas of that
 * loan only, even if another area is at the address by then.
 *
 * Invariant: faults insert all entries, so no entry shows a revoked loan.
 * Lock: a spinlock for the queued work; then mmap_lock for reading, for one page table at a
 * time.
 * Owner: the system call that asked for the prefault.
 */
#ifndef TMM_DEVICE_SHARE_PREFAULT_H
#define TMM_DEVICE_SHARE_PREFAULT_H

struct tmm_loan;
struct vm_area_struct;

void tmm_prefault_ask(unsigned long start);
void tmm_prefault_begin(const struct vm_area_struct *vma, const struct tmm_loan *loan);

#endif /* TMM_DEVICE_SHARE_PREFAULT_H */
