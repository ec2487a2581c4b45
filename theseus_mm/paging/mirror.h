/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: the copy of Linux's kernel half in a private root.
 *
 * Invariant: the mirror slots of a root equal those of Linux's root at the time of the last
 * window on the private root. Linux never removes a top-level entry.
 * Lock: none. CPUs that copy at the same time store the same values.
 * Owner: the root.
 */
#ifndef TMM_PAGING_MIRROR_H
#define TMM_PAGING_MIRROR_H

#include "paging/page_table.h"

#include <asm/processor-flags.h>
#include <linux/io.h>
#include <linux/lockdep.h>

/*
 * Linux's root on this CPU. A task without a root of its own, such as a kernel thread, borrows
 * the root of another task. Linux may free a borrowed root once another task runs on this CPU.
 * So the caller keeps interrupts off from the read of CR3 to the last read of the table.
 */
static inline const u64 *tmm_mirror_live_root(unsigned long cr3)
{
	lockdep_assert_irqs_disabled();
	return __va(cr3 & CR3_ADDR_MASK);
}

/*
 * True if Linux has filled a top-level slot since the root was made. Linux fills slots when
 * memory is added, before the memory is used. Linux does not change present entries, so the
 * function reads only the gaps: one load and one OR per slot. The list of gaps never changes,
 * because another CPU may be reading the list. So after memory was added, each window of an
 * older root compares all slots.
 */
static __always_inline bool tmm_mirror_is_stale(const struct tmm_page_table *pt, const u64 *live)
{
	u64 filled = 0;
	unsigned int i, slot;

	for (i = 0; i < pt->nr_mirror_gaps; i++) {
		const unsigned int end = pt->mirror_gaps[i].end;

#pragma GCC unroll 8
		for (slot = pt->mirror_gaps[i].first; slot < end; slot++)
			filled |= live[slot];
	}
	return filled;
}

void tmm_mirror_copy(u64 *top, const u64 *live);
void tmm_mirror_init(struct tmm_page_table *pt);

#endif /* TMM_PAGING_MIRROR_H */
