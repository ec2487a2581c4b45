// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"

#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

static struct kmem_cache *frames_cache;

/* A chunk object is a frames object: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_frames, chunk) == 0);
static_assert(sizeof(struct tmm_allocated_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_mapped_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_unmapped_frames) == sizeof(struct tmm_frames));

static struct tmm_frames *frames_of(struct tmm_chunk *chunk)
{
	return container_of(chunk, struct tmm_frames, chunk);
}

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
	.taken = frames_taken,
	.given = frames_given,
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
	INIT_LIST_HEAD(&fa->spares);
	fa->nr_tables = 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_init);

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
	return tmm_range_allocator_add(&fa->ra, &region->range);
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
	TMM_BUG_IF(fa->nr_tables || !list_empty(&fa->spares));
	tmm_range_allocator_destroy(&fa->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_destroy);

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
	struct tmm_range_region *region;
	struct tmm_chunk *chunk = tmm_range_allocate(&fa->ra, req, &region);
	struct tmm_frames *frames;

	if (IS_ERR(chunk))
		return ERR_CAST(chunk);
	frames = frames_of(chunk);
	frames->allocator = fa;
	frames->region = region_of(region);
	frames->state = TMM_STATE_ALLOCATED;
	INIT_LIST_HEAD(&frames->link);
	return container_of(frames, struct tmm_allocated_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_allocate);

/**
 * tmm_frame_allocator_ptr() - kernel alias of a frame
 * @fa: the allocator
 * @number: number of the frame
 *
 * For page tables and zeroing. Regions with an alias are added before the
 * allocator is used and stay until it is destroyed, so no lock is needed.
 *
 * Context: Any.
 * Return: the alias, or NULL if no region with an alias has that frame
 */
void *tmm_frame_allocator_ptr(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;

	list_for_each_entry_rcu(region, &fa->ra.regions, range.link, true)
		if (number - region->range.first < region->range.nr && region->window)
			return region->window +
			       ((number - region->range.first) << TMM_PAGE_SHIFT);
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_ptr);

/**
 * tmm_frame_allocator_count() - count the states of a run of frames
 * @fa: the allocator
 * @range: the run; within one region
 * @counts: added to, by enum tmm_frame_mark
 *
 * Context: Process context. Holds the allocator's lock for 2 MiB at a time.
 * Return: 0, or -ERANGE if the run does not lie in one region; @counts is
 *         unchanged then
 */
int tmm_frame_allocator_count(struct tmm_frame_allocator *fa, const struct tmm_frame_range *range,
			      u64 counts[TMM_NR_MARKS])
{
	u64 end = tmm_range_end(&range->r);
	struct tmm_range_region *region;
	u64 start, next;

	spin_lock(&fa->ra.lock);
	region = tmm_range_region_at(&fa->ra, range->r.first);
	spin_unlock(&fa->ra.lock);
	if (!region || end > region->first + region->nr)
		return -ERANGE;

	/* The region stays: see tmm_frame_allocator_ptr(). */
	for (start = range->r.first; start < end; start = next) {
		next = min(round_down(start, tmm_page_size_4k_pages(TMM_2M)) +
			   tmm_page_size_4k_pages(TMM_2M), end);
		spin_lock(&fa->ra.lock);
		tmm_frame_table_count(&region_of(region)->table, start, next - start, counts);
		spin_unlock(&fa->ra.lock);
		cond_resched();
	}
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
	struct tmm_frames *object = kmem_cache_zalloc(frames_cache, GFP_KERNEL_ACCOUNT);
	struct tmm_chunk *spare[2] = { object ? &object->chunk : NULL };
	struct tmm_range_region *region;
	int err;

	if (!object)
		return -ENOMEM;
	spin_lock(&fa->ra.lock);
	err = tmm_range_take_one(&fa->ra, spare, &region, number);
	if (!err) {
		tmm_frame_table_set(&region_of(region)->table, *number, 1, TMM_MARK_TABLE);
		list_add(&frames_of(spare[0])->link, &fa->spares);
		spare[0] = spare[1];
		fa->nr_tables++;
	}
	spin_unlock(&fa->ra.lock);
	if (spare[0])
		kmem_cache_free(frames_cache, spare[0]);
	if (!err)
		memset(tmm_frame_allocator_ptr(fa, *number), 0, TMM_PAGE_SIZE);
	return err;
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
	struct tmm_range_region *range;
	struct tmm_frame_region *region;
	struct tmm_frames *object;

	spin_lock(&fa->ra.lock);
	range = tmm_range_region_at(&fa->ra, number);
	region = range ? region_of(range) : NULL;
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
	spin_unlock(&fa->ra.lock);
	if (absorbed[0])
		kmem_cache_free(frames_cache, absorbed[0]);
	if (absorbed[1])
		kmem_cache_free(frames_cache, absorbed[1]);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_give_table);

