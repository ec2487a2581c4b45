/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free map: a set of free units, with a bit for each unit. A unit is one frame, or a block of
 * frames; the code handles numbers only, from 0 on.
 *
 * The bits lie in leaves of 512 units. Above the leaves is a tree in which each node has eight
 * children. A leaf and a node each have a summary: the length of the free run at the start, of
 * the longest free run, and of the free run at the end. So a search for a run goes down to the
 * run, and a change recomputes one path of the tree.
 *
 * Invariant: if a node is wholly free or wholly taken, its summary alone says so, and all that lies
 * below the node is not valid. So marking a run of any length takes O(levels) steps, and setting
 * up a map writes nothing but the root. Units past the end of the map are taken.
 * Lock: the caller's.
 * Owner: the memory belongs to the caller.
 */
#ifndef TMM_ALLOC_FREE_MAP_H
#define TMM_ALLOC_FREE_MAP_H

#include <linux/types.h>

#define TMM_FREE_MAP_LEAF_ORDER		9
#define TMM_FREE_MAP_FANOUT_ORDER	3
/* A root at the highest level covers 8^8 leaves. */
#define TMM_FREE_MAP_MAX_LEVELS		9
/* Summaries have lengths in 32 bits. */
#define TMM_FREE_MAP_MAX_NR		((1ULL << 32) - 512)

/**
 * struct tmm_free_summary - the free runs of a leaf or of a node
 * @start: length of the run at the start
 * @max: length of the longest run
 * @end: length of the run at the end
 */
struct tmm_free_summary {
	u32 start;
	u32 max;
	u32 end;
};

/**
 * struct tmm_free_map - a set of free units
 * @nr: units, free and taken
 * @nr_levels: levels of summaries; the highest has one summary, that of the root
 * @bits: private: eight words for each leaf; a bit is set if the unit is free
 * @levels: private: the summaries of each level; level 0 has those of the leaves
 */
struct tmm_free_map {
	u64 nr;
	unsigned int nr_levels;
	/* private: */
	u64 *bits;
	struct tmm_free_summary *levels[TMM_FREE_MAP_MAX_LEVELS];
};

/* Length of the longest free run. O(1). */
static inline u64 tmm_free_map_largest(const struct tmm_free_map *map)
{
	return map->levels[map->nr_levels - 1]->max;
}

size_t tmm_free_map_nr_bytes(u64 nr);
void tmm_free_map_init(struct tmm_free_map *map, u64 nr, void *memory);

void tmm_free_map_give(struct tmm_free_map *map, u64 start, u64 nr);
void tmm_free_map_take(struct tmm_free_map *map, u64 start, u64 nr);

#endif /* TMM_ALLOC_FREE_MAP_H */
