/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins: what Linux's I/O and futexes know of frames that have struct pages.
 *
 * Invariant: only pins change a page's reference count, which is TMM_UNPINNED without
 * pins. While areas show a page, its struct page names the mapping's file and its index
 * there.
 * Lock: none; the caller keeps the frames out of all processes, or the areas in place.
 * Owner: whoever shows the frames to processes.
 */
#ifndef TMM_ALLOC_PINS_H
#define TMM_ALLOC_PINS_H

#include <linux/types.h>

struct address_space;

u64 tmm_pins_find(u64 first, u64 nr);
void tmm_pins_set_file(u64 first, u64 nr, struct address_space *mapping, pgoff_t index);
void tmm_pins_clear_file(u64 first, u64 nr);

#endif /* TMM_ALLOC_PINS_H */
