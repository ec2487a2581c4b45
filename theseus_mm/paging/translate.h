/* SPDX-License-Identifier: GPL-2.0 */
/* Walks of one address through the tables. A walk may run at the same time as any change. */
#ifndef TMM_PAGING_TRANSLATE_H
#define TMM_PAGING_TRANSLATE_H

#include "core/page.h"
#include "core/pte_flags.h"
#include "core/range.h"
#include "paging/entry.h"

#include <linux/types.h>

struct tmm_page_table;

/**
 * struct tmm_translation - what an address translates to
 * @paddr: the physical address
 * @flags: flags of the leaf entry
 * @size: size of the leaf
 */
struct tmm_translation {
	struct tmm_paddr paddr;
	tmm_pte_flags_t flags;
	enum tmm_page_size size;
};

/**
 * struct tmm_pte_dump - the walk of one address
 * @nr_levels: number of entries that the walk read
 * @entries: raw entries, the root's first; a frozen leaf has PRESENT set, as before the
 *           split
 */
struct tmm_pte_dump {
	unsigned int nr_levels;
	u64 entries[TMM_MAX_LEVELS];
};

int __must_check tmm_mapper_translate(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
				      struct tmm_translation *out);
int __must_check tmm_translate_borrowed(struct tmm_page_table *pt, struct tmm_page page,
					struct tmm_translation *out);
int __must_check tmm_mapper_translate_page(struct tmm_page_table *pt, struct tmm_page page,
					   struct tmm_frame *out);
tmm_pte_flags_t tmm_translate_collect_flags(struct tmm_page_table *pt,
					    struct tmm_page_range pages);
void tmm_translate_dump(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
			struct tmm_pte_dump *out);

#endif /* TMM_PAGING_TRANSLATE_H */
