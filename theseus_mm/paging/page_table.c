// SPDX-License-Identifier: GPL-2.0
#include "paging/page_table.h"

#include "alloc/frames.h"
#include "core/bug.h"
#include "paging/window.h"

#include <asm/pgtable.h>
#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>

static void destroy(struct kref *kref)
{
	struct tmm_page_table *pt = container_of(kref, struct tmm_page_table, kref);
	unsigned int slot;

	/* Every mapping held a reference, and its tables went with it. */
	TMM_BUG_IF(atomic64_read(&pt->nr_mappings));
	for (slot = 0; slot < TMM_FIRST_MIRROR_SLOT; slot++)
		TMM_BUG_IF(pt->top[slot]);
	memset(pt->top, 0, TMM_PAGE_SIZE);
	tmm_allocated_frames_drop(&pt->frames);
	kfree(pt);
}

/**
 * tmm_page_table_create() - make a root in which nothing is mapped
 * @fa: where the root and its tables come from; stays as long as the root
 *
 * Theseus: PageTable::new_table()
 *
 * Context: Process context, may sleep.
 * Return: the root, ERR_PTR(-ENOSPC) if @fa has no two frames together, or
 * ERR_PTR(-ENOMEM)
 */
struct tmm_page_table *tmm_page_table_create(struct tmm_frame_allocator *fa)
{
	const struct tmm_allocation_request req = tmm_request_aligned(2, 2);
	struct tmm_page_table *pt = kzalloc(sizeof(*pt), GFP_KERNEL_ACCOUNT);
	int err;

	BUILD_BUG_ON(LDT_PGD_ENTRY + TMM_TABLE_ENTRIES != TMM_FIRST_MIRROR_SLOT - 1);
	if (!pt)
		return ERR_PTR(-ENOMEM);
	pt->frames = tmm_frame_allocator_allocate(fa, &req);
	err = PTR_ERR_OR_ZERO(pt->frames);
	if (err)
		goto err_free;
	err = tmm_allocated_frames_zero(pt->frames);
	if (err)
		goto err_drop_frames;
	kref_init(&pt->kref);
	pt->fa = fa;
	pt->levels = tmm_paging_levels();
	pt->paddr = pt->frames->f.chunk.start << TMM_PAGE_SHIFT;
	pt->top = tmm_frame_allocator_ptr(fa, pt->frames->f.chunk.start);
	tmm_window_init_mirror(pt);
	return pt;

err_drop_frames:
	tmm_allocated_frames_drop(&pt->frames);
err_free:
	kfree(pt);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_create);

/**
 * tmm_page_table_get() - take a reference
 * @pt: the root
 */
void tmm_page_table_get(struct tmm_page_table *pt)
{
	kref_get(&pt->kref);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_get);

/**
 * tmm_page_table_put() - give a reference back; the last one frees the root
 * @pt: the root
 *
 * Context: Any but interrupt.
 */
void tmm_page_table_put(struct tmm_page_table *pt)
{
	kref_put(&pt->kref, destroy);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_put);

/**
 * tmm_page_table_physical_address() - where the root is
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
EXPORT_SYMBOL_IF_KUNIT(tmm_page_table_physical_address);