/* @a and @b touch, and are parts of one region: @a becomes both. */
static void join(struct tmm_frames *a, struct tmm_frames *b)
{
	a->chunk.start = min(a->chunk.start, b->chunk.start);
	a->chunk.nr += b->chunk.nr;
	kmem_cache_free(frames_cache, b);
}

/**
 * tmm_allocated_frames_merge() - join two runs that touch
 * @frames: grows by @other; unchanged on error
 * @other: directly before or after @frames, of the same region; consumed
 *
 * Theseus: Frames::merge(). There the region's type is not compared.
 *
 * Context: Any.
 * Return:
 * * 0             - @frames has both
 * * -EMEDIUMTYPE  - they are parts of different regions (general and reserved
 *   never merge)
 * * -EDOM         - they do not touch
 */
int tmm_allocated_frames_merge(struct tmm_allocated_frames *frames,
			       struct tmm_allocated_frames **other)
{
	struct tmm_frames *a = &frames->f;
	struct tmm_frames *b = &(*other)->f;

	if (a == b)
		return -EDOM;
	if (a->region != b->region)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&a->chunk) != b->chunk.start &&
	    tmm_chunk_end(&b->chunk) != a->chunk.start)
		return -EDOM;
	join(a, b);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_allocated_frames_merge);

static struct tmm_frames *split(struct tmm_frames *frames, u64 at)
{
	struct tmm_frames *second;
	int err = tmm_chunk_check_split(&frames->chunk, at);

	if (err)
		return ERR_PTR(err);
	second = kmem_cache_zalloc(frames_cache, GFP_KERNEL_ACCOUNT);
	if (!second)
		return ERR_PTR(-ENOMEM);
	second->allocator = frames->allocator;
	second->region = frames->region;
	second->state = frames->state;
	INIT_LIST_HEAD(&second->link);
	tmm_chunk_split(&frames->chunk, at, &second->chunk);
	return second;
}

/**
 * tmm_allocated_frames_split_at() - make two runs of one
 * @frames: becomes the first half; unchanged on error
 * @at: number of the first frame of the second half; @frames' start makes the
 *      first half empty, its end the second
 * @second: set to the second half, on success only
 *
 * Theseus: Frames::split_at(), which consumes and returns both halves; here the
 * object stays and becomes the first.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL if @at lies outside or @frames is empty, or -ENOMEM
 */
int tmm_allocated_frames_split_at(struct tmm_allocated_frames *frames, u64 at,
				  struct tmm_allocated_frames **second)
{
	struct tmm_frames *half = split(&frames->f, at);

	if (IS_ERR(half))
		return PTR_ERR(half);
	*second = container_of(half, struct tmm_allocated_frames, f);
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_allocated_frames_split_at);

/**
 * tmm_mapped_frames_append() - join a run that follows directly
 * @frames: grows by @other; unchanged on error
 * @other: directly after @frames, of the same region; consumed
 *
 * For a mapping, whose frames are in the order of its pages.
 *
 * Context: Any.
 * Return: 0, -EMEDIUMTYPE or -EDOM, as tmm_allocated_frames_merge()
 */
int tmm_mapped_frames_append(struct tmm_mapped_frames *frames, struct tmm_mapped_frames **other)
{
	struct tmm_frames *second = &(*other)->f;

	if (&frames->f == second)
		return -EDOM;
	if (frames->f.region != second->region)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&frames->f.chunk) != second->chunk.start)
		return -EDOM;
	join(&frames->f, second);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_frames_append);

/**
 * tmm_mapped_frames_split_at() - make two runs of one
 * @frames: becomes the first half; unchanged on error
 * @at: number of the first frame of the second half
 * @second: set to the second half, on success only
 *
 * For a mapping that is split: each part owns the frames behind it.
 *
 * Context: Process context, may sleep.
 * Return: as tmm_allocated_frames_split_at()
 */
