// SPDX-License-Identifier: GPL-2.0
#include "mapping/instance.h"

#include "alloc/quarantine.h"
#include "mapping/instance_devices.h"
#include "mapping/memory.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

static int add_page_regions(struct tmm_instance *inst)
{
	int err;

	inst->pages.type = TMM_REGION_GENERAL;
	inst->pages.first = tmm_private_first_page();
	inst->pages.nr = tmm_private_nr_general_pages();
	err = tmm_page_allocator_add(&inst->pa, &inst->pages);
	if (err)
		return err;
	inst->kernel_pages.type = TMM_REGION_KERNEL;
	inst->kernel_pages.first = inst->pages.first + inst->pages.nr;
	inst->kernel_pages.nr = tmm_private_nr_pages() - inst->pages.nr;
	err = tmm_page_allocator_add(&inst->pa, &inst->kernel_pages);
	if (err)
		return err;
	/*
	 * Identity mappings use the lower half. Page 0 is left out, because its address is
	 * NULL.
	 */
	inst->low_pages.type = TMM_REGION_DESIGNATED;
	inst->low_pages.first = 1;
	inst->low_pages.nr = tmm_page_number_limit() / 2 - 1;
	return tmm_page_allocator_add(&inst->pa, &inst->low_pages);
}

/*
 * Free the allocators and the metadata. The function also undoes a partial tmm_instance_init().
 */
static void forget_memories(struct tmm_instance *inst)
{
	unsigned int i;

	for (i = 0; i < inst->nr_memories; i++)
		tmm_allocated_frames_drop(&inst->memories[i].metadata_frames);
	tmm_frame_allocator_destroy(&inst->fa);
	tmm_page_allocator_destroy(&inst->pa);
	kfree(inst->memories);
}

/*
 * Initialise the allocators and the first root on @nr_memories (1 or more) runs of RAM, which
 * the instance owns until tmm_instance_exit(). The content of the runs is overwritten. Runs
 * that overlap are merged, or the overlap is cut off the later run. Returns -EINVAL if a run is
 * too small, also after such a cut, -EBUSY if bookkeeping would lie on a bad frame, -ENOSPC if
 * there is no room for the root, -EINTR if the task is being killed, or -ENOMEM.
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_init(struct tmm_instance *inst, const struct tmm_memory *memories,
		      unsigned int nr_memories)
{
	unsigned int i;
	int err;

	memset(inst, 0, sizeof(*inst));
	mutex_init(&inst->device_lock);
	INIT_LIST_HEAD(&inst->devices);
	tmm_frame_allocator_init(&inst->fa);
	tmm_page_allocator_init(&inst->pa);
	inst->memories = kcalloc(nr_memories, sizeof(*inst->memories), GFP_KERNEL);
	if (!inst->memories)
		return -ENOMEM;
	inst->nr_memories = nr_memories;
	for (i = 0; i < nr_memories; i++)
		inst->memories[i].memory = memories[i];
	tmm_memories_merge(inst);

	err = tmm_memories_divide(inst);
	if (err)
		goto err_forget;
	err = add_page_regions(inst);
	if (err)
		goto err_forget;
	inst->root = tmm_page_table_create(&inst->fa);
	err = PTR_ERR_OR_ZERO(inst->root);
	if (err)
		goto err_forget;
	inst->root->is_permanent = true;
	return 0;

err_forget:
	forget_memories(inst);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_init);

/*
 * Move the state of the allocators to the kernel's heap. Before the move, the state lies in the
 * first run of memory, which has room for start-up only. After -ENOMEM the caller may try again.
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_move_to_heap(struct tmm_instance *inst)
{
	int err;

	err = tmm_range_allocator_move_to_heap(&inst->fa.ra);
	if (err)
		return err;
	return tmm_range_allocator_move_to_heap(&inst->pa.ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_move_to_heap);

/*
 * Give both allocators magazines. The state of the allocators lies in the kernel's heap. Return: 0
 * or an error of tmm_magazines_create(); then neither allocator has magazines.
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_start_magazines(struct tmm_instance *inst)
{
	int err;

	err = tmm_magazines_create(&inst->fa.ra);
	if (err)
		return err;
	err = tmm_magazines_create(&inst->pa.ra);
	if (err)
		tmm_magazines_destroy(&inst->fa.ra);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_start_magazines);

/*
 * Undo tmm_instance_init(). All objects of the instance have been dropped.
 *
 * Context: Process context, may sleep.
 */
void tmm_instance_exit(struct tmm_instance *inst)
{
	tmm_quarantine_end(&inst->fa);
	tmm_instance_forget_devices(inst);
	tmm_page_table_put(inst->root);
	forget_memories(inst);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_exit);

/* Count the part of [start, end) that lies in @region. */
static int count_part(struct tmm_instance *inst, const struct tmm_range_region *region, u64 start,
		      u64 end, u64 counts[TMM_NR_MARKS])
{
	struct tmm_frame_range part;

	start = max(start, region->first);
	end = min(end, region->first + region->nr);
	if (start >= end)
		return 0;
	part = tmm_frame_range_of(tmm_frame_4k(start), end - start);
	return tmm_frame_regions_count(&inst->fa, &part, counts);
}

/*
 * Returns true if any of the @nr frames from @first on lies in the RAM of the instance.
 *
 * Context: Any.
 */
bool tmm_instance_has_ram(const struct tmm_instance *inst, u64 first, u64 nr)
{
	unsigned int i;

	for (i = 0; i < inst->nr_memories; i++) {
		const struct tmm_memory *memory = &inst->memories[i].memory;

		if (first < memory->first + memory->nr && memory->first < first + nr)
			return true;
	}
	return false;
}

/*
 * Count @nr frames of run @index by their use. The runs are ordered by address. @start is relative
 * to the start of the run, and frames past the run's end are ignored. @counts is indexed by enum
 * tmm_frame_mark. Frames of the bookkeeping count only for TMM_COUNT_METADATA. Returns -ERANGE if
 * there is no such run.
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_count(struct tmm_instance *inst, unsigned int index, u64 start, u64 nr,
		       u64 counts[TMM_NR_COUNTS])
{
	const struct tmm_instance_memory *mem;
	u64 unused[TMM_NR_MARKS] = {};
	u64 end;
	int err;

	if (index >= inst->nr_memories)
		return -ERANGE;
	memset(counts, 0, sizeof(*counts) * TMM_NR_COUNTS);
	mem = &inst->memories[index];
	start = min(start, mem->memory.nr);
	end = mem->memory.first + start + min(nr, mem->memory.nr - start);
	start += mem->memory.first;
	err = count_part(inst, &mem->general.range, start, end, counts);
	if (err)
		return err;
	err = count_part(inst, &mem->metadata.range, start, end, unused);
	if (err)
		return err;
	counts[TMM_COUNT_METADATA] = unused[TMM_MARK_ALLOCATED] + unused[TMM_MARK_MAPPED];
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_count);
