// SPDX-License-Identifier: GPL-2.0
#include "mapping/borrow.h"

#include "alloc/device_region.h"
#include "alloc/pages.h"
#include "core/compat.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_memory.h"
#include "mapping/mapped_pages_pin.h"
#include "mapping/trace.h"
#include "paging/mapper.h"
#include "paging/window.h"
#include "paging/window_copy.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/overflow.h>

static int check_bounds(u64 offset, u64 nr_bytes, u64 limit)
{
	u64 end;

	if (check_add_overflow(offset, nr_bytes, &end))
		return -EOVERFLOW;
	return end > limit ? -ERANGE : 0;
}

/**
 * tmm_borrow_begin() - borrow a part of a mapping
 * @mp: the mapping; stays alive until the borrow ends, even if it is dropped
 * @offset: bytes from its start
 * @nr_bytes: length of the part; 0 is allowed
 * @is_mutable: the borrow allows writes, and excludes all others unless the mapping is shareable
 * @borrow: filled in on success only
 *
 * Theseus: MappedPages::borrow_type(), borrow_slice() and their mutable forms
 *
 * Context: Any. O(1).
 * Return:
 * * 0          - the borrow lasts until tmm_borrow_end()
 * * -EOVERFLOW - @offset + @nr_bytes overflows
 * * -ERANGE    - the part reaches outside the mapping
 * * -EACCES    - @is_mutable, and the mapping is not writable
 * * -EBUSY     - a change of the mapping or another borrow excludes this borrow
 */
int tmm_borrow_begin(struct tmm_mapped_pages *mp, u64 offset, u64 nr_bytes, bool is_mutable,
		     struct tmm_borrow *borrow)
{
	int err;

	err = tmm_mapped_pages_borrow(mp, is_mutable);
	if (err)
		return err;
	/* From here on the borrow keeps the mapping's size, so check the bounds now. */
	err = check_bounds(offset, nr_bytes, tmm_mapped_pages_nr_bytes(mp));
	if (err) {
		tmm_mapped_pages_unborrow(mp, is_mutable);
		return err;
	}
	*borrow = (struct tmm_borrow){ mp, offset, nr_bytes, is_mutable };
	trace_tmm_borrow(mp->pages->chunk.start, offset, nr_bytes, is_mutable);
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_borrow_begin);

/**
 * tmm_borrow_end() - end a borrow
 * @borrow: the borrow; may have ended already
 *
 * Theseus: into_inner()
 *
 * Context: Process context, not inside a window. Cannot fail. The last borrow of
 *          a dropped mapping unmaps the mapping, O(leaves).
 */
void tmm_borrow_end(struct tmm_borrow *borrow)
{
	struct tmm_mapped_pages *mp = borrow->mp;

	borrow->mp = NULL;
	if (!mp)
		return;
	/* Trace before the call, because the mapping may be freed by the call. */
	trace_tmm_unborrow(mp->pages->chunk.start, borrow->offset, borrow->nr_bytes,
			   borrow->is_mutable);
	tmm_mapped_pages_unborrow(mp, borrow->is_mutable);
}
EXPORT_SYMBOL_TMM(tmm_borrow_end);

/*
 * Does the part contain memory that is known to fail? The function neither reads nor writes the
 * memory.
 */
static bool is_bad(const struct tmm_borrow *borrow, u64 offset, u64 nr_bytes)
{
	u64 first = (borrow->offset + offset) >> TMM_PAGE_SHIFT;
	u64 end = (borrow->offset + offset + nr_bytes + TMM_PAGE_SIZE - 1) >> TMM_PAGE_SHIFT;

	return tmm_mapped_pages_any_bad(borrow->mp, first, end - first);
}

/* The address of the first byte of a borrow. */
static u64 first_address(const struct tmm_borrow *borrow)
{
	const struct tmm_mapped_pages *mp = borrow->mp;

	return tmm_page_table_address(mp->pt, mp->pages->chunk.start) + borrow->offset;
}

static int check_part(const struct tmm_borrow *borrow, u64 offset, size_t nr_bytes,
		      struct tmm_vaddr *vaddr)
{
	int err;

	if (!borrow->mp)
		return -EINVAL;
	err = check_bounds(offset, nr_bytes, borrow->nr_bytes);
	if (err)
		return err;
	vaddr->v = first_address(borrow) + offset;
	return is_bad(borrow, offset, nr_bytes) ? -EIO : 0;
}

/*
 * Copy one piece of device memory. The device's region cannot be closed during the copy, and a
 * closed region is not accessed.
 */
