// SPDX-License-Identifier: GPL-2.0
#include "alloc/pages.h"

#include "alloc/chunk.h"
#include "alloc/trace.h"
#include "core/compat.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/slab.h>

static struct kmem_cache *pages_cache;

/* A chunk object is a pages object: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_allocated_pages, node) == 0);
static_assert(sizeof(struct tmm_allocated_pages) <= 96);

static const struct tmm_range_hooks page_hooks = {
	.cache = &pages_cache,
	/* A cache line has the counts of eight page tables of 512 entries. */
	.home_order = 12,
	.resource = TMM_RESOURCE_PAGES,
};

/* Create the slab cache that all page allocators share. Return: 0 or -ENOMEM. */
int __init tmm_pages_init(void)
{
	pages_cache = kmem_cache_create("tmm_pages", sizeof(struct tmm_allocated_pages), 0, 0,
					NULL);
	return pages_cache ? 0 : -ENOMEM;
}

/* Undo tmm_pages_init(). */
void tmm_pages_exit(void)
{
	kmem_cache_destroy(pages_cache);
}

/* Set up an allocator without addresses. */
void tmm_page_allocator_init(struct tmm_page_allocator *pa)
{
	tmm_range_allocator_init(&pa->ra, &page_hooks);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_init);

/*
 * Add a region, all of it free, to an allocator. The caller sets type, first and nr, and
 * @region remains the caller's memory. May sleep. Return: 0, or an error of
 * tmm_range_allocator_add().
 */
int tmm_page_allocator_add(struct tmm_page_allocator *pa, struct tmm_range_region *region)
{
	return tmm_range_allocator_add(&pa->ra, region);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_add);

/*
 * Remove all regions. No page is owned any more, and no caller uses @pa any more. Process
 * context.
 */
void tmm_page_allocator_destroy(struct tmm_page_allocator *pa)
{
	tmm_range_allocator_destroy(&pa->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_destroy);

static struct tmm_allocated_pages *pages_of(struct tmm_chunk *chunk)
{
	return container_of(chunk, struct tmm_allocated_pages, chunk);
}

/* Turn a chunk of the range allocator into an object of its new owner; errors pass through. */
static struct tmm_allocated_pages *own_pages(struct tmm_page_allocator *pa,
					     struct tmm_range_region *region,
					     struct tmm_chunk *chunk)
{
	struct tmm_allocated_pages *pages;

	if (IS_ERR(chunk))
		return ERR_CAST(chunk);
	if (chunk->nr)
		trace_tmm_allocate(TMM_TRACE_PAGES, chunk->start, chunk->nr);
	pages = pages_of(chunk);
	pages->allocator = pa;
	pages->region = region;
	return pages;
}

/* Allocate an object that owns no pages. May sleep. Return: the object or ERR_PTR(-ENOMEM). */
struct tmm_allocated_pages *tmm_page_allocator_empty(struct tmm_page_allocator *pa)
{
	struct tmm_chunk *chunk = tmm_range_allocator_new_object(&pa->ra);

	return own_pages(pa, NULL, chunk ?: ERR_PTR(-ENOMEM));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_empty);

/*
 * Allocate pages; @req counts in pages of 4 KiB. May sleep. Takes and releases the allocator's
 * lock. Return: the pages, or an error of tmm_range_request_allocate().
 *
 * Theseus: page_allocator::allocate_pages*(). Here a request may have an alignment and a range
 * at once.
 */
struct tmm_allocated_pages *tmm_page_allocator_allocate(struct tmm_page_allocator *pa,
							const struct tmm_allocation_request *req)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate(&pa->ra, req, &region);

	return own_pages(pa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_allocate);

/*
 * Do what tmm_page_allocator_allocate() does, for one page anywhere in a general region, charged to
 * @account, which may be NULL.
 */
struct tmm_allocated_pages *tmm_page_allocator_allocate_one(struct tmm_page_allocator *pa,
							    struct tmm_account *account)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate_one(&pa->ra, account, &region);

	return own_pages(pa, region, chunk);
}

/*
 * Allocate pages without allocating memory; @req counts in pages of 4 KiB. @action must be
 * finished or all zeros, and is set on success only. The caller then calls
 * tmm_deferred_action_finish() where the caller may sleep, before @pa is destroyed. Not in
 * interrupts. Takes and releases the allocator's lock. Return: the pages, or an error of
 * tmm_range_request_allocate_deferred().
 *
 * Theseus: page_allocator::allocate_pages_deferred()
 */
struct tmm_allocated_pages *
tmm_page_allocator_allocate_deferred(struct tmm_page_allocator *pa,
				     const struct tmm_allocation_request *req,
				     struct tmm_deferred_action *action)
{
	struct tmm_range_region *region = NULL;
	struct tmm_chunk *chunk = tmm_range_request_allocate_deferred(&pa->ra, req, &region,
								      action);

	return own_pages(pa, region, chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_allocator_allocate_deferred);

/* Join @b to @a; the runs are adjacent and in the same region. */
static void join_pages(struct tmm_allocated_pages *a, struct tmm_allocated_pages *b)
{
	a->chunk.start = min(a->chunk.start, b->chunk.start);
	a->chunk.nr += b->chunk.nr;
	tmm_range_allocator_free_object(&b->allocator->ra, &b->chunk);
}

/**
 * tmm_allocated_pages_merge() - join two adjacent runs
 * @pages: grows by @other; unchanged on error
 * @other: directly before or after @pages, of the same region; consumed
 *
 * Theseus: AllocatedPages::merge(), which only appends.
 *
 * Context: Any.
 * Return:
 * * 0            - @pages contains both runs
 * * -EMEDIUMTYPE - the runs are in different regions, or charged to different accounts
 * * -EDOM        - the runs are not adjacent
 */
int tmm_allocated_pages_merge(struct tmm_allocated_pages *pages,
			      struct tmm_allocated_pages **other)
{
	struct tmm_allocated_pages *second = *other;

