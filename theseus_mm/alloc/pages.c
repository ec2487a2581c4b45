// SPDX-License-Identifier: GPL-2.0
#include "alloc/pages.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>

static struct kmem_cache *pages_cache;

/* A chunk object is a pages object: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_allocated_pages, chunk) == 0);

static const struct tmm_range_hooks page_hooks = {
	.cache = &pages_cache,
};

/**
 * tmm_pages_init() - make what all page allocators share
 *
 * Return: 0 or -ENOMEM
 */
int __init tmm_pages_init(void)
{
	pages_cache = kmem_cache_create("tmm_pages", sizeof(struct tmm_allocated_pages), 0, 0,
					NULL);
	return pages_cache ? 0 : -ENOMEM;
}

/**
 * tmm_pages_exit() - undo tmm_pages_init()
 */
void tmm_pages_exit(void)
{
	kmem_cache_destroy(pages_cache);
}

/**
 * tmm_page_allocator_init() - make an allocator without addresses
 * @pa: the allocator
 */
void tmm_page_allocator_init(struct tmm_page_allocator *pa)
{
	tmm_range_allocator_init(&pa->ra, &page_hooks);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_init);

/**
 * tmm_page_allocator_add() - give an allocator a region, all of it free
 * @pa: the allocator
 * @region: type, first and nr are set; stays the caller's memory
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_range_allocator_add()
 */
int tmm_page_allocator_add(struct tmm_page_allocator *pa, struct tmm_range_region *region)
{
	return tmm_range_allocator_add(&pa->ra, region);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_add);

/**
 * tmm_page_allocator_destroy() - forget all regions
 * @pa: the allocator; every page has come back
 *
 * Context: Process context. Nobody else uses @pa any more.
 */
void tmm_page_allocator_destroy(struct tmm_page_allocator *pa)
{
	tmm_range_allocator_destroy(&pa->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_destroy);

/**
 * tmm_page_allocator_allocate() - take pages
 * @pa: the allocator
 * @req: what is wanted, in pages of 4 KiB
 *
 * Theseus: page_allocator::allocate_pages*(). Here alignment and range combine.
 *
 * Context: Process context, may sleep. Takes and releases the allocator's lock.
 * Return: the pages, or an error of tmm_range_allocate()
 */
struct tmm_allocated_pages *tmm_page_allocator_allocate(struct tmm_page_allocator *pa,
							const struct tmm_allocation_request *req)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk = tmm_range_allocate(&pa->ra, req, &region);
	struct tmm_allocated_pages *pages;

	if (IS_ERR(chunk))
		return ERR_CAST(chunk);
	pages = container_of(chunk, struct tmm_allocated_pages, chunk);
	pages->allocator = pa;
	pages->region = region;
	return pages;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_allocate);

/**
 * tmm_allocated_pages_merge() - append a run that follows directly
 * @pages: grows by @other; unchanged on error
 * @other: directly after @pages, of the same region; consumed
 *
 * Theseus: AllocatedPages::merge()
 *
 * Context: Any.
 * Return:
 * * 0            - @pages has both
 * * -EMEDIUMTYPE - they are parts of different regions
 * * -EDOM        - @other does not follow @pages
 */
int tmm_allocated_pages_merge(struct tmm_allocated_pages *pages,
			      struct tmm_allocated_pages **other)
{
	struct tmm_allocated_pages *second = *other;

	if (pages == second)
		return -EDOM;
	if (pages->region != second->region)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&pages->chunk) != second->chunk.start)
		return -EDOM;
	pages->chunk.nr += second->chunk.nr;
	kmem_cache_free(pages_cache, second);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_allocated_pages_merge);

/**
 * tmm_allocated_pages_split_at() - make two runs of one
 * @pages: becomes the first half; unchanged on error
 * @at: number of the first page of the second half; @pages' start makes the
 *      first half empty, its end the second
 * @second: set to the second half, on success only
 *
 * Theseus: AllocatedPages::split_at(), which consumes and returns both halves;
 * here the object stays and becomes the first.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL if @at lies outside or @pages is empty, or -ENOMEM
 */
int tmm_allocated_pages_split_at(struct tmm_allocated_pages *pages, u64 at,
				 struct tmm_allocated_pages **second)
{
	struct tmm_allocated_pages *half;
	int err = tmm_chunk_check_split(&pages->chunk, at);

	if (err)
		return err;
	half = kmem_cache_zalloc(pages_cache, GFP_KERNEL_ACCOUNT);
	if (!half)
		return -ENOMEM;
	half->allocator = pages->allocator;
	half->region = pages->region;
	tmm_chunk_split(&pages->chunk, at, &half->chunk);
	*second = half;
	return 0;
}
EXPORT_SYMBOL_GPL(tmm_allocated_pages_split_at);

/**
 * tmm_allocated_pages_drop() - give pages back to their allocator
 * @pages: consumed; may be NULL, an error pointer or empty
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock. Cannot
 *          fail. O(log n).
 */
void tmm_allocated_pages_drop(struct tmm_allocated_pages **pages)
{
	struct tmm_allocated_pages *doomed = *pages;

	*pages = NULL;
	if (IS_ERR_OR_NULL(doomed))
		return;
	tmm_range_release(&doomed->allocator->ra, doomed->region, &doomed->chunk);
}
EXPORT_SYMBOL_GPL(tmm_allocated_pages_drop);
