// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"

#include "alloc/bad_frames.h"
#include "alloc/cleaner.h"
#include "alloc/trace.h"
#include "core/bug.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* A chunk object is a frames object: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_frames, chunk) == 0);
static_assert(sizeof(struct tmm_free_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_allocated_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_mapped_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_unmapped_frames) == sizeof(struct tmm_frames));
static_assert(sizeof(struct tmm_frames) <= 64);

static struct kmem_cache *frames_cache;

static void frames_taken(struct tmm_range_region *range, u64 start, u64 nr)
{
	tmm_frame_table_set(&tmm_frame_region_of(range)->table, start, nr, TMM_MARK_ALLOCATED);
}

/* This hook refuses a double free, and the free of a mapped frame. */
static int frames_given(struct tmm_range_region *range, u64 start, u64 nr)
{
	struct tmm_frame_table *table = &tmm_frame_region_of(range)->table;

	if (!tmm_frame_table_all(table, start, nr, TMM_MARK_ALLOCATED))
		return -EEXIST;
	tmm_frame_table_set(table, start, nr, TMM_MARK_FREE);
	return 0;
}

/* If no frame of the block around @number is owned any more, note the block as a whole. */
static void join_free_block(struct tmm_frame_region *region, u64 number)
{
	enum tmm_page_size size;

	for (size = TMM_2M; size < TMM_NR_PAGE_SIZES; size++) {
		if (!tmm_frame_maps_is_block_free(&region->maps, number, size))
			return;
		tmm_frame_table_set_block(&region->table, number, size, TMM_MARK_FREE);
	}
}

static void frames_came_back(struct tmm_range_allocator *ra, struct tmm_range_region *range,
			     u64 start, u64 nr)
{
	struct tmm_frame_allocator *fa = container_of(ra, struct tmm_frame_allocator, ra);
	struct tmm_frame_region *region = tmm_frame_region_of(range);

	tmm_clean_map_remove(&region->clean, start, nr);
	join_free_block(region, start);
	if (nr > 1)
		join_free_block(region, start + nr - 1);
	tmm_bad_frames_came_back(ra, range, start, nr);
	tmm_cleaner_note(fa);
}

/* Frames in magazines are free, and change their marks without the allocator's lock. */
static void frames_cached(struct tmm_range_region *range, u64 start, u64 nr)
{
	tmm_frame_table_divide(&tmm_frame_region_of(range)->table, start, nr);
}

static void frame_uncached(struct tmm_range_region *range, u64 number)
{
	struct tmm_frame_table *table = &tmm_frame_region_of(range)->table;

	TMM_BUG_IF(!tmm_frame_table_change_one(table, number, TMM_MARK_FREE, TMM_MARK_ALLOCATED));
}

/*
 * A bad frame goes to the free set, which takes the frame out of use. So does a frame whose block
 * is not divided, and one with a wrong mark, which frames_given() reports.
 */
static bool may_cache_frame(struct tmm_range_allocator *ra, struct tmm_range_region *range,
			    u64 number)
{
	struct tmm_frame_allocator *fa = container_of(ra, struct tmm_frame_allocator, ra);
	struct tmm_frame_table *table = &tmm_frame_region_of(range)->table;

	if (tmm_bad_frames_exist(fa) && tmm_bad_frames_any(fa, number, 1))
		return false;
	return tmm_frame_table_change_one(table, number, TMM_MARK_ALLOCATED, TMM_MARK_FREE);
}

/* A filling ends in the block where it begins, or in the next one. */
static_assert(L1_CACHE_BYTES >= TMM_MAGAZINE_HALF);

static const struct tmm_range_hooks frame_hooks = {
	.cache = &frames_cache,
	.has_maps = true,
	/*
	 * A cache line has the marks of 64 frames: see tmm_frame_regions_add(). The marks of whole
	 * blocks of 2 MiB change seldom. Small homes lie in few blocks of 2 MiB.
	 */
	.home_order = L1_CACHE_SHIFT,
	.resource = TMM_RESOURCE_FRAMES,
	.taken = frames_taken,
	.given = frames_given,
	.came_back = frames_came_back,
	.cached = frames_cached,
	.uncached = frame_uncached,
	.may_cache = may_cache_frame,
	.recall = tmm_cleaner_recall,
};

/* Create the slab cache that all frame allocators share. Return: 0 or -ENOMEM. */
int __init tmm_frames_init(void)
{
	frames_cache = kmem_cache_create("tmm_frames", sizeof(struct tmm_frames), 0, 0, NULL);
	return frames_cache ? 0 : -ENOMEM;
}

