// SPDX-License-Identifier: GPL-2.0
#include "mapping/startup.h"

#include "mapping/instance.h"
#include "mapping/map.h"
#include "mapping/mapped_pages.h"
#include "mapping/mmi.h"
#include "paging/page_table.h"
#include "paging/window_copy.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

/*
 * Map bookkeeping at virtual addresses equal to its physical ones, so that the whole guard hole
 * stays free for other mappings. The mapping is read-only; the module writes the bookkeeping at
 * the addresses where the kernel maps it.
 */
static int map_run(struct tmm_instance *inst, struct tmm_page_table *root,
		   struct tmm_instance_memory *mem, struct list_head *list)
{
	const struct tmm_range_region *range = &mem->metadata.range;
	const struct tmm_allocation_request req = tmm_request_at(range->first, range->nr);
	struct tmm_allocated_pages *pages = tmm_page_allocator_allocate(&inst->pa, &req);
	struct tmm_mapped_pages *mp;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	mp = tmm_map_allocated_pages_to(root, &pages, &mem->metadata_frames, TMM_PTE_DEFAULT);
	tmm_allocated_pages_drop(&pages);
	if (IS_ERR(mp))
		return PTR_ERR(mp);
	list_add_tail(&mp->link, list);
	return 0;
}

/*
 * Map the bookkeeping under a root of its own, which lives as long as these mappings. If the
 * lower half of the shared root mapped the bookkeeping, an NMI during a copy could read the
 * bookkeeping as user memory.
 */
static int map_metadata(struct tmm_instance *inst, struct list_head *list)
{
	struct tmm_page_table *root = tmm_page_table_create(&inst->fa);
	unsigned int i;
	int err = 0;

	if (IS_ERR(root))
		return PTR_ERR(root);
	for (i = 0; i < inst->nr_memories && !err; i++)
		err = map_run(inst, root, &inst->memories[i], list);
	tmm_page_table_put(root);
	return err;
}

static int map_identity(struct tmm_instance *inst, struct tmm_early_identity_mapped_pages *identity)
{
	struct tmm_allocated_frames *frames = inst->root->frames;
	const struct tmm_allocation_request req =
		tmm_request_at(frames->f.chunk.start, frames->f.chunk.nr);
	struct tmm_allocated_pages *pages = tmm_page_allocator_allocate(&inst->pa, &req);
	struct tmm_mapped_pages *mp;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	mp = tmm_map_to_non_exclusive(inst->root, &pages, frames, TMM_PTE_DEFAULT);
	tmm_allocated_pages_drop(&pages);
	if (IS_ERR(mp))
		return PTR_ERR(mp);
	identity->root = mp;
	return 0;
}

/*
 * Check that a read at @vaddr returns the same content as @alias, in the second half of the
 * page.
 */
static int try_page(struct tmm_page_table *root, struct tmm_vaddr vaddr, const void *alias)
{
	void *seen = kmalloc(TMM_PAGE_SIZE, GFP_KERNEL);
	size_t left;
	int err;

	if (!seen)
		return -ENOMEM;
	err = tmm_window_read(root, vaddr, seen, TMM_PAGE_SIZE, &left);
	if (err)
		goto out;
	/*
	 * Compare only the second half of the page. The first half has the entries of the lower
	 * half of addresses, in which the hardware may set ACCESSED.
	 */
	if (left || memcmp(seen + TMM_PAGE_SIZE / 2, alias + TMM_PAGE_SIZE / 2, TMM_PAGE_SIZE / 2))
		err = -EIO;
out:
	kfree(seen);
	return err;
}

/*
 * Self-test: read a root's own tables through the root. If the content differs, private
 * roots do not translate correctly on this machine, and would show wrong data.
 */
static int try_root(struct tmm_page_table *root)
{
	int err;

	/*
	 * Read through both top-level tables of the root: at Linux's address through the table for
	 * windows, which maps Linux's memory as Linux does, and at the physical address through
	 * the table that has the lower half.
	 */
	err = try_page(root, (struct tmm_vaddr){ (unsigned long)root->top }, root->top);
	if (err)
		return err;
	return try_page(root, (struct tmm_vaddr){ root->paddr }, root->top);
}

/*
 * Initialise an instance on @nr_memories (1 or more) runs of RAM that no other code uses. On
 * success @initial is set to the initial mappings. Returns an error of tmm_instance_init(), or
 * -EIO if the machine does not translate correctly through the private root. After an error
 * nothing is left.
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 */
int tmm_startup_init(struct tmm_instance *inst, const struct tmm_memory *memories,
		     unsigned int nr_memories, struct tmm_initial_memory_mappings *initial)
{
	struct tmm_initial_memory_mappings made = {};
	int err;

	err = tmm_instance_init(inst, memories, nr_memories);
	if (err)
		return err;
	made.page_table = inst->root;
	INIT_LIST_HEAD(&made.metadata);
	err = map_metadata(inst, &made.metadata);
	if (err)
		goto err_abandon;
	err = map_identity(inst, &made.identity);
	if (err)
		goto err_abandon;
	err = try_root(inst->root);
	if (err)
		goto err_abandon;
	*initial = made;
	list_replace(&made.metadata, &initial->metadata);
	return 0;

err_abandon:
	tmm_startup_abandon(&made);
	tmm_instance_exit(inst);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_startup_init);

/*
 * Finish start-up. On success the function drops the mapping of @initial->identity, moves the
 * mappings of the bookkeeping to a new context, and sets @mmi to the new context for kernel code.
 * Returns 0 or -ENOMEM; on error @initial is untouched.
 *
 * Theseus: memory::init_post_heap()
 *
 * Context: Process context, may sleep.
 */
int tmm_startup_post_heap(struct tmm_instance *inst, struct tmm_initial_memory_mappings *initial,
			  struct tmm_mmi **mmi)
{
	struct tmm_mapped_pages *mp, *next;
	struct tmm_mmi *made;
	int err;

	err = tmm_instance_move_to_heap(inst);
	if (err)
		return err;
	made = tmm_mmi_create(initial->page_table);
	if (IS_ERR(made))
		return PTR_ERR(made);
	list_for_each_entry_safe(mp, next, &initial->metadata, link) {
		list_del_init(&mp->link);
		tmm_mmi_add_mapping(made, &mp);
	}
	tmm_mapped_pages_drop(&initial->identity.root);
	initial->page_table = NULL;
	*mmi = made;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_startup_post_heap);

/*
 * End the initial mappings from tmm_startup_init(). The instance stays.
 *
 * Context: Process context. Cannot fail.
 */
void tmm_startup_abandon(struct tmm_initial_memory_mappings *initial)
{
	struct tmm_mapped_pages *mp, *next;

	tmm_mapped_pages_drop(&initial->identity.root);
	list_for_each_entry_safe(mp, next, &initial->metadata, link) {
		list_del_init(&mp->link);
		tmm_mapped_pages_drop(&mp);
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_startup_abandon);
