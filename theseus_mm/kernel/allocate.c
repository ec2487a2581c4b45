// SPDX-License-Identifier: GPL-2.0
/* The public forms of allocation: they only say what is wanted, in chunks. */
#include "core/compat.h"
#include "kernel/instance.h"

#include "include/linux/theseus_mm.h"
#include "mapping/instance.h"
#include "mapping/placement.h"

#include <linux/err.h>
#include <linux/errno.h>

static struct tmm_allocated_frames *frames_by_request(const struct tmm_allocation_request *req)
{
	return tmm_frame_allocator_allocate(&tmm_kernel_instance()->fa, req);
}

static struct tmm_allocated_pages *pages_by_request(const struct tmm_allocation_request *req)
{
	return tmm_page_allocator_allocate(&tmm_kernel_instance()->pa, req);
}

/* @req for as many chunks as @nr_bytes from where it begins on touch. */
static int for_bytes(struct tmm_allocation_request *req, u64 nr_bytes)
{
	return tmm_chunks_of_bytes(req->is_at ? req->offset : 0, nr_bytes, &req->nr);
}

/**
 * tmm_allocate_frames_by_request() - take frames
 * @req: what is wanted, in frames of 4 KiB: see the constructors tmm_request_*()
 *
 * They hold what their last owner left: see tmm_allocated_frames_zero().
 *
 * Theseus: has alignment and ranges for pages only
 *
 * Context: Process context, may sleep. O(log n), but O(n) in free ranges for an
 *          alignment that is no power of two, or above 1 GiB.
 * Return: the frames, the caller's until tmm_allocated_frames_drop(), or an error
 * of tmm_range_allocate()
 */
