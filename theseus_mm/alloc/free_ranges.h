/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free ranges: the pages of a region that have no owner, as a tree of ranges. The code handles
 * numbers only.
 *
 * Invariant: the ranges in a set are disjoint and not adjacent. So the set is minimal, and one
 * range can serve any request for adjacent chunks.
 * Lock: the caller's (struct tmm_range_allocator has the lock).
 * Owner: a chunk linked in a set belongs to the set; any other chunk belongs to its holder.
 *
 * A set is a red-black tree by address. For the alignments of 4 KiB, 2 MiB and 1 GiB, each node
 * also has the length of the longest run in its subtree that starts at that alignment. So a
 * search for such a run, also in bounds, is one descent, O(log n), and exact. alloc/fit.h says how
 * runs with other alignments are found. A request for at most TMM_MAX_RUN chunks that fits some
 * range is never refused.
 *
 * A node is the same object that owned the range, so giving a range back needs no memory.
 */
#ifndef TMM_ALLOC_FREE_RANGES_H
#define TMM_ALLOC_FREE_RANGES_H

#include "alloc/chunk.h"
#include "alloc/fit.h"
#include "core/page.h"

#include <linux/rbtree.h>
#include <linux/types.h>

/*
 * Longest run that a search finds, 16 TiB less one chunk. The index has lengths in 32 bits, and
 * a longer run counts as TMM_MAX_RUN. The ranges themselves may have any length.
 */
#define TMM_MAX_RUN		((u64)U32_MAX)

/**
 * struct tmm_fits - longest aligned runs of a subtree
 * @len: length in chunks, TMM_MAX_RUN at most, by the page size to which the run is aligned
 */
struct tmm_fits {
	u32 len[TMM_NR_PAGE_SIZES];
};

/**
 * struct tmm_range_node - a run that can be in a set
 * @chunk: the run
 * @rb: private: links the run in a set
 * @fits: private: index of the subtree at @rb
 */
struct tmm_range_node {
	struct tmm_chunk chunk;
	/* private: */
	struct rb_node rb;
	struct tmm_fits fits;
};

/**
 * struct tmm_free_ranges - a set of free ranges
 * @root: tree of struct tmm_range_node
 * @nr_free: chunks in all ranges
 * @nr_ranges: number of ranges
 */
struct tmm_free_ranges {
	struct rb_root root;
	u64 nr_free;
	u64 nr_ranges;
};

/*
 * Each struct tmm_chunk that one of these functions takes or returns is part of a struct
 * tmm_range_node.
 */
void tmm_free_ranges_init(struct tmm_free_ranges *set);

int tmm_free_ranges_find(const struct tmm_free_ranges *set, const struct tmm_fit_request *req,
			 struct tmm_fit_cursor *cursor, u64 *start);
struct tmm_chunk *tmm_free_ranges_at(const struct tmm_free_ranges *set, u64 number);
struct tmm_chunk *tmm_free_ranges_from(const struct tmm_free_ranges *set, u64 number);
u64 tmm_free_ranges_largest(const struct tmm_free_ranges *set, enum tmm_page_size size);
struct tmm_chunk *tmm_free_ranges_first(const struct tmm_free_ranges *set);
struct tmm_chunk *tmm_free_ranges_next(struct tmm_chunk *chunk);

struct tmm_chunk *tmm_free_ranges_take(struct tmm_free_ranges *set, u64 start, u64 nr,
				       struct tmm_chunk *spare[2]);
int tmm_free_ranges_give(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			 struct tmm_chunk *absorbed[2]);
void tmm_free_ranges_replace(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			     struct tmm_chunk *substitute);

#endif /* TMM_ALLOC_FREE_RANGES_H */
