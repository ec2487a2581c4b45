// SPDX-License-Identifier: GPL-2.0
#include "paging/mirror.h"

#include <asm/special_insns.h>
#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/irqflags.h>

/* Copy the entries that this root lacks. Linux never removes a top-level entry. */
void tmm_mirror_copy(u64 *top, const u64 *live)
{
	unsigned int slot;

	for (slot = TMM_FIRST_MIRROR_SLOT; slot < TMM_TABLE_ENTRIES; slot++) {
		u64 entry = READ_ONCE(live[slot]);

		if (entry && entry != READ_ONCE(top[slot]))
			WRITE_ONCE(top[slot], entry);
	}
}

/*
 * Copy Linux's kernel half into a new root, and list the slots that are still empty. No other
 * code knows the root yet.
 */
void tmm_mirror_init(struct tmm_page_table *pt)
{
	unsigned int slot = TMM_FIRST_MIRROR_SLOT;
	unsigned long flags;

	local_irq_save(flags);
	tmm_mirror_copy(pt->top, tmm_mirror_live_root(__read_cr3()));
	local_irq_restore(flags);
	tmm_mirror_copy(pt->low, pt->top);
	while (slot < TMM_TABLE_ENTRIES) {
		struct tmm_mirror_gap *gap = &pt->mirror_gaps[pt->nr_mirror_gaps];

		while (slot < TMM_TABLE_ENTRIES && pt->top[slot])
			slot++;
		gap->first = slot;
		while (slot < TMM_TABLE_ENTRIES && !pt->top[slot])
			slot++;
		gap->end = slot;
		if (gap->first < gap->end)
			pt->nr_mirror_gaps++;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mirror_init);
