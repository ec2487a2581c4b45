/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the objects of an allocator come from: a slab cache, or, before there is
 * one to be had, a piece of memory that the caller set aside.
 *
 * Invariant: an object lies in the early memory or belongs to the cache; its
 * address tells which.
 * Lock: none for the cache; the owner's for early memory.
 * Owner: struct tmm_range_allocator. Early memory stays the caller's and must stay
 * as long as the allocator: what is owned may lie in it to the end.
 */
#ifndef TMM_ALLOC_CHUNK_CACHE_H
#define TMM_ALLOC_CHUNK_CACHE_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct kmem_cache;
struct tmm_chunk;

/**
 * struct tmm_chunk_cache - source of chunk objects
 * @cache: the cache; a struct tmm_chunk is the first member of its objects
 * @lock: protects @nr_used and @is_early
 * @memory: start of early memory; NULL if there never was any
 * @nr_bytes: its size
 * @nr_used: bytes of it that were given out
 * @is_early: take new objects from it
 */
struct tmm_chunk_cache {
	struct kmem_cache *cache;
	spinlock_t lock;	/* nr_used, is_early */
	void *memory;
	size_t nr_bytes;
	size_t nr_used;
	bool is_early;
};

void tmm_chunk_cache_init(struct tmm_chunk_cache *objects, struct kmem_cache *cache);
void tmm_chunk_cache_start_early(struct tmm_chunk_cache *objects, void *memory,
				 size_t nr_bytes);
void tmm_chunk_cache_use_early(struct tmm_chunk_cache *objects, bool is_early);
size_t tmm_chunk_cache_object_size(const struct tmm_chunk_cache *objects);
bool tmm_chunk_cache_is_early(const struct tmm_chunk_cache *objects,
			      const struct tmm_chunk *chunk);

struct tmm_chunk * __must_check tmm_chunk_cache_new(struct tmm_chunk_cache *objects);
struct tmm_chunk *tmm_chunk_cache_new_nofail(struct tmm_chunk_cache *objects);
void tmm_chunk_cache_free(struct tmm_chunk_cache *objects, struct tmm_chunk *chunk);

#endif /* TMM_ALLOC_CHUNK_CACHE_H */
