/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Struct pages for claimed RAM, so that I/O can pin memory that processes have mmapped.
 *
 * Invariant: only pins change a page's reference count, which is TMM_UNPINNED without
 * pins. The pages themselves are never allocated, freed or put on a list of Linux's. While
 * areas show a page, its struct page names the mapping's file and its index there.
 * Owner: the pool, which makes them when it is claimed.
 */
#ifndef TMM_ALLOC_STRUCT_PAGES_H
#define TMM_ALLOC_STRUCT_PAGES_H

#include <linux/types.h>

struct address_space;
struct tmm_struct_pages;

u64 tmm_struct_pages_align(void);
int __must_check tmm_struct_pages_check(u64 start, u64 nr_bytes);
struct tmm_struct_pages * __must_check tmm_struct_pages_create(u64 start, u64 nr_bytes);
void tmm_struct_pages_destroy(struct tmm_struct_pages *pages);
void tmm_struct_pages_on_failure(int (*report)(u64 number));
u64 tmm_struct_pages_nr_reserved(const struct tmm_struct_pages *pages);
u64 tmm_frames_find_pinned(u64 first, u64 nr);
void tmm_frames_set_file(u64 first, u64 nr, struct address_space *mapping, pgoff_t index);
void tmm_frames_clear_file(u64 first, u64 nr);

#endif /* TMM_ALLOC_STRUCT_PAGES_H */
