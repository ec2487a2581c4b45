// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_allocator.h"

#include "alloc/chunk.h"
#include "core/bug.h"
#include "core/page.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

static u64 region_end(const struct tmm_range_region *region)
{
	return region->first + region->nr;
}

/**
 * tmm_range_allocator_check_region() - can an allocator know this region at all?
 * @region: first and nr are set
 *
 * Return:
 * * 0          - it can
 * * -EINVAL    - it is empty
 * * -EOVERFLOW - it reaches past the last chunk
 */
int tmm_range_allocator_check_region(const struct tmm_range_region *region)
{
	if (!region->nr)
		return -EINVAL;
	if (region->nr > TMM_NUMBER_LIMIT || region->first > TMM_NUMBER_LIMIT - region->nr)
		return -EOVERFLOW;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_check_region);

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
	tmm_chunk_cache_init(&ra->objects, *hooks->cache);
	ra->reserve = NULL;
	ra->nr_reserve = 0;
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
 * tmm_range_allocator_give_reserve() - keep a chunk object for deferred allocations
 * @ra: the allocator
 * @chunk: consumed: all zeros, not linked anywhere; freed if there are enough
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 */
void tmm_range_allocator_give_reserve(struct tmm_range_allocator *ra, struct tmm_chunk *chunk)
{
	spin_lock(&ra->lock);
	if (ra->nr_reserve < TMM_NR_RESERVE) {
		chunk->next = ra->reserve;
		ra->reserve = chunk;
		ra->nr_reserve++;
		chunk = NULL;
	}
	spin_unlock(&ra->lock);
	tmm_range_allocator_free_object(ra, chunk);
}

/* The early memory is too small for a reserve, so there is none before the heap exists. */
static int fill_reserve(struct tmm_range_allocator *ra)
{
	unsigned int nr = TMM_NR_RESERVE - READ_ONCE(ra->nr_reserve);
	void *objects[TMM_NR_RESERVE];

	if (!nr || READ_ONCE(ra->objects.is_early))
		return 0;
	if (!kmem_cache_alloc_bulk(ra->objects.cache, GFP_KERNEL | __GFP_ZERO, nr, objects))
		return -ENOMEM;
	while (nr)
		tmm_range_allocator_give_reserve(ra, objects[--nr]);
	return 0;
}

/**
 * tmm_range_allocator_add() - make a region known, all of it free
 * @ra: the allocator
 * @region: type, first and nr are set; the allocator uses it until it is
 *          removed, the memory stays the caller's
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return:
 * * 0           - its chunks can be allocated
 * * -EINVAL or -EOVERFLOW, see tmm_range_allocator_check_region()
 * * -EADDRINUSE - it overlaps a region known already
 * * -ENOMEM     - the kernel heap is exhausted
 */
int tmm_range_allocator_add(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct tmm_chunk *absorbed[2];
	struct tmm_chunk *chunk;
	int err = tmm_range_allocator_check_region(region);

	if (err)
		return err;
	err = fill_reserve(ra);
	if (err)
		return err;
	chunk = tmm_range_allocator_new_object(ra);
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
		tmm_range_allocator_free_object(ra, chunk);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_add);

/**
 * tmm_range_allocator_remove() - forget a region
 * @ra: the allocator
 * @region: known to @ra; nobody reads it any more after success
 *
 * Context: Process context, sleeps. Takes and releases the allocator's lock.
 * Return: 0, or -EBUSY if one of its chunks is owned; nothing has changed then
 */
int tmm_range_allocator_remove(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct tmm_chunk *chunk, *spare[2] = {};

	spin_lock(&ra->lock);
	if (region->free.nr_free != region->nr) {
		spin_unlock(&ra->lock);
		return -EBUSY;
	}
	list_del_rcu(&region->link);
	/* Minimal as it is, the set of a free region is one range. */
	chunk = tmm_free_ranges_take(&region->free, region->first, region->nr, spare);
	spin_unlock(&ra->lock);
	TMM_BUG_IF(!chunk);
	tmm_range_allocator_free_object(ra, chunk);
	synchronize_rcu();
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_remove);

/**
 * tmm_range_allocator_destroy() - remove all regions
 * @ra: the allocator; every chunk has come back, and every deferred action is finished
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
			tmm_range_allocator_free_object(ra, taken);
		}
	}
	while ((taken = ra->reserve)) {
		ra->reserve = taken->next;
		tmm_range_allocator_free_object(ra, taken);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_destroy);

/**
 * tmm_range_allocator_region_at() - the region that a chunk belongs to
 * @ra: the allocator
 * @number: number of the chunk
 *
 * Context: The allocator's lock is held. O(regions), which are few.
 * Return: the region, or NULL if no region has that chunk
 */
