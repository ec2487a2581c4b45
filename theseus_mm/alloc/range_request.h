/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests: the chunks that a caller wants from a range allocator, and the allocation itself.
 *
 * Invariant: a request takes and charges its whole run, or nothing.
 * Lock: the range allocator's, and those of the magazines; each function takes them.
 * Owner: the caller owns a run from its allocation until tmm_range_request_release().
 */
#ifndef TMM_ALLOC_RANGE_REQUEST_H
#define TMM_ALLOC_RANGE_REQUEST_H

#include "alloc/range_allocator.h"
#include "core/address.h"
#include "core/page.h"

#include <linux/errno.h>
#include <linux/overflow.h>

struct tmm_account;

/* This count means that the calculation of the count overflowed. */
#define TMM_TOO_MANY U64_MAX

/**
 * struct tmm_allocation_request - the chunks that a caller wants
 * @nr: chunks of 4 KiB, 1 or more; TMM_TOO_MANY if the count overflowed
 * @is_at: the run starts at @at; @align, @behind, @min and @max are ignored
 * @at: number of the first chunk
 * @align: the run starts at a multiple of @align, in chunks; 0 and 1 mean anywhere. A request
 *         aligned to 2 MiB or more is served from the top of the region, other requests from
 *         the bottom. So small runs do not break up the large runs. In a reversed region, top
 *         and bottom are exchanged.
 * @behind: the run starts this many chunks after a multiple of @align. The chunks between the
 *          multiple and the run have to be free too, but are not taken.
 * @min: lowest chunk that may be used
 * @max: highest chunk that may be used, inclusive
 * @offset: bytes from the start of chunk @at to the first byte of a request by bytes; see
 *          tmm_request_at_vaddr()
 * @general_only: use general regions only: no last resort, and no address in another region.
 *                All requests of clients for pages set this flag, except for identity mappings.
 * @account: account charged for the run, until the run is free again; NULL for none
 *
 * Theseus: AllocationRequest, whose kinds are the constructors below. Here a request may have
 * an alignment and a range at once, for frames as well as for pages.
 */
struct tmm_allocation_request {
	u64 nr;
	bool is_at;
	u64 at;
	u64 align;
	u64 behind;
	u64 min;
	u64 max;
	u64 offset;
	bool general_only;
	struct tmm_account *account;
};

static inline struct tmm_allocation_request tmm_request_any(u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = 1, .max = U64_MAX };
}

static inline struct tmm_allocation_request tmm_request_at(u64 number, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .is_at = true, .at = number };
}

/* A request for @nr chunks, the first of which contains @vaddr. Theseus: AtVirtualAddress(v) */
static inline struct tmm_allocation_request tmm_request_at_vaddr(struct tmm_vaddr vaddr, u64 nr)
{
	return (struct tmm_allocation_request){
		.nr = nr,
		.is_at = true,
		.at = tmm_page_containing_address(vaddr, TMM_4K).number,
		.offset = tmm_vaddr_page_offset(vaddr),
	};
}

static inline struct tmm_allocation_request tmm_request_at_paddr(struct tmm_paddr paddr, u64 nr)
{
	return (struct tmm_allocation_request){
		.nr = nr,
		.is_at = true,
		.at = paddr.v >> TMM_PAGE_SHIFT,
		.offset = tmm_paddr_frame_offset(paddr),
	};
}

static inline struct tmm_allocation_request tmm_request_aligned(u64 align, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = align, .max = U64_MAX };
}

static inline struct tmm_allocation_request tmm_request_in_range(u64 min, u64 max, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = 1, .min = min, .max = max };
}

static inline struct tmm_allocation_request tmm_request_aligned_in_range(u64 align, u64 min,
									 u64 max, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = align, .min = min, .max = max };
}

/* @nr chunks of @size each, aligned to @size; a count that overflows becomes TMM_TOO_MANY. */
static inline struct tmm_allocation_request tmm_request_sized(enum tmm_page_size size, u64 nr)
{
	return tmm_request_aligned(tmm_page_size_4k_pages(size),
				   size_mul(nr, tmm_page_size_4k_pages(size)));
}

/*
 * Number of chunks that @nr_bytes touch, from byte @offset of the first chunk on; @offset is
 * below 4096. @nr is set on success only. Return: 0, -EINVAL if @nr_bytes is 0, or
 * -EOVERFLOW.
 */
static inline int __must_check tmm_chunks_of_bytes(u64 offset, u64 nr_bytes, u64 *nr)
{
	u64 end;

	if (!nr_bytes)
		return -EINVAL;
	if (check_add_overflow(offset, nr_bytes, &end) ||
	    check_add_overflow(end, TMM_PAGE_SIZE - 1, &end))
		return -EOVERFLOW;
	*nr = end >> TMM_PAGE_SHIFT;
	return 0;
}

/* Set the count of @req to the number of chunks that @nr_bytes touch from the start of @req. */
static inline int __must_check tmm_request_size_by_bytes(struct tmm_allocation_request *req,
							 u64 nr_bytes)
{
	return tmm_chunks_of_bytes(req->is_at ? req->offset : 0, nr_bytes, &req->nr);
}

/**
 * struct tmm_deferred_action - the rest of a deferred allocation
 * @ra: private: the allocator
 * @nr_owed: private: objects that the allocation took from the allocator's reserve
 *
 * An action of all zeros has nothing to do. An action owns no chunk: the rest of the free range
 * that contained the run is free at once.
 *
 * Theseus: DeferredAllocAction, which does the rest when the action is dropped.
 */
struct tmm_deferred_action {
	/* private: */
	struct tmm_range_allocator *ra;
	unsigned int nr_owed;
};

/*
 * A function that inspects a free run. @req is all zeros; to allocate chunks of the run, the
 * function sets @req, with is_at. The caller holds the allocator's lock. Return: true to stop
 * and allocate @req, false to see the next run.
 */
typedef bool (*tmm_range_inspect_fn)(struct tmm_range_region *region, const struct tmm_chunk *run,
				     void *context, struct tmm_allocation_request *req);

struct tmm_chunk * __must_check tmm_range_request_allocate(struct tmm_range_allocator *ra,
							   const struct tmm_allocation_request *req,
							   struct tmm_range_region **region);
struct tmm_chunk * __must_check
tmm_range_request_allocate_one(struct tmm_range_allocator *ra, struct tmm_account *account,
			       struct tmm_range_region **region);
struct tmm_chunk * __must_check
tmm_range_request_allocate_deferred(struct tmm_range_allocator *ra,
				    const struct tmm_allocation_request *req,
				    struct tmm_range_region **region,
				    struct tmm_deferred_action *action);
void tmm_deferred_action_finish(struct tmm_deferred_action *action);
struct tmm_chunk * __must_check
tmm_range_request_inspect_then_allocate(struct tmm_range_allocator *ra,
					tmm_range_inspect_fn inspect, void *context,
					struct tmm_range_region **region);
void tmm_range_request_release(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			       struct tmm_chunk *chunk);

#endif /* TMM_ALLOC_RANGE_REQUEST_H */
