/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An instance: memory, both allocators, and the root that all clients share.
 *
 * The module has one instance, on the RAM that the module claimed; tests make their own. The
 * public header (include/linux/theseus_mm.h) applies the tmm_instance_*() functions to the
 * module's instance.
 */
#ifndef TMM_MAPPING_INSTANCE_H
#define TMM_MAPPING_INSTANCE_H

#include "alloc/frames.h"
#include "alloc/pages.h"
#include "core/pte_flags.h"
#include "mapping/memory.h"
#include "mapping/request.h"

#include <linux/mutex.h>

struct tmm_mapped_pages;
struct tmm_page_table;

/* A run of RAM, and the two regions into which an instance divides the run. */
struct tmm_instance_memory {
	struct tmm_memory memory;
	struct tmm_frame_region metadata;	/* the first or the last part, reserved */
	struct tmm_frame_region general;	/* the rest */
	/* Owns all of @metadata; NULL after the mapping of @metadata has become the owner. */
	struct tmm_allocated_frames *metadata_frames;
};

/**
 * struct tmm_instance - memory, allocators and root
 * @fa: the frame allocator
 * @pa: the page allocator: the guard hole, and the lower half for identity mappings
 * @pages: the guard hole except its last sixteenth, general
 * @kernel_pages: the last sixteenth of the guard hole. Clients can't allocate these pages, so
 *                kernel callers find room even if clients have used up @pages.
 * @low_pages: the lower half except page 0, designated
 * @root: the shared root
 * @nr_memories: number of runs of RAM
 * @memories: the runs
 * @device_lock: protects @devices
 * @devices: list of struct tmm_device_region
 */
struct tmm_instance {
	struct tmm_frame_allocator fa;
	struct tmm_page_allocator pa;
	struct tmm_range_region pages;
	struct tmm_range_region kernel_pages;
	struct tmm_range_region low_pages;
	struct tmm_page_table *root;
	unsigned int nr_memories;
	struct tmm_instance_memory *memories;
	struct mutex device_lock;	/* devices */
	struct list_head devices;
};

int __must_check tmm_instance_init(struct tmm_instance *inst, const struct tmm_memory *memories,
				   unsigned int nr_memories);
int __must_check tmm_instance_move_to_heap(struct tmm_instance *inst);
int __must_check tmm_instance_start_magazines(struct tmm_instance *inst);
void tmm_instance_exit(struct tmm_instance *inst);

bool tmm_instance_has_ram(const struct tmm_instance *inst, u64 first, u64 nr);
/* Index of the count of bookkeeping frames, after the counts by enum tmm_frame_mark. */
#define TMM_COUNT_METADATA	TMM_NR_MARKS
#define TMM_NR_COUNTS		(TMM_NR_MARKS + 1)

int __must_check tmm_instance_count(struct tmm_instance *inst, unsigned int index, u64 start,
				    u64 nr, u64 counts[TMM_NR_COUNTS]);

#endif /* TMM_MAPPING_INSTANCE_H */
