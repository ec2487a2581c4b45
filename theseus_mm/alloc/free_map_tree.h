/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tree of a free map (alloc/free_map.h), for the two files that change and search it.
 *
 * Lock: that of the map.
 */
#ifndef TMM_ALLOC_FREE_MAP_TREE_H
#define TMM_ALLOC_FREE_MAP_TREE_H

#include "alloc/free_map.h"

#include <linux/bits.h>

#define LEAF_SIZE	BIT(TMM_FREE_MAP_LEAF_ORDER)
#define LEAF_WORDS	(LEAF_SIZE / 64)
#define FANOUT		BIT(TMM_FREE_MAP_FANOUT_ORDER)

/* log2 of the units of a node; leaves are the nodes of level 0. */
static inline unsigned int tmm_free_map_order(unsigned int level)
{
	return TMM_FREE_MAP_LEAF_ORDER + TMM_FREE_MAP_FANOUT_ORDER * level;
}

static inline u64 tmm_free_map_size(unsigned int level)
{
	return 1ULL << tmm_free_map_order(level);
}

/* Is the node wholly free or wholly taken? */
static inline bool tmm_free_map_is_uniform(const struct tmm_free_summary *sum, unsigned int level)
{
	return !sum->max || sum->max == tmm_free_map_size(level);
}

static inline void tmm_free_map_mark_word(u64 *word, u64 mask, bool is_free)
{
	if (is_free)
		*word |= mask;
	else
		*word &= ~mask;
}

/* Mark units [@lo, @hi) of a leaf, which are not all of its units. */
static inline void tmm_free_map_mark_bits(u64 words[LEAF_WORDS], unsigned int lo, unsigned int hi,
					  bool is_free)
{
	const u64 from = ~0ULL << lo % 64, to = ~0ULL >> (63 - (hi - 1) % 64);
	u64 *word = &words[lo / 64], *last = &words[(hi - 1) / 64];

	if (word == last) {
		tmm_free_map_mark_word(word, from & to, is_free);
		return;
	}
	tmm_free_map_mark_word(word, from, is_free);
	while (++word < last)
		*word = is_free ? ~0ULL : 0;
	tmm_free_map_mark_word(last, to, is_free);
}

#endif /* TMM_ALLOC_FREE_MAP_TREE_H */
