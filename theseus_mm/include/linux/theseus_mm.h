/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface for other kernel modules. A module includes only this header, with
 * theseus_mm/ and theseus_mm/include/ of the source tree among the include paths, and with
 * the tree's Module.symvers in KBUILD_EXTRA_SYMBOLS (see kunit/driver/driver_test.c). The
 * functions are in a symbol namespace, which the module imports:
 *
 *	MODULE_IMPORT_NS(THESEUS_MM);		("THESEUS_MM" from Linux 6.13 on)
 *
 * The functions work on theseus_mm's own instance. A module that uses these functions keeps
 * theseus_mm loaded. A function of the included headers is public if the function is
 * exported to the namespace, or inline in this header, core/, alloc/ or mapping/. Inline
 * functions of paging/ are internal, except for tmm_private_*() in paging/page_table.h. The
 * inline forms of allocation below have the context and the cost of the exported function
 * that they call.
 *
 * Ownership: a function that takes a T ** consumes the object: the pointer is NULL after
 * success, and unchanged after an error. Constructors return an ERR_PTR() on failure, never
 * NULL; only tmm_get_kernel_mmi_ref() returns NULL before start-up is finished. Destructors
 * (_drop, _put) accept NULL and cannot fail; only tmm_page_table_drop() refuses a root that
 * is in use. No function locks an object against its own owner: one caller at a time may use
 * an object, unless a function's kernel-doc allows more.
 *
 * Context: "Any but interrupt" in a function's kernel-doc means a context in which a spinlock
 * may be taken. With PREEMPT_RT, code with interrupts or preemption off, or under a raw spinlock,
 * is no such context. So code between tmm_borrow_enter() and tmm_borrow_leave() takes no spinlock.
 *
 * Units: nr_* of pages and frames count units of 4 KiB, *_bytes counts bytes.
 */
#ifndef THESEUS_MM_H
#define THESEUS_MM_H

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "alloc/range_request.h"
#include "core/pte_flags.h"
#include "core/range.h"
#include "mapping/borrow.h"
#include "mapping/deep_copy.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "mapping/memory.h"
#include "mapping/mmi.h"
#include "mapping/startup.h"
#include "paging/dump_pte.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/tlb.h"
#include "paging/translate.h"

#include <linux/err.h>
#include <linux/errno.h>

/* Frames */
struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_request(const struct tmm_allocation_request *req);
struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_request_deferred(const struct tmm_allocation_request *req,
					struct tmm_deferred_action *action);
struct tmm_allocated_frames * __must_check
tmm_inspect_then_allocate_free_frames(tmm_frames_inspect_fn fn, void *context);
struct tmm_allocated_frames * __must_check tmm_allocated_frames_empty(void);

/* Pages */
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_request(const struct tmm_allocation_request *req);
struct tmm_allocated_pages * __must_check
tmm_allocate_pages_deferred(const struct tmm_allocation_request *req,
			    struct tmm_deferred_action *action);
struct tmm_allocated_pages * __must_check tmm_allocated_pages_empty(void);

/**
 * tmm_allocate_frames() - allocate frames anywhere
 * @nr_frames: number of frames of 4 KiB; they are contiguous
 *
 * Theseus: allocate_frames()
 *
 * Return: as tmm_allocate_frames_by_request(): ERR_PTR(-EINVAL) if @nr_frames is 0,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
static inline struct tmm_allocated_frames * __must_check tmm_allocate_frames(u64 nr_frames)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_frames);

	return tmm_allocate_frames_by_request(&req);
}

/**
 * tmm_allocate_frames_at() - allocate the frames at an address
 * @paddr: an address in the first frame
 * @nr_frames: number of frames of 4 KiB
 *
 * Theseus: allocate_frames_at()
 *
 * Return: as tmm_allocate_frames_by_request(); also ERR_PTR(-ERANGE),
 * ERR_PTR(-EADDRINUSE), ERR_PTR(-EADDRNOTAVAIL) or ERR_PTR(-EOVERFLOW)
 */
static inline struct tmm_allocated_frames * __must_check
tmm_allocate_frames_at(struct tmm_paddr paddr, u64 nr_frames)
{
	const struct tmm_allocation_request req = tmm_request_at_paddr(paddr, nr_frames);

	return tmm_allocate_frames_by_request(&req);
}

