/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: the copy of Linux's kernel half in a private root.
 *
 * Invariant: during a window, the mirror slots of the root contain every entry that Linux's root
 * had when the window began, for all memory that code could use at that time.
 *
 * Linux never changes or removes a top-level entry of its kernel half, but adds entries. Each
 * window has to see those that were added since the root was made. Most slots cannot be filled
 * any more, and a window does not look at them:
 *
 * - While Linux boots, it fills the slots of vmalloc(), modules, per-CPU entry areas and its own
 *   text (preallocate_vmalloc_pages(), init_espfix_bsp(), setup_cpu_entry_areas()). All CPUs
 *   and processes share what is below these slots.
 * - Later, Linux fills slots only when memory is added (arch_add_memory(), add_pages(), which
 *   memremap_pages() and memory hotplug call): slots of the direct map, for the memory itself,
 *   and slots of the array of struct pages (vmemmap). See the callers of sync_global_pgds().
 * - Linux adds no memory above the end of iomem_resource, of which each added range is a part.
 *   This end is what the CPU can address.
 *
 * So a window reads the slots that were empty when the root was made, and that belong to the direct
 * map or to vmemmap of memory up to that end. A CPU with addresses of 40 bits has two or three of
 * these slots; with 46 bits and 4 levels, there are some 130, and with 5 levels a few. high_memory
 * would not do as a limit: Linux 6.1 does not raise it for memory of devices (add_pages()). A
 * kernel with KASAN or KMSAN has shadows of memory, whose slots are filled with that memory: there,
 * a window reads all empty slots.
 *
 * Lock: none. CPUs that copy at the same time store the same values.
 * Owner: the root.
 */
#ifndef TMM_PAGING_MIRROR_H
#define TMM_PAGING_MIRROR_H

#include "paging/page_table.h"

#include <asm/processor-flags.h>
#include <linux/compiler.h>
#include <linux/io.h>
#include <linux/kconfig.h>
#include <linux/lockdep.h>

#define TMM_MIRROR_HAS_SHADOWS	(IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KMSAN))

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
 * True if Linux has filled a top-level slot since the root was made. @live is Linux's root on this
 * CPU. The function reads only the gaps: one load and one OR per slot. The list of gaps never
 * changes, because another CPU may be reading the list. So after a slot was filled, each window of
 * an older root compares all slots.
 *
 * Linux may fill a slot during the reads. Then either answer is right, because no code uses that
 * memory yet. READ_ONCE() would cost one more instruction per slot.
 */
static __always_inline bool tmm_mirror_is_stale(const struct tmm_page_table *pt, const u64 *live)
{
	u64 filled = 0;
	unsigned int i, slot;

	for (i = 0; i < pt->nr_mirror_gaps; i++) {
		const unsigned int end = pt->mirror_gaps[i].end;

		for (slot = pt->mirror_gaps[i].first; slot + 8 <= end; slot += 8)
			/* Either answer is right. */
			filled |= data_race(live[slot] | live[slot + 1] | live[slot + 2] |
					    live[slot + 3] | live[slot + 4] | live[slot + 5] |
					    live[slot + 6] | live[slot + 7]);
		for (; slot < end; slot++)
			/* likewise */
			filled |= data_race(live[slot]);
	}
	return filled;
}

bool tmm_mirror_may_be_filled(unsigned int slot);
void tmm_mirror_copy(u64 *top, const u64 *live);
void tmm_mirror_init(struct tmm_page_table *pt);

#endif /* TMM_PAGING_MIRROR_H */
