/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_SLAB_H
#define HOST_LINUX_SLAB_H

#include "runtime.h"

#include <linux/gfp.h>
#include <linux/types.h>

struct kmem_cache;

struct kmem_cache *kmem_cache_create(const char *name, size_t nr_bytes, size_t align,
				     unsigned int flags, void (*construct)(void *object));
void kmem_cache_destroy(struct kmem_cache *cache);
unsigned int kmem_cache_size(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int flags);
void kmem_cache_free(struct kmem_cache *cache, void *object);
int kmem_cache_alloc_bulk(struct kmem_cache *cache, unsigned int flags, size_t nr, void **objects);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects);
void *kzalloc(size_t nr_bytes, unsigned int flags);
void *kcalloc(size_t nr, size_t nr_bytes, unsigned int flags);
void *kvcalloc(size_t nr, size_t nr_bytes, unsigned int flags);
char *kstrdup(const char *text, unsigned int flags);
void kfree(const void *memory);
void kvfree(const void *memory);

#endif
