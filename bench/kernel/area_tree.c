// SPDX-License-Identifier: GPL-2.0
/*
 * The experiment of the original: the same mappings, and one red-black tree with a lock, which
 * records each mapping and finds the mapping by its address. Linux 6.1's vmalloc() has such a tree.
 */
#include "kernel/groups.h"
#include "kernel/measure.h"
#include "kernel/report.h"
#include "linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct area - what the tree knows of a mapping
 * @node: in the tree
 * @start: address of the first byte
 * @nr_bytes: size
 * @flags: flags of the mapping
 * @mp: the mapping, or NULL in the series without mappings
 */
struct area {
	struct rb_node node;
	u64 start;
	u64 nr_bytes;
	tmm_pte_flags_t flags;
	struct tmm_mapped_pages *mp;
};

static struct rb_root areas = RB_ROOT;
static DEFINE_SPINLOCK(areas_lock);
static struct kmem_cache *area_cache;

static bool is_before(struct rb_node *node, const struct rb_node *other)
{
	return rb_entry(node, struct area, node)->start < rb_entry(other, struct area, node)->start;
}

/* Compare an address with an area: 0 if the area contains the address. */
static int compare_address(const void *key, const struct rb_node *node)
{
	const struct area *area = rb_entry(node, struct area, node);
	u64 address = *(const u64 *)key;

	if (address < area->start)
		return -1;
	return address - area->start >= area->nr_bytes;
}

static struct area *find_area(u64 address)
{
	struct rb_node *node = rb_find(&address, &areas, compare_address);

	return node ? rb_entry(node, struct area, node) : NULL;
}

static int record_area(u64 start, struct tmm_mapped_pages *mp, tmm_pte_flags_t flags)
{
	struct area *area = kmem_cache_alloc(area_cache, GFP_KERNEL);

	if (!area)
		return -ENOMEM;
	area->start = start;
	area->nr_bytes = PAGE_SIZE;
	area->flags = flags;
	area->mp = mp;
	spin_lock(&areas_lock);
	rb_add(&area->node, &areas, is_before);
	spin_unlock(&areas_lock);
	return 0;
}

/* Look an area up, note the new flags, and return the mapping of the area. */
static int change_area(u64 address, tmm_pte_flags_t flags, struct tmm_mapped_pages **mp)
{
	struct area *area;

	spin_lock(&areas_lock);
	area = find_area(address);
	if (area) {
		area->flags = flags;
		*mp = area->mp;
	}
	spin_unlock(&areas_lock);
	return area ? 0 : -ENOENT;
}

static int forget_area(u64 address, struct tmm_mapped_pages **mp)
{
	struct area *area;

	spin_lock(&areas_lock);
	area = find_area(address);
	if (area)
		rb_erase(&area->node, &areas);
	spin_unlock(&areas_lock);
	if (!area)
		return -ENOENT;
	*mp = area->mp;
	kmem_cache_free(area_cache, area);
	return 0;
}

/* The steps with mappings. An object is the address, as in a system that knows only addresses. */
static int create_mapping(unsigned int i)
{
	const tmm_pte_flags_t flags = TMM_PTE_DEFAULT | TMM_PTE_WRITABLE;
	struct tmm_mapped_pages *mp = tmm_create_mapping(PAGE_SIZE, flags);
	struct tmm_page_range range;
	u64 start;
	int err;

	if (IS_ERR(mp))
		return PTR_ERR(mp);
	range = tmm_mapped_pages_range(mp);
	start = tmm_page_range_start_address(&range).v;
	err = record_area(start, mp, flags);
	if (err) {
		tmm_mapped_pages_drop(&mp);
		return err;
	}
	bench_objects[i] = (void *)start;
	return 0;
}

static int remap_mapping(unsigned int i)
{
	struct tmm_mapped_pages *mp;
	int err;

	err = change_area((u64)bench_objects[i], TMM_PTE_DEFAULT, &mp);
	if (err)
		return err;
	return tmm_mapped_pages_remap(mp, TMM_PTE_DEFAULT);
}

static int drop_mapping(unsigned int i)
{
	struct tmm_mapped_pages *mp;
	int err;

	err = forget_area((u64)bench_objects[i], &mp);
	if (err)
		return err;
	bench_objects[i] = NULL;
	tmm_mapped_pages_drop(&mp);
	return 0;
}

static void undo_mapping(unsigned int i)
{
	drop_mapping(i);
}

static const struct bench_step steps_all[] = {
	{ "create-4k", "rb-tree-baseline", create_mapping },
	{ "remap-4k", "rb-tree-baseline", remap_mapping },
	{ "drop-4k", "rb-tree-baseline", drop_mapping },
};

static const struct bench_series series_all = {
	.steps = steps_all, .nr_steps = ARRAY_SIZE(steps_all), .undo = undo_mapping,
};

/* The same steps without mappings: the share of the tree. */
static u64 address_of(unsigned int i)
{
	return (u64)(i + 1) << PAGE_SHIFT;
}

static int create_area(unsigned int i)
{
	int err = record_area(address_of(i), NULL, TMM_PTE_DEFAULT | TMM_PTE_WRITABLE);

	if (!err)
		bench_objects[i] = (void *)address_of(i);
	return err;
}

static int remap_area(unsigned int i)
{
	struct tmm_mapped_pages *mp;

	return change_area((u64)bench_objects[i], TMM_PTE_DEFAULT, &mp);
}

static int drop_area(unsigned int i)
{
	u64 address = (u64)bench_objects[i];
	struct tmm_mapped_pages *mp;

	bench_objects[i] = NULL;
	return forget_area(address, &mp);
}

static void undo_area(unsigned int i)
{
	drop_area(i);
}

static const struct bench_step steps_tree[] = {
	{ "create-4k-tree-part", "rb-tree-baseline", create_area },
	{ "remap-4k-tree-part", "rb-tree-baseline", remap_area },
	{ "drop-4k-tree-part", "rb-tree-baseline", drop_area },
};

static const struct bench_series series_tree = {
	.steps = steps_tree, .nr_steps = ARRAY_SIZE(steps_tree), .undo = undo_area,
};

void bench_area_tree(void)
{
	area_cache = KMEM_CACHE(area, 0);
	if (!area_cache) {
		bench_report_failed("create-4k", -ENOMEM);
		return;
	}
	bench_measure_sizes(&series_all);
	bench_measure_sizes(&series_tree);
	kmem_cache_destroy(area_cache);
}
