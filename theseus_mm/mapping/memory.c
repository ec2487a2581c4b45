// SPDX-License-Identifier: GPL-2.0
#include "mapping/memory.h"

#include "alloc/bad_frames.h"
#include "mapping/instance.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sort.h>

/* Bytes of the maps and tables of two parts of a run, of which the first has @nr_first frames. */
static u64 nr_bytes_of_parts(u64 first, u64 nr, u64 nr_first)
{
	return tmm_frame_regions_nr_bytes(first, nr_first) +
	       tmm_frame_regions_nr_bytes(first + nr_first, nr - nr_first);
}

/*
 * Returns the number of metadata frames of a run of @nr frames. The metadata lies at one end of
 * the run, and holds the maps and tables of both parts and @nr_early_bytes of early objects. If
 * the run is too small, the result is at least @nr.
 */
static u64 nr_metadata_frames(u64 first, u64 nr, size_t nr_early_bytes)
{
	u64 nr_metadata = 1, nr_needed = 1;

	/* A longer part needs more memory, so the loop ends at the first length that is enough. */
	do {
		nr_metadata = nr_needed;
		if (nr_metadata >= nr)
			return nr_metadata;
		nr_needed = DIV_ROUND_UP(max(nr_bytes_of_parts(first, nr, nr_metadata),
					     nr_bytes_of_parts(first, nr, nr - nr_metadata)) +
					 nr_early_bytes, TMM_PAGE_SIZE);
	} while (nr_needed > nr_metadata);
	return nr_metadata;
}

/* Sizes of the memory that holds the objects of the two allocators until the heap is used. */
struct early_memory {
	size_t nr_frame_bytes;	/* of the frame allocator */
	size_t nr_page_bytes;	/* of the page allocator */
};

/*
 * Regions, their first allocations and the first mappings need less than this estimate. An
 * allocator that needs more returns -ENOMEM.
 */
static struct early_memory plan_early(struct tmm_instance *inst)
{
	const size_t nr = 16 + 8 * inst->nr_memories;

