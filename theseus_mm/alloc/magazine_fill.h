/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filling of magazines (alloc/magazine.h) from the free set of their allocator.
 *
 * Invariant: a filling moves free chunks of a general region that lie side by side, the first ones
 * that are not in homes of other magazines (alloc/magazine_home.h), if there are such chunks.
 * Lock: those of the magazine and of the range allocator, taken by the function.
 * Owner: the range allocator.
 */
#ifndef TMM_ALLOC_MAGAZINE_FILL_H
#define TMM_ALLOC_MAGAZINE_FILL_H

struct tmm_range_allocator;

void tmm_magazine_fill(struct tmm_range_allocator *ra);

#endif /* TMM_ALLOC_MAGAZINE_FILL_H */
