/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Start-up of an instance, in two steps. The first step works on the claimed memory alone: the
 * allocators' state lies in the reserved part of that memory. The second step moves the state
 * to the kernel's heap and makes the context for kernel code.
 *
 * Owner: kernel/startup.c, through tmm_init() and tmm_init_post_heap().
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
 * struct tmm_early_identity_mapped_pages - mappings for start-up only
 * @root: read-only identity mapping of the first root's frames. A read of these frames
 *        shows that the root works, before other code depends on the root.
 *
 * Theseus: EarlyIdentityMappedPages
 */
struct tmm_early_identity_mapped_pages {
	struct tmm_mapped_pages *root;
};

/**
 * struct tmm_initial_memory_mappings - the mappings that start-up makes
 * @page_table: the first root, which the instance owns
 * @metadata: list of struct tmm_mapped_pages: read-only identity mappings of the bookkeeping
 *            of each run of memory, under a root of their own. The mappings own their frames.
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
