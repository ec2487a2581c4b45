/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory behind a mapping: its kind (RAM or device memory), and whether it can be used.
 *
 * Invariant: all memory of a mapping is of one kind (mapping/mapped_pages.h).
 * Lock: none. The caller has borrowed the mapping, or no other code changes the mapping.
 */
#ifndef TMM_MAPPING_MAPPED_PAGES_MEMORY_H
#define TMM_MAPPING_MAPPED_PAGES_MEMORY_H

#include "core/pte_flags.h"

#include <linux/types.h>

struct tmm_mapped_pages;

bool tmm_mapped_pages_is_ram(const struct tmm_mapped_pages *mp);
enum tmm_memory_type tmm_mapped_pages_memory_type(const struct tmm_mapped_pages *mp);
bool tmm_mapped_pages_memory_is_same(const struct tmm_mapped_pages *a,
				     const struct tmm_mapped_pages *b);

bool tmm_mapped_pages_is_closed(const struct tmm_mapped_pages *mp);
bool tmm_mapped_pages_any_bad(const struct tmm_mapped_pages *mp, u64 first, u64 nr);
bool tmm_mapped_pages_has_frame(const struct tmm_mapped_pages *mp, u64 number);

/* Quarantine */
void tmm_mapped_pages_taint(struct tmm_mapped_pages *mp);

#endif /* TMM_MAPPING_MAPPED_PAGES_MEMORY_H */
