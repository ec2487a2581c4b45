// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_regions.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/rculist.h>
#include <linux/sched.h>

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

/*
 * Bytes before the frame table at @memory, so that a cache line has the marks of aligned frames.
 * The marks of single frames are at the end of the table.
 */
static size_t nr_padding(const void *memory, u64 first, u64 nr)
{
	const u64 marks = (uintptr_t)memory + tmm_frame_table_nr_bytes(first, nr) - nr;

	return (first - marks) % L1_CACHE_BYTES;
}

/*
 * Bytes of memory that the maps and the table of a region need, a multiple of 8. The memory is
 * aligned to 8 bytes.
 */
size_t tmm_frame_regions_nr_bytes(u64 first, u64 nr)
{
	return tmm_frame_maps_nr_bytes(first, nr) + tmm_clean_map_nr_bytes(first, nr) +
	       ALIGN(tmm_frame_table_nr_bytes(first, nr) + L1_CACHE_BYTES - 1, sizeof(u64));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_regions_nr_bytes);

/*
 * Add a region, all of it free, to an allocator. The caller sets the window and the range
 * (type, first, nr). @memory has tmm_frame_regions_nr_bytes() bytes for the maps and the frame
 * table. Both @region and @memory remain the caller's memory. May sleep. Return: 0, -EOVERFLOW
 * for more than TMM_FRAME_MAPS_MAX_NR frames, or an error of tmm_range_allocator_add().
 */
int tmm_frame_regions_add(struct tmm_frame_allocator *fa, struct tmm_frame_region *region,
			  void *memory)
{
	const struct tmm_range_region *range = &region->range;
	int err;

	err = tmm_range_allocator_check_region(range);
	if (err)
		return err;
	if (range->nr > TMM_FRAME_MAPS_MAX_NR)
		return -EOVERFLOW;
	tmm_frame_maps_init(&region->maps, range->first, range->nr, memory);
	region->range.free.maps = &region->maps;
	memory += tmm_frame_maps_nr_bytes(range->first, range->nr);
	tmm_clean_map_init(&region->clean, range->first, range->nr, memory);
	memory += tmm_clean_map_nr_bytes(range->first, range->nr);
	memory += nr_padding(memory, range->first, range->nr);
	tmm_frame_table_init(&region->table, range->first, range->nr, memory);
	/* Link the region before a frame of it can be given out. */
	link_ram(fa, region);
	err = tmm_range_allocator_add(&fa->ra, &region->range);
	if (err)
		unlink_ram(fa, region);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_regions_add);

/*
 * Remove a region from its allocator. After success, no reader uses the region or its table.
 * Sleeps. Return: 0, or -EBUSY if a frame of the region is owned; then nothing has changed.
 */
int tmm_frame_regions_remove(struct tmm_frame_allocator *fa, struct tmm_frame_region *region)
{
	int err;

	err = tmm_range_allocator_remove(&fa->ra, &region->range);
	if (err)
		return err;
	unlink_ram(fa, region);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_regions_remove);

/*
 * The region of RAM that contains a frame. The caller is in an RCU read section, or holds the
 * allocator's lock.
 */
struct tmm_frame_region *tmm_frame_region_ram_at(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;

	list_for_each_entry_rcu(region, &fa->ram, ram_link, lockdep_is_held(&fa->ra.lock))
		if (number - region->range.first < region->range.nr)
			return region;
	return NULL;
}

/*
 * Kernel alias of a frame, for page tables and zeroing. A region with an owned frame is not
 * removed, so the alias of an owned frame stays valid. Takes no lock. O(regions of RAM),
 * independent of the number of device regions. Return: the alias, or NULL if no region with an
 * alias contains the frame.
 */
void *tmm_frame_regions_ptr(struct tmm_frame_allocator *fa, u64 number)
{
	struct tmm_frame_region *region;
	void *ptr = NULL;

	rcu_read_lock();
	region = tmm_frame_region_ram_at(fa, number);
	if (region)
		ptr = region->window + ((number - region->range.first) << TMM_PAGE_SHIFT);
	rcu_read_unlock();
	return ptr;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_regions_ptr);

/* Frames that are counted while preemption is off; a divisor of a block of 2 MiB. */
#define MAX_COUNTED	256

/* Add the marks to @counts. Return: 0, or -ERANGE if no single region contains [start, end). */
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

/*
 * Count the states of a run of frames within one region, and add the numbers to @counts (by
 * enum tmm_frame_mark). The function takes no lock, since every client may call the function
 * at any rate, and other calls must not wait. May sleep. Return: 0, or -ERANGE if the run
 * does not lie in one region, or the region was removed during the call; then @counts is
 * unchanged.
 */
int tmm_frame_regions_count(struct tmm_frame_allocator *fa, const struct tmm_frame_range *range,
			    u64 counts[TMM_NR_MARKS])
{
	u64 end = tmm_range_end(&range->r);
	u64 found[TMM_NR_MARKS] = {};
	u64 start = range->r.first;
	unsigned int mark;
	u64 next;
	int err;

	for (;;) {
		next = min(round_down(start, MAX_COUNTED) + MAX_COUNTED, end);
		/*
		 * Check up to the end of the run, so that a run past the region's end fails at
		 * once.
		 */
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
EXPORT_SYMBOL_IF_KUNIT(tmm_frame_regions_count);
