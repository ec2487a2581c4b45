// SPDX-License-Identifier: GPL-2.0
#include "mapping/instance.h"

#include "alloc/bad_frames.h"
#include "alloc/device_region.h"
#include "alloc/quarantine.h"
#include "core/bug.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

/* Number of frames, at one end of a run of @nr, that hold the tables of both its parts. */
static u64 nr_metadata_frames(u64 first, u64 nr, size_t nr_early_bytes)
{
	/*
	 * Both parts' tables together have a byte per frame, and the bytes for
	 * blocks of the whole run and, again, of the metadata. That part is
	 * less than 1/4000 of the run, so it has at most 512 blocks of 2 MiB
	 * before it, one per 2^20 frames of the run, and a few at the edges.
	 */
	u64 bytes = tmm_frame_table_nr_bytes(first, nr) + 2 * TMM_TABLE_ENTRIES + (nr >> 20);

	return DIV_ROUND_UP(bytes + nr_early_bytes, TMM_PAGE_SIZE);
}

/**
 * struct early_memory - what allocators start on
 * @nr_frame_bytes: for objects of the frame allocator
 * @nr_page_bytes: for objects of the page allocator
 */
struct early_memory {
	size_t nr_frame_bytes;
	size_t nr_page_bytes;
};

/*
 * Regions, their first allocations and the first mappings take less than these;
 * an allocator that needs more says -ENOMEM.
 */
static struct early_memory plan_early(struct tmm_instance *inst, unsigned int nr_bad)
{
	const size_t nr = 16 + 8 * inst->nr_memories + 2 * nr_bad;

	return (struct early_memory){
		.nr_frame_bytes = nr * tmm_range_object_size(&inst->fa.ra),
		.nr_page_bytes = nr * tmm_range_object_size(&inst->pa.ra),
	};
}

static void start_early(struct tmm_instance *inst, void *memory, struct early_memory early)
{
	tmm_range_allocator_start_early(&inst->fa.ra, memory, early.nr_frame_bytes);
	tmm_range_allocator_start_early(&inst->pa.ra, memory + early.nr_frame_bytes,
					early.nr_page_bytes);
}

static u64 nr_leaves_in(u64 first, u64 nr, enum tmm_page_size size)
{
	const u64 leaf = tmm_page_size_4k_pages(size);
	u64 start = round_up(first, leaf), end = round_down(first + nr, leaf);

	return start < end ? (end - start) / leaf : 0;
}

/**
 * tmm_instance_end_is_better() - should the bookkeeping be at the end of a run?
 * @memory: the run
 * @nr_metadata: frames that the bookkeeping takes, fewer than the run has
 *
 * Return: true if the run keeps more large leaves without its last frames than without
 * its first
 */
bool tmm_instance_end_is_better(const struct tmm_memory *memory, u64 nr_metadata)
{
	const u64 nr = memory->nr - nr_metadata;
	enum tmm_page_size size;

	for (size = TMM_1G; size > TMM_4K; size--) {
		u64 behind = nr_leaves_in(memory->first + nr_metadata, nr, size);
		u64 before = nr_leaves_in(memory->first, nr, size);

		if (before != behind)
			return before > behind;
	}
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_end_is_better);

/* A part of a run, from its frame @offset on. */
static void set_part(struct tmm_frame_region *region, enum tmm_region_type type,
		     const struct tmm_memory *memory, u64 offset, u64 nr)
{
	region->range.type = type;
	region->range.first = memory->first + offset;
	region->range.nr = nr;
	region->window = memory->window + (offset << TMM_PAGE_SHIFT);
	region->has_struct_pages = memory->has_struct_pages;
}

/* Retire the frames of bad= before any frame can be given out. */
static int retire_known(struct tmm_instance *inst, const struct tmm_instance_memory *mem)
{
	const struct tmm_memory *memory = &mem->memory;
	unsigned int i;
	int err = 0;

	for (i = 0; i < memory->nr_bad && !err; i++) {
		if (memory->bad[i] - memory->first >= memory->nr)
			continue;
		err = tmm_frame_allocator_retire(&inst->fa, memory->bad[i]);
		if (err == -EEXIST)
			err = 0;
		if (err == -EBUSY)
			pr_err("refused: bad=%#llx lies in the bookkeeping of its region, %lluK@%#llx: leave that range out of regions=\n",
			       memory->bad[i] << TMM_PAGE_SHIFT,
			       mem->metadata.range.nr << (TMM_PAGE_SHIFT - 10),
			       mem->metadata.range.first << TMM_PAGE_SHIFT);
	}
	return err;
}

