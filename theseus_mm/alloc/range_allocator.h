/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range allocator: gives out runs of chunks from regions and takes the runs back. Frames and
 * pages each have one; the hooks contain the differences.
 *
 * Invariant: at any moment each chunk of a region is in the region's free set, part of exactly
 * one owned chunk object, in a magazine, with the cleaner (see @recall), or taken without an object
 * (page tables, bad frames).
 * Lock: @lock, a leaf spinlock, held for a few tree operations. The code allocates memory
 * before taking the lock and frees memory after releasing the lock, so giving a run back cannot
 * fail.
 * Owner: the structure that embeds the allocator. Regions are embedded by their owners and must
 * exist until tmm_range_allocator_remove() or tmm_range_allocator_destroy().
 */
#ifndef TMM_ALLOC_RANGE_ALLOCATOR_H
#define TMM_ALLOC_RANGE_ALLOCATOR_H

#include "alloc/chunk_cache.h"
#include "alloc/free_set.h"
#include "alloc/magazine.h"
#include "alloc/waiters.h"
#include "core/address.h"
#include "core/page.h"

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct kmem_cache;
struct tmm_range_allocator;

/* Chunk numbers are below this limit: a number is an address / 4 KiB. */
#define TMM_NUMBER_LIMIT (1ULL << (64 - TMM_PAGE_SHIFT))

/**
 * enum tmm_region_type - the requests that a region serves
 * @TMM_REGION_GENERAL: any request
 * @TMM_REGION_KERNEL: requests without @general_only, if they name an address or a range,
 *                     or if the general regions are full
 * @TMM_REGION_DESIGNATED: requests without @general_only, by address or range; other requests
 *                         without @general_only as a last resort
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
 * @type: the requests that the region serves
 * @first: number of the first chunk
 * @nr: number of chunks
 * @is_reversed: small runs come from the end of the region, since the end is less aligned than
 *               the start
 * @is_closed: chunks of the region are no longer given out; never cleared
 * @free: chunks without an owner; protected by the allocator's lock
 */
struct tmm_range_region {
	struct list_head link;
	enum tmm_region_type type;
	u64 first;
	u64 nr;
	bool is_reversed;
	bool is_closed;
	struct tmm_free_set free;
};

/**
 * struct tmm_range_hooks - differences between frames and pages
 * @cache: slab cache of chunk objects; their first member is a struct tmm_chunk, or a struct
 *         tmm_range_node without @has_maps
 * @has_maps: the free sets are frame maps, which the caller of tmm_range_allocator_add() has set up
 * @taken: a run was taken from @region; called under the allocator's lock
 * @given: a run is about to be given back; called under the allocator's lock; an error refuses
 *         the run
 * @came_back: a run was given back; called under the allocator's lock
 * @cached: a free run is about to enter a magazine; called under the locks of the magazine and of
 *          the allocator
 * @uncached: a chunk left a magazine and has an owner; called under the magazine's lock
 * @may_cache: a chunk is about to be given back to a magazine; called under the magazine's lock;
 *             true means that the hook has marked the chunk free; false refuses the chunk, which
 *             then goes to the free set
 * @recall: move free chunks that are neither in a free set nor in a magazine to the free sets; NULL
 *          if there are none
 * @resource: the resource that a run is charged as; a freed run is a release of this resource
 * @home_order: log2 of the chunks of a block; chunks of two aligned blocks share no cache line of
 *              the memory that their owners write
 */
struct tmm_range_hooks {
	struct kmem_cache **cache;
	bool has_maps;
	unsigned int home_order;
	void (*taken)(struct tmm_range_region *region, u64 start, u64 nr);
	int (*given)(struct tmm_range_region *region, u64 start, u64 nr);
	void (*came_back)(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			  u64 start, u64 nr);
	void (*cached)(struct tmm_range_region *region, u64 start, u64 nr);
	void (*uncached)(struct tmm_range_region *region, u64 number);
	bool (*may_cache)(struct tmm_range_allocator *ra, struct tmm_range_region *region,
			  u64 number);
	void (*recall)(struct tmm_range_allocator *ra);
	enum tmm_resource resource;
};

/*
 * Chunk objects in reserve for deferred allocations, which must not allocate memory. An
 * allocation uses two objects at most (of frames: one) until the allocation is finished, so
 * TMM_NR_RESERVE / 2 allocations may be unfinished.
 */
#define TMM_NR_RESERVE		32

/**
 * struct tmm_range_allocator - regions and their lock
 * @lock: protects the list, all free sets, the reserve and the homes of the magazines
 * @regions: struct tmm_range_region by address
 * @hooks: the hooks of frames or pages
 * @objects: source of chunk objects
 * @reserve: the first of the chunk objects for deferred allocations
 * @nr_reserve: length of @reserve; TMM_NR_RESERVE when no deferred action is pending, but 0
 *              as long as @objects come from early memory
 * @magazines: free single chunks for each CPU; read without @lock, so not in its cache line
 */
struct tmm_range_allocator {
	spinlock_t lock;	/* the list, all free sets, the reserve, the homes */
	struct list_head regions;
	const struct tmm_range_hooks *hooks;
	struct tmm_chunk_cache objects;
	struct tmm_chunk *reserve;
	unsigned int nr_reserve;
	struct tmm_magazines magazines ____cacheline_aligned;
};

/**
 * struct tmm_range_totals - counts of general regions, all taken under one lock
 * @nr_total: all chunks
 * @nr_free: chunks without an owner, those of magazines included
 * @nr_ranges: free ranges
 * @largest: longest free run by page size (enum tmm_page_size), see tmm_free_set_largest()
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
struct tmm_chunk *tmm_range_allocator_take_reserve(struct tmm_range_allocator *ra);
size_t tmm_range_allocator_object_size(const struct tmm_range_allocator *ra);
void tmm_range_allocator_start_early(struct tmm_range_allocator *ra, void *memory,
				     size_t nr_bytes);
int __must_check tmm_range_allocator_move_to_heap(struct tmm_range_allocator *ra);

#endif /* TMM_ALLOC_RANGE_ALLOCATOR_H */
