// SPDX-License-Identifier: GPL-2.0
#include "alloc/chunk_cache.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Set up @objects with a slab cache, which must exist as long as @objects. */
void tmm_chunk_cache_init(struct tmm_chunk_cache *objects, struct kmem_cache *cache)
{
	*objects = (struct tmm_chunk_cache){ .cache = cache };
	spin_lock_init(&objects->lock);
}

/*
 * Let new objects come from early memory. @objects has not given out any object yet. One object
 * takes tmm_chunk_cache_object_size() bytes. The memory need not be cleared.
 */
void tmm_chunk_cache_start_early(struct tmm_chunk_cache *objects, void *memory,
				 size_t nr_bytes)
{
	void *aligned = PTR_ALIGN(memory, sizeof(u64));
	size_t skipped = aligned - memory;

	objects->memory = aligned;
	objects->nr_bytes = nr_bytes > skipped ? nr_bytes - skipped : 0;
	objects->nr_used = 0;
	objects->is_early = true;
}

/*
 * Choose whether new objects come from early memory, which @objects must have. Not in
 * interrupts.
 */
void tmm_chunk_cache_use_early(struct tmm_chunk_cache *objects, bool is_early)
{
	spin_lock(&objects->lock);
	WRITE_ONCE(objects->is_early, is_early);
	spin_unlock(&objects->lock);
}

/* Early memory that one object takes, in bytes. */
size_t tmm_chunk_cache_object_size(const struct tmm_chunk_cache *objects)
{
	return ALIGN(kmem_cache_size(objects->cache), sizeof(u64));
}

/* True if an object lies in early memory. */
bool tmm_chunk_cache_is_early(const struct tmm_chunk_cache *objects,
			      const struct tmm_chunk *chunk)
{
	return objects->memory && (void *)chunk >= objects->memory &&
	       (void *)chunk < objects->memory + objects->nr_bytes;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_cache_is_early);

/*
 * True if new objects come from early memory. Then @chunk is set to an object, or to NULL if
 * early memory is exhausted.
 */
static bool new_early(struct tmm_chunk_cache *objects, struct tmm_chunk **chunk)
{
	size_t size = tmm_chunk_cache_object_size(objects);
	bool is_early;

	*chunk = NULL;
	if (!objects->memory)
		return false;
	spin_lock(&objects->lock);
	is_early = objects->is_early;
	if (is_early && objects->nr_bytes - objects->nr_used >= size) {
		*chunk = objects->memory + objects->nr_used;
		objects->nr_used += size;
	}
	spin_unlock(&objects->lock);
	if (*chunk)
		memset(*chunk, 0, size);
	return is_early;
}

/* Allocate an object, all zeros. May sleep. Return: the object, or NULL if memory is exhausted. */
struct tmm_chunk *tmm_chunk_cache_new(struct tmm_chunk_cache *objects)
{
	struct tmm_chunk *chunk;

	if (new_early(objects, &chunk))
		return chunk;
	return kmem_cache_zalloc(objects->cache, GFP_KERNEL_ACCOUNT);
}

/*
 * Allocate an object, all zeros, without failing. The function uses the kernel heap if
 * early memory is exhausted, and waits until the heap has room. May sleep.
 */
struct tmm_chunk *tmm_chunk_cache_new_nofail(struct tmm_chunk_cache *objects)
{
	struct tmm_chunk *chunk;

	if (new_early(objects, &chunk) && chunk)
		return chunk;
	return kmem_cache_zalloc(objects->cache, GFP_KERNEL | __GFP_NOFAIL);
}

/* Free an object that is not linked anywhere; NULL is ignored. Early memory is not reused. */
void tmm_chunk_cache_free(struct tmm_chunk_cache *objects, struct tmm_chunk *chunk)
{
	if (chunk && !tmm_chunk_cache_is_early(objects, chunk))
		kmem_cache_free(objects->cache, chunk);
}

/*
 * Free many objects that are not linked anywhere. @chunks may contain NULL, and is overwritten.
 * Early memory is not reused.
 */
void tmm_chunk_cache_free_many(struct tmm_chunk_cache *objects, unsigned int nr, void **chunks)
{
	unsigned int i, nr_freed = 0;

	for (i = 0; i < nr; i++)
		if (chunks[i] && !tmm_chunk_cache_is_early(objects, chunks[i]))
			chunks[nr_freed++] = chunks[i];
	if (nr_freed)
		kmem_cache_free_bulk(objects->cache, nr_freed, chunks);
}
