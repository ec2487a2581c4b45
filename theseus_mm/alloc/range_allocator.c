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

/*
 * Check whether an allocator could add a region that has these values of first and nr. Return:
 * 0, -EINVAL if the region is empty, or -EOVERFLOW if the region ends past the last chunk.
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

/* Set up an allocator without regions. @hooks must exist as long as @ra. */
void tmm_range_allocator_init(struct tmm_range_allocator *ra, const struct tmm_range_hooks *hooks)
{
	spin_lock_init(&ra->lock);
	INIT_LIST_HEAD(&ra->regions);
	ra->hooks = hooks;
	tmm_chunk_cache_init(&ra->objects, *hooks->cache);
	ra->reserve = NULL;
	ra->nr_reserve = 0;
	ra->magazines = (struct tmm_magazines){};
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_init);

/* Link the region. Without maps, @chunk, which is the whole region, becomes its free set. */
static int link_region(struct tmm_range_allocator *ra, struct tmm_range_region *region,
		       struct tmm_chunk *chunk)
{
	struct list_head *before = &ra->regions;
	struct tmm_range_region *other;
	struct tmm_chunk *absorbed[2];
	int err;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(other, &ra->regions, link) {
		if (other->first < region_end(region) && region->first < region_end(other))
			return -EADDRINUSE;
		if (other->first < region->first)
			before = &other->link;
	}
	err = chunk ? tmm_free_set_give(&region->free, chunk, absorbed) : 0;
	if (err)
		return err;
	list_add_rcu(&region->link, before);
	return 0;
}

/*
 * Add a chunk object to the reserve for deferred allocations. @chunk is consumed; the object is
 * all zeros and not linked anywhere. If the reserve is full, the object is freed. Not in
 * interrupts. Takes and releases the allocator's lock.
 */
void tmm_range_allocator_give_reserve(struct tmm_range_allocator *ra, struct tmm_chunk *chunk)
{
	spin_lock(&ra->lock);
	if (ra->nr_reserve < TMM_NR_RESERVE) {
		chunk->next = ra->reserve;
		ra->reserve = chunk;
		WRITE_ONCE(ra->nr_reserve, ra->nr_reserve + 1);
		chunk = NULL;
	}
	spin_unlock(&ra->lock);
	tmm_range_allocator_free_object(ra, chunk);
}

/*
 * Take an object out of the reserve, which is not empty. The caller holds the allocator's lock.
 * Return: the object, all zeros.
 */
struct tmm_chunk *tmm_range_allocator_take_reserve(struct tmm_range_allocator *ra)
{
	struct tmm_chunk *chunk = ra->reserve;

	ra->reserve = chunk->next;
	WRITE_ONCE(ra->nr_reserve, ra->nr_reserve - 1);
	chunk->next = NULL;
	return chunk;
}

/*
 * Early memory is too small for a reserve, so the reserve is empty until the allocator uses the
 * heap.
 */
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

/*
 * Set up the free set of a region without maps, empty. Return: an object for the whole region, or
 * NULL if memory is exhausted.
 */
static struct tmm_chunk *prepare_ranges(struct tmm_range_allocator *ra,
					struct tmm_range_region *region)
{
	struct tmm_chunk *chunk = tmm_range_allocator_new_object(ra);

	region->free.maps = NULL;
	tmm_free_ranges_init(&region->free.ranges);
	if (!chunk)
		return NULL;
	chunk->start = region->first;
	chunk->nr = region->nr;
	return chunk;
}

/*
 * Add a region, all of it free. The caller sets type, first and nr, and the maps if the allocator
 * has maps. The memory remains the caller's, and the allocator uses the region until the region is
 * removed. May sleep. Takes and releases the allocator's lock. Return:
 *
 * * 0           - the chunks of the region can be allocated
 * * -EINVAL or -EOVERFLOW, see tmm_range_allocator_check_region()
 * * -EADDRINUSE - the region overlaps a region of @ra
 * * -ENOMEM     - the kernel heap is exhausted
 */
int tmm_range_allocator_add(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct tmm_chunk *chunk = NULL;
	int err;

	err = tmm_range_allocator_check_region(region);
	if (err)
		return err;
	err = fill_reserve(ra);
	if (err)
		return err;
	if (!ra->hooks->has_maps) {
		chunk = prepare_ranges(ra, region);
		if (!chunk)
			return -ENOMEM;
	}
	spin_lock(&ra->lock);
	err = link_region(ra, region, chunk);
	spin_unlock(&ra->lock);
	if (err)
		tmm_range_allocator_free_object(ra, chunk);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_add);

/*
 * Unlink the object of a region without maps, all of which is free. The set is minimal, so the set
 * is one range. Return: the object, or NULL for maps.
 */
static struct tmm_chunk *forget_free(struct tmm_range_region *region)
{
	struct tmm_chunk *spare[2] = {};

	if (region->free.maps)
		return NULL;
	return tmm_free_ranges_take(&region->free.ranges, region->first, region->nr, spare);
}

/*
 * Remove a region. After success, no reader uses the region. Sleeps. Takes and releases the
 * allocator's lock. Return: 0, or -EBUSY if a chunk of the region is owned; then nothing has
 * changed.
 */
