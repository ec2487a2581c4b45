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
 * tmm_range_allocator_remove() or tmm_range_allocator_destroy().
 */
#ifndef TMM_ALLOC_RANGE_ALLOCATOR_H
#define TMM_ALLOC_RANGE_ALLOCATOR_H

#include "alloc/chunk_cache.h"
#include "alloc/free_ranges.h"
#include "alloc/waiters.h"
#include "core/address.h"
#include "core/page.h"

#include <linux/list.h>
#include <linux/spinlock.h>

struct kmem_cache;
struct tmm_range_allocator;

/* The first number that no chunk has: a number is an address / 4 KiB. */
#define TMM_NUMBER_LIMIT (1ULL << (64 - TMM_PAGE_SHIFT))

/**
 * enum tmm_region_type - which requests a region serves
 * @TMM_REGION_GENERAL: any request
 * @TMM_REGION_KERNEL: requests without @general_only, when general regions are full; and
 *                     such requests by address or range
 * @TMM_REGION_DESIGNATED: requests by address or range; others as a last resort
 * @TMM_REGION_RESERVED: requests by address only
 */
enum tmm_region_type {
	TMM_REGION_GENERAL,
	TMM_REGION_KERNEL,
	TMM_REGION_DESIGNATED,
	TMM_REGION_RESERVED,
};

/**
 * struct tmm_range_region - one run of chunks that an allocator knows
 * @link: in the allocator's list, by address
 * @type: which requests it serves
 * @first: number of its first chunk
 * @nr: chunks in it
 * @is_reversed: small runs come from its end, since the end is less aligned than the start
 * @is_closed: its chunks are given out no more; never cleared
 * @free: chunks that nobody owns; protected by the allocator's lock
 */
struct tmm_range_region {
	struct list_head link;
	enum tmm_region_type type;
	u64 first;
	u64 nr;
	bool is_reversed;
	bool is_closed;
	struct tmm_free_ranges free;
};

/**
 * struct tmm_range_hooks - what differs between frames and pages
 * @cache: slab cache of chunk objects; a struct tmm_chunk is their first member
 * @taken: a run was taken from @region; called under the allocator's lock
 * @given: a run is about to be given back; called under the allocator's lock;
 *         an error refuses it
 * @came_back: a run was given back; called under the allocator's lock
 * @resource: the resource that a run is charged as, and is a release of when it is freed
 */
struct tmm_range_hooks {
	struct kmem_cache **cache;
	void (*taken)(struct tmm_range_region *region, u64 start, u64 nr);
	int (*given)(struct tmm_range_region *region, u64 start, u64 nr);
	void (*came_back)(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			  u64 start, u64 nr);
	enum tmm_resource resource;
};

/*
 * Chunk objects that are kept for deferred allocations, which must not allocate memory. An
 * allocation uses at most two until it is finished: so half as many may be unfinished.
 */
#define TMM_NR_RESERVE		32

/**
 * struct tmm_range_allocator - regions and their lock
 * @lock: protects the list, all free sets and the reserve
 * @regions: struct tmm_range_region by address
 * @hooks: frames' or pages'
 * @objects: source of chunk objects
 * @reserve: the first of the chunk objects for deferred allocations
 * @nr_reserve: length of @reserve; TMM_NR_RESERVE when no deferred action is pending
 */
struct tmm_range_allocator {
	spinlock_t lock;	/* the list, all free sets, the reserve */
	struct list_head regions;
	const struct tmm_range_hooks *hooks;
	struct tmm_chunk_cache objects;
	struct tmm_chunk *reserve;
	unsigned int nr_reserve;
};

/**
 * struct tmm_range_totals - counts of general regions, taken at one moment
 * @nr_total: chunks in them
 * @nr_free: chunks that nobody owns
 * @nr_ranges: free ranges they form
 * @largest: longest free run by page size (enum tmm_page_size), aligned to that
 *           size, in 4 KiB chunks, TMM_MAX_RUN at most
 */
struct tmm_range_totals {
	u64 nr_total;
	u64 nr_free;
	u64 nr_ranges;
	u64 largest[3];
};

/* Regions */
int __must_check tmm_range_allocator_check_region(const struct tmm_range_region *region);

void tmm_range_allocator_init(struct tmm_range_allocator *ra, const struct tmm_range_hooks *hooks);
int __must_check tmm_range_allocator_add(struct tmm_range_allocator *ra,
					 struct tmm_range_region *region);
int __must_check tmm_range_allocator_remove(struct tmm_range_allocator *ra,
					    struct tmm_range_region *region);
void tmm_range_allocator_destroy(struct tmm_range_allocator *ra);
struct tmm_range_region *tmm_range_allocator_region_at(struct tmm_range_allocator *ra, u64 number);
void tmm_range_allocator_totals(struct tmm_range_allocator *ra, struct tmm_range_totals *totals);

/* Chunk objects, and a start without the kernel's heap */
struct tmm_chunk * __must_check tmm_range_allocator_new_object(struct tmm_range_allocator *ra);
void tmm_range_allocator_free_object(struct tmm_range_allocator *ra, struct tmm_chunk *chunk);
void tmm_range_allocator_give_reserve(struct tmm_range_allocator *ra, struct tmm_chunk *chunk);
size_t tmm_range_allocator_object_size(const struct tmm_range_allocator *ra);
void tmm_range_allocator_start_early(struct tmm_range_allocator *ra, void *memory,
				     size_t nr_bytes);
int __must_check tmm_range_allocator_move_to_heap(struct tmm_range_allocator *ra);

#endif /* TMM_ALLOC_RANGE_ALLOCATOR_H */
