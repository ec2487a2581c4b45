// SPDX-License-Identifier: GPL-2.0
#include "alloc/cleaner.h"

#include "alloc/clear.h"
#include "alloc/frames.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

/* Frames of a piece at most, a block of 2 MiB; pieces end at blocks. */
#define PIECE		512

/* Free runs that a search looks at, at most, while it holds the locks */
#define MAX_TRIES	2

/* Where the threads sleep */
DECLARE_WAIT_QUEUE_HEAD(tmm_cleaner_sleepers);

/* Set up a cleaner without a piece and without a thread. All memory is dirty. */
void tmm_cleaner_init(struct tmm_cleaner *cleaner)
{
	*cleaner = (struct tmm_cleaner){ .has_work = true };
	spin_lock_init(&cleaner->lock);
}

/* Note that frames have come back to the free set. The caller holds the allocator's lock. */
void tmm_cleaner_note(struct tmm_frame_allocator *fa)
{
	struct tmm_cleaner *cleaner = &fa->cleaner;

	lockdep_assert_held(&fa->ra.lock);
	if (cleaner->has_work)
		return;
	WRITE_ONCE(cleaner->has_work, true);
	if (wq_has_sleeper(&tmm_cleaner_sleepers))
		wake_up_all(&tmm_cleaner_sleepers);
}

/* True if free frames of a region are cleared ahead: those of RAM that anybody may get. */
static bool is_cleaned(struct tmm_range_region *range)
{
	return range->type == TMM_REGION_GENERAL && !range->is_closed &&
	       tmm_frame_region_of(range)->window;
}

/*
 * Look for dirty frames in the free run at or above @cursor, which moves to the first of them, or
 * behind the run. Return: false if there is none in this run.
 */
static bool look_at_run(struct tmm_frame_region *region, u64 *cursor, u64 *nr)
{
	const u64 region_end = region->range.first + region->range.nr;
	u64 first, end;

	if (!tmm_frame_maps_next_run(&region->maps, *cursor, &first, &end)) {
		*cursor = region_end;
		return false;
	}
	*cursor = tmm_clean_map_clean_end(&region->clean, first, end);
	if (*cursor == end)
		return false;
	end = min(end, round_down(*cursor, PIECE) + PIECE);
	*nr = tmm_clean_map_dirty_end(&region->clean, *cursor, end) - *cursor;
	return true;
}

/* Look at a few free runs from @cursor on, and set the piece if one has dirty frames. */
static enum tmm_cleaner_found find_piece(struct tmm_frame_allocator *fa, u64 *cursor)
{
	struct tmm_cleaner *cleaner = &fa->cleaner;
	unsigned int nr_tries = 0;
	struct tmm_range_region *range;

	lockdep_assert_held(&fa->ra.lock);
	list_for_each_entry(range, &fa->ra.regions, link) {
		if (!is_cleaned(range) || *cursor >= range->first + range->nr)
			continue;
		*cursor = max(*cursor, range->first);
		while (*cursor < range->first + range->nr) {
			if (nr_tries++ == MAX_TRIES)
				return TMM_CLEANER_GO_ON;
			if (!look_at_run(tmm_frame_region_of(range), cursor, &cleaner->nr))
				continue;
			cleaner->region = tmm_frame_region_of(range);
			cleaner->start = *cursor;
			return TMM_CLEANER_PIECE;
		}
	}
	return TMM_CLEANER_NOTHING;
}

/* Take the piece out of the free set. As in a magazine, the frames are still marked free. */
static void take_out(struct tmm_frame_allocator *fa)
{
	struct tmm_cleaner *cleaner = &fa->cleaner;

	lockdep_assert_held(&fa->ra.lock);
	tmm_frame_maps_take(&cleaner->region->maps, cleaner->start, cleaner->nr);
	cleaner->nr_done = 0;
}

/*
 * Take a piece of free and dirty frames at or above @cursor, which is 0 at the beginning of a pass,
 * and moves to the piece or behind the runs without dirty frames. The cleaner has no piece. Not in
 * interrupts. Takes and releases the cleaner's and the allocator's lock. O(log n).
 */
enum tmm_cleaner_found tmm_cleaner_take(struct tmm_frame_allocator *fa, u64 *cursor)
{
	enum tmm_cleaner_found found = TMM_CLEANER_BUSY;