	return (struct early_memory){
		.nr_frame_bytes = nr * tmm_range_allocator_object_size(&inst->fa.ra),
		.nr_page_bytes = nr * tmm_range_allocator_object_size(&inst->pa.ra),
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

/*
 * Should the bookkeeping be at the end of a run? Returns true if the run keeps more large
 * leaves without its last @nr_metadata frames than without its first. @nr_metadata is less than
 * the size of the run.
 */
bool tmm_memory_end_is_better(const struct tmm_memory *memory, u64 nr_metadata)
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
EXPORT_SYMBOL_IF_KUNIT(tmm_memory_end_is_better);

/* Set @region to a part of a run, from the run's frame @offset on. */
static void set_part(struct tmm_frame_region *region, enum tmm_region_type type,
		     const struct tmm_memory *memory, u64 offset, u64 nr)
{
	region->range.type = type;
	region->range.first = memory->first + offset;
	region->range.nr = nr;
	region->window = memory->window + (offset << TMM_PAGE_SHIFT);
	region->has_struct_pages = memory->has_struct_pages;
}

/* Retire the frames of bad= before any client can allocate them. */
static int retire_known(struct tmm_instance *inst, const struct tmm_instance_memory *mem)
{
	const struct tmm_memory *memory = &mem->memory;
	unsigned int i;
	int err = 0;

	for (i = 0; i < memory->nr_bad && !err; i++) {
		if (memory->bad[i] - memory->first >= memory->nr)
			continue;
		err = tmm_bad_frames_retire(&inst->fa, memory->bad[i]);
		if (err == -EEXIST)
			err = 0;
		if (err == -EBUSY)
			pr_err("bad=%#llx: refused: the address lies in the bookkeeping of its region, %lluK@%#llx: leave that range out of regions=\n",
			       memory->bad[i] << TMM_PAGE_SHIFT,
			       mem->metadata.range.nr << (TMM_PAGE_SHIFT - 10),
			       mem->metadata.range.first << TMM_PAGE_SHIFT);
	}
	return err;
}

/*
 * Divide a run into its two regions. The metadata of the first run also holds the early objects
 * of the allocators.
 */
static int divide_memory(struct tmm_instance *inst, struct tmm_instance_memory *mem)
{
	const bool is_first = mem == inst->memories;
	const struct early_memory early = plan_early(inst);
	const size_t nr_early_bytes = is_first ? early.nr_frame_bytes + early.nr_page_bytes : 0;
	const struct tmm_memory *memory = &mem->memory;
	const u64 nr_metadata = nr_metadata_frames(memory->first, memory->nr, nr_early_bytes);
	struct tmm_allocation_request req;
	bool is_at_end;
	void *table;
	int err;

	if (memory->nr <= nr_metadata)
		return -EINVAL;
	is_at_end = tmm_memory_end_is_better(memory, nr_metadata);
	set_part(&mem->metadata, TMM_REGION_RESERVED, memory,
		 is_at_end ? memory->nr - nr_metadata : 0, nr_metadata);
	set_part(&mem->general, TMM_REGION_GENERAL, memory, is_at_end ? 0 : nr_metadata,
		 memory->nr - nr_metadata);
	mem->general.range.is_reversed = is_at_end;

	table = mem->metadata.window;
	/*
	 * The early objects are at the end of the metadata, aligned for any object. The maps and
	 * tables of a region take a multiple of 8 bytes, so those of both regions are aligned.
	 */
	if (is_first)
		start_early(inst, table + (nr_metadata << TMM_PAGE_SHIFT) - nr_early_bytes, early);
	err = tmm_frame_regions_add(&inst->fa, &mem->metadata, table);
	if (err)
		return err;
	table += tmm_frame_regions_nr_bytes(mem->metadata.range.first, nr_metadata);
	err = tmm_frame_regions_add(&inst->fa, &mem->general, table);
	if (err)
		return err;
	req = tmm_request_at(mem->metadata.range.first, nr_metadata);
	mem->metadata_frames = tmm_frame_allocator_allocate(&inst->fa, &req);
	return PTR_ERR_OR_ZERO(mem->metadata_frames) ?: retire_known(inst, mem);
}

/* Upper bound of the frames for a root and the tables that start-up needs. */
#define NR_STARTUP_FRAMES	12

/*
 * Returns the smallest size of the first run, in frames. @first is the run's first frame. The
 * first run holds the early objects for all @nr_memories runs.
 */
u64 tmm_memory_first_nr_min(u64 first, unsigned int nr_memories)
{
	struct tmm_instance inst = { .nr_memories = nr_memories };
	struct early_memory early;
	u64 nr = NR_STARTUP_FRAMES;
	u64 needed;

	tmm_frame_allocator_init(&inst.fa);
	tmm_page_allocator_init(&inst.pa);
	early = plan_early(&inst);
	/* More frames need more memory, but less than two bytes each, so the loop ends. */
	for (;;) {
		needed = NR_STARTUP_FRAMES +
			 nr_metadata_frames(first, nr, early.nr_frame_bytes + early.nr_page_bytes);
		if (needed <= nr)
			return nr;
		nr = needed;
	}
}
EXPORT_SYMBOL_IF_KUNIT(tmm_memory_first_nr_min);

static int compare_first(const void *a, const void *b)
{
	const struct tmm_memory *left = &((const struct tmm_instance_memory *)a)->memory;
	const struct tmm_memory *right = &((const struct tmm_instance_memory *)b)->memory;

	return left->first < right->first ? -1 : left->first > right->first;
}

/* Does the window of @a also map @b, which begins within @a, with the same properties? */
static bool continues_memory(const struct tmm_memory *a, const struct tmm_memory *b)
{
	return a->window + ((b->first - a->first) << TMM_PAGE_SHIFT) == b->window &&
	       a->has_struct_pages == b->has_struct_pages;
}

/*
 * If two runs overlap, join them into the first run. If the runs cannot be joined, cut the
 * overlap off the second run. This step comes before any write to the runs.
 */
void tmm_memories_merge(struct tmm_instance *inst)
{
	struct tmm_memory *last = &inst->memories[0].memory;
	unsigned int i, nr = 1;

	sort(inst->memories, inst->nr_memories, sizeof(*inst->memories), compare_first, NULL);
	for (i = 1; i < inst->nr_memories; i++) {
		struct tmm_memory next = inst->memories[i].memory;
		u64 end = last->first + last->nr;

		if (next.first + next.nr <= end)
			continue;
		if (next.first < end && continues_memory(last, &next)) {
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

/* Make the frame table and the two regions of each run, and allocate the metadata frames. */
int tmm_memories_divide(struct tmm_instance *inst)
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
