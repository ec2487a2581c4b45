// SPDX-License-Identifier: GPL-2.0
#include "alloc/pins.h"

#include "core/bug.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sched.h>

/* References of a page of ZONE_DEVICE that nobody holds: Linux's own. */
#define TMM_UNPINNED	1

/**
 * tmm_pins_find() - find the first pinned frame of a run
 * @first: number of the first; all have struct pages
 * @nr: number of frames
 *
 * The caller has taken the frames out of all processes, and makes sure that no fault puts
 * them back. Then a frame that is found unpinned stays unpinned: Linux pins a page only
 * while it is in some process's tables, and
 *
 *   - follows an entry under the lock of its table, which zapping takes as well: a
 *     pin that was made is counted before the entry is cleared;
 *   - or, without a lock (gup_pte_range(), __gup_device_huge()), counts first and
 *     looks at the entry again then, and both this count and zapping's exchange are
 *     full barriers: either it sees the entry cleared and takes its count back, or
 *     it counted before the entry was cleared, which is before we look. In the
 *     first case we may see a count that vanishes at once; never the other way round.
 *
 * Context: Process context, may sleep. O(@nr).
 * Return: number of frames from @first on that are not pinned: less than @nr if one is
 */
u64 tmm_pins_find(u64 first, u64 nr)
{
	u64 i;

	/* Pairs with the full barrier of counting, as said above. */
	smp_mb();
	for (i = 0; i < nr; i++) {
		if (page_ref_count(pfn_to_page(first + i)) != TMM_UNPINNED)
			break;
		if (!(i & 0xfff))
			cond_resched();
	}
	return i;
}

/**
 * tmm_pins_set_file() - set file and index in the struct pages of frames
 * @first: number of the first; all have struct pages
 * @nr: number of frames
 * @mapping: the file's
 * @index: page of the file that the first frame is
 *
 * Linux identifies a futex that processes share by these. The file's owner clears them
 * before the file is freed.
 *
 * Context: Process context, may sleep. O(@nr).
 */
void tmm_pins_set_file(u64 first, u64 nr, struct address_space *mapping, pgoff_t index)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(first + i);

		/* The previous owner's file has been cleared from the page. */
		if (READ_ONCE(page->mapping) != mapping) {
			TMM_BUG_IF(page->mapping && page->mapping != mapping);
			WRITE_ONCE(page->index, index + i);
			/* A reader that sees the file must see the index. */
			smp_store_release(&page->mapping, mapping);
		}
		if (!(i & 0xfff))
			cond_resched();
	}
}

/**
 * tmm_pins_clear_file() - undo tmm_pins_set_file()
 * @first: number of the first; all are in no process and not pinned
 * @nr: number of frames
 *
 * Context: Process context, may sleep. O(@nr).
 */
void tmm_pins_clear_file(u64 first, u64 nr)
{
	u64 i;

	for (i = first; i < first + nr; i++) {
		struct page *page = pfn_to_page(i);

		WRITE_ONCE(page->mapping, NULL);
		page->index = 0;
		if (!(i & 0xfff))
			cond_resched();
	}
}
