// SPDX-License-Identifier: GPL-2.0
#include "paging/page_table.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "core/bug.h"
#include "core/compat.h"
#include "paging/entry.h"
#include "paging/mirror.h"
#include "paging/tlb.h"

#include <asm/pgtable.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/refcount.h>
#include <linux/slab.h>

static s64 sum_mappings(const struct tmm_page_table *pt)
{
	unsigned int cpu;
	s64 nr = 0;

	for_each_possible_cpu(cpu)
		nr += READ_ONCE(*per_cpu_ptr(pt->nr_mappings, cpu));
	return nr;
}

/*
 * Returns the number of mappings under a root. The count is exact if no mapping is made or dropped
 * during the call. If a mapping is made on one CPU and dropped on another during the call, the sum
 * may lack the mapping and contain the drop, but the result is never below 0.
 *
 * Context: Any. O(CPUs).
 */
s64 tmm_page_table_nr_mappings(const struct tmm_page_table *pt)
{
	return max_t(s64, sum_mappings(pt), 0);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_nr_mappings);

static void free_root(struct tmm_page_table *pt)
{
	free_percpu(pt->nr_mappings);
	kfree(pt);
}

static void destroy_root(struct kref *kref)
{
	struct tmm_page_table *pt = container_of(kref, struct tmm_page_table, kref);
	unsigned int slot;

	/*
	 * Every mapping held a reference, and the last mapping's tables were freed with the
	 * mapping.
	 */
	TMM_BUG_IF(sum_mappings(pt));
	for (slot = 0; slot < TMM_FIRST_MIRROR_SLOT; slot++)
		TMM_BUG_IF(!tmm_entry_is_empty(pt->top[slot] | pt->low[slot]));
	/* A window may have ended just before the last reference was dropped. */
	tmm_tlb_wait();
	memset(pt->top, 0, TMM_PAGE_SIZE);
	memset(pt->low, 0, TMM_PAGE_SIZE);
	tmm_allocated_frames_drop(&pt->frames);
	free_root(pt);
}

/* Make a root of two aligned frames of RAM, which belong to @fa. @frames is consumed on success. */
static struct tmm_page_table *make_root(struct tmm_frame_allocator *fa,
					struct tmm_allocated_frames **frames)
{
	const struct tmm_frame_region *region = (*frames)->f.region;
	struct tmm_page_table *pt = kzalloc(sizeof(*pt), GFP_KERNEL_ACCOUNT);
	int err;

	BUILD_BUG_ON(LDT_PGD_ENTRY + TMM_TABLE_ENTRIES != TMM_FIRST_MIRROR_SLOT - 1);
	if (!pt)
		return ERR_PTR(-ENOMEM);
	pt->nr_mappings = alloc_percpu(s64);
	err = pt->nr_mappings ? tmm_allocated_frames_zero(*frames) : -ENOMEM;
	if (err) {
		free_root(pt);
		return ERR_PTR(err);
	}
	kref_init(&pt->kref);
	pt->fa = fa;
	pt->levels = tmm_paging_levels();
	pt->ram = region->window;
	pt->ram_paddr = region->range.first << TMM_PAGE_SHIFT;
	pt->ram_bytes = region->range.nr << TMM_PAGE_SHIFT;
	pt->frames = *frames;
	*frames = NULL;
	pt->paddr = pt->frames->f.chunk.start << TMM_PAGE_SHIFT;
	pt->top = tmm_frame_regions_ptr(fa, pt->frames->f.chunk.start);
	pt->low = tmm_frame_regions_ptr(fa, pt->frames->f.chunk.start + 1);
	tmm_mirror_init(pt);
	return pt;
}

/*
 * Make a root in which nothing is mapped. The root and its tables come from @fa, which must
 * live at least as long as the root. Returns ERR_PTR(-ENOSPC) if @fa has no two adjacent free
 * frames, ERR_PTR(-EINTR) if the task is being killed, or ERR_PTR(-ENOMEM).
 *
 * Context: Process context, may sleep.
 */
struct tmm_page_table *tmm_page_table_create(struct tmm_frame_allocator *fa)
{
	const struct tmm_allocation_request req = tmm_request_aligned(2, 2);
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate(fa, &req);
	struct tmm_page_table *pt;