/* Undo tmm_frames_init(). */
void tmm_frames_exit(void)
{
	kmem_cache_destroy(frames_cache);
}

/* Set up an allocator without memory. */
void tmm_frame_allocator_init(struct tmm_frame_allocator *fa)
{
	tmm_range_allocator_init(&fa->ra, &frame_hooks);
	INIT_LIST_HEAD(&fa->ram);
	fa->nr_tables = 0;
	spin_lock_init(&fa->quarantine_lock);
	INIT_LIST_HEAD(&fa->quarantine);
	fa->nr_quarantined = 0;
	xa_init(&fa->bad);
	fa->nr_bad = 0;
	fa->nr_retired = 0;
	tmm_cleaner_init(&fa->cleaner);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_init);

/*
 * Remove all regions. No frame is owned any more, and no caller uses @fa any more. Process
 * context.
 */
void tmm_frame_allocator_destroy(struct tmm_frame_allocator *fa)
{
	tmm_bad_frames_end(fa);
	TMM_BUG_IF(fa->nr_tables || !list_empty(&fa->quarantine));
	tmm_range_allocator_destroy(&fa->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_destroy);

/*
 * Free -> Allocated. The allocator has already taken the frames out of the free set and marked
 * the frames. Return: the same run.
 */
struct tmm_allocated_frames *tmm_frames_into_owned(struct tmm_frames *frames,
						   struct tmm_frame_allocator *allocator,
						   struct tmm_frame_region *region)
{
	frames->allocator = allocator;
	frames->region = region;
	frames->state = TMM_STATE_ALLOCATED;
	atomic_set(&frames->users, 1);
	INIT_LIST_HEAD(&frames->link);
	return container_of(frames, struct tmm_allocated_frames, f);
}

/* Turn a chunk of the range allocator into an object of its new owner; errors pass through. */
static struct tmm_allocated_frames *own_frames(struct tmm_frame_allocator *fa,
					       struct tmm_range_region *range,
					       struct tmm_chunk *chunk)
{
	if (IS_ERR(chunk))
		return ERR_CAST(chunk);
	trace_tmm_allocate(TMM_TRACE_FRAMES, chunk->start, chunk->nr);
	return tmm_frames_into_owned(tmm_frames_of(chunk), fa, tmm_frame_region_of(range));
}

/*
 * Allocate frames; @req counts in frames of 4 KiB. The frames hold what the last owner left:
 * see tmm_allocated_frames_zero(). May sleep. Takes and releases the allocator's lock. Return:
 * the frames, or an error of tmm_range_request_allocate().
 *
 * Theseus: frame_allocator::allocate_frames*(). Here a request may also ask for an alignment
 * and a range.
 */
struct tmm_allocated_frames *tmm_frame_allocator_allocate(struct tmm_frame_allocator *fa,
							  const struct tmm_allocation_request *req)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate(&fa->ra, req, &region);

	return own_frames(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_allocate);

/*
 * Do what tmm_frame_allocator_allocate() does, for one frame anywhere in a general region, charged
 * to @account, which may be NULL.
 */
struct tmm_allocated_frames *tmm_frame_allocator_allocate_one(struct tmm_frame_allocator *fa,
							      struct tmm_account *account)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate_one(&fa->ra, account, &region);

	return own_frames(fa, region, chunk);
}

/* Allocate an object that owns no frames. May sleep. Return: the object or ERR_PTR(-ENOMEM). */
struct tmm_allocated_frames *tmm_frame_allocator_empty(struct tmm_frame_allocator *fa)
{
	struct tmm_chunk *chunk = tmm_range_allocator_new_object(&fa->ra);

	if (!chunk)
		return ERR_PTR(-ENOMEM);
	return tmm_frames_into_owned(tmm_frames_of(chunk), fa, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_empty);

/*
 * Allocate frames without allocating memory; @req counts in frames of 4 KiB. @action must be
 * finished or all zeros, and is set on success only. The caller then calls
 * tmm_deferred_action_finish() where the caller may sleep, before @fa is destroyed. Not in
 * interrupts. Takes and releases the allocator's lock. Return: the frames, or an error of
 * tmm_range_request_allocate_deferred().
 *
 * Theseus: frame_allocator::allocate_frames_deferred()
 */
struct tmm_allocated_frames *
tmm_frame_allocator_allocate_deferred(struct tmm_frame_allocator *fa,
				      const struct tmm_allocation_request *req,
				      struct tmm_deferred_action *action)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate_deferred(&fa->ra, req, &region,
								      action);