/**
 * tmm_allocate_frames_by_bytes() - allocate frames for a number of bytes
 * @nr_bytes: rounded up to whole frames
 *
 * Theseus: allocate_frames_by_bytes()
 *
 * Return: as tmm_allocate_frames()
 */
static inline struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_bytes(u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_frames_by_request(&req);
}

/**
 * tmm_allocate_frames_by_bytes_at() - allocate the frames that contain a range of bytes
 * @paddr: address of the first byte
 * @nr_bytes: number of bytes
 *
 * Theseus: allocate_frames_by_bytes_at()
 *
 * Return: as tmm_allocate_frames_at()
 */
static inline struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_bytes_at(struct tmm_paddr paddr, u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_at_paddr(paddr, 0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_frames_by_request(&req);
}

/**
 * tmm_allocate_frames_deferred() - allocate frames without using the heap
 * @paddr: an address in the first frame, or NULL for anywhere
 * @nr_frames: number of frames of 4 KiB; they are contiguous
 * @action: as in tmm_allocate_frames_by_request_deferred()
 *
 * Theseus: allocate_frames_deferred()
 *
 * Return: as tmm_allocate_frames_by_request_deferred()
 */
static inline struct tmm_allocated_frames * __must_check
tmm_allocate_frames_deferred(const struct tmm_paddr *paddr, u64 nr_frames,
			     struct tmm_deferred_action *action)
{
	const struct tmm_allocation_request req = paddr ? tmm_request_at_paddr(*paddr, nr_frames) :
							  tmm_request_any(nr_frames);

	return tmm_allocate_frames_by_request_deferred(&req, action);
}

/**
 * tmm_allocate_frames_by_bytes_deferred() - allocate frames for bytes without using the heap
 * @paddr: address of the first byte, or NULL for anywhere
 * @nr_bytes: number of bytes
 * @action: as in tmm_allocate_frames_by_request_deferred()
 *
 * Theseus: allocate_frames_by_bytes_deferred()
 *
 * Return: as tmm_allocate_frames_by_request_deferred()
 */
static inline struct tmm_allocated_frames * __must_check
tmm_allocate_frames_by_bytes_deferred(const struct tmm_paddr *paddr, u64 nr_bytes,
				      struct tmm_deferred_action *action)
{
	struct tmm_allocation_request req = paddr ? tmm_request_at_paddr(*paddr, 0) :
						    tmm_request_any(0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_frames_by_request_deferred(&req, action);
}

/**
 * tmm_allocate_pages() - allocate pages anywhere
 * @nr_pages: number of pages of 4 KiB; they are contiguous
 *
 * Theseus: allocate_pages()
 *
 * Return: as tmm_allocate_pages_by_request(): ERR_PTR(-EINVAL) if @nr_pages is 0,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
static inline struct tmm_allocated_pages * __must_check tmm_allocate_pages(u64 nr_pages)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_at() - allocate the pages at an address
 * @vaddr: an address in the first page
 * @nr_pages: number of pages of 4 KiB
 *
 * An address that is not canonical can have the page number of a canonical address, so the
 * call checks for a canonical address.
 *
 * Theseus: allocate_pages_at()
 *
 * Return: as tmm_allocate_pages_by_request(), including ERR_PTR(-ERANGE),
 * ERR_PTR(-EADDRINUSE), ERR_PTR(-EADDRNOTAVAIL) and ERR_PTR(-EOVERFLOW);
 * ERR_PTR(-EINVAL) also if @vaddr is not canonical
 */
static inline struct tmm_allocated_pages * __must_check
tmm_allocate_pages_at(struct tmm_vaddr vaddr, u64 nr_pages)
{
	const struct tmm_allocation_request req = tmm_request_at_vaddr(vaddr, nr_pages);

	if (!tmm_vaddr_is_canonical(vaddr.v))
		return ERR_PTR(-EINVAL);
	return tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_by_bytes() - allocate pages for a number of bytes
 * @nr_bytes: rounded up to whole pages
 *
 * Theseus: allocate_pages_by_bytes()
 *
 * Return: as tmm_allocate_pages()
 */
static inline struct tmm_allocated_pages * __must_check tmm_allocate_pages_by_bytes(u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_by_bytes_at() - allocate the pages that contain a range of bytes
 * @vaddr: address of the first byte
 * @nr_bytes: number of bytes
 *
 * Theseus: allocate_pages_by_bytes_at()
 *
 * Return: as tmm_allocate_pages_at()
 */
static inline struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_bytes_at(struct tmm_vaddr vaddr, u64 nr_bytes)
{
	struct tmm_allocation_request req = tmm_request_at_vaddr(vaddr, 0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	if (!tmm_vaddr_is_canonical(vaddr.v))
		return ERR_PTR(-EINVAL);
	return err ? ERR_PTR(err) : tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_in_range() - allocate pages within a range
 * @nr_pages: number of pages of 4 KiB; they are contiguous
 * @range: pages that may be allocated; not empty. The result may fill the whole range.
 *
 * Theseus: allocate_pages_in_range(), which never fills a range exactly
 *
 * Return: as tmm_allocate_pages(); also ERR_PTR(-ERANGE) if no region has a page
 * of @range
 */
static inline struct tmm_allocated_pages * __must_check
tmm_allocate_pages_in_range(u64 nr_pages, const struct tmm_page_range *range)
{
	const struct tmm_allocation_request req =
		tmm_request_in_range(range->r.first, tmm_range_end(&range->r) - 1, nr_pages);

	/* The last page of an empty range would be before its first. */
	if (tmm_page_range_is_empty(range))
		return ERR_PTR(-EINVAL);
	return tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_by_bytes_in_range() - allocate pages for bytes within a range
 * @nr_bytes: rounded up to whole pages
 * @range: pages that may be allocated; not empty
 *
 * Theseus: allocate_pages_by_bytes_in_range()
 *
 * Return: as tmm_allocate_pages_in_range()
 */
static inline struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_bytes_in_range(u64 nr_bytes, const struct tmm_page_range *range)
{
	struct tmm_allocation_request req = tmm_request_any(0);
	int err = tmm_request_size_by_bytes(&req, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_pages_in_range(req.nr, range);
}

/**
 * tmm_allocate_pages_by_bytes_deferred() - allocate pages for bytes without using the heap
 * @req: place and alignment; its count is ignored. With an address, the bytes begin at the
 *       address that tmm_request_at_vaddr() was given.
 * @nr_bytes: rounded up to whole pages
 * @action: as in tmm_allocate_pages_deferred()
 *
 * Theseus: allocate_pages_by_bytes_deferred()
 *
 * Return: as tmm_allocate_pages_deferred()
 */
static inline struct tmm_allocated_pages * __must_check
tmm_allocate_pages_by_bytes_deferred(const struct tmm_allocation_request *req, u64 nr_bytes,
				     struct tmm_deferred_action *action)
{
	struct tmm_allocation_request sized = *req;
	int err = tmm_request_size_by_bytes(&sized, nr_bytes);

	return err ? ERR_PTR(err) : tmm_allocate_pages_deferred(&sized, action);
}

/* Mappings under the active root of the kernel's context */
struct tmm_mapped_pages * __must_check tmm_create_mapping(u64 nr_bytes, tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_create_contiguous_mapping(u64 nr_bytes, tmm_pte_flags_t flags, struct tmm_paddr *paddr);
struct tmm_mapped_pages * __must_check tmm_create_identity_mapping(u64 nr_pages,
								   tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check
tmm_create_identity_mapping_by_request(const struct tmm_allocation_request *req,
				       tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check tmm_map_frame_range(struct tmm_paddr start, u64 nr_bytes,
							   tmm_pte_flags_t flags);
struct tmm_mapped_pages * __must_check tmm_mapped_pages_empty(void);
int __must_check tmm_translate(struct tmm_vaddr vaddr, struct tmm_paddr *paddr);

/* Device memory */
int __must_check tmm_add_reserved_region(struct tmm_paddr start, u64 nr_bytes,
					 enum tmm_memory_type type);
int __must_check tmm_remove_reserved_region(struct tmm_paddr start, u64 nr_bytes);

/*
 * Start-up, which only theseus_mm calls (other modules get -EBUSY), and the context from
 * start-up
 */
int __must_check tmm_init(const struct tmm_memory *memories, unsigned int nr_memories,
			  struct tmm_initial_memory_mappings *initial);
int __must_check tmm_init_post_heap(struct tmm_initial_memory_mappings *initial);
struct tmm_mmi * __must_check tmm_get_kernel_mmi_ref(void);

#endif /* THESEUS_MM_H */
