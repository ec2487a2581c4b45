/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Struct pages for claimed RAM, so that I/O can pin memory that processes have mapped.
 *
 * Invariant: Linux never allocates or frees the pages, or puts them on a list. Code changes
 * only the fields that alloc/pins.h describes. No section of the run contains Linux's memory,
 * so Linux's own struct pages stay as they are.
 * Owner: the pool, which makes the struct pages when the pool is claimed.
 */
#ifndef TMM_ALLOC_STRUCT_PAGES_H
#define TMM_ALLOC_STRUCT_PAGES_H

#include <linux/bits.h>
#include <linux/mmzone.h>
#include <linux/types.h>

struct tmm_struct_pages;

/* Bytes of a memory section of Linux: 128 MiB. Linux has struct pages for whole sections. */
#define TMM_STRUCT_PAGES_SECTION	BIT_ULL(SECTION_SIZE_BITS)

u64 tmm_struct_pages_align(void);
int __must_check tmm_struct_pages_check(u64 start, u64 nr_bytes);
void tmm_struct_pages_cut(u64 *start, u64 *end);
bool tmm_struct_pages_are_shared(u64 start, u64 nr_bytes);
struct tmm_struct_pages * __must_check tmm_struct_pages_create(u64 start, u64 nr_bytes);
void tmm_struct_pages_destroy(struct tmm_struct_pages *pages);
void tmm_struct_pages_on_failure(int (*report)(u64 number));
u64 tmm_struct_pages_nr_reserved(const struct tmm_struct_pages *pages);

#endif /* TMM_ALLOC_STRUCT_PAGES_H */
