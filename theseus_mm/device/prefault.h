/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prefaulting: all entries of an area, before mmap() returns to the program.
 *
 * Linux does so on MAP_POPULATE, and for programs that mlockall(MCL_FUTURE), but skips
 * areas without struct pages. An entry may be inserted only where a revocation finds it:
 * in an area that is linked to its file, which it is not before ->mmap() has returned.
 * So this is asked for within mmap(), and done on the way back to the program.
 *
 * Invariant: an entry comes by a fault, as all others do, so nothing revoked is shown.
 * Lock: none while it is asked for; then mmap_lock for reading, for one table of entries
 * at a time.
 * Owner: the system call that asked.
 */
#ifndef TMM_DEVICE_PREFAULT_H
#define TMM_DEVICE_PREFAULT_H

void tmm_prefault_later(unsigned long start, unsigned long nr_bytes);

#endif /* TMM_DEVICE_PREFAULT_H */