struct tmm_allocated_frames *
tmm_allocate_frames_by_request(const struct tmm_allocation_request *req)
{
	return frames_by_request(req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_request);

/**
 * tmm_allocate_frames() - take frames, anywhere
 * @nr_frames: how many of 4 KiB, contiguous
 *
 * Theseus: allocate_frames()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_frames_by_request(): ERR_PTR(-EINVAL) for none,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_frames *tmm_allocate_frames(u64 nr_frames)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_frames);

	return frames_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames);

/**
 * tmm_allocate_frames_at() - take the frames at an address
 * @paddr: an address in the first of them
 * @nr_frames: how many of 4 KiB
 *
 * Theseus: allocate_frames_at()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_frames_by_request(); also ERR_PTR(-ERANGE),
 * ERR_PTR(-EADDRINUSE), ERR_PTR(-EADDRNOTAVAIL) or ERR_PTR(-EOVERFLOW)
 */
struct tmm_allocated_frames *tmm_allocate_frames_at(struct tmm_paddr paddr, u64 nr_frames)
{
	const struct tmm_allocation_request req =
		tmm_request_at_paddr(paddr, nr_frames);

	return frames_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_at);

/**
 * tmm_allocate_frames_by_bytes() - take frames for a number of bytes
 * @nr_bytes: rounded up to whole frames
 *
 * Theseus: allocate_frames_by_bytes()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_frames()
 */
struct tmm_allocated_frames *tmm_allocate_frames_by_bytes(u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = for_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : frames_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_bytes);

/**
 * tmm_allocate_frames_by_bytes_at() - take the frames that bytes at an address touch
 * @paddr: the first byte
 * @nr_bytes: how many
 *
 * Theseus: allocate_frames_by_bytes_at()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_frames_at()
 */
struct tmm_allocated_frames *tmm_allocate_frames_by_bytes_at(struct tmm_paddr paddr, u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_at_paddr(paddr, 0);
	int err = for_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : frames_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_bytes_at);

static struct tmm_allocation_request at_or_any(const struct tmm_paddr *paddr)
{
	return paddr ? tmm_request_at_paddr(*paddr, 0) : tmm_request_any(0);
}

/**
 * tmm_allocate_frames_deferred() - take frames without touching the heap
 * @paddr: an address in the first of them, or NULL for anywhere
 * @nr_frames: how many of 4 KiB, contiguous
 * @action: all zeros, or finished; set on success to what is still to be done,
 *          with tmm_deferred_action_finish(), where sleeping is allowed
 *
 * The rest of the free range stays free. TMM_NR_RESERVE / 2 allocations may be unfinished at
 * a time.
 *
 * Theseus: allocate_frames_deferred()
 *
 * Context: Any but interrupt; does not sleep. O(log n).
 * Return: as tmm_allocate_frames_at(), but ERR_PTR(-ENOMEM) if too many allocations are
 * unfinished; ERR_PTR(-EBUSY) if @action is unfinished
 */
struct tmm_allocated_frames *tmm_allocate_frames_deferred(const struct tmm_paddr *paddr,
							  u64 nr_frames,
							  struct tmm_deferred_action *action)
{
	struct tmm_allocation_request req = at_or_any(paddr);

	req.nr = nr_frames;
	return tmm_frame_allocator_allocate_deferred(&tmm_kernel_instance()->fa, &req, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_deferred);

/**
 * tmm_allocate_frames_by_bytes_deferred() - the same, for a number of bytes
 * @paddr: the first byte, or NULL for anywhere
 * @nr_bytes: how many
 * @action: as there
 *
 * Theseus: allocate_frames_by_bytes_deferred()
 *
 * Context: Any but interrupt; does not sleep. O(log n).
 * Return: as tmm_allocate_frames_deferred()
 */
struct tmm_allocated_frames *
tmm_allocate_frames_by_bytes_deferred(const struct tmm_paddr *paddr, u64 nr_bytes,
				      struct tmm_deferred_action *action)
{
	struct tmm_allocation_request req = at_or_any(paddr);
	int err = for_bytes(&req, nr_bytes);

	if (err)
		return ERR_PTR(err);
	return tmm_frame_allocator_allocate_deferred(&tmm_kernel_instance()->fa, &req, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_bytes_deferred);

/**
 * tmm_inspect_then_allocate_free_frames() - look at what is free, and choose
 * @fn: called for each free run of the general regions, in order of address, with
 *      @context; returns true to stop, having written what to take to its last
 *      argument. Runs under the allocator's lock: it may neither sleep nor call
 *      this module.
 * @context: for @fn
 *
 * Theseus: inspect_then_allocate_free_frames()
 *
 * Context: Process context, may sleep. O(free runs).
 * Return: as tmm_allocate_frames_by_request(); ERR_PTR(-ENOENT) if @fn chose nothing
 */
struct tmm_allocated_frames *tmm_inspect_then_allocate_free_frames(tmm_frames_inspect_fn fn,
								   void *context)
{
	return tmm_frame_allocator_inspect_then_allocate(&tmm_kernel_instance()->fa, fn, context);
}
EXPORT_SYMBOL_TMM(tmm_inspect_then_allocate_free_frames);

/**
 * tmm_allocate_pages_by_request() - take pages
 * @req: what is wanted, in pages of 4 KiB: see the constructors tmm_request_*()
 *
 * Theseus: allocate_pages_deferred() with an AllocationRequest
 *
 * Context: Process context, may sleep. O(log n), but O(n) in free ranges for an
 *          alignment that is no power of two, or above 1 GiB.
 * Return: the pages, the caller's until tmm_allocated_pages_drop(), or an error
 * of tmm_range_allocate()
 */
struct tmm_allocated_pages *tmm_allocate_pages_by_request(const struct tmm_allocation_request *req)
{
	return pages_by_request(req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_request);

/**
 * tmm_allocate_pages() - take pages, anywhere
 * @nr_pages: how many of 4 KiB, contiguous
 *
 * Theseus: allocate_pages()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages_by_request(): ERR_PTR(-EINVAL) for none,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_pages *tmm_allocate_pages(u64 nr_pages)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages);

/* Another address may have the number of one that is not canonical. */
static int check_vaddr(struct tmm_vaddr vaddr)
{
	return tmm_vaddr_is_canonical(vaddr.v) ? 0 : -EINVAL;
}

/**
 * tmm_allocate_pages_at() - take the pages at an address
 * @vaddr: an address in the first of them
 * @nr_pages: how many of 4 KiB
 *
 * Theseus: allocate_pages_at()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages_by_request(): ERR_PTR(-EINVAL) also if @vaddr is
 * not canonical; also ERR_PTR(-ERANGE), ERR_PTR(-EADDRINUSE),
 * ERR_PTR(-EADDRNOTAVAIL) or ERR_PTR(-EOVERFLOW)
 */
struct tmm_allocated_pages *tmm_allocate_pages_at(struct tmm_vaddr vaddr, u64 nr_pages)
{
	const struct tmm_allocation_request req = tmm_request_at_vaddr(vaddr, nr_pages);
	int err = check_vaddr(vaddr);

	return err ? ERR_PTR(err) : pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_at);

/**
 * tmm_allocate_pages_by_bytes() - take pages for a number of bytes
 * @nr_bytes: rounded up to whole pages
 *
 * Theseus: allocate_pages_by_bytes()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages()
 */
struct tmm_allocated_pages *tmm_allocate_pages_by_bytes(u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = for_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_bytes);

/**
 * tmm_allocate_pages_by_bytes_at() - take the pages that bytes at an address touch
 * @vaddr: the first byte
 * @nr_bytes: how many
 *
 * Theseus: allocate_pages_by_bytes_at()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages_at()
 */
struct tmm_allocated_pages *tmm_allocate_pages_by_bytes_at(struct tmm_vaddr vaddr, u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_at_vaddr(vaddr, 0);
	int err = check_vaddr(vaddr);

	if (!err)
		err = for_bytes(&req, nr_bytes);
	return err ? ERR_PTR(err) : pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_bytes_at);

/* An empty range has no pages: its last would be before its first. */
static int within(struct tmm_allocation_request *req, const struct tmm_page_range *range)
{
	if (tmm_page_range_is_empty(range))
		return -EINVAL;
	*req = tmm_request_in_range(range->r.first, tmm_range_end(&range->r) - 1, req->nr);
	return 0;
}

/**
 * tmm_allocate_pages_in_range() - take pages within a range
 * @nr_pages: how many of 4 KiB, contiguous
 * @range: where; not empty. All of it may be taken.
 *
 * Theseus: allocate_pages_in_range(), which never fills a range exactly
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages(); also ERR_PTR(-ERANGE) if no region has a page
 * of @range
 */
struct tmm_allocated_pages *tmm_allocate_pages_in_range(u64 nr_pages,
							const struct tmm_page_range *range)
{
	struct tmm_allocation_request req = tmm_request_any(nr_pages);
	int err = within(&req, range);

	return err ? ERR_PTR(err) : pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_in_range);

/**
 * tmm_allocate_pages_by_bytes_in_range() - the same, for a number of bytes
 * @nr_bytes: rounded up to whole pages
 * @range: where; not empty
 *
 * Theseus: allocate_pages_by_bytes_in_range()
 *
 * Context: Process context, may sleep. O(log n).
 * Return: as tmm_allocate_pages_in_range()
 */
struct tmm_allocated_pages *
tmm_allocate_pages_by_bytes_in_range(u64 nr_bytes, const struct tmm_page_range *range)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = for_bytes(&req, nr_bytes);

	if (!err)
		err = within(&req, range);
	return err ? ERR_PTR(err) : pages_by_request(&req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_bytes_in_range);

/**
 * tmm_allocate_pages_deferred() - take pages without touching the heap
 * @req: what is wanted, in pages of 4 KiB
 * @action: all zeros, or finished; set on success to what is still to be done,
 *          with tmm_deferred_action_finish(), where sleeping is allowed
 *
 * Theseus: allocate_pages_deferred()
 *
 * Context: Any but interrupt; does not sleep. O(log n).
 * Return: as tmm_allocate_pages_by_request(), but ERR_PTR(-ENOMEM) if too many allocations
 * are unfinished, see tmm_allocate_frames_deferred(); ERR_PTR(-EBUSY) if @action is
 * unfinished
 */
struct tmm_allocated_pages *tmm_allocate_pages_deferred(const struct tmm_allocation_request *req,
							struct tmm_deferred_action *action)
{
	return tmm_page_allocator_allocate_deferred(&tmm_kernel_instance()->pa, req, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_deferred);

/**
 * tmm_allocate_pages_by_bytes_deferred() - the same, for a number of bytes
 * @req: what is wanted; its count does not matter. At an address, bytes begin
 *       where tmm_request_at_vaddr() said.
 * @nr_bytes: rounded up to whole pages
 * @action: as there
 *
 * Theseus: allocate_pages_by_bytes_deferred()
 *
 * Context: Any but interrupt; does not sleep. O(log n).
 * Return: as tmm_allocate_pages_deferred()
 */
struct tmm_allocated_pages *
tmm_allocate_pages_by_bytes_deferred(const struct tmm_allocation_request *req, u64 nr_bytes,
				     struct tmm_deferred_action *action)
{
	struct tmm_allocation_request sized = *req;
	int err = for_bytes(&sized, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_pages_deferred(&sized, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_bytes_deferred);

/**
 * tmm_allocated_frames_empty() - an object that owns no frames
 *
 * Theseus: AllocatedFrames::empty()
 *
 * Context: Process context, may sleep.
 * Return: the object, the caller's until tmm_allocated_frames_drop(), or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_frames *tmm_allocated_frames_empty(void)
{
	return tmm_frame_allocator_empty(&tmm_kernel_instance()->fa);
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_empty);

/**
 * tmm_allocated_pages_empty() - an object that owns no pages
 *
 * Theseus: AllocatedPages::empty()
 *
 * Context: Process context, may sleep.
 * Return: the object, the caller's until tmm_allocated_pages_drop(), or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_pages *tmm_allocated_pages_empty(void)
{
	return tmm_page_allocator_empty(&tmm_kernel_instance()->pa);
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_empty);
