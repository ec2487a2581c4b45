// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_allocator.h"

#include "core/bug.h"
#include "core/types.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>

static u64 region_end(const struct tmm_range_region *region)
{
	return region->first + region->nr;
}

static struct tmm_chunk *new_chunk(const struct tmm_range_allocator *ra)
{
	return kmem_cache_zalloc(*ra->hooks->cache, GFP_KERNEL_ACCOUNT);
}

static void free_chunks(const struct tmm_range_allocator *ra, struct tmm_chunk *chunks[2])
{
	if (chunks[0])
		kmem_cache_free(*ra->hooks->cache, chunks[0]);
	if (chunks[1])
		kmem_cache_free(*ra->hooks->cache, chunks[1]);
}

/**
 * tmm_range_region_check() - can an allocator know this region at all?
 * @region: first and nr are set
 *
 * Return:
 * * 0          - it can
 * * -EINVAL    - it is empty
 * * -EOVERFLOW - it is longer than TMM_MAX_RUN or reaches past the last chunk
 */
int tmm_range_region_check(const struct tmm_range_region *region)
{
	if (!region->nr)
		return -EINVAL;
	if (region->nr > TMM_MAX_RUN || region->first > TMM_NUMBER_LIMIT - region->nr)
		return -EOVERFLOW;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_region_check);

/**
 * tmm_range_allocator_init() - make an allocator without regions
 * @ra: the allocator
 * @hooks: what differs between frames and pages; stays as long as @ra
 */
void tmm_range_allocator_init(struct tmm_range_allocator *ra, const struct tmm_range_hooks *hooks)
{
	spin_lock_init(&ra->lock);
	INIT_LIST_HEAD(&ra->regions);
	ra->hooks = hooks;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_init);

static int link_region(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct list_head *before = &ra->regions;
	struct tmm_range_region *other;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(other, &ra->regions, link) {
		if (other->first < region_end(region) && region->first < region_end(other))
			return -EADDRINUSE;
		if (other->first < region->first)
			before = &other->link;
	}
	list_add_rcu(&region->link, before);
	return 0;
}

/**
 * tmm_range_allocator_add() - make a region known, all of it free
 * @ra: the allocator
 * @region: type, first and nr are set; the allocator uses it until it is
 *          destroyed, the memory stays the caller's
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return:
 * * 0           - its chunks can be allocated
 * * -EINVAL or -EOVERFLOW, see tmm_range_region_check()
 * * -EADDRINUSE - it overlaps a region known already
 * * -ENOMEM     - the kernel heap is exhausted
 */
int tmm_range_allocator_add(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct tmm_chunk *absorbed[2];
	struct tmm_chunk *chunk;
	int err = tmm_range_region_check(region);

	if (err)
		return err;
	chunk = new_chunk(ra);
	if (!chunk)
		return -ENOMEM;

	tmm_free_ranges_init(&region->free);
	chunk->start = region->first;
	chunk->nr = region->nr;
	spin_lock(&ra->lock);
	err = link_region(ra, region);
	if (!err)
		err = tmm_free_ranges_give(&region->free, chunk, absorbed);
	spin_unlock(&ra->lock);
	if (err)
		kmem_cache_free(*ra->hooks->cache, chunk);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_add);

/**
 * tmm_range_allocator_destroy() - forget all regions
 * @ra: the allocator; every chunk has come back
 *
 * Context: Process context. Nobody else uses @ra any more.
 */
void tmm_range_allocator_destroy(struct tmm_range_allocator *ra)
{
	struct tmm_range_region *region, *next;
	struct tmm_chunk *taken, *spare[2] = {};

	list_for_each_entry_safe(region, next, &ra->regions, link) {
		list_del(&region->link);
		TMM_BUG_IF(region->free.nr_free != region->nr);
		/* Minimal as it is, the set of a free region is one range. */
		while ((taken = tmm_free_ranges_first(&region->free))) {
			taken = tmm_free_ranges_take(&region->free, taken->start, taken->nr, spare);
			kmem_cache_free(*ra->hooks->cache, taken);
		}
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_destroy);

/**
 * tmm_range_region_at() - the region that a chunk belongs to
 * @ra: the allocator
 * @number: number of the chunk
 *
 * Context: The allocator's lock is held. O(regions), which are few.
 * Return: the region, or NULL if no region has that chunk
 */
struct tmm_range_region *tmm_range_region_at(struct tmm_range_allocator *ra, u64 number)
{
	struct tmm_range_region *region;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link)
		if (number >= region->first && number < region_end(region))
			return region;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_region_at);

