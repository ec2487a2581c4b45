/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies from and to memory under a private root, in bounded windows.
 *
 * Code that interrupts a window takes addresses of the lower half for user space. So the lower
 * half is mapped only in windows that copy from or to the lower half (in tmm_window_transfer()
 * and its callers). A debugger's watchpoints are off during such a copy.
 *
 * Invariant: no window exceeds the bounds below.
 * Lock: none. The caller makes sure that the mappings stay.
 * Owner: none. No state survives a copy.
 */
#ifndef TMM_PAGING_WINDOW_COPY_H
#define TMM_PAGING_WINDOW_COPY_H

#include "core/address.h"
#include "core/pte_flags.h"

struct tmm_page_table;

/*
 * The bounds of one window: bytes of RAM, or accesses to memory that is not cached. An uncached
 * access takes a microsecond or two to reach a device and return.
 */
#define TMM_WINDOW_MAX_BYTES	TMM_PAGE_SIZE
#define TMM_WINDOW_MAX_ACCESSES	16

size_t __must_check tmm_window_copy(void *to, const void *from, size_t nr_bytes);

unsigned int tmm_window_access_width(enum tmm_memory_type type, u64 offset, u64 nr_bytes);
int __must_check tmm_window_transfer(struct tmm_page_table *pt, enum tmm_memory_type type,
				     void *to, const void *from, size_t nr_bytes, size_t *left);
int __must_check tmm_window_read(struct tmm_page_table *pt, struct tmm_vaddr from, void *to,
				 size_t nr_bytes, size_t *left);
int __must_check tmm_window_write(struct tmm_page_table *pt, struct tmm_vaddr to, const void *from,
				  size_t nr_bytes, size_t *left);
int __must_check tmm_window_copy_between(struct tmm_page_table *pt, struct tmm_vaddr to,
					 struct tmm_vaddr from, size_t nr_bytes, size_t *left);

#endif /* TMM_PAGING_WINDOW_COPY_H */
