/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memories: the runs of RAM of an instance, and the parts of each run.
 *
 * One end of a run is a reserved region, which is allocated permanently and holds the frame
 * table. The rest of the run is a general region. The frame table lies at the run's start, unless
 * the run keeps more large leaves with the frame table at its end. The first run also holds the
 * early objects of both allocators.
 * Owner: the instance (mapping/instance.h).
 */
#ifndef TMM_MAPPING_MEMORY_H
#define TMM_MAPPING_MEMORY_H

#include <linux/compiler.h>
#include <linux/types.h>

struct tmm_instance;

/**
 * struct tmm_memory - a run of RAM for an instance
 * @first: number of the first frame
 * @nr: number of frames
 * @window: address at which the kernel maps the first frame; the rest of the run follows
 * @has_struct_pages: Linux knows a struct page of each frame
 * @bad: numbers of frames that are known to be bad, of this run and of others
 * @nr_bad: number of entries of @bad
 */
struct tmm_memory {
	u64 first;
	u64 nr;
	void *window;
	bool has_struct_pages;
	const u64 *bad;
	unsigned int nr_bad;
};

/* The smallest number of frames of the first run; can be called before an instance exists */
u64 tmm_memory_first_nr_min(u64 first, unsigned int nr_memories);
/* For tests; depends on the arguments only */
bool tmm_memory_end_is_better(const struct tmm_memory *memory, u64 nr_metadata);

void tmm_memories_merge(struct tmm_instance *inst);
int __must_check tmm_memories_divide(struct tmm_instance *inst);

#endif /* TMM_MAPPING_MEMORY_H */