static int find_at(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		   struct tmm_range_region **region)
{
	struct tmm_chunk *range;

	*region = tmm_range_region_at(ra, req->at);
	if (!*region)
		return -ERANGE;
	range = tmm_free_ranges_at(&(*region)->free, req->at);
	if (!range)
		return -EADDRINUSE;
	if (tmm_chunk_end(range) - req->at < req->nr)
		return -EADDRNOTAVAIL;
	return 0;
}

static bool find_in_type(struct tmm_range_allocator *ra, const struct tmm_fit_request *fit,
			 enum tmm_region_type type, struct tmm_range_region **found, u64 *start)
{
	struct tmm_range_region *region;

	if (fit->from_top) {
		list_for_each_entry_reverse(region, &ra->regions, link)
			if (region->type == type &&
			    tmm_free_ranges_find(&region->free, fit, start))
				goto found;
	} else {
		list_for_each_entry(region, &ra->regions, link)
			if (region->type == type &&
			    tmm_free_ranges_find(&region->free, fit, start))
				goto found;
	}
	return false;
found:
	*found = region;
	return true;
}

static bool touches_a_region(struct tmm_range_allocator *ra, const struct tmm_fit_request *fit)
{
	struct tmm_range_region *region;

	list_for_each_entry(region, &ra->regions, link)
		if (region->type != TMM_REGION_RESERVED && region->first < fit->end &&
		    fit->min < region_end(region))
			return true;
	return false;
}

static int find_fit(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		    struct tmm_range_region **region, u64 *start)
{
	struct tmm_fit_request fit = {
		.nr = req->nr,
		.align = req->align ?: 1,
		.min = req->min,
		.end = req->max == U64_MAX ? U64_MAX : req->max + 1,
	};

	fit.from_top = fit.align >= tmm_page_size_4k_pages(TMM_2M);
	if (find_in_type(ra, &fit, TMM_REGION_GENERAL, region, start) ||
	    find_in_type(ra, &fit, TMM_REGION_DESIGNATED, region, start))
		return 0;
	/* Only a range that was asked for can be a wrong one. */
	if (!req->min && req->max == U64_MAX)
		return -ENOSPC;
	return touches_a_region(ra, &fit) ? -ENOSPC : -ERANGE;
}

static int check_request(const struct tmm_allocation_request *req)
{
	u64 end;

	if (!req->nr)
		return -EINVAL;
	if (req->is_at)
		return check_add_overflow(req->at, req->nr, &end) ? -EOVERFLOW : 0;
	return req->min > req->max ? -EINVAL : 0;
}

static int find(struct tmm_range_allocator *ra, const struct tmm_allocation_request *req,
		struct tmm_range_region **region, u64 *start)
{
	lockdep_assert_held(&ra->lock);
	if (req->is_at) {
		*start = req->at;
		return find_at(ra, req, region);
	}
	return find_fit(ra, req, region, start);
}

/**
 * tmm_range_allocate() - take a run of chunks
 * @ra: the allocator
 * @req: what is wanted
 * @region: set to the region that the run came from, on success only
 *
 * O(log n) in the free ranges of a region, but see tmm_free_ranges_find() for
 * odd alignments; O(n) in regions.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return:
 * * the run                 - to be given back with tmm_range_release()
 * * ERR_PTR(-EINVAL)        - no chunks, or a range that ends before it starts
 * * ERR_PTR(-EOVERFLOW)     - the run would wrap around
 * * ERR_PTR(-ERANGE)        - no region has that address, or any of that range
 * * ERR_PTR(-EADDRINUSE)    - the chunk at the address is owned
 * * ERR_PTR(-EADDRNOTAVAIL) - it is free, but not all that follow
 * * ERR_PTR(-ENOSPC)        - no free range is large enough
 * * ERR_PTR(-ENOMEM)        - the kernel heap is exhausted
 */
struct tmm_chunk *tmm_range_allocate(struct tmm_range_allocator *ra,
				     const struct tmm_allocation_request *req,
				     struct tmm_range_region **region)
{
	struct tmm_chunk *spare[2] = {};
	struct tmm_chunk *chunk;
	u64 start;
	int err;

	err = check_request(req);
	if (err)
		return ERR_PTR(err);
	spare[0] = new_chunk(ra);
	if (!spare[0])
		return ERR_PTR(-ENOMEM);
	/* Two are needed only if the run can lie within a range. */
	if (req->is_at || req->align > 1 || req->min || req->max != U64_MAX) {
		spare[1] = new_chunk(ra);
		if (!spare[1]) {
			free_chunks(ra, spare);
			return ERR_PTR(-ENOMEM);
		}
	}

