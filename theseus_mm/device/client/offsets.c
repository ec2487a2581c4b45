// SPDX-License-Identifier: GPL-2.0
#include "device/client/offsets.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>

static struct kmem_cache *offsets_cache;

/* The range allocator's chunk object is an offset: see struct tmm_range_hooks. */
static_assert(offsetof(struct tmm_offset, free_node) == 0);

static const struct tmm_range_hooks offset_hooks = {
	.cache = &offsets_cache,
	/* No account is charged for these pages: an offset costs a handle instead. */
	.resource = TMM_RESOURCE_HANDLES,
};

/* Make the slab cache that all offsets share. */
int __init tmm_offsets_cache_init(void)
{
	offsets_cache = kmem_cache_create("tmm_offsets", sizeof(struct tmm_offset), 0,
					  SLAB_ACCOUNT, NULL);
	return offsets_cache ? 0 : -ENOMEM;
}

void tmm_offsets_cache_exit(void)
{
	kmem_cache_destroy(offsets_cache);
}

/* Initialise a client's offsets; all pages are free. The result is 0 or -ENOMEM. May sleep. */
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
	if (err)
		goto err_destroy;
	err = tmm_range_allocator_add(&offsets->ra, &offsets->high);
	if (err)
		goto err_destroy;
	return 0;

err_destroy:
	tmm_range_allocator_destroy(&offsets->ra);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_init);

/* Undo tmm_offsets_init() once all offsets are freed. */
void tmm_offsets_destroy(struct tmm_offsets *offsets)
{
	tmm_range_allocator_destroy(&offsets->ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_destroy);

/*
 * Allocate pages for a mapping. With @is_low, the pages fit the mmap2() of a 32-bit program.
 * The offset is not inserted yet. The result is ERR_PTR(-EOVERFLOW) if no pages are left, or
 * ERR_PTR(-ENOMEM). May sleep; O(log n).
 */
struct tmm_offset *tmm_offset_allocate(struct tmm_offsets *offsets, u64 nr_pages, bool is_low)
{
	/* Allocate one page more, which stays a gap. */
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

/* Free an offset that no lookup can find. NULL is allowed. Cannot fail. */
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

/* Make an offset visible to lookups. The caller holds the lock of the client's table. O(log n). */
void tmm_offsets_insert(struct tmm_offsets *offsets, struct tmm_offset *offset,
			struct tmm_object *object)
{
	offset->object = object;
	rb_add(&offset->node, &offsets->known, comes_before);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_insert);

/* Undo tmm_offsets_insert(). The caller holds the lock of the client's table. */
void tmm_offsets_remove(struct tmm_offsets *offsets, struct tmm_offset *offset)
{
	rb_erase(&offset->node, &offsets->known);
	offset->object = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_offsets_remove);

/*
 * Find the offset that a page belongs to, or NULL. The caller holds the lock of the client's
 * table. O(log n).
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
