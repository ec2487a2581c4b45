/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Searches in a free map (alloc/free_map.h): for a run, and for the ends of a run.
 *
 * Lock: that of the map.
 */
#ifndef TMM_ALLOC_FREE_MAP_FIND_H
#define TMM_ALLOC_FREE_MAP_FIND_H

#include "alloc/free_map.h"

bool tmm_free_map_is_free(const struct tmm_free_map *map, u64 unit);
u64 tmm_free_map_run_start(const struct tmm_free_map *map, u64 unit);
u64 tmm_free_map_run_end(const struct tmm_free_map *map, u64 unit);
bool tmm_free_map_find_first(const struct tmm_free_map *map, u64 nr, u64 min, u64 end, u64 *start);
bool tmm_free_map_find_last(const struct tmm_free_map *map, u64 nr, u64 min, u64 end, u64 *start);

#endif /* TMM_ALLOC_FREE_MAP_FIND_H */
