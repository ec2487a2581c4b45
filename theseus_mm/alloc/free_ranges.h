/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free ranges: the chunks of a region that have no owner. Frames and pages use the same code,
 * which handles numbers only.
 *
 * Invariant: the ranges in a set are disjoint and not adjacent. So the set is minimal, and one
 * range can serve any request for adjacent chunks.
 * Lock: the caller's (struct tmm_range_allocator has the lock).
 * Owner: a chunk linked in a set belongs to the set; any other chunk belongs to its holder.
 *
 * A set is a red-black tree by address. For every power-of-two alignment up to 1 GiB, each node
 * also has the length of the longest run in its subtree that starts at that alignment. So a
 * search for any run, an aligned run or a run in bounds is one descent, O(log n), and exact: a
 * request for at most TMM_MAX_RUN chunks that fits some range is never refused.
 *
 * A node is the same object that owned the range (struct tmm_chunk is embedded in the objects
 * of frames and pages), so giving a range back needs no memory.
 */
#ifndef TMM_ALLOC_FREE_RANGES_H
#define TMM_ALLOC_FREE_RANGES_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct tmm_account;

/* Alignments of 1 << 0 (4 KiB) to 1 << 18 (1 GiB) chunks are indexed. */
#define TMM_NR_ALIGN_ORDERS	19
/*
 * Longest run that a search finds, 16 TiB less one chunk. The index has lengths in 32 bits, and
 * a longer run counts as TMM_MAX_RUN. The ranges themselves may have any length.
 */
#define TMM_MAX_RUN		((u64)U32_MAX)

/**
 * struct tmm_fits - longest aligned runs of a subtree
 * @len: length in chunks by order of alignment, TMM_MAX_RUN at most; 1 or more below @nr_orders
 * @nr_orders: entries of @len that are in use; the other lengths count as 0
 */
struct tmm_fits {
	u32 len[TMM_NR_ALIGN_ORDERS];
	u32 nr_orders;
};

/**
 * struct tmm_chunk - a run of chunks, owned or free
 * @start: number of the first chunk
 * @nr: number of chunks; 0 only for an empty owned run
 * @account: the account charged for the run, with a reference; NULL for none, and in a free run
 * @rb: private: links the run in a set
 * @next: private: links the object in a reserve
 * @fits: private: index of the subtree at @rb
 */
struct tmm_chunk {
	u64 start;
	u64 nr;
	struct tmm_account *account;
	/* private: */
	union {
		struct rb_node rb;
		struct tmm_chunk *next;
	};
	struct tmm_fits fits;
};

/**
 * struct tmm_free_ranges - a set of free ranges
 * @root: tree of struct tmm_chunk
 * @nr_free: chunks in all ranges
 * @nr_ranges: number of ranges
 */
struct tmm_free_ranges {
	struct rb_root root;
	u64 nr_free;
	u64 nr_ranges;
};

/**
 * struct tmm_fit_request - a search for free chunks
 * @nr: number of chunks, 1 or more; more than TMM_MAX_RUN never fit
 * @align: the run starts at a multiple of @align, 1 or more
 * @min: first chunk that may be used
 * @end: one above the last chunk that may be used
 * @from_top: find the highest fit, not the lowest
 */
struct tmm_fit_request {
	u64 nr;
	u64 align;
	u64 min;
	u64 end;
	bool from_top;
};

static inline u64 tmm_chunk_end(const struct tmm_chunk *chunk)
{
	return chunk->start + chunk->nr;
}

void tmm_free_ranges_init(struct tmm_free_ranges *set);

bool tmm_free_ranges_find(const struct tmm_free_ranges *set, const struct tmm_fit_request *req,
			  u64 *start);
struct tmm_chunk *tmm_free_ranges_at(const struct tmm_free_ranges *set, u64 number);
u64 tmm_free_ranges_largest(const struct tmm_free_ranges *set, unsigned int order);
struct tmm_chunk *tmm_free_ranges_first(const struct tmm_free_ranges *set);
struct tmm_chunk *tmm_free_ranges_next(struct tmm_chunk *chunk);

struct tmm_chunk *tmm_free_ranges_take(struct tmm_free_ranges *set, u64 start, u64 nr,
				       struct tmm_chunk *spare[2]);
int tmm_free_ranges_give(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			 struct tmm_chunk *absorbed[2]);
void tmm_free_ranges_replace(struct tmm_free_ranges *set, struct tmm_chunk *chunk,
			     struct tmm_chunk *substitute);

#endif /* TMM_ALLOC_FREE_RANGES_H */
