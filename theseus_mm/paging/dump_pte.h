/* SPDX-License-Identifier: GPL-2.0 */
/* Text form of page-table entries, for the kernel log. */
#ifndef TMM_PAGING_DUMP_PTE_H
#define TMM_PAGING_DUMP_PTE_H

#include "core/address.h"

#include <linux/types.h>

struct tmm_page_table;

int tmm_dump_pte_format_entry(char *to, size_t nr_bytes, u64 entry, unsigned int level);
void tmm_page_table_dump_pte(struct tmm_page_table *pt, struct tmm_vaddr vaddr);

#endif /* TMM_PAGING_DUMP_PTE_H */
