/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Offsets: which offset for mmap() stands for which mapping of a client.
 *
 * A client has a space of pages of its own, packed from the bottom, where 32-bit
 * programs reach them: mmap2() takes 32 bits of pages. A mapping has as many as it is
 * long, and one behind them that is nobody's: who goes too far gets no other mapping.
 *
 * Invariant: a page belongs to one offset at most, and to none if it is page 0.
 * Lock: that of the client's handle table for what is found; the range allocator has
 * its own for what is free, and is not called under the table's.
 * Owner: an offset is its object's (device/client.h).
 */
#ifndef TMM_DEVICE_OFFSETS_H
#define TMM_DEVICE_OFFSETS_H

#include "alloc/range_allocator.h"

#include <linux/rbtree.h>

/* Offsets of 32-bit programs end here, others a little below 2^63 bytes. */
#define TMM_OFFSETS_LOW_END	(1ULL << 32)
#define TMM_OFFSETS_END		(1ULL << 51)

/**
 * struct tmm_offsets - a client's
 * @ra: what is free
 * @low: what all can use
 * @high: what is left then, for those who can use that
 * @known: struct tmm_offset by their first page
 */
struct tmm_offsets {
	struct tmm_range_allocator ra;
	struct tmm_range_region low;
	struct tmm_range_region high;
	struct rb_root known;
};

/**
 * struct tmm_offset - pages that stand for a mapping
 * @chunk: the pages
 * @region: the region they are part of
 * @node: in @known of the client's
 * @object: the mapping's, while it can be found here
 */
struct tmm_offset {
	struct tmm_chunk chunk;
	struct tmm_range_region *region;
	struct rb_node node;
	struct tmm_object *object;
};

int __init tmm_offsets_cache_init(void);
void tmm_offsets_cache_exit(void);

int __must_check tmm_offsets_init(struct tmm_offsets *offsets);
void tmm_offsets_destroy(struct tmm_offsets *offsets);
struct tmm_offset * __must_check tmm_offset_allocate(struct tmm_offsets *offsets, u64 nr_pages,
						     bool is_low);
void tmm_offset_free(struct tmm_offsets *offsets, struct tmm_offset *offset);

void tmm_offsets_insert(struct tmm_offsets *offsets, struct tmm_offset *offset,
			struct tmm_object *object);
void tmm_offsets_remove(struct tmm_offsets *offsets, struct tmm_offset *offset);
struct tmm_offset *tmm_offsets_find(const struct tmm_offsets *offsets, u64 page);

#endif /* TMM_DEVICE_OFFSETS_H */
