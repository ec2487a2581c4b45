// SPDX-License-Identifier: GPL-2.0
#include "alloc/pins.h"

#include "core/bug.h"
#include "core/compat.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sched.h>

/* Reference count of a page of ZONE_DEVICE without pins: Linux's own reference. */
#define TMM_UNPINNED	1

/*
 * Find the first pinned frame of a run whose frames all have struct pages.
 *
 * The caller has removed the frames from all processes, and makes sure that no fault maps the
 * frames again. Then a frame that is found unpinned stays unpinned, since Linux pins a page
 * only while the page is in the page tables of some process. Linux pins a page in one of two
 * ways:
 *
 *   - Linux follows an entry under the lock of its table. Zapping takes the same lock, so
 *     Linux counts the pin before zapping clears the entry.
 *   - Without a lock (gup_pte_range(), __gup_device_huge()), Linux counts the pin first, and
 *     then reads the entry again. Both the count and zapping's exchange are full barriers.
 *     So either Linux sees the cleared entry and drops the count, or Linux counted before
 *     the entry was cleared, and this function runs after that. In the first case this
 *     function may see a count that vanishes at once. In neither case does this function
 *     miss a pin.
 *
 * May sleep. O(@nr). Return: the number of frames from @first on that are not pinned, which is
 * less than @nr if a frame is pinned.
 */
u64 tmm_pins_find(u64 first, u64 nr)
{
	u64 i;

	/* Pairs with the full barrier of Linux's count, as described above. */
	smp_mb();
	for (i = 0; i < nr; i++) {
		if (page_ref_count(pfn_to_page(first + i)) != TMM_UNPINNED)
			break;
		if (!(i & 0xfff))
			cond_resched();
	}
	return i;
}

/*
 * Set the file and the index in the struct pages of frames, which all have struct pages. The
 * first frame is page @index of the file. Linux identifies a futex that processes share by the
 * file and the index. The owner of the file clears both before the file is freed. May sleep.
 * O(@nr).
 */
void tmm_pins_set_file(u64 first, u64 nr, struct address_space *mapping, pgoff_t index)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(first + i);
		/* The fault of another process may set the same file and index at the same time. */
		const struct address_space *old = READ_ONCE(page->mapping);

		if (old != mapping) {
			/* The file of the previous owner has been cleared from the page. */
			TMM_BUG_IF(old);
			tmm_compat_set_index(page, index + i);
			/*
			 * A reader that sees the file must see the index. A compiler barrier is
			 * enough, since x86 makes the stores of a CPU visible in their order.
			 */
			smp_store_release(&page->mapping, mapping);
		}
		if (!(i & 0xfff))
			cond_resched();
	}
}

/*
 * Undo tmm_pins_set_file(). The frames are mapped in no process and not pinned. May sleep.
 * O(@nr).
 */
void tmm_pins_clear_file(u64 first, u64 nr)
{
	u64 i;

	for (i = first; i < first + nr; i++) {
		struct page *page = pfn_to_page(i);

		WRITE_ONCE(page->mapping, NULL);
		tmm_compat_set_index(page, 0);
		if (!(i & 0xfff))
			cond_resched();
	}
}
