/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clean map: the frames of a region that are known to hold zeros. A free map with a bit for each
 * frame and summaries of larger blocks, so 1 GiB of clean frames is marked and found in a few
 * steps. The free frames have maps of their own (alloc/frame_maps.h): a free run may be clean in
 * parts, and is one run nevertheless.
 *
 * Invariant: a frame of the free set that is in the map holds zeros. A frame enters the map only
 * while the cleaner (alloc/cleaner.h) has the frame, and leaves the map whenever an owner gives the
 * frame back to the free set. Frames that have an owner, or are in a magazine, stay in the map if
 * they were there. So only the frames of the free set, and those that have just left it, are
 * looked up in the map.
 * Lock: the frame allocator's.
 * Owner: struct tmm_frame_region; the memory is that of the frame table.
 */
#ifndef TMM_ALLOC_CLEAN_MAP_H
#define TMM_ALLOC_CLEAN_MAP_H

#include "alloc/free_map.h"

#include <linux/types.h>

/**
 * struct tmm_clean_map - the clean frames of a region
 * @map: private: a unit is free if the frame is clean
 * @base: private: number of the frame that is unit 0
 */
struct tmm_clean_map {
	/* private: */
	struct tmm_free_map map;
	u64 base;
};

size_t tmm_clean_map_nr_bytes(u64 first, u64 nr);
void tmm_clean_map_init(struct tmm_clean_map *clean, u64 first, u64 nr, void *memory);

void tmm_clean_map_add(struct tmm_clean_map *clean, u64 start, u64 nr);
void tmm_clean_map_remove(struct tmm_clean_map *clean, u64 start, u64 nr);
u64 tmm_clean_map_clean_end(const struct tmm_clean_map *clean, u64 start, u64 end);
u64 tmm_clean_map_dirty_end(const struct tmm_clean_map *clean, u64 start, u64 end);

#endif /* TMM_ALLOC_CLEAN_MAP_H */
