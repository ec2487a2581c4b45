/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range allocator: hands runs of chunks out of regions and takes them back. One
 * for frames and one for pages; what differs between the two is in the hooks.
 *
 * Invariant: at any moment each chunk of a region is either in the region's
 * free set or part of exactly one owned chunk object.
 * Lock: @lock, a leaf spinlock, held for a few tree operations. All memory is
 * obtained before it is taken and released after, so giving back cannot fail.
 * Owner: whoever embeds it; regions are embedded by their owners and stay until
 * tmm_range_allocator_destroy().
 */
#ifndef TMM_ALLOC_RANGE_ALLOCATOR_H
#define TMM_ALLOC_RANGE_ALLOCATOR_H

#include "alloc/free_ranges.h"
#include "core/types.h"

#include <linux/list.h>
#include <linux/spinlock.h>

struct kmem_cache;

/* The first number that no chunk has: a number is an address / 4 KiB. */
#define TMM_NUMBER_LIMIT (1ULL << (64 - TMM_PAGE_SHIFT))

/**
 * enum tmm_region_type - which requests a region serves
 * @TMM_REGION_GENERAL: any request
 * @TMM_REGION_DESIGNATED: requests by address or range; others as a last resort
 * @TMM_REGION_RESERVED: requests by address only
 */
enum tmm_region_type {
	TMM_REGION_GENERAL,
	TMM_REGION_DESIGNATED,
	TMM_REGION_RESERVED,
};

/**
 * struct tmm_range_region - one run of chunks that an allocator knows
 * @link: in the allocator's list, by address
 * @type: which requests it serves
 * @first: number of its first chunk
 * @nr: chunks in it, at most TMM_MAX_RUN
 * @free: those that nobody owns; protected by the allocator's lock
 */
struct tmm_range_region {
	struct list_head link;
	enum tmm_region_type type;
	u64 first;
	u64 nr;
	struct tmm_free_ranges free;
};

/**
 * struct tmm_allocation_request - what a caller wants
 * @nr: chunks of 4 KiB, 1 or more
 * @is_at: the run starts at @at; @align, @min and @max do not count
 * @at: number of the first chunk
 * @align: the run starts at a multiple of it, in chunks; 0 and 1 mean anywhere.
 *         A request aligned to 2 MiB or more is served from the top of the
 *         region, others from the bottom, which keeps large runs whole.
 * @min: lowest chunk that may be used
 * @max: highest chunk that may be used, inclusive
 *
 * Theseus: AllocationRequest, whose kinds are the constructors below. Here
 * alignment and range combine, and frames know them too.
 */
struct tmm_allocation_request {
	u64 nr;
	bool is_at;
	u64 at;
	u64 align;
	u64 min;
	u64 max;
};

static inline struct tmm_allocation_request tmm_request_any(u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = 1, .max = U64_MAX };
}

static inline struct tmm_allocation_request tmm_request_at(u64 number, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .is_at = true, .at = number };
}

static inline struct tmm_allocation_request tmm_request_aligned(u64 align, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = align, .max = U64_MAX };
}

static inline struct tmm_allocation_request tmm_request_in_range(u64 min, u64 max, u64 nr)
{
	return (struct tmm_allocation_request){ .nr = nr, .align = 1, .min = min, .max = max };
}

/**
 * struct tmm_range_hooks - what differs between frames and pages
 * @cache: where chunk objects come from; a struct tmm_chunk is their first member
 * @taken: a run was taken from @region; called under the allocator's lock
 * @given: a run is about to be given back; called under the allocator's lock;
 *         an error refuses it
 */
struct tmm_range_hooks {
	struct kmem_cache **cache;
	void (*taken)(struct tmm_range_region *region, u64 start, u64 nr);
	int (*given)(struct tmm_range_region *region, u64 start, u64 nr);
};

/**
 * struct tmm_range_allocator - regions and their lock
 * @lock: protects the list and all free sets
 * @regions: struct tmm_range_region by address
 * @hooks: frames' or pages'
 */
struct tmm_range_allocator {
	spinlock_t lock;	/* the list and all free sets */
	struct list_head regions;
	const struct tmm_range_hooks *hooks;
};

/**
 * struct tmm_range_totals - counts of an allocator, taken at one moment
 * @nr_total: chunks in all regions
 * @nr_free: chunks that nobody owns
 * @nr_ranges: free ranges they form
 * @largest: longest free run by page size (enum tmm_page_size), aligned to that
 *           size, in 4 KiB chunks
 */
struct tmm_range_totals {
	u64 nr_total;
	u64 nr_free;
	u64 nr_ranges;
	u64 largest[3];
};

int __must_check tmm_range_region_check(const struct tmm_range_region *region);

void tmm_range_allocator_init(struct tmm_range_allocator *ra, const struct tmm_range_hooks *hooks);
int __must_check tmm_range_allocator_add(struct tmm_range_allocator *ra,
					 struct tmm_range_region *region);
void tmm_range_allocator_destroy(struct tmm_range_allocator *ra);

struct tmm_chunk * __must_check tmm_range_allocate(struct tmm_range_allocator *ra,
						   const struct tmm_allocation_request *req,
						   struct tmm_range_region **region);
void tmm_range_release(struct tmm_range_allocator *ra, struct tmm_range_region *region,
		       struct tmm_chunk *chunk);
int __must_check tmm_range_take_one(struct tmm_range_allocator *ra, struct tmm_chunk *spare[2],
				    struct tmm_range_region **region, u64 *number);

int __must_check tmm_chunk_check_split(const struct tmm_chunk *chunk, u64 at);
void tmm_chunk_split(struct tmm_chunk *chunk, u64 at, struct tmm_chunk *second);

struct tmm_range_region *tmm_range_region_at(struct tmm_range_allocator *ra, u64 number);
void tmm_range_allocator_totals(struct tmm_range_allocator *ra, struct tmm_range_totals *totals);

#endif /* TMM_ALLOC_RANGE_ALLOCATOR_H */
