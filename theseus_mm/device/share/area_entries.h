/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of areas: many small entries of a process, written at a time.
 *
 * vmf_insert_pfn() and vmf_insert_mixed() look up the memory type, walk the page tables and take
 * the lock of the last table for each entry. Here, the caller lets Linux insert the first entry.
 * The other entries of memory of the same type get the same bits, many under one lock.
 *
 * Invariant: an entry that is in use stays as it is, so threads may fault at the same time.
 * Lock: that of the page table, for at most MAX_PIECE entries (area_entries.c). The caller holds
 * the locks of a fault (device/share/fault.h), so the page table and the area's protection stay.
 * Owner: the area; Linux clears the entries when the area goes.
 */
#ifndef TMM_DEVICE_SHARE_AREA_ENTRIES_H
#define TMM_DEVICE_SHARE_AREA_ENTRIES_H

#include <linux/mm_types.h>
#include <linux/types.h>

bool __must_check tmm_area_entries_read(struct vm_area_struct *vma, unsigned long address,
					pgprot_t *bits);
void tmm_area_entries_write(struct vm_area_struct *vma, unsigned long address, u64 paddr,
			    u64 nr, pgprot_t bits);

#endif /* TMM_DEVICE_SHARE_AREA_ENTRIES_H */