int tmm_mapped_frames_split_at(struct tmm_mapped_frames *frames, u64 at,
			       struct tmm_mapped_frames **second)
{
	struct tmm_frames *half = split(&frames->f, at);

	if (IS_ERR(half))
		return PTR_ERR(half);
	*second = container_of(half, struct tmm_mapped_frames, f);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_mapped_frames_split_at);

/**
 * tmm_allocated_frames_zero() - clear the content
 * @frames: the frames
 *
 * Context: Process context, may sleep. O(bytes).
 * Return:
 * * 0           - all bytes are 0
 * * -EOPNOTSUPP - device memory; nothing changed
 * * -EINTR      - the task is being killed; part may have been cleared
 */
int tmm_allocated_frames_zero(struct tmm_allocated_frames *frames)
{
	u64 end = tmm_chunk_end(&frames->f.chunk);
	u64 start, nr;

	for (start = frames->f.chunk.start; start < end; start += nr) {
		void *ptr = tmm_frame_allocator_ptr(frames->f.allocator, start);

		if (!ptr)
			return -EOPNOTSUPP;
		if (fatal_signal_pending(current))
			return -EINTR;
		nr = min(end - start, tmm_page_size_4k_pages(TMM_2M));
		memset(ptr, 0, nr << TMM_PAGE_SHIFT);
		cond_resched();
	}
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_allocated_frames_zero);

/**
 * tmm_allocated_frames_drop() - give frames back to their allocator
 * @frames: consumed; may be NULL, an error pointer or empty
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock. Cannot
 *          fail. O(log n).
 */
void tmm_allocated_frames_drop(struct tmm_allocated_frames **frames)
{
	struct tmm_allocated_frames *doomed = *frames;

	*frames = NULL;
	if (IS_ERR_OR_NULL(doomed))
		return;
	tmm_range_release(&doomed->f.allocator->ra, &doomed->f.region->range, &doomed->f.chunk);
}
EXPORT_SYMBOL_GPL(tmm_allocated_frames_drop);

/* The only place that changes a state. */
static void change_state(struct tmm_frames *frames, enum tmm_memory_state from,
			 enum tmm_memory_state to)
{
	static const enum tmm_frame_mark marks[] = {
		[TMM_STATE_FREE] = TMM_MARK_FREE,
		[TMM_STATE_ALLOCATED] = TMM_MARK_ALLOCATED,
		[TMM_STATE_MAPPED] = TMM_MARK_MAPPED,
		[TMM_STATE_UNMAPPED] = TMM_MARK_UNMAPPED,
	};
	struct tmm_frame_table *table = &frames->region->table;
	u64 start = frames->chunk.start;
	u64 nr = frames->chunk.nr;
	bool sound;

	spin_lock(&frames->allocator->ra.lock);
	sound = frames->state == from && tmm_frame_table_all(table, start, nr, marks[from]);
	tmm_frame_table_set(table, start, nr, marks[to]);
	frames->state = to;
	spin_unlock(&frames->allocator->ra.lock);
	TMM_BUG_IF(!sound);
}

/**
 * tmm_frames_into_mapped() - Allocated -> Mapped
 * @frames: consumed
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 * Return: the same run, which a mapping owns from now on
 */
struct tmm_mapped_frames *tmm_frames_into_mapped(struct tmm_allocated_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_ALLOCATED, TMM_STATE_MAPPED);
	*frames = NULL;
	return container_of(f, struct tmm_mapped_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_mapped);

/**
 * tmm_frames_into_unmapped() - Mapped -> Unmapped
 * @frames: consumed; no CPU can reach them through the mapping any more
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 * Return: the same run
 */
struct tmm_unmapped_frames *tmm_frames_into_unmapped(struct tmm_mapped_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_MAPPED, TMM_STATE_UNMAPPED);
	*frames = NULL;
	return container_of(f, struct tmm_unmapped_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_unmapped);

/**
 * tmm_frames_into_allocated() - Unmapped -> Allocated
 * @frames: consumed
 *
 * Theseus: UnmappedFrames::into_allocated_frames()
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock.
 * Return: the same run
 */
struct tmm_allocated_frames *tmm_frames_into_allocated(struct tmm_unmapped_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_UNMAPPED, TMM_STATE_ALLOCATED);
	*frames = NULL;
	return container_of(f, struct tmm_allocated_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_allocated);
