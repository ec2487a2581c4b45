/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame maps: the free frames of a region, as three free maps. A unit of the first map is a frame;
 * a unit of the second is a block of 2 MiB, which is free if all its frames are; and likewise a
 * block of 1 GiB in the third map. So the longest run that starts at 2 MiB or 1 GiB is found as
 * fast as any other run. A free frame costs about 1.2 bits, whatever runs there are, and needs no
 * object.
 *
 * Invariant: a block of the second and third map is free exactly if it lies in the region and all
 * its frames are free.
 * Lock: the frame allocator's.
 * Owner: struct tmm_frame_region; the memory is that of the frame table.
 */
#ifndef TMM_ALLOC_FRAME_MAPS_H
#define TMM_ALLOC_FRAME_MAPS_H

#include "alloc/fit.h"
#include "alloc/free_map.h"
#include "core/page.h"

/* Regions have at most this number of frames, 16 TiB less 4 MiB. */
#define TMM_FRAME_MAPS_MAX_NR	(TMM_FREE_MAP_MAX_NR - 512)

/**
 * struct tmm_frame_maps - the free frames of a region
 * @first: first frame of the region
 * @nr: frames in the region
 * @nr_free: free frames
 * @nr_ranges: contiguous runs of free frames
 * @maps: private: by enum tmm_page_size, the free frames or blocks
 * @bases: private: number of the frame or block that is unit 0 of each map
 */
struct tmm_frame_maps {
	u64 first;
	u64 nr;
	u64 nr_free;
	u64 nr_ranges;
	/* private: */
	struct tmm_free_map maps[TMM_NR_PAGE_SIZES];
	u64 bases[TMM_NR_PAGE_SIZES];
};

size_t tmm_frame_maps_nr_bytes(u64 first, u64 nr);
void tmm_frame_maps_init(struct tmm_frame_maps *maps, u64 first, u64 nr, void *memory);

void tmm_frame_maps_give(struct tmm_frame_maps *maps, u64 start, u64 nr);
void tmm_frame_maps_take(struct tmm_frame_maps *maps, u64 start, u64 nr);

int tmm_frame_maps_find(const struct tmm_frame_maps *maps, const struct tmm_fit_request *req,
			struct tmm_fit_cursor *cursor, u64 *start);
u64 tmm_frame_maps_largest(const struct tmm_frame_maps *maps, enum tmm_page_size size);
bool tmm_frame_maps_is_block_free(const struct tmm_frame_maps *maps, u64 number,
				  enum tmm_page_size size);
u64 tmm_frame_maps_run_start(const struct tmm_frame_maps *maps, u64 number);
u64 tmm_frame_maps_run_end(const struct tmm_frame_maps *maps, u64 number);
bool tmm_frame_maps_next_run(const struct tmm_frame_maps *maps, u64 number, u64 *first, u64 *end);

#endif /* TMM_ALLOC_FRAME_MAPS_H */
