/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free set: the chunks of a region that have no owner. The set of frames is in bits, which lie
 * beside the frame table; the set of pages is a tree of objects, since pages are too many for bits.
 *
 * Invariant: a chunk of the region is in the set or has an owner.
 * Lock: the range allocator's.
 * Owner: struct tmm_range_region.
 */
#ifndef TMM_ALLOC_FREE_SET_H
#define TMM_ALLOC_FREE_SET_H

#include "alloc/frame_maps.h"
#include "alloc/free_ranges.h"

/**
 * struct tmm_free_set - the free chunks of a region
 * @maps: the set of frames; NULL for pages
 * @ranges: the set of pages; empty for frames
 */
struct tmm_free_set {
	struct tmm_frame_maps *maps;
	struct tmm_free_ranges ranges;
};

static inline u64 tmm_free_set_nr_free(const struct tmm_free_set *set)
{
	return set->maps ? set->maps->nr_free : set->ranges.nr_free;
}

/* Number of contiguous free runs. */
static inline u64 tmm_free_set_nr_ranges(const struct tmm_free_set *set)
{
	return set->maps ? set->maps->nr_ranges : set->ranges.nr_ranges;
}

int tmm_free_set_find(const struct tmm_free_set *set, const struct tmm_fit_request *req,
		      struct tmm_fit_cursor *cursor, u64 *start);
u64 tmm_free_set_run_start(const struct tmm_free_set *set, u64 number);
u64 tmm_free_set_run_end(const struct tmm_free_set *set, u64 number);
bool tmm_free_set_next_run(const struct tmm_free_set *set, u64 number, u64 *first, u64 *end);
u64 tmm_free_set_largest(const struct tmm_free_set *set, enum tmm_page_size size);

unsigned int tmm_free_set_nr_spares(const struct tmm_free_set *set, u64 start, u64 nr);
struct tmm_chunk *tmm_free_set_take(struct tmm_free_set *set, u64 start, u64 nr,
				    struct tmm_chunk *spare[2]);
int tmm_free_set_give(struct tmm_free_set *set, struct tmm_chunk *chunk,
		      struct tmm_chunk *absorbed[2]);

#endif /* TMM_ALLOC_FREE_SET_H */
