// SPDX-License-Identifier: GPL-2.0
#include "alloc/table_frames.h"

#include "alloc/frames.h"
#include "alloc/range_search.h"
#include "alloc/trace.h"
#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/string.h>

static int take_locked(struct tmm_frame_allocator *fa, u64 *number)
{
	struct tmm_range_region *range;
	struct tmm_frame_region *region;
	int err;

	lockdep_assert_held(&fa->ra.lock);
	err = tmm_range_search_one(&fa->ra, &range, number);
	if (err)
		return err;
	region = tmm_frame_region_of(range);
	tmm_frame_maps_take(&region->maps, *number, 1);
	tmm_frame_table_set(&region->table, *number, 1, TMM_MARK_TABLE);
	WRITE_ONCE(fa->nr_tables, fa->nr_tables + 1);
	return 0;
}

static int take_frame(struct tmm_frame_allocator *fa, u64 *number)
{
	int err;

	spin_lock(&fa->ra.lock);
	err = take_locked(fa, number);
	spin_unlock(&fa->ra.lock);
	return err;
}

/*
 * Take one frame for a page table, cleared to zeros; @number is set on success only. The frame has
 * no object of its own. May sleep. Takes and releases the allocator's lock, and those of
 * the magazines if the free set has no frame. Return: 0, or -ENOSPC if the general regions are
 * exhausted.
 */
int tmm_table_frames_take(struct tmm_frame_allocator *fa, u64 *number)
{
	int err;

	err = take_frame(fa, number);
	if (err && fa->ra.magazines.each) {
		tmm_magazines_open_drain(&fa->ra);
		err = take_frame(fa, number);
		tmm_magazines_close_drain(&fa->ra);
	}
	if (err)
		return err;
	trace_tmm_allocate(TMM_TRACE_TABLE, *number, 1);
	memset(tmm_frame_regions_ptr(fa, *number), 0, TMM_PAGE_SIZE);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_frames_take);

/*
 * Give back a frame of tmm_table_frames_take(). The table is cleared, and no CPU can reach the
 * table any more. Not in interrupts. Takes and releases the allocator's lock.
 */
void tmm_table_frames_give(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;

	trace_tmm_free(TMM_TRACE_TABLE, number, 1);
	spin_lock(&fa->ra.lock);
	region = tmm_frame_region_ram_at(fa, number);
	if (TMM_BUG_IF(!region ||
		       tmm_frame_table_get(&region->table, number) != TMM_MARK_TABLE)) {
		spin_unlock(&fa->ra.lock);
		return;
	}
	tmm_frame_table_set(&region->table, number, 1, TMM_MARK_FREE);
	WRITE_ONCE(fa->nr_tables, fa->nr_tables - 1);
	tmm_frame_maps_give(&region->maps, number, 1);
	fa->ra.hooks->came_back(&fa->ra, &region->range, number, 1);
	spin_unlock(&fa->ra.lock);
	tmm_waiters_note(TMM_RESOURCE_FRAMES);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_frames_give);