	return own_frames(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_allocate_deferred);

/* Arguments of inspect_range(): the caller's function and its context. */
struct inspection {
	struct tmm_frame_allocator *fa;
	tmm_frames_inspect_fn inspect;
	void *context;
};

/* Free frames have no object, so the caller's function sees one that lasts for the call. */
static bool inspect_range(struct tmm_range_region *range, const struct tmm_chunk *run,
			  void *context, struct tmm_allocation_request *req)
{
	const struct inspection *inspection = context;
	const struct tmm_free_frames frames = {
		.f = {
			.chunk = *run,
			.allocator = inspection->fa,
			.region = tmm_frame_region_of(range),
			.state = TMM_STATE_FREE,
		},
	};

	return inspection->inspect(&frames, inspection->context, req);
}

/*
 * Let @inspect choose a run. @inspect is called for the free runs of general regions, lowest
 * first, until @inspect chooses one. @inspect must neither sleep nor call the allocator. May
 * sleep. Takes and releases the allocator's lock. O(free ranges) under the lock. Return: the
 * frames; ERR_PTR(-ENOENT) if @inspect chose no run, ERR_PTR(-EINVAL) if the chosen frames
 * are not within the run that @inspect was shown, or ERR_PTR(-ENOMEM).
 *
 * Theseus: inspect_then_allocate_free_frames()
 */
struct tmm_allocated_frames *
tmm_frame_allocator_inspect_then_allocate(struct tmm_frame_allocator *fa,
					  tmm_frames_inspect_fn inspect, void *context)
{
	struct inspection inspection = { fa, inspect, context };
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_inspect_then_allocate(&fa->ra, inspect_range,
									  &inspection, &region);

	return own_frames(fa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_allocator_inspect_then_allocate);

static bool is_borrowed(const struct tmm_frames *frames)
{
	return atomic_read(&frames->users) > 1;
}

/*
 * End the use of frames by the owner or by a borrower. Allocated -> Free when neither the owner
 * nor a borrower is left.
 */
static void put_frames(struct tmm_frames *frames)
{
	if (!atomic_dec_and_test(&frames->users))
		return;
	if (frames->chunk.nr)
		trace_tmm_free(TMM_TRACE_FRAMES, frames->chunk.start, frames->chunk.nr);
	frames->state = TMM_STATE_FREE;
	tmm_range_request_release(&frames->allocator->ra, &frames->region->range, &frames->chunk);
}

/**
 * tmm_allocated_frames_drop() - give frames back to their allocator
 * @frames: consumed; may point to NULL, an error pointer or empty frames. Borrowed frames are
 *          given back when the last borrow ends.
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock. Cannot fail. O(log n).
 */
void tmm_allocated_frames_drop(struct tmm_allocated_frames **frames)
{
	struct tmm_allocated_frames *doomed = *frames;

	*frames = NULL;
	if (!IS_ERR_OR_NULL(doomed))
		put_frames(&doomed->f);
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_drop);

/**
 * tmm_allocated_frames_drop_list() - give many runs back to their allocators
 * @list: struct tmm_allocated_frames, linked by f.link; emptied
 *
 * Context: Process context, may sleep. Cannot fail. O(runs * log n).
 */
void tmm_allocated_frames_drop_list(struct list_head *list)
{
	struct tmm_allocated_frames *frames, *next;

	list_for_each_entry_safe(frames, next, list, f.link) {
		list_del_init(&frames->f.link);
		tmm_allocated_frames_drop(&frames);
		cond_resched();
	}
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_drop_list);

/*
 * Borrow frames, for a mapping that does not own its frames. Until the borrow ends, the frames
 * stay allocated and unchanged, even if the owner drops the frames. During this call, the
 * caller keeps the owner from dropping or changing the frames. Any context. Return: 0, -EINVAL
 * if @frames is empty, or -EOVERFLOW if there are too many borrows.
 */
int tmm_allocated_frames_borrow(struct tmm_allocated_frames *frames)
{
	if (!tmm_frames_nr(&frames->f))
		return -EINVAL;
	return atomic_add_unless(&frames->f.users, 1, INT_MAX) ? 0 : -EOVERFLOW;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocated_frames_borrow);

/*
 * End a borrow; the caller must not use @frames any more. Not in interrupts. Takes and releases
 * the allocator's lock if the owner has dropped the frames. Cannot fail.
 */
void tmm_allocated_frames_unborrow(struct tmm_allocated_frames *frames)
{
	put_frames(&frames->f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocated_frames_unborrow);

/**
 * tmm_allocated_frames_is_borrowed() - check whether frames are borrowed
 * @frames: the frames, which the caller owns
 *
 * Borrowed frames cannot be merged, split, cleared or mapped exclusively.
 *
 * Context: Any.
 * Return: true if the frames are borrowed
 */
bool tmm_allocated_frames_is_borrowed(const struct tmm_allocated_frames *frames)
{
	return is_borrowed(&frames->f);
}
EXPORT_SYMBOL_TMM(tmm_allocated_frames_is_borrowed);

static const enum tmm_frame_mark state_marks[] = {
	[TMM_STATE_FREE] = TMM_MARK_FREE,
	[TMM_STATE_ALLOCATED] = TMM_MARK_ALLOCATED,
	[TMM_STATE_MAPPED] = TMM_MARK_MAPPED,
	[TMM_STATE_UNMAPPED] = TMM_MARK_UNMAPPED,
};

static noinline void change_state_of_run(struct tmm_frames *frames, enum tmm_memory_state from,
					 enum tmm_memory_state to)
{
	struct tmm_frame_table *table = &frames->region->table;
	u64 start = frames->chunk.start;
	u64 nr = frames->chunk.nr;
	bool sound;

	spin_lock(&frames->allocator->ra.lock);
	sound = frames->state == from && tmm_frame_table_all(table, start, nr, state_marks[from]);
	tmm_frame_table_set(table, start, nr, state_marks[to]);
	frames->state = to;
	spin_unlock(&frames->allocator->ra.lock);
	TMM_BUG_IF(!sound);
}

/*
 * Change the state of owned frames. The owner of a single frame needs no lock: see
 * alloc/frame_table.h.
 */
static __always_inline void change_state(struct tmm_frames *frames, enum tmm_memory_state from,
					 enum tmm_memory_state to)
{
	if (likely(frames->chunk.nr == 1 && frames->state == from &&
		   tmm_frame_table_change_one(&frames->region->table, frames->chunk.start,
					      state_marks[from], state_marks[to])))
		frames->state = to;
	else
		change_state_of_run(frames, from, to);
}

/*
 * Allocated -> Mapped. @frames is consumed. The caller has checked that @frames is not
 * borrowed. Not in interrupts. Takes and releases the allocator's lock. Return: the same run,
 * which a mapping now owns.
 */
struct tmm_mapped_frames *tmm_frames_into_mapped(struct tmm_allocated_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	TMM_BUG_IF(is_borrowed(f));
	change_state(f, TMM_STATE_ALLOCATED, TMM_STATE_MAPPED);
	*frames = NULL;
	return container_of(f, struct tmm_mapped_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_mapped);

/*
 * Mapped -> Unmapped. @frames is consumed. No CPU can reach the frames through the mapping any
 * more. Not in interrupts. Takes and releases the allocator's lock. Return: the same run.
 */
struct tmm_unmapped_frames *tmm_frames_into_unmapped(struct tmm_mapped_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_MAPPED, TMM_STATE_UNMAPPED);
	*frames = NULL;
	return container_of(f, struct tmm_unmapped_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_unmapped);

/*
 * Unmapped -> Allocated. @frames is consumed. Not in interrupts. Takes and releases the
 * allocator's lock. Return: the same run.
 *
 * Theseus: UnmappedFrames::into_allocated_frames()
 */
struct tmm_allocated_frames *tmm_frames_into_allocated(struct tmm_unmapped_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_UNMAPPED, TMM_STATE_ALLOCATED);
	*frames = NULL;
	return container_of(f, struct tmm_allocated_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_into_allocated);

/*
 * Mapped -> Unmapped -> Allocated, in one step: do what tmm_frames_into_unmapped() and
 * tmm_frames_into_allocated() do together.
 */
struct tmm_allocated_frames *tmm_frames_unmap_into_allocated(struct tmm_mapped_frames **frames)
{
	struct tmm_frames *f = &(*frames)->f;

	change_state(f, TMM_STATE_MAPPED, TMM_STATE_ALLOCATED);
	*frames = NULL;
	return container_of(f, struct tmm_allocated_frames, f);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frames_unmap_into_allocated);