/* The first run also holds the state that allocators start on. */
static int divide_memory(struct tmm_instance *inst, struct tmm_instance_memory *mem)
{
	const bool is_first = mem == inst->memories;
	const struct early_memory early = plan_early(inst, mem->memory.nr_bad);
	const size_t nr_early_bytes = is_first ? early.nr_frame_bytes + early.nr_page_bytes : 0;
	const struct tmm_memory *memory = &mem->memory;
	const u64 nr_metadata = nr_metadata_frames(memory->first, memory->nr, nr_early_bytes);
	struct tmm_allocation_request req;
	bool is_at_end;
	void *table;
	int err;

	if (memory->nr <= nr_metadata)
		return -EINVAL;
	is_at_end = tmm_instance_end_is_better(memory, nr_metadata);
	set_part(&mem->metadata, TMM_REGION_RESERVED, memory,
		 is_at_end ? memory->nr - nr_metadata : 0, nr_metadata);
	set_part(&mem->general, TMM_REGION_GENERAL, memory, is_at_end ? 0 : nr_metadata,
		 memory->nr - nr_metadata);
	mem->general.range.is_reversed = is_at_end;

	table = mem->metadata.window;
	/* From the end: aligned for any object, and the tables are bytes. */
	if (is_first)
		start_early(inst, table + (nr_metadata << TMM_PAGE_SHIFT) - nr_early_bytes, early);
	err = tmm_frame_allocator_add(&inst->fa, &mem->metadata, table);
	if (err)
		return err;
	table += tmm_frame_table_nr_bytes(mem->metadata.range.first, nr_metadata);
	err = tmm_frame_allocator_add(&inst->fa, &mem->general, table);
	if (err)
		return err;
	req = tmm_request_at(mem->metadata.range.first, nr_metadata);
	mem->metadata_frames = tmm_frame_allocator_allocate(&inst->fa, &req);
	return PTR_ERR_OR_ZERO(mem->metadata_frames) ?: retire_known(inst, mem);
}

/* Room for a root and the tables that start-up needs; an upper bound. */
#define NR_STARTUP_FRAMES	12

/**
 * tmm_instance_first_nr_min() - smallest size of the first run
 * @first: first frame of the run
 * @nr_memories: number of runs: the first holds the state for all of them
 * @nr_bad: number of frames that are known to be bad
 *
 * Return: number of frames
 */
u64 tmm_instance_first_nr_min(u64 first, unsigned int nr_memories, unsigned int nr_bad)
{
	struct tmm_instance inst = { .nr_memories = nr_memories };
	struct early_memory early;
	u64 nr = NR_STARTUP_FRAMES;
	u64 needed;

	tmm_frame_allocator_init(&inst.fa);
	tmm_page_allocator_init(&inst.pa);
	early = plan_early(&inst, nr_bad);
	/* More frames need larger tables, but only a byte each, so the loop ends. */
	for (;;) {
		needed = NR_STARTUP_FRAMES +
			 nr_metadata_frames(first, nr, early.nr_frame_bytes + early.nr_page_bytes);
		if (needed <= nr)
			return nr;
		nr = needed;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_first_nr_min);

static int compare_first(const void *a, const void *b)
{
	const struct tmm_memory *left = &((const struct tmm_instance_memory *)a)->memory;
	const struct tmm_memory *right = &((const struct tmm_instance_memory *)b)->memory;

	return left->first < right->first ? -1 : left->first > right->first;
}

/* Does the window of @a also map @b, which begins within @a, with the same properties? */
static bool continues(const struct tmm_memory *a, const struct tmm_memory *b)
{
	return a->window + ((b->first - a->first) << TMM_PAGE_SHIFT) == b->window &&
	       a->has_struct_pages == b->has_struct_pages;
}

/*
 * If two runs overlap, join them into the first; if that is not possible, cut the overlap
 * off the second. This comes before anything is written to the runs.
 */
static void merge_memories(struct tmm_instance *inst)
{
	struct tmm_memory *last = &inst->memories[0].memory;
	unsigned int i, nr = 1;

	sort(inst->memories, inst->nr_memories, sizeof(*inst->memories), compare_first, NULL);
	for (i = 1; i < inst->nr_memories; i++) {
		struct tmm_memory next = inst->memories[i].memory;
		u64 end = last->first + last->nr;

		if (next.first + next.nr <= end)
			continue;
		if (next.first < end && continues(last, &next)) {
			last->nr = next.first + next.nr - last->first;
			continue;
		}
		if (next.first < end) {
			next.window += (end - next.first) << TMM_PAGE_SHIFT;
			next.nr -= end - next.first;
			next.first = end;
		}
		last = &inst->memories[nr++].memory;
		*last = next;
	}
	inst->nr_memories = nr;
}

static int divide_memories(struct tmm_instance *inst)
{
	unsigned int i;
	int err;

	for (i = 0; i < inst->nr_memories; i++) {
		err = divide_memory(inst, &inst->memories[i]);
		if (err)
			return err;
	}
	return 0;
}

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
	/* Virtual is physical there; page 0 is NULL. */
	inst->low_pages.type = TMM_REGION_DESIGNATED;
	inst->low_pages.first = 1;
	inst->low_pages.nr = tmm_page_number_limit() / 2 - 1;
	return tmm_page_allocator_add(&inst->pa, &inst->low_pages);
}

