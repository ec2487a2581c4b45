// SPDX-License-Identifier: GPL-2.0
#include "alloc/table_frames.h"

#include "alloc/bad_frames.h"
#include "alloc/frames.h"
#include "alloc/trace.h"
#include "core/bug.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/string.h>

/*
 * Take one frame for a page table, cleared to zeros; @number is set on success only. The frame
 * has no object of its own. The allocator keeps one object aside, so that giving the frame back
 * cannot fail. May sleep. Takes and releases the allocator's lock. Return: 0, -ENOSPC if the
 * general regions are exhausted, or -ENOMEM.
 */
int tmm_table_frames_take(struct tmm_frame_allocator *fa, u64 *number)
{
	struct tmm_chunk *spare[2] = { tmm_range_allocator_new_object(&fa->ra) };
	struct tmm_range_region *region;
	int err;

	if (!spare[0])
		return -ENOMEM;
	spin_lock(&fa->ra.lock);
	err = tmm_range_request_take_one(&fa->ra, spare, &region, number);
	if (err) {
		spin_unlock(&fa->ra.lock);
		tmm_range_allocator_free_object(&fa->ra, spare[0]);
		return err;
	}
	tmm_frame_table_set(&tmm_frame_region_of(region)->table, *number, 1, TMM_MARK_TABLE);
	list_add(&tmm_frames_of(spare[0])->link, &fa->spares);
	fa->nr_tables++;
	spin_unlock(&fa->ra.lock);
	tmm_range_allocator_free_object(&fa->ra, spare[1]);
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
	struct tmm_chunk *absorbed[2] = {};
	struct tmm_frame_region *region;
	struct tmm_frames *object;

	trace_tmm_free(TMM_TRACE_TABLE, number, 1);
	spin_lock(&fa->ra.lock);
	region = tmm_frame_region_ram_at(fa, number);
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
	tmm_range_allocator_free_object(&fa->ra, absorbed[0]);
	tmm_range_allocator_free_object(&fa->ra, absorbed[1]);
	tmm_waiters_note(TMM_RESOURCE_FRAMES);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_table_frames_give);
