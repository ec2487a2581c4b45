// SPDX-License-Identifier: GPL-2.0
#include "mapping/instance.h"

#include "core/bug.h"
#include "mapping/mapped_pages.h"
#include "paging/page_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Frames at the start of a run of @nr that hold the tables of both its parts. */
static u64 nr_metadata_frames(u64 first, u64 nr)
{
	/*
	 * Both parts' tables together have a byte per frame, and the bytes for
	 * blocks of the whole run and, again, of its first part. That part is
	 * less than 1/4000 of the run, so it has at most 512 blocks of 2 MiB
	 * before it, one per 2^20 frames of the run, and a few at the edges.
	 */
	u64 bytes = tmm_frame_table_nr_bytes(first, nr) + 2 * TMM_TABLE_ENTRIES + (nr >> 20);

	return DIV_ROUND_UP(bytes, TMM_PAGE_SIZE);
}

static int divide_memory(struct tmm_instance *inst, struct tmm_instance_memory *mem)
{
	const struct tmm_memory *memory = &mem->memory;
	u64 nr_metadata = nr_metadata_frames(memory->first, memory->nr);
	struct tmm_allocation_request req = tmm_request_at(memory->first, nr_metadata);
	u64 nr_table_bytes;
	int err;

	if (memory->nr <= nr_metadata)
		return -EINVAL;
	mem->metadata.range.type = TMM_REGION_RESERVED;
	mem->metadata.range.first = memory->first;
	mem->metadata.range.nr = nr_metadata;
	mem->metadata.window = memory->window;
	mem->general.range.type = TMM_REGION_GENERAL;
	mem->general.range.first = memory->first + nr_metadata;
	mem->general.range.nr = memory->nr - nr_metadata;
	mem->general.window = memory->window + (nr_metadata << TMM_PAGE_SHIFT);

	nr_table_bytes = tmm_frame_table_nr_bytes(memory->first, nr_metadata);
	err = tmm_frame_allocator_add(&inst->fa, &mem->metadata, memory->window);
	if (err)
		return err;
	err = tmm_frame_allocator_add(&inst->fa, &mem->general, memory->window + nr_table_bytes);
	if (err)
		return err;
	mem->metadata_frames = tmm_frame_allocator_allocate(&inst->fa, &req);
	return PTR_ERR_OR_ZERO(mem->metadata_frames);
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

static int add_private_pages(struct tmm_instance *inst)
{
	inst->pages.type = TMM_REGION_GENERAL;
	inst->pages.first = tmm_private_first_page();
	inst->pages.nr = TMM_PRIVATE_NR_PAGES;
	return tmm_page_allocator_add(&inst->pa, &inst->pages);
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
 * @memories: runs of RAM that do not overlap; the instance's until
 *            tmm_instance_exit(). What they hold is overwritten.
 * @nr_memories: how many, 1 or more
 *
 * Theseus: memory::init()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL if a run is too small, -EADDRINUSE if two overlap, -ENOSPC
 * if there is no room for the root, or -ENOMEM
 */
int tmm_instance_init(struct tmm_instance *inst, const struct tmm_memory *memories,
		      unsigned int nr_memories)
{
	unsigned int i;
	int err;

	memset(inst, 0, sizeof(*inst));
	tmm_frame_allocator_init(&inst->fa);
	tmm_page_allocator_init(&inst->pa);
	inst->memories = kcalloc(nr_memories, sizeof(*inst->memories), GFP_KERNEL);
	if (!inst->memories)
		return -ENOMEM;
	inst->nr_memories = nr_memories;
	for (i = 0; i < nr_memories; i++)
		inst->memories[i].memory = memories[i];

	err = divide_memories(inst);
	if (!err)
		err = add_private_pages(inst);
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

/**
 * tmm_instance_exit() - undo tmm_instance_init()
 * @inst: the instance; everything it gave out has come back
 *
 * Context: Process context, may sleep.
 */
void tmm_instance_exit(struct tmm_instance *inst)
{
	tmm_page_table_put(inst->root);
	forget_memories(inst);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_exit);

/**
 * tmm_chunks_of_bytes() - chunks that a number of bytes touches
 * @offset: where in the first chunk they start, below 4096
 * @nr_bytes: how many
 * @nr: set on success only
 *
 * Return: 0, -EINVAL if @nr_bytes is 0, or -EOVERFLOW
 */
int tmm_chunks_of_bytes(u64 offset, u64 nr_bytes, u64 *nr)
{
	u64 end;

	if (!nr_bytes)
		return -EINVAL;
	if (check_add_overflow(offset, nr_bytes, &end) ||
	    check_add_overflow(end, TMM_PAGE_SIZE - 1, &end))
		return -EOVERFLOW;
	*nr = end >> TMM_PAGE_SHIFT;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_chunks_of_bytes);

static struct tmm_allocated_pages *allocate_pages(struct tmm_instance *inst, u64 nr_bytes)
{
	struct tmm_allocation_request req;
	u64 nr;
	int err = tmm_chunks_of_bytes(0, nr_bytes, &nr);

	if (err)
		return ERR_PTR(err);
	req = tmm_request_any(nr);
	return tmm_page_allocator_allocate(&inst->pa, &req);
}

/**
 * tmm_instance_create_mapping() - new pages, mapped to new frames
 * @inst: the instance
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 * @zero: clear the frames first
 *
 * Theseus: memory::create_mapping()
 *
 * Context: Process context, may sleep. O(pages).
 * Return: the mapping, ERR_PTR(-EINVAL) if @nr_bytes is 0, ERR_PTR(-EOVERFLOW),
 * or an error of tmm_page_allocator_allocate() or tmm_map_allocated_pages();
 * after an error nothing stays allocated
 */
struct tmm_mapped_pages *tmm_instance_create_mapping(struct tmm_instance *inst, u64 nr_bytes,
						     tmm_pte_flags_t flags, bool zero)
{
	struct tmm_allocated_pages *pages = allocate_pages(inst, nr_bytes);
	struct tmm_mapped_pages *mp;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	mp = tmm_map_allocated_pages(inst->root, &pages, flags, zero);
	tmm_allocated_pages_drop(&pages);
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_mapping);

/**
 * tmm_instance_create_contiguous_mapping() - new pages, mapped to one run of frames
 * @inst: the instance
 * @nr_bytes: size, rounded up to whole pages
 * @flags: what the mapping may be used for
 * @zero: clear the frames first
 * @paddr: set to the physical address, on success only
 *
 * Theseus: memory::create_contiguous_mapping()
 *
 * Context: Process context, may sleep. O(pages).
 * Return: the mapping, or an error as tmm_instance_create_mapping(); after an
 * error nothing stays allocated
 */
struct tmm_mapped_pages *
tmm_instance_create_contiguous_mapping(struct tmm_instance *inst, u64 nr_bytes,
				       tmm_pte_flags_t flags, bool zero, struct tmm_paddr *paddr)
{
	struct tmm_allocated_pages *pages = allocate_pages(inst, nr_bytes);
	struct tmm_allocated_frames *frames = NULL;
	struct tmm_allocation_request req;
	struct tmm_mapped_pages *mp;
	u64 first;
	int err;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	req = tmm_request_any(tmm_allocated_pages_nr(pages));
	frames = tmm_frame_allocator_allocate(&inst->fa, &req);
	err = PTR_ERR_OR_ZERO(frames);
	if (!err && zero)
		err = tmm_allocated_frames_zero(frames);
	if (err) {
		mp = ERR_PTR(err);
		goto out;
	}
	first = frames->f.chunk.start;
	mp = tmm_map_allocated_pages_to(inst->root, &pages, &frames, flags);
	if (!IS_ERR(mp))
		paddr->v = first << TMM_PAGE_SHIFT;
out:
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
	return mp;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_create_contiguous_mapping);

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
 * tmm_instance_count() - what the frames of a part of a run of RAM are used for
 * @inst: the instance
 * @index: which run, in the order of tmm_instance_init()
 * @start: first frame, counted from the start of the run
 * @nr: frames; those past the run's end count for nothing
 * @counts: set, by enum tmm_frame_mark
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERANGE if there is no such run
 */
int tmm_instance_count(struct tmm_instance *inst, unsigned int index, u64 start, u64 nr,
		       u64 counts[TMM_NR_MARKS])
{
	const struct tmm_instance_memory *mem;
	u64 unused[TMM_NR_MARKS] = {};
	u64 end;
	int err;

	if (index >= inst->nr_memories)
		return -ERANGE;
	memset(counts, 0, sizeof(*counts) * TMM_NR_MARKS);
	mem = &inst->memories[index];
	start = min(start, mem->memory.nr);
	end = mem->memory.first + start + min(nr, mem->memory.nr - start);
	start += mem->memory.first;
	err = count_part(inst, &mem->general.range, start, end, counts);
	if (!err)
		err = count_part(inst, &mem->metadata.range, start, end, unused);
	counts[TMM_MARK_METADATA] += unused[TMM_MARK_ALLOCATED];
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_count);