/* Also undoes a half-done tmm_instance_init(). */
static void forget_memories(struct tmm_instance *inst)
{
	unsigned int i;

	for (i = 0; i < inst->nr_memories; i++)
		tmm_allocated_frames_drop(&inst->memories[i].metadata_frames);
	tmm_frame_allocator_destroy(&inst->fa);
	tmm_page_allocator_destroy(&inst->pa);
	kfree(inst->memories);
}

/**
 * tmm_instance_init() - bring up allocators and the first root
 * @inst: the instance
 * @memories: runs of RAM; the instance's until tmm_instance_exit(). Their content is
 *            overwritten. Runs that overlap are merged.
 * @nr_memories: number of runs, 1 or more
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL if a run, or what is left of it, is too small, -EBUSY if
 * bookkeeping would lie on a bad frame, -ENOSPC if there is no room for the root, or
 * -ENOMEM
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
	merge_memories(inst);

	err = divide_memories(inst);
	if (!err)
		err = add_page_regions(inst);
	if (err)
		goto err_forget;
	inst->root = tmm_page_table_create(&inst->fa);
	err = PTR_ERR_OR_ZERO(inst->root);
	if (err)
		goto err_forget;
	return 0;

err_forget:
	forget_memories(inst);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_init);

/* Device regions that nobody removed. */
static void forget_devices(struct tmm_instance *inst)
{
	struct tmm_device_region *device, *next;

	list_for_each_entry_safe(device, next, &inst->devices, link) {
		list_del(&device->link);
		TMM_BUG_IF(tmm_device_region_remove(&inst->fa, &device));
	}
}

/**
 * tmm_instance_move_to_heap() - let allocators work on the kernel's heap
 * @inst: the instance
 *
 * Until then their state lies in the first run of memory, where there is room for
 * what start-up needs and not for more.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM: try again
 */
int tmm_instance_move_to_heap(struct tmm_instance *inst)
{
	int err = tmm_range_allocator_move_to_heap(&inst->fa.ra);

	return err ?: tmm_range_allocator_move_to_heap(&inst->pa.ra);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_move_to_heap);

/**
 * tmm_instance_exit() - undo tmm_instance_init()
 * @inst: the instance; everything it gave out has come back
 *
 * Context: Process context, may sleep.
 */
void tmm_instance_exit(struct tmm_instance *inst)
{
	tmm_frame_allocator_end_quarantine(&inst->fa);
	forget_devices(inst);
	tmm_page_table_put(inst->root);
	forget_memories(inst);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_exit);

/* Count the part of [start, end) that @region has. */
static int count_part(struct tmm_instance *inst, const struct tmm_range_region *region, u64 start,
		      u64 end, u64 counts[TMM_NR_MARKS])
{
	struct tmm_frame_range part;

	start = max(start, region->first);
	end = min(end, region->first + region->nr);
	if (start >= end)
		return 0;
	part = (struct tmm_frame_range){ { start, end - start, TMM_4K } };
	return tmm_frame_allocator_count(&inst->fa, &part, counts);
}