static int copy_device_memory(const struct tmm_borrow *borrow, struct tmm_vaddr vaddr, void *to,
			      const void *from, size_t nr_bytes, size_t *left)
{
	const enum tmm_memory_type type = tmm_mapped_pages_memory_type(borrow->mp);
	struct tmm_page_table *pt = borrow->mp->pt;
	int token = tmm_device_region_access_begin();
	int err;

	if (tmm_mapped_pages_is_closed(borrow->mp))
		err = -ENODEV;
	else if (to)
		err = tmm_window_transfer(pt, type, to, (const void *)vaddr.v, nr_bytes, left);
	else
		err = tmm_window_transfer(pt, type, (void *)vaddr.v, from, nr_bytes, left);
	tmm_device_region_access_end(token);
	return err;
}

/* Copy one piece: to @to if @to is not NULL, else from @from. */
static int copy_borrowed(const struct tmm_borrow *borrow, struct tmm_vaddr vaddr, void *to,
			 const void *from, size_t nr_bytes, size_t *left)
{
	struct tmm_page_table *pt = borrow->mp->pt;

	if (!tmm_mapped_pages_is_ram(borrow->mp))
		return copy_device_memory(borrow, vaddr, to, from, nr_bytes, left);
	if (to)
		return tmm_window_read(pt, vaddr, to, nr_bytes, left);
	return tmm_window_write(pt, vaddr, from, nr_bytes, left);
}

/**
 * tmm_borrow_read() - copy out of a borrow
 * @borrow: the borrow
 * @offset: bytes from the start of the borrow
 * @to: kernel memory, which must not fault
 * @nr_bytes: how much
 *
 * The function reads each byte of uncached device memory once and in order, by aligned
 * accesses of the width that tmm_window_access_width() gives. So a client can read registers.
 *
 * Context: Process context, may sleep; windows of at most 4 KiB of RAM, or 16
 *          accesses to a device, each. O(bytes).
 * Return: 0; -EOVERFLOW or -ERANGE if the part lies outside the borrow, -EINVAL if
 * the borrow has ended, -ENODEV if the device of the memory was removed, -EDEADLK or
 * -EPERM from tmm_window_enter(), with nothing copied; -EIO if the memory is known to
 * fail, or fails during the copy: bytes before the failure may have been copied
 */
int tmm_borrow_read(const struct tmm_borrow *borrow, u64 offset, void *to, size_t nr_bytes)
{
	struct tmm_vaddr vaddr;
	size_t left;
	int err;

	err = check_part(borrow, offset, nr_bytes, &vaddr);
	if (err)
		return err;
	err = copy_borrowed(borrow, vaddr, to, NULL, nr_bytes, &left);
	if (err)
		return err;
	return left ? -EIO : 0;
}
EXPORT_SYMBOL_TMM(tmm_borrow_read);

/**
 * tmm_borrow_write() - copy into a mutable borrow
 * @borrow: the borrow
 * @offset: bytes from the start of the borrow
 * @from: kernel memory, which must not fault
 * @nr_bytes: how much
 *
 * The function accesses device memory as tmm_borrow_read() does.
 *
 * Context: Process context, may sleep; windows bounded as in tmm_borrow_read(). O(bytes).
 * Return: 0; -EACCES if the borrow is immutable; else as tmm_borrow_read()
 */
int tmm_borrow_write(const struct tmm_borrow *borrow, u64 offset, const void *from, size_t nr_bytes)
{
	struct tmm_vaddr vaddr;
	size_t left;
	int err;

	err = check_part(borrow, offset, nr_bytes, &vaddr);
	if (err)
		return err;
	if (!borrow->is_mutable)
		return -EACCES;
	err = copy_borrowed(borrow, vaddr, NULL, from, nr_bytes, &left);
	if (err)
		return err;
	return left ? -EIO : 0;
}
EXPORT_SYMBOL_TMM(tmm_borrow_write);

/*
 * Mark the borrowed part dirty, because a process may have written to the part. A process writes
 * through entries of its own, so the hardware does not mark the entries of the mapping. The
 * function does nothing if the borrow is immutable.
 *
 * Context: Process context, may sleep. O(leaves).
 */
void tmm_borrow_mark_dirty(const struct tmm_borrow *borrow)
{
	const u64 first = borrow->offset >> TMM_PAGE_SHIFT;
	const u64 end = (borrow->offset + borrow->nr_bytes + TMM_PAGE_SIZE - 1) >> TMM_PAGE_SHIFT;
	struct tmm_page_range pages;

	if (!borrow->is_mutable)
		return;
	pages = tmm_mapped_pages_range(borrow->mp);
	pages.r.first += first;
	pages.r.nr = end - first;
	tmm_mapper_mark_dirty(borrow->mp->pt, pages);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_borrow_mark_dirty);

/*
 * Begin a search for pinned pages of a borrow. The mapping must satisfy
 * tmm_mapped_pages_have_struct_pages(). tmm_mapped_pages_search_pins() continues the search.
 *
 * Context: Any.
 */
