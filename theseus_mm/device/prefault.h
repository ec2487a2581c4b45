/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prefaulting: insert all entries of an area before mmap() returns to the program.
 *
 * Linux does so for MAP_POPULATE and after mlockall(MCL_FUTURE), but skips areas without
 * struct pages. An entry may be inserted only where a revocation finds it: in an area that
 * is linked to its file, which happens after ->mmap() has returned. So the work is queued
 * within mmap(), and done on the way back to the program.
 *
 * Invariant: entries are inserted by faults, as all others, so no revoked loan is shown.
 * Lock: none to queue it; then mmap_lock for reading, for one page table at a time.
 * Owner: the system call that asked for it.
 */
#ifndef TMM_DEVICE_PREFAULT_H
#define TMM_DEVICE_PREFAULT_H

void tmm_prefault_later(unsigned long start, unsigned long nr_bytes);

#endif /* TMM_DEVICE_PREFAULT_H */