int tmm_range_allocator_remove(struct tmm_range_allocator *ra, struct tmm_range_region *region)
{
	struct tmm_chunk *chunk = NULL;
	bool is_free;

	tmm_magazines_open_drain(ra);
	spin_lock(&ra->lock);
	is_free = tmm_free_set_nr_free(&region->free) == region->nr;
	if (is_free) {
		list_del_rcu(&region->link);
		chunk = forget_free(region);
	}
	spin_unlock(&ra->lock);
	tmm_magazines_close_drain(ra);
	if (!is_free)
		return -EBUSY;
	TMM_BUG_IF(!chunk && !region->free.maps);
	tmm_range_allocator_free_object(ra, chunk);
	synchronize_rcu();
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_remove);

/*
 * Remove all regions. No chunk is owned, every deferred action is finished, and no caller uses
 * @ra any more. Process context.
 */
void tmm_range_allocator_destroy(struct tmm_range_allocator *ra)
{
	struct tmm_range_region *region, *next;

	tmm_magazines_destroy(ra);
	list_for_each_entry_safe(region, next, &ra->regions, link) {
		list_del(&region->link);
		TMM_BUG_IF(tmm_free_set_nr_free(&region->free) != region->nr);
		tmm_range_allocator_free_object(ra, forget_free(region));
	}
	while (ra->nr_reserve)
		tmm_range_allocator_free_object(ra, tmm_range_allocator_take_reserve(ra));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_destroy);

/*
 * The region that contains a chunk, or NULL. The caller holds the allocator's lock. O(regions),
 * and regions are few.
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

/*
 * Fill in the counts of general regions. No run spans two regions, so @largest has the longest
 * runs of any one region. Kernel and designated regions do not count, since requests with
 * @general_only get no chunks of these regions. Reserved regions do not count, since callers get
 * chunks of these regions by address only. The function counts while a drain is open, so that the
 * free sets have all free chunks. May sleep. Takes and releases the locks of the magazines and of
 * the allocator. O(regions + CPUs).
 */
void tmm_range_allocator_totals(struct tmm_range_allocator *ra, struct tmm_range_totals *totals)
{
	struct tmm_range_region *region;
	unsigned int size;

	memset(totals, 0, sizeof(*totals));
	tmm_magazines_open_drain(ra);
	spin_lock(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		if (region->type != TMM_REGION_GENERAL)
			continue;
		totals->nr_total += region->nr;
		totals->nr_free += tmm_free_set_nr_free(&region->free);
		totals->nr_ranges += tmm_free_set_nr_ranges(&region->free);
		for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
			totals->largest[size] = max(totals->largest[size],
						    tmm_free_set_largest(&region->free, size));
	}
	spin_unlock(&ra->lock);
	tmm_magazines_close_drain(ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_totals);

/*
 * Allocate a chunk object, all zeros. May sleep. Return: the object, or NULL if memory is
 * exhausted.
 */
struct tmm_chunk *tmm_range_allocator_new_object(struct tmm_range_allocator *ra)
{
	return tmm_chunk_cache_new(&ra->objects);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_new_object);

/*
 * Free a chunk object that is not linked anywhere; NULL is ignored. The reference on the
 * object's account is dropped, but the account is not uncharged. Not in interrupts.
 */
void tmm_range_allocator_free_object(struct tmm_range_allocator *ra, struct tmm_chunk *chunk)
{
	if (chunk)
		tmm_chunk_set_account(chunk, NULL);
	tmm_chunk_cache_free(&ra->objects, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_free_object);

/*
 * Early memory that one chunk object takes, in bytes. An owned run takes one object, and without
 * maps a region takes one, and each allocation temporarily takes up to two. The early memory of
 * these is not reused.
 */
size_t tmm_range_allocator_object_size(const struct tmm_range_allocator *ra)
{
	return tmm_chunk_cache_object_size(&ra->objects);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_object_size);

/*
 * Use @memory for chunk objects instead of the kernel's heap, until
 * tmm_range_allocator_move_to_heap(). @ra has no region yet. The memory belongs to the caller
 * and must exist as long as @ra. For the size, see tmm_range_allocator_object_size().
 *
 * Theseus: the allocators' static arrays, and convert_to_heap_allocated().
 */
void tmm_range_allocator_start_early(struct tmm_range_allocator *ra, void *memory,
				     size_t nr_bytes)
{
	tmm_chunk_cache_start_early(&ra->objects, memory, nr_bytes);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_range_allocator_start_early);

/*
 * Replace the objects of up to @nr free ranges that lie in early memory. Return: the number of
 * all free ranges in early memory.
 */
static u64 replace_early(struct tmm_range_allocator *ra, void **substitutes, u64 nr)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	u64 nr_found = 0;

	lockdep_assert_held(&ra->lock);
	list_for_each_entry(region, &ra->regions, link) {
		/* With maps, the set is empty: free frames have no objects. */
		for (chunk = tmm_free_ranges_first(&region->free.ranges); chunk;
		     chunk = tmm_free_ranges_next(chunk)) {
			if (!tmm_chunk_cache_is_early(&ra->objects, chunk))
				continue;
			if (nr_found < nr) {
				tmm_free_ranges_replace(&region->free.ranges, chunk,
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

/*
 * Use the kernel's heap for chunk objects, and move all free ranges from early memory to the
 * heap. The object of an owned run stays in early memory, even when the run is given back.
 * May sleep. Takes and releases the allocator's lock. O(free ranges). Return: 0, or -ENOMEM;
 * then the allocator still uses early memory.
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
