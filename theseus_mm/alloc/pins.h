/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins: the fields of struct pages that Linux's I/O and futexes use.
 *
 * Invariant: only pins change a page's reference count, which is TMM_UNPINNED without pins.
 * While areas map a page, its struct page refers to the mapping's file and the index of the
 * page in the file.
 * Lock: none; the caller keeps the frames out of all processes, or the areas in place.
 * Owner: the code that maps the frames into processes.
 */
#ifndef TMM_ALLOC_PINS_H
#define TMM_ALLOC_PINS_H

#include <linux/types.h>

struct address_space;

u64 tmm_pins_find(u64 first, u64 nr);
void tmm_pins_set_file(u64 first, u64 nr, struct address_space *mapping, pgoff_t index);
void tmm_pins_clear_file(u64 first, u64 nr);

#endif /* TMM_ALLOC_PINS_H */
