/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: Linux's kernel half, as a private root shows it.
 *
 * Invariant: a root's mirror slots have what Linux's root has, as of the last window of
 * that root. Linux never removes a top-level entry.
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
 * Linux's root on this CPU. A task without a root of its own, such as a kernel thread,
 * borrows this one, and it may be freed once another task runs here. So interrupts are
 * off between reading CR3 and reading the table it points to.
 */
static inline const u64 *tmm_mirror_live_root(unsigned long cr3)
{
	lockdep_assert_irqs_disabled();
	return __va(cr3 & CR3_ADDR_MASK);
}

/*
 * Has Linux filled a top-level slot since the root was made? That happens when
 * memory is added, and never before it is used. Entries that are there do not
 * change, so only the gaps have to be looked at: one load and one OR a slot. The
 * gaps stay as they were when the root was made, since another CPU may be reading
 * them: after memory was added, each window of an older root compares all slots.
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
