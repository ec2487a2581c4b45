// SPDX-License-Identifier: GPL-2.0
/* Allocation for other modules; include/linux/theseus_mm.h has its inline forms. */
#include "core/compat.h"
#include "kernel/instance.h"

#include "include/linux/theseus_mm.h"
#include "mapping/instance.h"

/**
 * tmm_allocate_frames_by_request() - allocate frames
 * @req: the request, in frames of 4 KiB: see the constructors tmm_request_*()
 *
 * The frames still have the content of their last owner: see tmm_allocated_frames_zero().
 *
 * Theseus has alignment and ranges for pages only.
 *
 * Context: Process context, may sleep. O(log n), but O(n) in free ranges for an
 *          alignment that is no power of two, or above 1 GiB.
 * Return: the frames, which the caller owns until tmm_allocated_frames_drop(), or an error
 * of tmm_range_request_allocate()
 */
struct tmm_allocated_frames *
tmm_allocate_frames_by_request(const struct tmm_allocation_request *req)
{
	return tmm_frame_allocator_allocate(&tmm_kernel_instance()->fa, req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_request);

/**
 * tmm_allocate_frames_by_request_deferred() - allocate frames without using the heap
 * @req: the request, in frames of 4 KiB
 * @action: all zeros, or finished; set on success to the rest of the work. The caller
 *          finishes the work with tmm_deferred_action_finish(), where sleeping is allowed.
 *
 * If the allocated run is a part of a free range, the rest of the range stays free. At most
 * TMM_NR_RESERVE / 2 allocations may be unfinished at the same time.
 *
 * Theseus: allocate_frames_deferred(), which has neither alignment nor ranges
 *
 * Context: Any but interrupt; does not sleep. O(log n) for most requests; a search that has looked
 * at 512 free runs ends.
 * Return: as tmm_allocate_frames_by_request(), but ERR_PTR(-ENOSPC) also if the search ended; never
 * ERR_PTR(-EINTR); ERR_PTR(-ENOMEM) if too many allocations are unfinished; ERR_PTR(-EBUSY) if
 * @action is unfinished
 */
struct tmm_allocated_frames *
tmm_allocate_frames_by_request_deferred(const struct tmm_allocation_request *req,
					struct tmm_deferred_action *action)
{
	return tmm_frame_allocator_allocate_deferred(&tmm_kernel_instance()->fa, req, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_frames_by_request_deferred);

/**
 * tmm_inspect_then_allocate_free_frames() - inspect the free frames, and allocate some
 * @fn: called for each free run of the general regions, in order of address, with
 *      @context. To choose frames, @fn writes them to its last argument and returns
 *      true, which ends the search. @fn runs under the allocator's lock, and may
 *      neither sleep nor call this module.
 * @context: argument of @fn
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
 * tmm_allocate_pages_by_request() - allocate pages
 * @req: the request, in pages of 4 KiB: see the constructors tmm_request_*()
 *
 * Theseus: allocate_pages_deferred() with an AllocationRequest
 *
 * Context: Process context, may sleep. O(log n), but O(n) in free ranges for an
 *          alignment that is no power of two, or above 1 GiB.
 * Return: the pages, which the caller owns until tmm_allocated_pages_drop(), or an error
 * of tmm_range_request_allocate()
 */
struct tmm_allocated_pages *tmm_allocate_pages_by_request(const struct tmm_allocation_request *req)
{
	return tmm_page_allocator_allocate(&tmm_kernel_instance()->pa, req);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_by_request);

/**
 * tmm_allocate_pages_deferred() - allocate pages without using the heap
 * @req: the request, in pages of 4 KiB
 * @action: all zeros, or finished; set on success to the rest of the work. The caller
 *          finishes the work with tmm_deferred_action_finish(), where sleeping is allowed.
 *
 * Theseus: allocate_pages_deferred()
 *
 * Context: Any but interrupt; does not sleep. O(log n) for most requests; a search that has looked
 * at 512 free runs ends.
 * Return: as tmm_allocate_pages_by_request(), but ERR_PTR(-ENOSPC) also if the search ended; never
 * ERR_PTR(-EINTR); ERR_PTR(-ENOMEM) if too many allocations are unfinished, see
 * tmm_allocate_frames_by_request_deferred(); ERR_PTR(-EBUSY) if @action is unfinished
 */
struct tmm_allocated_pages *tmm_allocate_pages_deferred(const struct tmm_allocation_request *req,
							struct tmm_deferred_action *action)
{
	return tmm_page_allocator_allocate_deferred(&tmm_kernel_instance()->pa, req, action);
}
EXPORT_SYMBOL_TMM(tmm_allocate_pages_deferred);

/**
 * tmm_allocated_frames_empty() - an object that owns no frames
 *
 * Theseus: AllocatedFrames::empty()
 *
 * Context: Process context, may sleep.
 * Return: the object, which the caller owns until tmm_allocated_frames_drop(), or
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
 * Return: the object, which the caller owns until tmm_allocated_pages_drop(), or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_pages *tmm_allocated_pages_empty(void)
{
	return tmm_page_allocator_empty(&tmm_kernel_instance()->pa);
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_empty);