void tmm_borrow_search_pins(const struct tmm_borrow *borrow, struct tmm_pin_search *search)
{
	u64 first = borrow->offset >> TMM_PAGE_SHIFT;
	u64 end = (borrow->offset + borrow->nr_bytes + TMM_PAGE_SIZE - 1) >> TMM_PAGE_SHIFT;

	tmm_mapped_pages_begin_pin_search(search, borrow->mp, first, end - first);
}

/**
 * tmm_borrow_typed() - borrow a part as an array of objects
 * @mp: the mapping; stays alive until the borrow ends, even if it is dropped
 * @offset: bytes from its start
 * @nr: number of objects; 0 is allowed
 * @size: size of an object in bytes
 * @align: alignment that an object needs, a power of two
 * @is_mutable: the borrow allows writes, and excludes all others unless the mapping is shareable
 * @borrow: filled in on success only
 *
 * The macros tmm_as_type() and tmm_as_slice(), and their mutable forms, call this function.
 * Theseus: MappedPages::as_type(), as_slice() and their mutable forms. Theseus only logs a
 * misaligned offset.
 *
 * Context: Any. O(1).
 * Return:
 * * 0          - the borrow lasts until tmm_borrow_end()
 * * -EOVERFLOW - @offset + @nr * @size overflows
 * * -ERANGE    - the part reaches outside the mapping
 * * -EINVAL    - the object would be misaligned
 * * -EACCES    - @is_mutable, and the mapping is not writable
 * * -EBUSY     - a change of the mapping or another borrow excludes this borrow
 */
int tmm_borrow_typed(struct tmm_mapped_pages *mp, u64 offset, u64 nr, size_t size, size_t align,
		     bool is_mutable, struct tmm_borrow *borrow)
{
	struct tmm_borrow begun;
	u64 nr_bytes;
	int err;

	if (check_mul_overflow(nr, (u64)size, &nr_bytes))
		return -EOVERFLOW;
	err = tmm_borrow_begin(mp, offset, nr_bytes, is_mutable, &begun);
	if (err)
		return err;
	if (!IS_ALIGNED(first_address(&begun), align)) {
		tmm_borrow_end(&begun);
		return -EINVAL;
	}
	*borrow = begun;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_borrow_typed);

/**
 * tmm_borrow_enter_window() - enter a window to access a borrow in place
 * @borrow: the borrow
 * @window: filled in for tmm_borrow_leave()
 *
 * Context: Process context, may sleep. On success interrupts are off until
 *          tmm_borrow_leave(). Until then the caller accesses at most a few KiB of RAM,
 *          or a device about 16 times, and neither sleeps nor takes a lock. O(1), or
 *          O(leaves) if any bad frame is known.
 * Return:
 * * the address of the borrow's first byte, in the mapping's own root
 * * ERR_PTR(-EDEADLK)    - this CPU is in a window already
 * * ERR_PTR(-EPERM)      - not process context
 * * ERR_PTR(-EOPNOTSUPP) - the mapping lies in the lower half. Identity mappings do, and other
 *   mappings do once the guard hole is full. Linux takes addresses of the lower half for user
 *   addresses, so only tmm_borrow_read() and tmm_borrow_write() can access the mapping
 * * ERR_PTR(-EINVAL)     - the borrow has ended
 * * ERR_PTR(-ENODEV)     - the device of the memory was removed
 * * ERR_PTR(-EIO)        - the memory fails
 */
void *tmm_borrow_enter_window(const struct tmm_borrow *borrow, struct tmm_window *window)
{
	u64 start;
	int err;

	if (!borrow->mp)
		return ERR_PTR(-EINVAL);
	start = first_address(borrow);
	if ((s64)start >= 0)
		return ERR_PTR(-EOPNOTSUPP);
	if (is_bad(borrow, 0, borrow->nr_bytes))
		return ERR_PTR(-EIO);
	err = tmm_window_enter(borrow->mp->pt, window);
	if (err)
		return ERR_PTR(err);
	/*
	 * The check is safe inside a window: tmm_device_region_close() waits for CPUs with
	 * interrupts off.
	 */
	if (tmm_mapped_pages_is_closed(borrow->mp)) {
		tmm_window_leave(window);
		return ERR_PTR(-ENODEV);
	}
	return (void *)start;
}
EXPORT_SYMBOL_TMM(tmm_borrow_enter_window);

/**
 * tmm_borrow_leave() - leave the window that tmm_borrow_enter() entered
 * @window: from tmm_borrow_enter(), on this CPU
 *
 * The pointer from tmm_borrow_enter() is no longer valid.
 *
 * Context: Inside the window. The function restores the interrupt state from before the window.
 */
void tmm_borrow_leave(const struct tmm_window *window)
{
	tmm_window_leave(window);
}
EXPORT_SYMBOL_TMM(tmm_borrow_leave);