	spin_lock(&fa->cleaner.lock);
	/* A drain that is open keeps the cleaner away; one that is opened later finds the piece. */
	if (!atomic_read(&fa->ra.magazines.nr_drains)) {
		spin_lock(&fa->ra.lock);
		if (!*cursor)
			WRITE_ONCE(fa->cleaner.has_work, false);
		found = find_piece(fa, cursor);
		if (found == TMM_CLEANER_PIECE)
			take_out(fa);
		spin_unlock(&fa->ra.lock);
	}
	spin_unlock(&fa->cleaner.lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_take);

/*
 * Give the piece back. For the cleaner, its frames are no new work: the pass that took them goes on
 * behind the last frame that it tried.
 */
static void give_back(struct tmm_frame_allocator *fa)
{
	struct tmm_cleaner *cleaner = &fa->cleaner;
	struct tmm_frame_region *region = cleaner->region;
	bool has_work;

	lockdep_assert_held(&cleaner->lock);
	spin_lock(&fa->ra.lock);
	has_work = cleaner->has_work;
	tmm_frame_maps_give(&region->maps, cleaner->start, cleaner->nr);
	fa->ra.hooks->came_back(&fa->ra, &region->range, cleaner->start, cleaner->nr);
	if (cleaner->nr_done)
		tmm_clean_map_add(&region->clean, cleaner->start, cleaner->nr_done);
	WRITE_ONCE(cleaner->has_work, has_work);
	spin_unlock(&fa->ra.lock);
	cleaner->nr = 0;
	cleaner->nr_done = 0;
}

/* Clear the next frame. Return: false if none is left, or if the frame fails and stays dirty. */
static bool clear_next(struct tmm_cleaner *cleaner, u64 *cursor)
{
	u64 number = cleaner->start + cleaner->nr_done, offset;

	lockdep_assert_held(&cleaner->lock);
	if (cleaner->nr_done == cleaner->nr)
		return false;
	*cursor = number + 1;
	offset = number - cleaner->region->range.first;
	if (!tmm_clear_page(cleaner->region->window + (offset << TMM_PAGE_SHIFT)))
		return false;
	cleaner->nr_done++;
	return true;
}

/*
 * Clear one frame of the piece, and move @cursor behind the frame. If no frame is left, or if the
 * frame fails, give the piece back. The frames of a piece that was recalled, or behind a frame that
 * failed, are at or above @cursor. Not in interrupts. Takes and releases the locks of the cleaner
 * and of the allocator. Return: true if a frame was cleared, and the cleaner still has the piece.
 */
bool tmm_cleaner_clear_one(struct tmm_frame_allocator *fa, u64 *cursor)
{
	struct tmm_cleaner *cleaner = &fa->cleaner;
	bool is_cleared;

	spin_lock(&cleaner->lock);
	is_cleared = clear_next(cleaner, cursor);
	if (!is_cleared && cleaner->nr)
		give_back(fa);
	spin_unlock(&cleaner->lock);
	return is_cleared;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_clear_one);

/*
 * Give back the piece that is being cleared, if there is one. @ra is part of a frame allocator. Not
 * in interrupts. Takes and releases the cleaner's and the allocator's lock. O(log n), and at most
 * one frame is cleared meanwhile.
 */
void tmm_cleaner_recall(struct tmm_range_allocator *ra)
{
	struct tmm_frame_allocator *fa = container_of(ra, struct tmm_frame_allocator, ra);
	struct tmm_cleaner *cleaner = &fa->cleaner;

	spin_lock(&cleaner->lock);
	if (cleaner->nr)
		give_back(fa);
	spin_unlock(&cleaner->lock);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_recall);

/* Clean frames of one part of a free run, at or above @cursor, which moves behind the part. */
static u64 count_part(struct tmm_frame_region *region, u64 *cursor)
{
	u64 first, end, start;

	if (!tmm_frame_maps_next_run(&region->maps, *cursor, &first, &end)) {
		*cursor = region->range.first + region->range.nr;
		return 0;
	}
	start = tmm_clean_map_dirty_end(&region->clean, first, end);
	*cursor = start < end ? tmm_clean_map_clean_end(&region->clean, start, end) : end;
	return *cursor - start;
}

/* Count in the next part at or above @cursor. Return: false if no region is left. */
static bool count_next(struct tmm_frame_allocator *fa, u64 *cursor, u64 *nr)
{
	struct tmm_range_region *range;
	bool is_found = false;

	spin_lock(&fa->ra.lock);
	list_for_each_entry(range, &fa->ra.regions, link) {
		if (!is_cleaned(range) || *cursor >= range->first + range->nr)
			continue;
		*cursor = max(*cursor, range->first);
		*nr += count_part(tmm_frame_region_of(range), cursor);
		is_found = true;
		break;
	}
	spin_unlock(&fa->ra.lock);
	return is_found;
}

/*
 * Count the free frames that are known to be clean. The piece that is being cleared does not count.
 * May sleep. Takes and releases the allocator's lock. O(parts of free runs), or less if the task is
 * being killed.
 */
u64 tmm_cleaner_count(struct tmm_frame_allocator *fa)
{
	u64 cursor = 0, nr = 0;

	while (count_next(fa, &cursor, &nr) && !fatal_signal_pending(current))
		cond_resched();
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_count);
