// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_regions.h"

#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/trace.h"
#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

static struct kmem_cache *frames_cache;

static struct tmm_frame_region *region_of(struct tmm_range_region *range)
{
	return container_of(range, struct tmm_frame_region, range);
}

static void frames_taken(struct tmm_range_region *range, u64 start, u64 nr)
{
	tmm_frame_table_set(&region_of(range)->table, start, nr, TMM_MARK_ALLOCATED);
}

/* A second free, or the free of a mapped frame, stops here. */
static int frames_given(struct tmm_range_region *range, u64 start, u64 nr)
{
	struct tmm_frame_table *table = &region_of(range)->table;

	if (!tmm_frame_table_all(table, start, nr, TMM_MARK_ALLOCATED))
		return -EEXIST;
	tmm_frame_table_set(table, start, nr, TMM_MARK_FREE);
	return 0;
}

static const struct tmm_range_hooks frame_hooks = {
	.cache = &frames_cache,
	.resource = TMM_RESOURCE_FRAMES,
	.taken = frames_taken,
	.given = frames_given,
	.came_back = tmm_bad_frames_came_back,
};

/**
 * tmm_frames_init() - make what all frame allocators share
 *
 * Return: 0 or -ENOMEM
 */
int __init tmm_frames_init(void)
{
	frames_cache = kmem_cache_create("tmm_frames", sizeof(struct tmm_frames), 0, 0, NULL);
	return frames_cache ? 0 : -ENOMEM;
}

/**
 * tmm_frames_exit() - undo tmm_frames_init()
 */
void tmm_frames_exit(void)
{
	kmem_cache_destroy(frames_cache);
}

/**
 * tmm_frame_allocator_init() - make an allocator without memory
 * @fa: the allocator
 */
void tmm_frame_allocator_init(struct tmm_frame_allocator *fa)
{
	tmm_range_allocator_init(&fa->ra, &frame_hooks);
	INIT_LIST_HEAD(&fa->ram);
	INIT_LIST_HEAD(&fa->spares);
	fa->nr_tables = 0;
	spin_lock_init(&fa->quarantine_lock);
	INIT_LIST_HEAD(&fa->quarantine);
	fa->nr_quarantined = 0;
	xa_init(&fa->bad);
	fa->nr_bad = 0;
	fa->nr_retired = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_init);

static void link_ram(struct tmm_frame_allocator *fa, struct tmm_frame_region *region)
{
	if (!region->window)
		return;
	spin_lock(&fa->ra.lock);
	list_add_tail_rcu(&region->ram_link, &fa->ram);
	spin_unlock(&fa->ra.lock);
}

static void unlink_ram(struct tmm_frame_allocator *fa, struct tmm_frame_region *region)
{
	if (!region->window)
		return;
	spin_lock(&fa->ra.lock);
	list_del_rcu(&region->ram_link);
	spin_unlock(&fa->ra.lock);
	synchronize_rcu();
}

/**
 * tmm_frame_allocator_add() - give an allocator a region, all of it free
 * @fa: the allocator
 * @region: range (type, first, nr) and window are set; stays the caller's memory
 * @table_memory: tmm_frame_table_nr_bytes() bytes for the region's frame table;
 *                stays the caller's memory
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_range_allocator_add()
 */
int tmm_frame_allocator_add(struct tmm_frame_allocator *fa, struct tmm_frame_region *region,
			    void *table_memory)
{
	int err = tmm_range_region_check(&region->range);

	if (err)
		return err;
	tmm_frame_table_init(&region->table, region->range.first, region->range.nr, table_memory);
	/* Link the region before a frame of it can be given out. */
	link_ram(fa, region);
	err = tmm_range_allocator_add(&fa->ra, &region->range);
	if (err)
		unlink_ram(fa, region);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_add);

/**
 * tmm_frame_allocator_destroy() - forget all regions
 * @fa: the allocator; every frame has come back
 *
 * Context: Process context. Nobody else uses @fa any more.
 */
