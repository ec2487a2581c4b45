/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Offsets: the offset for mmap() of each mapping of a client.
 *
 * Each client has its own space of offsets, counted in pages. Low pages are used first, because
 * mmap2() takes a page number of 32 bits, so a 32-bit program reaches only low pages. An offset
 * has as many pages as its mapping, and a gap of one page after these pages. So an mmap() beyond
 * the end of one mapping does not reach the next mapping.
 *
 * Invariant: a page belongs to one offset at most, and to none if it is page 0.
 * Lock: the lock of the client's handle table protects the offsets in use. The range
 * allocator has its own lock for free pages, and is not called with the table's lock held.
 * Owner: the object of the mapping owns its offset, which its file refers to
 * (device/client/object.h).
 */
#ifndef TMM_DEVICE_CLIENT_OFFSETS_H
#define TMM_DEVICE_CLIENT_OFFSETS_H

#include "alloc/range_request.h"

#include <linux/rbtree.h>

/* The ends, in pages, of the offsets for 32-bit programs and of all offsets (2^63 bytes) */
#define TMM_OFFSETS_LOW_END	(1ULL << 32)
#define TMM_OFFSETS_END		(1ULL << 51)

/* The offsets of a client. */
struct tmm_offsets {
	struct tmm_range_allocator ra;	/* allocator of free pages */
	struct tmm_range_region low;	/* pages that all programs can use */
	/* pages above @low, for 64-bit programs; used after @low */
	struct tmm_range_region high;
	struct rb_root known;	/* struct tmm_offset by first page */
};

/* Pages that stand for a mapping. */
struct tmm_offset {
	union {
		struct tmm_chunk chunk;
		struct tmm_range_node free_node;	/* once the pages are free again */
	};
	struct tmm_range_region *region;	/* @low or @high */
	struct rb_node node;	/* in @known of the client's offsets */
	struct tmm_object *object;	/* the mapping's object, while the offset is in @known */
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

#endif /* TMM_DEVICE_CLIENT_OFFSETS_H */