struct tmm_range_region *tmm_range_allocator_region_at(struct tmm_range_allocator *ra, u64 number)
{
	struct tmm_range_region *region;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link)
		if (number >= region->first && number < region_end(region))
			return region;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_region_at);

/**
 * tmm_range_allocator_totals() - count
 * @ra: the allocator
 * @totals: filled in; the runs are the longest in any one region
 *
 * Only general regions count: designated ones are a last resort, and nobody gets
 * reserved ones without naming them.
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
		if (region->type != TMM_REGION_GENERAL)
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

/**
 * tmm_range_allocator_new_object() - make a chunk object
 * @ra: the allocator
 *
 * Context: Process context, may sleep.
 * Return: an object that is all zeros, or NULL if memory is exhausted
 */
struct tmm_chunk *tmm_range_allocator_new_object(struct tmm_range_allocator *ra)
{
	return tmm_chunk_cache_new(&ra->objects);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_new_object);

/**
 * tmm_range_allocator_free_object() - give a chunk object back
 * @ra: the allocator
 * @chunk: the object, not linked anywhere; NULL is ignored. The reference on its account is
 *         dropped, but the account is not uncharged.
 *
 * Context: Any but interrupt.
 */
void tmm_range_allocator_free_object(struct tmm_range_allocator *ra, struct tmm_chunk *chunk)
{
	if (chunk)
		tmm_chunk_set_account(chunk, NULL);
	tmm_chunk_cache_free(&ra->objects, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_free_object);

/**
 * tmm_range_allocator_object_size() - early memory that one chunk object takes
 * @ra: the allocator
 *
 * A region takes one object, an owned run one, and each allocation up to two on
 * its way, which do not come back.
 *
 * Return: bytes
 */
size_t tmm_range_allocator_object_size(const struct tmm_range_allocator *ra)
{
	return tmm_chunk_cache_object_size(&ra->objects);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_object_size);

/**
 * tmm_range_allocator_start_early() - do without the kernel's heap
 * @ra: the allocator; has no region yet
 * @memory: where chunk objects go, see tmm_range_allocator_object_size(); the caller's, and
 *          there as long as the allocator
 * @nr_bytes: its size
 *
 * Ends with tmm_range_allocator_move_to_heap(). Theseus: the allocators' static
 * arrays, and convert_to_heap_allocated().
 */
void tmm_range_allocator_start_early(struct tmm_range_allocator *ra, void *memory,
				     size_t nr_bytes)
{
	tmm_chunk_cache_start_early(&ra->objects, memory, nr_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_start_early);

/* Up to @nr free ranges that lie in early memory get another object. */
static u64 replace_early(struct tmm_range_allocator *ra, void **substitutes, u64 nr)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	u64 nr_found = 0;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		for (chunk = tmm_free_ranges_first(&region->free); chunk;
		     chunk = tmm_free_ranges_next(chunk)) {
			if (!tmm_chunk_cache_is_early(&ra->objects, chunk))
				continue;
			if (nr_found < nr) {
				tmm_free_ranges_replace(&region->free, chunk,
							substitutes[nr_found]);
				chunk = substitutes[nr_found];
			}
			nr_found++;
		}
	}
	return nr_found;
}

static int substitute_early(struct tmm_range_allocator *ra)
{
	struct kmem_cache *cache = ra->objects.cache;
	void **substitutes;
	u64 nr, nr_found;

	spin_lock(&ra->lock);
	nr = replace_early(ra, NULL, 0);
	spin_unlock(&ra->lock);
	if (!nr)
		return 0;
	substitutes = kvcalloc(nr, sizeof(*substitutes), GFP_KERNEL);
	if (!substitutes)
		return -ENOMEM;
	if (!kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO, nr, substitutes)) {
		kvfree(substitutes);
		return -ENOMEM;
	}
	spin_lock(&ra->lock);
	nr_found = min(replace_early(ra, substitutes, nr), nr);
	spin_unlock(&ra->lock);
	if (nr_found < nr)
		kmem_cache_free_bulk(cache, nr - nr_found, substitutes + nr_found);
	kvfree(substitutes);
	return 0;
}

/**
 * tmm_range_allocator_move_to_heap() - from now on, use the kernel's heap
 * @ra: the allocator
 *
 * No free range lies in early memory afterwards. Runs that are owned stay where
 * they are; so do those that are given back later.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 *          O(free ranges).
 * Return: 0, or -ENOMEM with nothing changed
 */
int tmm_range_allocator_move_to_heap(struct tmm_range_allocator *ra)
{
	int err;

	if (!ra->objects.memory)
		return 0;
	tmm_chunk_cache_use_early(&ra->objects, false);
	err = fill_reserve(ra) ?: substitute_early(ra);
	if (err)
		tmm_chunk_cache_use_early(&ra->objects, true);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_move_to_heap);
