/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The source of an allocator's objects: a slab cache, or, before the cache can be used, memory
 * that the caller set aside ("early memory").
 *
 * Invariant: an object lies in early memory or belongs to the cache; the object's address tells
 * which.
 * Lock: none for the cache; @lock for early memory.
 * Owner: struct tmm_range_allocator. Early memory belongs to the caller and must exist as long
 * as the allocator, since the objects of owned runs may lie in early memory until the
 * allocator is destroyed.
 */
#ifndef TMM_ALLOC_CHUNK_CACHE_H
#define TMM_ALLOC_CHUNK_CACHE_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct kmem_cache;
struct tmm_chunk;

/**
 * struct tmm_chunk_cache - source of chunk objects
 * @cache: the slab cache; a struct tmm_chunk is the first member of its objects
 * @lock: protects @nr_used and @is_early
 * @memory: start of early memory; NULL if the source never had early memory
 * @nr_bytes: size of early memory
 * @nr_used: bytes of early memory that are given out
 * @is_early: new objects come from early memory
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
void tmm_chunk_cache_free_many(struct tmm_chunk_cache *objects, unsigned int nr, void **chunks);

#endif /* TMM_ALLOC_CHUNK_CACHE_H */