	spin_lock(&ra->lock);
	err = find(ra, req, region, &start);
	chunk = err ? ERR_PTR(err) :
		      tmm_free_ranges_take(&(*region)->free, start, req->nr, spare);
	if (!err && ra->hooks->taken)
		ra->hooks->taken(*region, start, req->nr);
	spin_unlock(&ra->lock);

	free_chunks(ra, spare);
	return chunk;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocate);

/**
 * tmm_range_take_one() - take one chunk of a general region, without an object
 * @ra: the allocator
 * @spare: unlinked chunk objects, the first not NULL; those used are set to
 *         NULL, and one that came free may be put there
 * @region: set to the region it came from, on success only
 * @number: set to the chunk's number, on success only
 *
 * Chunk objects are alike, so a caller that keeps one for every chunk it took
 * this way can always give them back.
 *
 * Context: The allocator's lock is held.
 * Return: 0, or -ENOSPC if all general regions are exhausted
 */
int tmm_range_take_one(struct tmm_range_allocator *ra, struct tmm_chunk *spare[2],
		       struct tmm_range_region **region, u64 *number)
{
	struct tmm_fit_request fit = { .nr = 1, .align = 1, .end = U64_MAX };
	struct tmm_chunk *chunk;

	lockdep_assert_held(&ra->lock);
	if (!find_in_type(ra, &fit, TMM_REGION_GENERAL, region, number))
		return -ENOSPC;
	/* The lowest chunk of a range: one spare at the most. */
	chunk = tmm_free_ranges_take(&(*region)->free, *number, 1, spare);
	if (spare[0])
		spare[1] = chunk;
	else
		spare[0] = chunk;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_take_one);

/**
 * tmm_range_release() - give a run back
 * @ra: the allocator
 * @region: the region that the run came from
 * @chunk: the run; consumed. An empty one is just released.
 *
 * Cannot fail and needs no memory. A run that the hooks refuse, since their
 * bookkeeping contradicts it, is a bug of this module: it stays owned for ever
 * rather than being given to two owners.
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock. O(log n).
 */
void tmm_range_release(struct tmm_range_allocator *ra, struct tmm_range_region *region,
		       struct tmm_chunk *chunk)
{
	struct tmm_chunk *absorbed[2] = {};
	int err = 0;

	if (!chunk->nr) {
		kmem_cache_free(*ra->hooks->cache, chunk);
		return;
	}
	spin_lock(&ra->lock);
	if (ra->hooks->given)
		err = ra->hooks->given(region, chunk->start, chunk->nr);
	if (!err)
		err = tmm_free_ranges_give(&region->free, chunk, absorbed);
	spin_unlock(&ra->lock);
	TMM_BUG_IF(err);
	free_chunks(ra, absorbed);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_release);

/**
 * tmm_chunk_check_split() - can a run be split at a chunk?
 * @chunk: the run
 * @at: number of the first chunk of the second half
 *
 * Its start gives an empty first half, its end an empty second half.
 *
 * Return: 0, or -EINVAL if @at lies outside or the run is empty
 */
int tmm_chunk_check_split(const struct tmm_chunk *chunk, u64 at)
{
	return chunk->nr && at >= chunk->start && at <= tmm_chunk_end(chunk) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_check_split);

/**
 * tmm_chunk_split() - make two runs of one
 * @chunk: the run; becomes the first half
 * @at: number of the first chunk of the second half; checked already
 * @second: a new object; becomes the second half
 */
void tmm_chunk_split(struct tmm_chunk *chunk, u64 at, struct tmm_chunk *second)
{
	second->start = at;
	second->nr = tmm_chunk_end(chunk) - at;
	chunk->nr = at - chunk->start;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_split);

/**
 * tmm_range_allocator_totals() - count
 * @ra: the allocator
 * @totals: filled in; the runs are the longest in any one region
 *
 * Reserved regions do not count: nobody gets them without naming them.
 *
 * Context: Takes and releases the allocator's lock. O(regions).
 */
void tmm_range_allocator_totals(struct tmm_range_allocator *ra, struct tmm_range_totals *totals)
{
	struct tmm_range_region *region;
	unsigned int size;

	memset(totals, 0, sizeof(*totals));
	spin_lock(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		if (region->type == TMM_REGION_RESERVED)
			continue;
		totals->nr_total += region->nr;
		totals->nr_free += region->free.nr_free;
		totals->nr_ranges += region->free.nr_ranges;
		for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
			totals->largest[size] =
				max(totals->largest[size],
				    tmm_free_ranges_largest(&region->free,
							    tmm_page_size_order(size)));
	}
	spin_unlock(&ra->lock);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_totals);
