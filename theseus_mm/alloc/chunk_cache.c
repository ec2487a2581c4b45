// SPDX-License-Identifier: GPL-2.0
#include "alloc/chunk_cache.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * tmm_chunk_cache_init() - take objects from a cache
 * @objects: the source
 * @cache: the cache; stays as long as @objects
 */
void tmm_chunk_cache_init(struct tmm_chunk_cache *objects, struct kmem_cache *cache)
{
	*objects = (struct tmm_chunk_cache){ .cache = cache };
	spin_lock_init(&objects->lock);
}

/**
 * tmm_chunk_cache_start_early() - take objects from memory set aside
 * @objects: the source; has given out nothing yet
 * @memory: tmm_chunk_cache_object_size() bytes an object; what it holds does not
 *          matter
 * @nr_bytes: its size
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

/**
 * tmm_chunk_cache_use_early() - take objects from early memory, or no longer
 * @objects: the source; has early memory
 * @is_early: what to do from now on
 *
 * Context: Any but interrupt.
 */
void tmm_chunk_cache_use_early(struct tmm_chunk_cache *objects, bool is_early)
{
	spin_lock(&objects->lock);
	objects->is_early = is_early;
	spin_unlock(&objects->lock);
}

/**
 * tmm_chunk_cache_object_size() - early memory that one object takes
 * @objects: the source
 *
 * Return: bytes
 */
size_t tmm_chunk_cache_object_size(const struct tmm_chunk_cache *objects)
{
	return ALIGN(kmem_cache_size(objects->cache), sizeof(u64));
}

/**
 * tmm_chunk_cache_is_early() - does an object lie in early memory?
 * @objects: the source
 * @chunk: an object of it
 *
 * Return: true if it does
 */
bool tmm_chunk_cache_is_early(const struct tmm_chunk_cache *objects,
			      const struct tmm_chunk *chunk)
{
	return objects->memory && (void *)chunk >= objects->memory &&
	       (void *)chunk < objects->memory + objects->nr_bytes;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunk_cache_is_early);

/* True if the source is early; then @chunk is an object, or NULL if none is left. */
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

/**
 * tmm_chunk_cache_new() - make an object
 * @objects: the source
 *
 * Context: Process context, may sleep.
 * Return: an object that is all zeros, or NULL if memory is exhausted
 */
struct tmm_chunk *tmm_chunk_cache_new(struct tmm_chunk_cache *objects)
{
	struct tmm_chunk *chunk;

	if (new_early(objects, &chunk))
		return chunk;
	return kmem_cache_zalloc(objects->cache, GFP_KERNEL_ACCOUNT);
}

/**
 * tmm_chunk_cache_new_nofail() - make an object, whatever it takes
 * @objects: the source
 *
 * Waits until the kernel heap has room; it turns to the heap as well when early
 * memory is exhausted.
 *
 * Context: Process context, may sleep.
 * Return: an object that is all zeros
 */
struct tmm_chunk *tmm_chunk_cache_new_nofail(struct tmm_chunk_cache *objects)
{
	struct tmm_chunk *chunk;

	if (new_early(objects, &chunk) && chunk)
		return chunk;
	return kmem_cache_zalloc(objects->cache, GFP_KERNEL | __GFP_NOFAIL);
}

/**
 * tmm_chunk_cache_free() - give an object back
 * @objects: the source
 * @chunk: the object, not linked anywhere; NULL is ignored. Early memory is not
 *         used again.
 *
 * Context: Any.
 */
void tmm_chunk_cache_free(struct tmm_chunk_cache *objects, struct tmm_chunk *chunk)
{
	if (chunk && !tmm_chunk_cache_is_early(objects, chunk))
		kmem_cache_free(objects->cache, chunk);
}
