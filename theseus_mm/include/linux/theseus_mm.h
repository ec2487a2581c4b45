/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other kernel modules may use: the one header to include, with
 * theseus_mm/ and theseus_mm/include/ of the source tree among the include paths
 * and its Module.symvers in KBUILD_EXTRA_SYMBOLS (kunit/driver/driver_test.c is one).
 * The functions are in a symbol namespace, which the module imports:
 *
 *	MODULE_IMPORT_NS(THESEUS_MM);		("THESEUS_MM" from Linux 6.13 on)
 *
 * The functions here work on the module's own instance, as long as it is loaded;
 * a module that uses them holds it in place. Of the headers included, everything
 * whose kernel-doc does not say that it is internal may be used; a function is
 * public if it is exported, or inline with kernel-doc. The inline forms of allocation
 * below have the context and the cost of the exported function that they call.
 *
 * Ownership: functions that take a T ** consume what it points to: the pointer is
 * NULL after success, untouched after an error. Constructors return an ERR_PTR(),
 * never NULL (but tmm_get_kernel_mmi_ref(), before start-up is finished);
 * destructors (_drop, _put) accept NULL and cannot fail, but for
 * tmm_page_table_drop(), which refuses a root that is in use. No function
 * locks an object against its own owner: one object, one caller at a time, unless
 * its kernel-doc says more.
 *
 * Units: nr_* of pages and frames count 4 KiB, *_bytes bytes.
 */
#ifndef THESEUS_MM_H
#define THESEUS_MM_H

#include "alloc/frames.h"
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
 * tmm_allocate_frames() - take frames, anywhere
 * @nr_frames: how many of 4 KiB, contiguous
 *
 * Theseus: allocate_frames()
 *
 * Return: as tmm_allocate_frames_by_request(): ERR_PTR(-EINVAL) for none,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
static inline struct tmm_allocated_frames * __must_check tmm_allocate_frames(u64 nr_frames)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_frames);

	return tmm_allocate_frames_by_request(&req);
}

/**
 * tmm_allocate_frames_at() - take the frames at an address
 * @paddr: an address in the first of them
 * @nr_frames: how many of 4 KiB
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
 * tmm_allocate_frames_by_bytes() - take frames for a number of bytes
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
 * tmm_allocate_frames_by_bytes_at() - take the frames that bytes at an address touch
 * @paddr: the first byte
 * @nr_bytes: how many
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
 * tmm_allocate_frames_deferred() - take frames without touching the heap
 * @paddr: an address in the first of them, or NULL for anywhere
 * @nr_frames: how many of 4 KiB, contiguous
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
 * tmm_allocate_frames_by_bytes_deferred() - take frames for bytes without touching the heap
 * @paddr: the first byte, or NULL for anywhere
 * @nr_bytes: how many
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
 * tmm_allocate_pages() - take pages, anywhere
 * @nr_pages: how many of 4 KiB, contiguous
 *
 * Theseus: allocate_pages()
 *
 * Return: as tmm_allocate_pages_by_request(): ERR_PTR(-EINVAL) for none,
 * ERR_PTR(-ENOSPC) or ERR_PTR(-ENOMEM)
 */
static inline struct tmm_allocated_pages * __must_check tmm_allocate_pages(u64 nr_pages)
{
	const struct tmm_allocation_request req = tmm_request_any(nr_pages);

	return tmm_allocate_pages_by_request(&req);
}

/**
 * tmm_allocate_pages_at() - take the pages at an address
 * @vaddr: an address in the first of them
 * @nr_pages: how many of 4 KiB
 *
 * An address that is not canonical is refused, since a canonical one may have the same
 * page number.
 *
 * Theseus: allocate_pages_at()
 *
 * Return: as tmm_allocate_pages_by_request(): ERR_PTR(-EINVAL) also if @vaddr is
 * not canonical; also ERR_PTR(-ERANGE), ERR_PTR(-EADDRINUSE),
 * ERR_PTR(-EADDRNOTAVAIL) or ERR_PTR(-EOVERFLOW)
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
 * tmm_allocate_pages_by_bytes() - take pages for a number of bytes
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
 * tmm_allocate_pages_by_bytes_at() - take the pages that bytes at an address touch
 * @vaddr: the first byte
 * @nr_bytes: how many
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
 * tmm_allocate_pages_in_range() - take pages within a range
 * @nr_pages: how many of 4 KiB, contiguous
 * @range: where; not empty. All of it may be taken.
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
 * tmm_allocate_pages_by_bytes_in_range() - take pages for bytes within a range
 * @nr_bytes: rounded up to whole pages
 * @range: where; not empty
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
 * tmm_allocate_pages_by_bytes_deferred() - take pages for bytes without touching the heap
 * @req: what is wanted; its count does not matter. At an address, bytes begin
 *       where tmm_request_at_vaddr() said.
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

/* Mappings under the root that is active in the kernel's context */
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

/* Start-up: the module's own; others get -EBUSY. And the context it makes. */
int __must_check tmm_init(const struct tmm_memory *memories, unsigned int nr_memories,
			  struct tmm_initial_memory_mappings *initial);
int __must_check tmm_init_post_heap(struct tmm_initial_memory_mappings *initial);
struct tmm_mmi * __must_check tmm_get_kernel_mmi_ref(void);

#endif /* THESEUS_MM_H */
