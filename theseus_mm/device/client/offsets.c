// SPDX-License-Identifier: GPL-2.0
#include "device/client/offsets.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>

static struct kmem_cache *offsets_cache;

/* A chunk object is an offset: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_offset, chunk) == 0);

static const struct tmm_range_hooks offset_hooks = {
	.cache = &offsets_cache,
	/* No account is charged for these pages: an offset costs a handle instead. */
	.resource = TMM_RESOURCE_HANDLES,
};

/**
 * tmm_offsets_cache_init() - make the slab cache that all offsets share
 *
 * Return: 0 or -ENOMEM
 */
int __init tmm_offsets_cache_init(void)
{
	offsets_cache = kmem_cache_create("tmm_offsets", sizeof(struct tmm_offset), 0,
					  SLAB_ACCOUNT, NULL);
	return offsets_cache ? 0 : -ENOMEM;
}

/**
 * tmm_offsets_cache_exit() - undo tmm_offsets_cache_init()
 */
void tmm_offsets_cache_exit(void)
{
	kmem_cache_destroy(offsets_cache);
}

/**
 * tmm_offsets_init() - make a client's offsets, all free
 * @offsets: the offsets
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM
 */
int tmm_offsets_init(struct tmm_offsets *offsets)
{
	int err;

	offsets->known = RB_ROOT;
	tmm_range_allocator_init(&offsets->ra, &offset_hooks);
	/* Page 0 is never given out: a program that did not call MAP_OFFSET passes offset 0. */
	offsets->low.type = TMM_REGION_GENERAL;
	offsets->low.first = 1;
	offsets->low.nr = TMM_OFFSETS_LOW_END - 1;
	offsets->high.type = TMM_REGION_DESIGNATED;
	offsets->high.first = TMM_OFFSETS_LOW_END;
	offsets->high.nr = TMM_OFFSETS_END - TMM_OFFSETS_LOW_END;
	err = tmm_range_allocator_add(&offsets->ra, &offsets->low);
	if (!err)
		err = tmm_range_allocator_add(&offsets->ra, &offsets->high);
	if (err)
		tmm_range_allocator_destroy(&offsets->ra);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_init);

/**
 * tmm_offsets_destroy() - undo tmm_offsets_init()
 * @offsets: the offsets; each has come back
 *
 * Context: Process context.
 */
void tmm_offsets_destroy(struct tmm_offsets *offsets)
{
	tmm_range_allocator_destroy(&offsets->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_destroy);

/**
 * tmm_offset_allocate() - find pages for a mapping
 * @offsets: the client's
 * @nr_pages: number of pages of the mapping
 * @is_low: the offset must fit the mmap2() of a 32-bit program
 *
 * Context: Process context, may sleep. O(log n).
 * Return: the offset, which is not inserted yet; ERR_PTR(-EOVERFLOW) if there is none, or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_offset *tmm_offset_allocate(struct tmm_offsets *offsets, u64 nr_pages, bool is_low)
{
	/* One page more, which stays a gap. */
	const u64 nr = nr_pages + 1;
	struct tmm_allocation_request req = tmm_request_any(nr);
	struct tmm_range_region *region = NULL;
	struct tmm_offset *offset;
	struct tmm_chunk *chunk;

	if (is_low)
		req = tmm_request_in_range(1, TMM_OFFSETS_LOW_END - 1, nr);
	chunk = tmm_range_request_allocate(&offsets->ra, &req, &region);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk) == -ENOMEM ? ERR_CAST(chunk) : ERR_PTR(-EOVERFLOW);
	offset = container_of(chunk, struct tmm_offset, chunk);
	offset->region = region;
	offset->object = NULL;
	return offset;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offset_allocate);

/**
 * tmm_offset_free() - give pages back
 * @offsets: the client's
 * @offset: nobody finds it; NULL is allowed
 *
 * Context: Process context. Cannot fail.
 */
void tmm_offset_free(struct tmm_offsets *offsets, struct tmm_offset *offset)
{
	if (offset)
		tmm_range_request_release(&offsets->ra, offset->region, &offset->chunk);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offset_free);

static u64 start_of(const struct rb_node *node)
{
	return rb_entry(node, struct tmm_offset, node)->chunk.start;
}

static bool comes_before(struct rb_node *node, const struct rb_node *other)
{
	return start_of(node) < start_of(other);
}

/**
 * tmm_offsets_insert() - let an offset be found
 * @offsets: the client's
 * @offset: nobody finds it yet
 * @object: what it stands for
 *
 * Context: The lock of the client's table is held.
 */
void tmm_offsets_insert(struct tmm_offsets *offsets, struct tmm_offset *offset,
			struct tmm_object *object)
{
	offset->object = object;
	rb_add(&offset->node, &offsets->known, comes_before);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_insert);

/**
 * tmm_offsets_remove() - undo tmm_offsets_insert()
 * @offsets: the client's
 * @offset: the offset
 *
 * Context: The lock of the client's table is held.
 */
void tmm_offsets_remove(struct tmm_offsets *offsets, struct tmm_offset *offset)
{
	rb_erase(&offset->node, &offsets->known);
	offset->object = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_remove);

/**
 * tmm_offsets_find() - find the offset that a page belongs to
 * @offsets: the client's
 * @page: number of the page
 *
 * Context: The lock of the client's table is held. O(log n).
 * Return: the offset that it is part of, or NULL
 */
struct tmm_offset *tmm_offsets_find(const struct tmm_offsets *offsets, u64 page)
{
	const struct rb_node *node = offsets->known.rb_node;
	struct tmm_offset *offset;

	while (node) {
		offset = rb_entry(node, struct tmm_offset, node);
		if (page < offset->chunk.start)
			node = node->rb_left;
		else if (page >= tmm_chunk_end(&offset->chunk))
			node = node->rb_right;
		else
			return offset;
	}
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_find);
