/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private roots: top-level tables that Linux never sees.
 *
 * The upper half of a root mirrors Linux's kernel half, so that kernel text, stacks and
 * interrupt entry work while the root is loaded. The module's own subtree is in the guard
 * hole: top-level slots that Linux reserves and never uses. Identity mappings are always in
 * the lower half. Code that interrupts a window, such as an NMI that samples a task's
 * stack, takes addresses of the lower half for user memory. So a root has two top-level
 * tables. Most windows load the first table, which has an empty lower half:
 *
 *			top			low
 *	slot 0..255	empty			identity mappings
 *	slot 256..271	guard hole: private	empty
 *	slot 272	per-process LDT of Linux: left empty
 *	slot 273..511	mirror of Linux's kernel half
 *
 * Windows load the second table only for a copy from or to the lower half. With PTI, entry
 * code takes a CR3 with bit 12 set for a user table, and clears the bit to get the kernel's
 * table (arch/x86/entry/calling.h). The two frames of a root follow this rule. An NMI or
 * machine check during a copy of the lower half switches from the second frame to the first,
 * which maps all that the handler needs, and back.
 *
 * Invariant: a root lives at least as long as each mapping under it. A mapping points to its
 * root and holds a reference, so the root's frames are not reused. Only the root of an instance
 * is permanent: the instance ends after all its mappings, so a mapping takes no reference. Code
 * that opens a window or walks tables uses a reference of its own or that of a mapping.
 * Lock: none; see paging/table.h for the entries.
 */
#ifndef TMM_PAGING_PAGE_TABLE_H
#define TMM_PAGING_PAGE_TABLE_H

#include "core/address.h"
#include "core/page.h"

#include <linux/kref.h>
#include <linux/percpu.h>

struct tmm_allocated_frames;
struct tmm_frame_allocator;

/* Slots of the top-level table; see above. */
#define TMM_FIRST_PRIVATE_SLOT	256
#define TMM_FIRST_MIRROR_SLOT	273

/**
 * struct tmm_page_table - a root and all tables below it
 * @kref: references of the creator and of every mapping under the root
 * @fa: allocator of the tables
 * @frames: the root's own frames: two, aligned to 8 KiB
 * @paddr: physical address of the first frame, which identifies the root
 * @top: kernel alias of the first frame: the table without a lower half
 * @low: kernel alias of the second frame: the table of the lower half
 * @levels: 4 or 5
 * @ram: kernel alias of the region of RAM that contains the root's frames, and in most cases its
 *       tables too. The region stays as long as the root owns frames of it.
 * @ram_paddr: physical address of that region
 * @ram_bytes: size of that region
 * @nr_mappings: number of mappings under the root: the sum over all CPUs, so that CPUs that
 *               create and drop mappings at the same time write no common cache line
 * @is_permanent: the root lives until its instance ends, so mappings take no reference
 * @mirror_gaps: runs of mirror slots that were empty when the root was made, and that Linux may
 *               fill; see paging/mirror.h
 * @nr_mirror_gaps: number of entries of @mirror_gaps
 *
 * Theseus: PageTable
 */
struct tmm_page_table {
	struct kref kref;
	struct tmm_frame_allocator *fa;
	struct tmm_allocated_frames *frames;
	u64 paddr;
	u64 *top;
	u64 *low;
	unsigned int levels;
	void *ram;
	u64 ram_paddr;
	u64 ram_bytes;
	s64 __percpu *nr_mappings;
	bool is_permanent;
	/* private: */
	unsigned int nr_mirror_gaps;
	struct tmm_mirror_gap {
		u16 first;
		u16 end;
	} mirror_gaps[(TMM_TABLE_ENTRIES - TMM_FIRST_MIRROR_SLOT) / 2 + 1];
};

/* The first page of the guard hole, where the range for general page requests begins. */
static inline u64 tmm_private_first_page(void)
{
	return (u64)TMM_FIRST_PRIVATE_SLOT << (TMM_INDEX_BITS * (tmm_paging_levels() - 1));
}

/* The canonical address of page @number, without the calls of tmm_page_start_address(). */
static inline u64 tmm_page_table_address(const struct tmm_page_table *pt, u64 number)
{
	const unsigned int shift = 64 - TMM_PAGE_SHIFT - TMM_INDEX_BITS * pt->levels;

	return (u64)((s64)(number << (TMM_PAGE_SHIFT + shift)) >> shift);
}

/* The top-level table that translates @page. */
static inline u64 *tmm_page_table_top(const struct tmm_page_table *pt, struct tmm_page page)
{
	const u64 slot = page.number >> (TMM_INDEX_BITS * (pt->levels - 1));

	return (slot & (TMM_TABLE_ENTRIES - 1)) < TMM_FIRST_PRIVATE_SLOT ? pt->low : pt->top;
}

/* Pages of the guard hole: 8 TiB with 4 levels, 4 PiB with 5. */
static inline u64 tmm_private_nr_pages(void)
{
	return 16ULL << (TMM_INDEX_BITS * (tmm_paging_levels() - 1));
}

/* Number of general pages: the guard hole without its last sixteenth, which is for kernel code. */
static inline u64 tmm_private_nr_general_pages(void)
{
	return tmm_private_nr_pages() / 16 * 15;
}

struct tmm_page_table * __must_check tmm_page_table_create(struct tmm_frame_allocator *fa);
struct tmm_page_table * __must_check
tmm_page_table_new_table(struct tmm_page_table *current_pt,
			 struct tmm_allocated_frames **p4_frames);
int __must_check tmm_page_table_drop(struct tmm_page_table **pt);
void tmm_page_table_get(struct tmm_page_table *pt);
void tmm_page_table_put(struct tmm_page_table *pt);

/* Count a new mapping under a root. */
static inline void tmm_page_table_add_mapping(struct tmm_page_table *pt)
{
	this_cpu_inc(*pt->nr_mappings);
	if (!pt->is_permanent)
		tmm_page_table_get(pt);
}

/* Undo tmm_page_table_add_mapping(). The caller does not use the root any more. */
static inline void tmm_page_table_remove_mapping(struct tmm_page_table *pt)
{
	this_cpu_dec(*pt->nr_mappings);
	if (!pt->is_permanent)
		tmm_page_table_put(pt);
}

s64 tmm_page_table_nr_mappings(const struct tmm_page_table *pt);
struct tmm_paddr tmm_page_table_physical_address(const struct tmm_page_table *pt);

#endif /* TMM_PAGING_PAGE_TABLE_H */
