// SPDX-License-Identifier: GPL-2.0
#include "paging/mirror.h"

#include <asm/special_insns.h>
#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/ioport.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

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

/* The end of all memory that Linux can add. */
static u64 end_of_memory(void)
{
	return min_t(u64, iomem_resource.end, BIT_ULL(MAX_PHYSMEM_BITS) - 1) + 1;
}

static bool is_in(unsigned int slot, unsigned long start, u64 nr_bytes)
{
	return slot >= pgd_index(start) && slot <= pgd_index(start + nr_bytes - 1);
}

/* True if Linux may fill @slot for memory, or for struct pages. See paging/mirror.h. */
bool tmm_mirror_may_be_filled(unsigned int slot)
{
	const u64 end = end_of_memory();

	return is_in(slot, PAGE_OFFSET, end) ||
	       is_in(slot, VMEMMAP_START, (end >> PAGE_SHIFT) * sizeof(struct page));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mirror_may_be_filled);

static bool is_gap(const struct tmm_page_table *pt, unsigned int slot)
{
	return !pt->top[slot] &&
	       (TMM_MIRROR_HAS_SHADOWS || tmm_mirror_may_be_filled(slot));
}

/*
 * Copy Linux's kernel half into a new root, and list the slots that are still empty, and may be
 * filled. No other code knows the root yet.
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

		while (slot < TMM_TABLE_ENTRIES && !is_gap(pt, slot))
			slot++;
		gap->first = slot;
		while (slot < TMM_TABLE_ENTRIES && is_gap(pt, slot))
			slot++;
		gap->end = slot;
		if (gap->first < gap->end)
			pt->nr_mirror_gaps++;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mirror_init);
