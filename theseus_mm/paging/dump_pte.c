// SPDX-License-Identifier: GPL-2.0
/* Text form of page-table entries, for the kernel log. */
#include "paging/dump_pte.h"

#include "core/compat.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/translate.h"

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/printk.h>

/* The longest line fits, with room to spare. */
#define LINE_BYTES	160

static int format_leaf(char *to, size_t nr_bytes, u64 entry, unsigned int level)
{
	static const char * const sizes[] = { "4 KiB", "2 MiB", "1 GiB" };
	static const char * const types[] = { "write-back", "uncached", "write-combining" };
	const enum tmm_page_size size = tmm_entry_leaf_size(level);
	tmm_pte_flags_t flags = tmm_pte_flags_of_leaf(entry, size);

	return scnprintf(to, nr_bytes,
			 TMM_PADDR_FMT " %s %s, %s%s%s%s%s",
			 tmm_entry_paddr(entry) & ~(tmm_page_size_bytes(size) - 1), sizes[size],
			 types[tmm_pte_memory_type_of_leaf(entry, size)],
			 tmm_pte_flags_is_writable(flags) ? "writable" : "read-only",
			 tmm_pte_flags_is_executable(flags) ? ", executable" : "",
			 tmm_pte_flags_is_accessed(flags) ? ", accessed" : "",
			 tmm_pte_flags_is_dirty(flags) ? ", dirty" : "",
			 tmm_pte_flags_is_exclusive(flags) ? ", exclusive" : "");
}

/*
 * Write @entry, a raw entry from tmm_translate_dump(), as text. @level is the level of the
 * table that holds the entry. Returns the length of the text, without the closing NUL.
 */
int tmm_dump_pte_format_entry(char *to, size_t nr_bytes, u64 entry, unsigned int level)
{
	int nr = scnprintf(to, nr_bytes, "level %u: %#018llx ", level, entry);

	if (!tmm_entry_is_present(entry))
		return nr + scnprintf(to + nr, nr_bytes - nr, "not present");
	if (tmm_entry_is_leaf(entry, level))
		return nr + format_leaf(to + nr, nr_bytes - nr, entry, level);
	return nr + scnprintf(to + nr, nr_bytes - nr, "table at " TMM_PADDR_FMT ", %u used",
			      tmm_entry_paddr(entry), tmm_entry_count(entry));
}
EXPORT_SYMBOL_IF_KUNIT(tmm_dump_pte_format_entry);

/**
 * tmm_page_table_dump_pte() - print the entries that translate an address
 * @pt: the root
 * @vaddr: the address
 *
 * The function prints one line per level to the kernel log, down to the level where the
 * walk ends.
 *
 * Theseus: Mapper::dump_pte()
 *
 * Context: Any but NMI. Mapping and unmapping may run at the same time. O(levels).
 */
void tmm_page_table_dump_pte(struct tmm_page_table *pt, struct tmm_vaddr vaddr)
{
	struct tmm_pte_dump dump = {};
	char line[LINE_BYTES];
	unsigned int i;

	tmm_translate_dump(pt, vaddr, &dump);
	if (!dump.nr_levels)
		pr_info(TMM_VADDR_FMT ": not canonical\n", vaddr.v);
	for (i = 0; i < dump.nr_levels; i++) {
		tmm_dump_pte_format_entry(line, sizeof(line), dump.entries[i], pt->levels - i);
		pr_info(TMM_VADDR_FMT " %s\n", vaddr.v, line);
	}
}
EXPORT_SYMBOL_TMM(tmm_page_table_dump_pte);