	if (IS_ERR(frames))
		return ERR_CAST(frames);
	pt = make_root(fa, &frames);
	tmm_allocated_frames_drop(&frames);
	return pt;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_create);

static int check_root_frames(struct tmm_frame_allocator *fa,
			     const struct tmm_allocated_frames *frames)
{
	if (IS_ERR_OR_NULL(frames) || tmm_frames_nr(&frames->f) != 2 ||
	    frames->f.chunk.start & 1)
		return -EINVAL;
	if (frames->f.allocator != fa)
		return -EXDEV;
	/* The module writes a table through the kernel's alias. */
	if (!frames->f.region->window)
		return -EOPNOTSUPP;
	return tmm_allocated_frames_is_borrowed(frames) ? -EBUSY : 0;
}

/**
 * tmm_page_table_new_table() - make another root in which nothing is mapped
 * @current_pt: a root; the new root takes its tables from the same allocator
 * @p4_frames: two frames of RAM for the root, aligned to 8 KiB, of the same
 *             allocator; consumed on success, untouched on error. NULL to
 *             allocate two frames.
 *
 * Theseus: PageTable::new_table(), which takes one frame. Here the lower half has a
 * top-level table of its own.
 *
 * Context: Process context, may sleep.
 * Return:
 * * the root             - the caller gives it back with tmm_page_table_drop() or _put()
 * * ERR_PTR(-EINVAL)     - not two frames, or not aligned
 * * ERR_PTR(-EXDEV)      - frames of another allocator than @current_pt's
 * * ERR_PTR(-EOPNOTSUPP) - frames of device memory
 * * ERR_PTR(-EBUSY)      - the frames are borrowed
 * * ERR_PTR(-ENOSPC)     - no two adjacent frames are free
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 * * ERR_PTR(-EINTR)      - the task is being killed
 */
struct tmm_page_table *tmm_page_table_new_table(struct tmm_page_table *current_pt,
						struct tmm_allocated_frames **p4_frames)
{
	int err;

	if (!p4_frames)
		return tmm_page_table_create(current_pt->fa);
	err = check_root_frames(current_pt->fa, *p4_frames);
	if (err)
		return ERR_PTR(err);
	return make_root(current_pt->fa, p4_frames);
}
EXPORT_SYMBOL_TMM(tmm_page_table_new_table);

/**
 * tmm_page_table_drop() - give a root back, if there is no other reference
 * @pt: consumed on success, untouched on error; may be NULL or an error pointer
 *
 * Theseus: Drop for PageTable. In Theseus, code can drop a root that is in use.
 *
 * Context: Process context, not inside a window.
 * Return: 0, or -EBUSY if a mapping under the root or other code has a reference
 */
int tmm_page_table_drop(struct tmm_page_table **pt)
{
	struct tmm_page_table *doomed = *pt;

	if (!IS_ERR_OR_NULL(doomed)) {
		if (doomed->is_permanent || !refcount_dec_if_one(&doomed->kref.refcount))
			return -EBUSY;
		destroy_root(&doomed->kref);
	}
	*pt = NULL;
	return 0;
}
EXPORT_SYMBOL_TMM(tmm_page_table_drop);

/**
 * tmm_page_table_get() - take a reference
 * @pt: the root
 */
void tmm_page_table_get(struct tmm_page_table *pt)
{
	kref_get(&pt->kref);
}
EXPORT_SYMBOL_TMM(tmm_page_table_get);

/**
 * tmm_page_table_put() - give a reference back; the last one frees the root
 * @pt: the root
 *
 * Context: Any but interrupt, not inside a window.
 */
void tmm_page_table_put(struct tmm_page_table *pt)
{
	if (pt)
		kref_put(&pt->kref, destroy_root);
}
EXPORT_SYMBOL_TMM(tmm_page_table_put);

/**
 * tmm_page_table_physical_address() - the physical address of a root
 * @pt: the root
 *
 * Theseus: PageTable::physical_address()
 *
 * Return: its physical address
 */
struct tmm_paddr tmm_page_table_physical_address(const struct tmm_page_table *pt)
{
	return (struct tmm_paddr){ pt->paddr };
}
EXPORT_SYMBOL_TMM(tmm_page_table_physical_address);
