/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapper: entries for runs of pages. It knows numbers and bits; who owns pages
 * and frames is the business of mapping/.
 *
 * Invariant: every operation on several pages is all or nothing, and when one
 * that clears or changes entries returns, no CPU uses the old ones.
 * A leaf is 4 KiB, 2 MiB or 1 GiB. Mapping chooses; all that comes later finds
 * what is there, and takes runs of whole leaves only: tmm_split_leaf_at()
 * makes a page the start of one. Leaves are never joined.
 * Lock: none. The caller owns the pages, so nobody else writes their entries;
 * tables shared with others' pages are counted (paging/table.h). Two callers map
 * in one table at the same time. Splitting, remapping and unmapping of the same
 * pages exclude each other by the caller's own means; translating, dumping and
 * collecting flags go on beside them.
 */
#ifndef TMM_PAGING_MAPPER_H
#define TMM_PAGING_MAPPER_H

#include "core/address.h"
#include "core/page.h"
#include "core/pte_flags.h"
#include "paging/table.h"

struct tmm_account;
struct tmm_page_table;

/**
 * struct tmm_translation - what an address translates to
 * @paddr: the physical address
 * @flags: what the leaf entry shows
 * @size: size of the leaf
 */
struct tmm_translation {
	struct tmm_paddr paddr;
	tmm_pte_flags_t flags;
	enum tmm_page_size size;
};

/**
 * struct tmm_leaf_run - leaves that are alike and lie one behind the other
 * @page: number of the first page
 * @frame: number of the frame behind it
 * @nr: pages of 4 KiB
 * @size: of each leaf
 * @flags: what each leaf shows
 */
struct tmm_leaf_run {
	u64 page;
	u64 frame;
	u64 nr;
	enum tmm_page_size size;
	tmm_pte_flags_t flags;
};

/**
 * struct tmm_pte_dump - one address's walk
 * @nr_levels: entries looked at
 * @entries: raw entries, the root's first; a frozen leaf shows as the leaf it was
 */
struct tmm_pte_dump {
	unsigned int nr_levels;
	u64 entries[TMM_MAX_LEVELS];
};

int __must_check tmm_mapper_map(struct tmm_page_table *pt, u64 page, u64 frame, u64 nr, u64 bits,
				enum tmm_page_size largest);
int __must_check tmm_mapper_map_counted(struct tmm_page_table *pt, u64 page, u64 frame, u64 nr,
					u64 bits, enum tmm_page_size largest,
					struct tmm_account *account, u64 *nr_tables);
void tmm_mapper_unmap(struct tmm_page_table *pt, u64 page, u64 nr);
void tmm_mapper_remap(struct tmm_page_table *pt, u64 page, u64 nr, bool is_writable);
void tmm_mapper_mark_dirty(struct tmm_page_table *pt, u64 page, u64 nr);
tmm_pte_flags_t tmm_translate_collect_flags(struct tmm_page_table *pt, u64 page, u64 nr);

enum tmm_page_size tmm_mapper_largest_leaf(void);
enum tmm_page_size tmm_mapper_leaf_size(struct tmm_page_table *pt, u64 page);
int __must_check tmm_split_leaf_at(struct tmm_page_table *pt, u64 page);

int __must_check tmm_mapper_translate(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
				      struct tmm_translation *out);
int __must_check tmm_mapper_translate_page(struct tmm_page_table *pt, struct tmm_page page,
					   struct tmm_frame *out);
bool tmm_leaf_runs_find(struct tmm_page_table *pt, u64 page, u64 end, struct tmm_leaf_run *run);
bool tmm_leaf_runs_any_bad(struct tmm_page_table *pt, u64 page, u64 nr);
void tmm_translate_dump(struct tmm_page_table *pt, struct tmm_vaddr vaddr,
			struct tmm_pte_dump *out);

#endif /* TMM_PAGING_MAPPER_H */
