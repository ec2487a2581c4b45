/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Homes of magazines (alloc/magazine.h): the home of a magazine is the block with the last chunk of
 * its last filling. A block has 1 << @home_order chunks (struct tmm_range_hooks), aligned. A
 * filling gets the first chunks that are not in homes of other magazines. So fillings of two CPUs
 * come from different blocks, and the CPUs write different cache lines when they use the chunks.
 *
 * Invariant: the homes of two magazines differ, and so do their numbers modulo TMM_NR_HOMES, their
 * slots. A home reserves nothing: its chunks are free for everybody, and a filling uses homes if it
 * finds nothing else.
 * Lock: the range allocator's; the home of a magazine also has the magazine's lock.
 * Owner: the magazine.
 */
#ifndef TMM_ALLOC_MAGAZINE_HOME_H
#define TMM_ALLOC_MAGAZINE_HOME_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

struct tmm_magazine;
struct tmm_range_allocator;
struct tmm_range_region;

/* The home of a magazine that has none. No block has this number. */
#define TMM_NO_HOME		U64_MAX

/* Searches for a chunk outside of homes in one region */
#define TMM_HOME_TRIES		4

int __must_check tmm_magazine_home_find(const struct tmm_range_allocator *ra,
					struct tmm_range_region **region, u64 *start);
unsigned int tmm_magazine_home_limit(const struct tmm_range_allocator *ra,
				     const struct tmm_range_region *region, u64 start,
				     unsigned int nr);
void tmm_magazine_home_enter(struct tmm_range_allocator *ra, struct tmm_magazine *magazine,
			     u64 number);
void tmm_magazine_home_leave(struct tmm_range_allocator *ra, struct tmm_magazine *magazine);

#endif /* TMM_ALLOC_MAGAZINE_HOME_H */
