/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapper: entries for runs of pages. The mapper handles ranges and bits; mapping/ handles the
 * ownership of pages and frames.
 *
 * A leaf is 4 KiB, 2 MiB or 1 GiB. Mapping chooses the sizes of the new leaves. Remapping and
 * unmapping use the existing leaves, and take runs of whole leaves only.
 * tmm_split_leaf_at() makes a page the start of a leaf. The mapper never joins leaves.
 *
 * Invariant: every operation on several pages is all or nothing. When an operation that clears
 * or changes entries returns, no CPU uses the old entries.
 * Lock: none. The caller owns the pages, so no other code writes their entries. Tables that
 * several owners share are counted (paging/table.h). Two callers can map in one table at the
 * same time. The callers make sure that no two of splitting, remapping and unmapping run at
 * the same time on the same pages. Translating, dumping and collecting flags may run at the
 * same time as any operation.
 */
#ifndef TMM_PAGING_MAPPER_H
#define TMM_PAGING_MAPPER_H

#include "core/address.h"
#include "core/page.h"
#include "core/pte_flags.h"
#include "core/range.h"
#include "paging/table.h"

#include <asm/cpufeature.h>

struct tmm_account;
struct tmm_page_table;

int __must_check tmm_mapper_map(struct tmm_page_table *pt, struct tmm_page_range pages,
				struct tmm_frame first, tmm_leaf_bits_t bits,
				enum tmm_page_size largest);
int __must_check tmm_mapper_map_counted(struct tmm_page_table *pt, struct tmm_page_range pages,
					struct tmm_frame first, tmm_leaf_bits_t bits,
					enum tmm_page_size largest, struct tmm_account *account,
					u64 *nr_tables);

/*
 * Map @page to @frame by a leaf of 4 KiB, if its table exists: what most small mappings need. The
 * caller owns both. Returns -EAGAIN, with nothing changed, if the caller has to call
 * tmm_mapper_map_counted() instead.
 *
 * Context: Any. O(levels).
 */
static inline int __must_check tmm_mapper_map_one(const struct tmm_page_table *pt, u64 page,
						  u64 frame, tmm_leaf_bits_t bits)
{
	return tmm_table_set_one(pt, page,
				 frame << TMM_PAGE_SHIFT | tmm_pte_leaf_bits_at(bits, TMM_4K));
}

void tmm_mapper_unmap(struct tmm_page_table *pt, struct tmm_page_range pages);
void tmm_mapper_remap(struct tmm_page_table *pt, struct tmm_page_range pages, bool is_writable);
void tmm_mapper_mark_dirty(struct tmm_page_table *pt, struct tmm_page_range pages);

/*
 * Returns the size of the largest leaf that this machine supports: TMM_1G, or TMM_2M if the CPU
 * has no 1 GiB leaves.
 */
static inline enum tmm_page_size tmm_mapper_largest_leaf(void)
{
	return cpu_feature_enabled(X86_FEATURE_GBPAGES) ? TMM_1G : TMM_2M;
}

enum tmm_page_size tmm_mapper_leaf_size(struct tmm_page_table *pt, struct tmm_page page);

#endif /* TMM_PAGING_MAPPER_H */