	if (pages == second)
		return -EDOM;
	if (pages->region != second->region || pages->chunk.account != second->chunk.account)
		return -EMEDIUMTYPE;
	if (tmm_chunk_end(&pages->chunk) != second->chunk.start &&
	    tmm_chunk_end(&second->chunk) != pages->chunk.start)
		return -EDOM;
	join_pages(pages, second);
	*other = NULL;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_merge);

/*
 * Append @other, a run that directly follows @pages in the same region. @other is consumed.
 * The function is for mappings, whose frames are in the order of their pages. Any context.
 * Return: 0, -EMEDIUMTYPE or -EDOM, as tmm_allocated_pages_merge().
 */
int tmm_allocated_pages_append(struct tmm_allocated_pages *pages,
			       struct tmm_allocated_pages **other)
{
	/*
	 * If the regions differ, the merge returns -EMEDIUMTYPE, whether or not the runs are
	 * adjacent.
	 */
	if (pages->region == (*other)->region &&
	    tmm_chunk_end(&pages->chunk) != (*other)->chunk.start)
		return -EDOM;
	return tmm_allocated_pages_merge(pages, other);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_allocated_pages_append);

/* Allocate an object for a part of @pages; NULL if memory is exhausted. */
static struct tmm_allocated_pages *new_part(const struct tmm_allocated_pages *pages)
{
	struct tmm_chunk *chunk = tmm_range_allocator_new_object(&pages->allocator->ra);
	struct tmm_allocated_pages *part;

	if (!chunk)
		return NULL;
	part = pages_of(chunk);
	part->allocator = pages->allocator;
	part->region = pages->region;
	return part;
}

/**
 * tmm_allocated_pages_split_at() - split a run in two
 * @pages: becomes the first half; unchanged on error
 * @at: number of the first page of the second half. If @at is the start of @pages, the first
 *      half is empty; if @at is the end, the second half is empty.
 * @second: set to the second half, on success only
 *
 * Theseus: AllocatedPages::split_at(), which consumes the run and returns both halves. Here the
 * object becomes the first half.
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL if @at lies outside or @pages is empty, or -ENOMEM
 */
int tmm_allocated_pages_split_at(struct tmm_allocated_pages *pages, u64 at,
				 struct tmm_allocated_pages **second)
{
	struct tmm_allocated_pages *half;
	int err;

	err = tmm_chunk_check_split(&pages->chunk, at);
	if (err)
		return err;
	half = new_part(pages);
	if (!half)
		return -ENOMEM;
	tmm_chunk_split(&pages->chunk, at, &half->chunk);
	*second = half;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_split_at);

/* Allocate objects for the parts before and after @middle; NULL for an empty part. */
static int new_outer_parts(const struct tmm_allocated_pages *pages, const struct tmm_range *middle,
			   struct tmm_allocated_pages *parts[2])
{
	bool wanted[2] = {
		middle->first > pages->chunk.start,
		tmm_range_end(middle) < tmm_chunk_end(&pages->chunk),
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		parts[i] = wanted[i] ? new_part(pages) : NULL;
		if (wanted[i] && !parts[i]) {
			if (i && parts[0])
				tmm_range_allocator_free_object(&pages->allocator->ra,
								&parts[0]->chunk);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * tmm_allocated_pages_split_range() - split a run into up to three runs
 * @pages: becomes @middle; unchanged on error
 * @middle: the range to keep, in pages of any size
 * @before: set to the part before @middle, NULL if that part is empty; on success only
 * @after: set to the part after @middle, NULL if that part is empty; on success only
 *
 * Theseus: AllocatedPages::split_range()
 *
 * Context: Process context, may sleep.
 * Return: 0, -EINVAL if @middle is empty or not within @pages, or -ENOMEM
 */
int tmm_allocated_pages_split_range(struct tmm_allocated_pages *pages,
				    struct tmm_page_range middle,
				    struct tmm_allocated_pages **before,
				    struct tmm_allocated_pages **after)
{
	struct tmm_allocated_pages *parts[2];
	int err;

	err = tmm_chunk_check_split_range(&pages->chunk, &middle.r);
	if (err)
		return err;
	err = new_outer_parts(pages, &middle.r, parts);
	if (err)
		return err;
	tmm_chunk_split_range(&pages->chunk, &middle.r, parts[0] ? &parts[0]->chunk : NULL,
			      parts[1] ? &parts[1]->chunk : NULL);
	*before = parts[0];
	*after = parts[1];
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_split_range);

/**
 * tmm_allocated_pages_drop() - give pages back to their allocator
 * @pages: consumed; may point to NULL, an error pointer or empty pages
 *
 * Context: Any but interrupt. Takes and releases the allocator's lock. Cannot fail. O(log n).
 */
void tmm_allocated_pages_drop(struct tmm_allocated_pages **pages)
{
	struct tmm_allocated_pages *doomed = *pages;

	*pages = NULL;
	if (IS_ERR_OR_NULL(doomed))
		return;
	if (doomed->chunk.nr)
		trace_tmm_free(TMM_TRACE_PAGES, doomed->chunk.start, doomed->chunk.nr);
	tmm_range_request_release(&doomed->allocator->ra, doomed->region, &doomed->chunk);
}
EXPORT_SYMBOL_TMM(tmm_allocated_pages_drop);