/**
 * tmm_instance_has_ram() - is a part of a run of frames RAM that was claimed?
 * @inst: the instance
 * @first: first frame
 * @nr: how many
 *
 * Context: Any.
 * Return: true if it is
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

/**
 * tmm_instance_count() - count the uses of the frames in a part of a run of RAM
 * @inst: the instance
 * @index: index of the run, in the order of tmm_instance_init()
 * @start: first frame, counted from the start of the run
 * @nr: frames; those past the run's end count for nothing
 * @counts: set, by enum tmm_frame_mark; and TMM_COUNT_METADATA, for which frames of the
 *          bookkeeping count instead
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERANGE if there is no such run
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
	if (!err)
		err = count_part(inst, &mem->metadata.range, start, end, unused);
	counts[TMM_COUNT_METADATA] = unused[TMM_MARK_ALLOCATED] + unused[TMM_MARK_MAPPED];
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_count);

/**
 * tmm_instance_add_reserved_region() - let device memory be given out
 * @inst: the instance
 * @start: physical address, a multiple of 4096
 * @nr_bytes: size, a multiple of 4096
 * @type: how it is cached, in every mapping of it
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_device_region_add()
 */
int tmm_instance_add_reserved_region(struct tmm_instance *inst, struct tmm_paddr start,
				     u64 nr_bytes, enum tmm_memory_type type)
{
	struct tmm_device_region *device;

	tmm_device_regions_hold();
	mutex_lock(&inst->device_lock);
	device = tmm_device_region_add(&inst->fa, start, nr_bytes, type);
	if (!IS_ERR(device))
		list_add(&device->link, &inst->devices);
	mutex_unlock(&inst->device_lock);
	tmm_device_regions_unhold();
	return PTR_ERR_OR_ZERO(device);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_add_reserved_region);

static struct tmm_device_region *find_device(struct tmm_instance *inst, u64 first, u64 nr)
{
	struct tmm_device_region *device;

	lockdep_assert_held(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link)
		if (device->region.range.first == first && device->region.range.nr == nr)
			return device;
	return NULL;
}

/**
 * tmm_instance_remove_reserved_region() - undo tmm_instance_add_reserved_region()
 * @inst: the instance
 * @start: as it was added
 * @nr_bytes: as it was added
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0       - it is no longer ours
 * * -ERANGE - no such region was added
 * * -EBUSY  - a frame of it is owned; nothing changed
 */
int tmm_instance_remove_reserved_region(struct tmm_instance *inst, struct tmm_paddr start,
					u64 nr_bytes)
{
	struct tmm_device_region *device;
	int err = -ERANGE;

	if ((start.v | nr_bytes) & (TMM_PAGE_SIZE - 1))
		return err;
	mutex_lock(&inst->device_lock);
	device = find_device(inst, start.v >> TMM_PAGE_SHIFT, nr_bytes >> TMM_PAGE_SHIFT);
	if (device) {
		list_del(&device->link);
		err = tmm_device_region_remove(&inst->fa, &device);
		if (err)
			list_add(&device->link, &inst->devices);
	}
	mutex_unlock(&inst->device_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_remove_reserved_region);

/**
 * tmm_instance_close_device() - close the regions of a device that is being removed
 * @inst: the instance
 * @start: first byte of a resource of the device
 * @end: last byte of it
 *
 * See tmm_device_region_close(). The caller revokes the areas in processes before it calls
 * tmm_instance_give_up_device().
 *
 * Context: Process context, sleeps.
 * Return: true if there was a region
 */
bool tmm_instance_close_device(struct tmm_instance *inst, u64 start, u64 end)
{
	struct tmm_device_region *device;
	bool found = false;

	mutex_lock(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link) {
		if (!device->is_claimed || !tmm_device_region_is_within(device, start, end))
			continue;
		tmm_device_region_close(&inst->fa, device);
		found = true;
	}
	mutex_unlock(&inst->device_lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_close_device);

/**
 * tmm_instance_give_up_device() - release the claims on the regions of a closed device
 * @inst: the instance
 * @start: as for tmm_instance_close_device()
 * @end: as for tmm_instance_close_device()
 *
 * The regions stay known until they are removed.
 *
 * Context: Process context, may sleep.
 */
void tmm_instance_give_up_device(struct tmm_instance *inst, u64 start, u64 end)
{
	struct tmm_device_region *device;

	mutex_lock(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link)
		if (device->is_claimed && device->region.range.is_closed &&
		    tmm_device_region_is_within(device, start, end))
			tmm_device_region_give_up(device);
	mutex_unlock(&inst->device_lock);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_give_up_device);
