/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame allocator: physical memory in regions, with the state of each frame.
 *
 * Invariant: a frame is free (in the free set, in a magazine, or in the piece of the cleaner), in
 * exactly one object (alloc/frames.h), used as a page table, or bad and out of use. The frame table
 * says which of the four is true.
 * Lock: the range allocator's, for the frame tables as well; RCU to read @ram.
 * Owner: the instance.
 */
#ifndef TMM_ALLOC_FRAME_REGIONS_H
#define TMM_ALLOC_FRAME_REGIONS_H

#include "alloc/clean_map.h"
#include "alloc/cleaner.h"
#include "alloc/frame_maps.h"
#include "alloc/frame_table.h"
#include "alloc/range_allocator.h"
#include "core/pte_flags.h"
#include "core/range.h"

#include <linux/err.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

/**
 * struct tmm_frame_region - a run of physical memory
 * @range: type, first frame and count; the free set, which is @maps
 * @maps: the free frames
 * @table: state of each frame
 * @clean: frames that are known to hold zeros
 * @window: kernel alias of the first frame; NULL for device memory. The alias is only for
 *          page tables, zeroing and bookkeeping: clients never get the alias.
 * @ram_link: links a region with a window in the allocator's list of RAM
 * @memory_type: memory type of all mappings of the region
 * @has_struct_pages: Linux has a struct page for each frame
 */
struct tmm_frame_region {
	struct tmm_range_region range;
	struct tmm_frame_maps maps;
	struct tmm_frame_table table;
	struct tmm_clean_map clean;
	void *window;
	struct list_head ram_link;
	enum tmm_memory_type memory_type;
	bool has_struct_pages;
};

/**
 * struct tmm_frame_allocator - physical memory of one instance
 * @ra: regions, free sets, lock
 * @ram: struct tmm_frame_region with a window. Page tables lie in these regions. Every step of
 *       a table walk searches this list, so the list leaves out regions without a window.
 * @nr_tables: frames that are page tables now; under @ra's lock
 * @quarantine_lock: protects @quarantine
 * @quarantine: struct tmm_allocated_frames that are not given out again
 * @nr_quarantined: frames in @quarantine; readers need no lock
 * @bad: an entry for each bad frame, by number of the frame; see alloc/bad_frames.h
 * @nr_bad: number of bad frames; readers need no lock
 * @nr_retired: number of bad frames that are out of use
 * @cleaner: clears free frames; it writes its members often, so not in the cache line of @bad
 */
struct tmm_frame_allocator {
	struct tmm_range_allocator ra;
	struct list_head ram;
	u64 nr_tables;
	spinlock_t quarantine_lock;	/* quarantine */
	struct list_head quarantine;
	u64 nr_quarantined;
	struct xarray bad;
	u64 nr_bad;
	u64 nr_retired;
	struct tmm_cleaner cleaner ____cacheline_aligned;
};

static inline struct tmm_frame_region *tmm_frame_region_of(struct tmm_range_region *range)
{
	return container_of(range, struct tmm_frame_region, range);
}

size_t tmm_frame_regions_nr_bytes(u64 first, u64 nr);
int __must_check tmm_frame_regions_add(struct tmm_frame_allocator *fa,
				       struct tmm_frame_region *region, void *memory);
int __must_check tmm_frame_regions_remove(struct tmm_frame_allocator *fa,
					  struct tmm_frame_region *region);
struct tmm_frame_region *tmm_frame_region_ram_at(struct tmm_frame_allocator *fa, u64 number);
void *tmm_frame_regions_ptr(struct tmm_frame_allocator *fa, u64 number);
int __must_check tmm_frame_regions_count(struct tmm_frame_allocator *fa,
					 const struct tmm_frame_range *range,
					 u64 counts[TMM_NR_MARKS]);

#endif /* TMM_ALLOC_FRAME_REGIONS_H */