void tmm_frame_allocator_destroy(struct tmm_frame_allocator *fa)
{
	tmm_frame_allocator_end_bad(fa);
	TMM_BUG_IF(fa->nr_tables || !list_empty(&fa->spares) || !list_empty(&fa->quarantine));
	tmm_range_allocator_destroy(&fa->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_destroy);

/**
 * tmm_frame_allocator_remove() - forget a region
 * @fa: the allocator
 * @region: known to @fa; nobody reads it or its table any more after success
 *
 * Context: Process context, sleeps.
 * Return: 0, or -EBUSY if one of its frames is owned; nothing has changed then
 */
int tmm_frame_allocator_remove(struct tmm_frame_allocator *fa, struct tmm_frame_region *region)
{
	int err = tmm_range_allocator_remove(&fa->ra, &region->range);

	if (!err)
		unlink_ram(fa, region);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_remove);

/* What a range allocator gave, as an object of its new owner; errors pass through. */
static struct tmm_allocated_frames *own(struct tmm_frame_allocator *fa,
					struct tmm_range_region *range, struct tmm_chunk *chunk)
{
	if (IS_ERR(chunk))
		return ERR_CAST(chunk);
	trace_tmm_allocate(TMM_TRACE_FRAMES, chunk->start, chunk->nr);
	return tmm_frames_into_owned(tmm_frames_of(chunk), fa, region_of(range));
}

/**
 * tmm_frame_allocator_allocate() - take frames
 * @fa: the allocator
 * @req: what is wanted, in frames of 4 KiB
 *
 * The content is what the last owner left: see tmm_allocated_frames_zero().
 *
 * Theseus: frame_allocator::allocate_frames*(). Here a request may also ask for
 * an alignment and a range.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return: the frames, or an error of tmm_range_allocate()
 */
struct tmm_allocated_frames *tmm_frame_allocator_allocate(struct tmm_frame_allocator *fa,
							  const struct tmm_allocation_request *req)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_allocate(&fa->ra, req, &region);

	return own(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_allocate);

/**
 * tmm_frame_allocator_empty() - an object that owns no frames
 * @fa: the allocator that its memory comes from
 *
 * Context: Process context, may sleep.
 * Return: the object or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_frames *tmm_frame_allocator_empty(struct tmm_frame_allocator *fa)
{
	struct tmm_chunk *chunk = tmm_range_object_new(&fa->ra);

	if (!chunk)
		return ERR_PTR(-ENOMEM);
	return tmm_frames_into_owned(tmm_frames_of(chunk), fa, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_empty);

/**
 * tmm_frame_allocator_allocate_deferred() - take frames, without memory
 * @fa: the allocator
 * @req: what is wanted, in frames of 4 KiB
 * @action: finished, or all zeros; set to what is left to do, on success only.
 *          The caller calls tmm_deferred_action_finish() where it may sleep, and
 *          before the frames' allocator goes.
 *
 * Theseus: frame_allocator::allocate_frames_deferred()
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 * Return: the frames, or an error of tmm_range_allocate_deferred()
 */
struct tmm_allocated_frames *
tmm_frame_allocator_allocate_deferred(struct tmm_frame_allocator *fa,
				      const struct tmm_allocation_request *req,
				      struct tmm_deferred_action *action)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_allocate_deferred(&fa->ra, req, &region, action);

	return own(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_allocate_deferred);

/**
 * struct inspection - what inspect_range() has to know
 * @fa: the allocator
 * @inspect: the caller's function
 * @context: the caller's
 */
struct inspection {
	struct tmm_frame_allocator *fa;
	tmm_frames_inspect_fn inspect;
	void *context;
};

static bool inspect_range(struct tmm_range_region *range, struct tmm_chunk *chunk, void *context,
			  struct tmm_allocation_request *req)
{
	const struct inspection *inspection = context;
	struct tmm_frames *frames = tmm_frames_of(chunk);

	/* Nobody else looks at these fields of a free run. */
	frames->allocator = inspection->fa;
	frames->region = region_of(range);
	TMM_BUG_IF(frames->state != TMM_STATE_FREE);
	return inspection->inspect(container_of(frames, struct tmm_free_frames, f),
				   inspection->context, req);
}

/**
 * tmm_frame_allocator_inspect_then_allocate() - look at what is free, then choose
 * @fa: the allocator
 * @inspect: called for the free runs of general regions, lowest first, until it
 *           chooses one. Must not sleep, nor call the allocator.
 * @context: passed to @inspect
 *
 * Theseus: inspect_then_allocate_free_frames()
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 *          O(free ranges), under the lock.
 * Return: the frames; ERR_PTR(-ENOENT) if @inspect chose none, ERR_PTR(-EINVAL) if
 * what it chose is not within the run that it was shown, or ERR_PTR(-ENOMEM)
 */
struct tmm_allocated_frames *
tmm_frame_allocator_inspect_then_allocate(struct tmm_frame_allocator *fa,
					  tmm_frames_inspect_fn inspect, void *context)
{
	struct inspection inspection = { fa, inspect, context };
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk =
		tmm_range_inspect_then_allocate(&fa->ra, inspect_range, &inspection, &region);

	return own(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_inspect_then_allocate);

/* The region of RAM that has a frame. Under RCU, or the allocator's lock. */
static struct tmm_frame_region *ram_at(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;

	list_for_each_entry_rcu(region, &fa->ram, ram_link, lockdep_is_held(&fa->ra.lock))
		if (number - region->range.first < region->range.nr)
			return region;
	return NULL;
}

/**
 * tmm_frame_allocator_ptr() - kernel alias of a frame
 * @fa: the allocator
 * @number: number of the frame
 *
 * For page tables and zeroing. A region with an owned frame stays, and with it
 * that frame's alias.
 *
 * Context: Any. O(regions of RAM), however many there are of device memory; no lock.
 * Return: the alias, or NULL if no region with an alias has that frame
 */
void *tmm_frame_allocator_ptr(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;
	void *ptr = NULL;

	rcu_read_lock();
	region = ram_at(fa, number);
	if (region)
		ptr = region->window + ((number - region->range.first) << TMM_PAGE_SHIFT);
	rcu_read_unlock();
	return ptr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_ptr);

/* Add to @counts; -ERANGE if there is no region that has all of the run. */
static int count_piece(struct tmm_frame_allocator *fa, u64 start, u64 nr, u64 end,
		       u64 counts[TMM_NR_MARKS])
{
	struct tmm_frame_region *region;
	int err = -ERANGE;

	/* Under RCU, a region that is removed can still be read. */
	rcu_read_lock();
	list_for_each_entry_rcu(region, &fa->ra.regions, range.link) {
		if (start - region->range.first >= region->range.nr)
			continue;
		if (end <= region->range.first + region->range.nr) {
			tmm_frame_table_count(&region->table, start, nr, counts);
			err = 0;
		}
		break;
	}
	rcu_read_unlock();
	return err;
}

/**
 * tmm_frame_allocator_count() - count the states of a run of frames
 * @fa: the allocator
 * @range: the run; within one region
 * @counts: added to, by enum tmm_frame_mark
 *
 * Every client may call this as often as it likes, so no other call waits for it.
 *
 * Context: Process context, may sleep. Takes no lock.
 * Return: 0, or -ERANGE if the run does not lie in one region, or the region went
 *         meanwhile; @counts is unchanged then
 */
int tmm_frame_allocator_count(struct tmm_frame_allocator *fa, const struct tmm_frame_range *range,
			      u64 counts[TMM_NR_MARKS])
{
	u64 end = tmm_range_end(&range->r);
	u64 found[TMM_NR_MARKS] = {};
	u64 start = range->r.first;
	unsigned int mark;
	u64 next;
	int err;

	for (;;) {
		next = min(round_down(start, tmm_page_size_4k_pages(TMM_2M)) +
			   tmm_page_size_4k_pages(TMM_2M), end);
		/* All that is left, so that a run past the region's end fails at once. */
		err = count_piece(fa, start, next - start, end, found);
		if (err)
			return err;
		start = next;
		if (start >= end)
			break;
		cond_resched();
	}
	for (mark = 0; mark < TMM_NR_MARKS; mark++)
		counts[mark] += found[mark];
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_count);

/**
 * tmm_frame_allocator_take_table() - take one frame for a page table
 * @fa: the allocator
 * @number: set to the frame's number, on success only
 *
 * The frame is all zeros. It has no object of its own; the allocator keeps one
 * aside, so that giving it back cannot fail.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return: 0, -ENOSPC if the general regions are exhausted, or -ENOMEM
 */
int tmm_frame_allocator_take_table(struct tmm_frame_allocator *fa, u64 *number)
{
	struct tmm_chunk *spare[2] = { tmm_range_object_new(&fa->ra) };
	struct tmm_range_region *region;
	int err;

	if (!spare[0])
		return -ENOMEM;
	spin_lock(&fa->ra.lock);
	err = tmm_range_take_one(&fa->ra, spare, &region, number);
	if (!err) {
		tmm_frame_table_set(&region_of(region)->table, *number, 1, TMM_MARK_TABLE);
		list_add(&tmm_frames_of(spare[0])->link, &fa->spares);
		spare[0] = spare[1];
		fa->nr_tables++;
	}
	spin_unlock(&fa->ra.lock);
	tmm_range_object_free(&fa->ra, spare[0]);
	if (err)
		return err;
	trace_tmm_allocate(TMM_TRACE_TABLE, *number, 1);
	memset(tmm_frame_allocator_ptr(fa, *number), 0, TMM_PAGE_SIZE);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_take_table);

/**
 * tmm_frame_allocator_give_table() - give the frame of a page table back
 * @fa: the allocator
 * @number: the frame, from tmm_frame_allocator_take_table(); cleared, and no
 *          CPU can reach it any more
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 */
void tmm_frame_allocator_give_table(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_chunk *absorbed[2] = {};
	struct tmm_frame_region *region;
	struct tmm_frames *object;

	trace_tmm_free(TMM_TRACE_TABLE, number, 1);
	spin_lock(&fa->ra.lock);
	region = ram_at(fa, number);
	if (TMM_BUG_IF(!region ||
		       tmm_frame_table_get(&region->table, number) != TMM_MARK_TABLE)) {
		spin_unlock(&fa->ra.lock);
		return;
	}
	tmm_frame_table_set(&region->table, number, 1, TMM_MARK_FREE);
	object = list_first_entry(&fa->spares, struct tmm_frames, link);
	list_del(&object->link);
	object->chunk.start = number;
	object->chunk.nr = 1;
	fa->nr_tables--;
	TMM_BUG_IF(tmm_free_ranges_give(&region->range.free, &object->chunk, absorbed));
	tmm_bad_frames_came_back(&fa->ra, &region->range, number, 1);
	spin_unlock(&fa->ra.lock);
	tmm_range_object_free(&fa->ra, absorbed[0]);
	tmm_range_object_free(&fa->ra, absorbed[1]);
	tmm_comebacks_note(TMM_RESOURCE_FRAMES);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_give_table);
