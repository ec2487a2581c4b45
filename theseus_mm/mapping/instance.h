/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance: memory, both allocators, and the root that all share.
 *
 * The module has one, on the RAM it claimed; tests make their own on memory of
 * theirs. The functions of the public header (include/theseus_mm.h) are the
 * tmm_instance_*() ones applied to the module's.
 *
 * Each run of memory is divided: its start holds the frame table and is a
 * reserved region, allocated for good; the rest is a general region.
 */
#ifndef TMM_MAPPING_INSTANCE_H
#define TMM_MAPPING_INSTANCE_H

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/pte_flags.h"

struct tmm_mapped_pages;
struct tmm_page_table;

/**
 * struct tmm_memory - a run of RAM for an instance
 * @first: number of the first frame
 * @nr: frames in it
 * @window: kernel alias of the first frame, for the whole run
 */
struct tmm_memory {
	u64 first;
	u64 nr;
	void *window;
};

/**
 * struct tmm_instance_memory - a run of RAM as an instance divides it
 * @memory: the run
 * @metadata: its first part, reserved
 * @general: the rest
 * @metadata_frames: owns all of @metadata
 */
struct tmm_instance_memory {
	struct tmm_memory memory;
	struct tmm_frame_region metadata;
	struct tmm_frame_region general;
	struct tmm_allocated_frames *metadata_frames;
};

/**
 * struct tmm_instance - all of it
 * @fa: frames
 * @pa: pages, those of the guard hole
 * @pages: the one region of @pa
 * @root: the shared root
 * @nr_memories: runs of RAM
 * @memories: the runs
 */
struct tmm_instance {
	struct tmm_frame_allocator fa;
	struct tmm_page_allocator pa;
	struct tmm_range_region pages;
	struct tmm_page_table *root;
	unsigned int nr_memories;
	struct tmm_instance_memory *memories;
};

int __must_check tmm_instance_init(struct tmm_instance *inst, const struct tmm_memory *memories,
				   unsigned int nr_memories);
void tmm_instance_exit(struct tmm_instance *inst);

struct tmm_mapped_pages * __must_check
tmm_instance_create_mapping(struct tmm_instance *inst, u64 nr_bytes, tmm_pte_flags_t flags,
			    bool zero);
struct tmm_mapped_pages * __must_check
tmm_instance_create_contiguous_mapping(struct tmm_instance *inst, u64 nr_bytes,
				       tmm_pte_flags_t flags, bool zero, struct tmm_paddr *paddr);
int __must_check tmm_instance_count(struct tmm_instance *inst, unsigned int index, u64 start,
				    u64 nr, u64 counts[TMM_NR_MARKS]);

/* Chunks that @nr_bytes from @offset within a chunk on touch; -EINVAL for none. */
int __must_check tmm_chunks_of_bytes(u64 offset, u64 nr_bytes, u64 *nr);

#endif /* TMM_MAPPING_INSTANCE_H */
