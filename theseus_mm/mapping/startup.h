/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Start-up: what an instance of its own memory management needs before it can be
 * used, in two steps. The first works on the claimed memory alone: allocator state
 * lies in the memory's own reserved part. The second moves that to the kernel's
 * heap and makes the context that kernel code works in.
 *
 * Owner: kernel/startup.c, by way of tmm_init() and tmm_init_post_heap().
 */
#ifndef TMM_MAPPING_STARTUP_H
#define TMM_MAPPING_STARTUP_H

#include <linux/list.h>

struct tmm_instance;
struct tmm_mapped_pages;
struct tmm_memory;
struct tmm_mmi;
struct tmm_page_table;

/**
 * struct tmm_early_identity_mapped_pages - mappings used while starting only
 * @root: the first root's own frames, where virtual is physical, read-only. Reading
 *        them shows that the root works before anything else depends on it.
 *
 * Theseus: EarlyIdentityMappedPages
 */
struct tmm_early_identity_mapped_pages {
	struct tmm_mapped_pages *root;
};

/**
 * struct tmm_initial_memory_mappings - what is mapped before anyone asks
 * @page_table: the first root; the instance's
 * @metadata: struct tmm_mapped_pages: the bookkeeping of each run of memory, where
 *            virtual is physical, under a root of its own, read-only; owns its frames
 * @identity: gone after tmm_init_post_heap()
 *
 * Theseus: InitialMemoryMappings
 */
struct tmm_initial_memory_mappings {
	struct tmm_page_table *page_table;
	struct list_head metadata;
	struct tmm_early_identity_mapped_pages identity;
};

int __must_check tmm_startup_init(struct tmm_instance *inst, const struct tmm_memory *memories,
				  unsigned int nr_memories,
				  struct tmm_initial_memory_mappings *initial);
int __must_check tmm_startup_post_heap(struct tmm_instance *inst,
				       struct tmm_initial_memory_mappings *initial,
				       struct tmm_mmi **mmi);
void tmm_startup_abandon(struct tmm_initial_memory_mappings *initial);

#endif /* TMM_MAPPING_STARTUP_H */
