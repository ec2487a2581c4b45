// SPDX-License-Identifier: GPL-2.0
#include "device/share/area_entries.h"

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

/* The limit of entries to write under one lock, for which other threads may wait. */
#define MAX_PIECE	128

/* Consecutive pages of an area that show consecutive frames. One page table covers the pages. */
struct piece {
	struct mm_struct *mm;
	pte_t first;
	unsigned int nr;
};

static int read_entry(pte_t *pte, unsigned long address, void *context)
{
	pte_t *entry = context;

	*entry = ptep_get(pte);
	return 0;
}

/*
 * Read the bits of the entry at @address, for other entries of memory of the same type in the same
 * area. Return false if the processor cannot use the entry: the entry is gone, or the area is
 * PROT_NONE and a debugger reads the page. Linux inverts the frame's address in such an entry. A
 * page table covers @address: with a large entry in the place of the table, Linux would stop the
 * kernel.
 *
 * May sleep. The caller is in a fault of @vma. O(1).
 */
bool tmm_area_entries_read(struct vm_area_struct *vma, unsigned long address, pgprot_t *bits)
{
	pte_t entry;

	if (apply_to_page_range(vma->vm_mm, address, PAGE_SIZE, read_entry, &entry) ||
	    !(pte_flags(entry) & _PAGE_PRESENT))
		return false;
	/* The memory behind the other entries has not been written through them. */
	*bits = pte_pgprot(pte_mkyoung(pte_mkclean(entry)));
	return true;
}

/*
 * Write the entries of a piece, which lie side by side from @pte on. Linux has found the first
 * entry, and holds the lock of the table. The entries are present, so the address of a frame stands
 * in its entry as it is.
 */
static int write_piece(pte_t *pte, unsigned long address, void *context)
{
	const struct piece *piece = context;
	const pte_t *end = pte + piece->nr;
	pteval_t entry = pte_val(piece->first);

	for (; pte < end; pte++, address += PAGE_SIZE, entry += PAGE_SIZE)
		if (pte_none(ptep_get(pte)))
			set_pte_at(piece->mm, address, pte, __pte(entry));
	return 0;
}

/*
 * Write entries for @nr pages of @vma, which show the frames from @paddr on. An entry that is in
 * use stays. One page table covers all pages, see tmm_area_entries_read(), which has read @bits.
 * Entries that could not be written are left to later faults.
 *
 * May sleep. The caller is in a fault of @vma. O(@nr).
 */
void tmm_area_entries_write(struct vm_area_struct *vma, unsigned long address, u64 paddr,
			    u64 nr, pgprot_t bits)
{
	struct piece piece = { .mm = vma->vm_mm };

	for (; nr; nr -= piece.nr) {
		piece.nr = min_t(u64, nr, MAX_PIECE);
		piece.first = pfn_pte(PHYS_PFN(paddr), bits);
		if (apply_to_page_range(piece.mm, address, PAGE_SIZE, write_piece, &piece))
			return;
		address += piece.nr * PAGE_SIZE;
		paddr += piece.nr * PAGE_SIZE;
		cond_resched();
	}
}
