// SPDX-License-Identifier: GPL-2.0
#include "alloc/clean_map.h"

#include "alloc/free_map_find.h"
#include "core/page.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>

/*
 * A leaf of the map is a block of 2 MiB. If the region is large, a node of the tree is a block of
 * 1 GiB, so that such a block is marked in the fewest steps.
 */
static u64 base_of(u64 first, u64 nr)
{
	const u64 nr_1g = tmm_page_size_4k_pages(TMM_1G);

	if (nr >= nr_1g && nr <= TMM_FREE_MAP_MAX_NR - nr_1g)
		return round_down(first, nr_1g);
	return round_down(first, 1ULL << TMM_FREE_MAP_LEAF_ORDER);
}

/*
 * Bytes of memory that the map of @nr frames needs, 1 to TMM_FRAME_MAPS_MAX_NR; a multiple of 8.
 * The memory is aligned to 8 bytes.
 */
size_t tmm_clean_map_nr_bytes(u64 first, u64 nr)
{
	return tmm_free_map_nr_bytes(first + nr - base_of(first, nr));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_nr_bytes);

/*
 * Set up a map in which no frame is clean. @memory has tmm_clean_map_nr_bytes() bytes, which need
 * not be cleared, and remains the caller's. O(levels).
 */
void tmm_clean_map_init(struct tmm_clean_map *clean, u64 first, u64 nr, void *memory)
{
	clean->base = base_of(first, nr);
	tmm_free_map_init(&clean->map, first + nr - clean->base, memory);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_init);

/* Note that a run of 1 frame or more holds zeros. O(levels). */
void tmm_clean_map_add(struct tmm_clean_map *clean, u64 start, u64 nr)
{
	tmm_free_map_give(&clean->map, start - clean->base, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_add);

/* Forget what a run of 1 frame or more holds. O(levels), and O(1) if no frame is clean. */
void tmm_clean_map_remove(struct tmm_clean_map *clean, u64 start, u64 nr)
{
	if (tmm_free_map_largest(&clean->map))
		tmm_free_map_take(&clean->map, start - clean->base, nr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_remove);

/* The end of the clean frames at @start, @end at most; @start if that is dirty. O(levels). */
u64 tmm_clean_map_clean_end(const struct tmm_clean_map *clean, u64 start, u64 end)
{
	return min(tmm_free_map_run_end(&clean->map, start - clean->base) + clean->base, end);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_clean_end);

/* The end of the dirty frames at @start, @end at most; @start if that is clean. O(levels). */
u64 tmm_clean_map_dirty_end(const struct tmm_clean_map *clean, u64 start, u64 end)
{
	const u64 base = clean->base;
	u64 first;

	if (!tmm_free_map_find_first(&clean->map, 1, start - base, end - base, &first))
		return end;
	return first + base;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_clean_map_dirty_end);
