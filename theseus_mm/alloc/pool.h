/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pool: RAM that the administrator took from Linux with memmap= and named in regions=. The
 * module has checked and claimed the RAM.
 *
 * Invariant: a claimed run is RAM in the firmware's own memory map and Reserved in the map that
 * Linux uses. No one else has claimed the run in /proc/iomem, and the claim is exclusive (for
 * /dev/mem as well) until the run is released.
 * Owner: main.c, as struct tmm_pools. The kernel alias is for the frame allocator; clients
 * never get the alias.
 */
#ifndef TMM_ALLOC_POOL_H
#define TMM_ALLOC_POOL_H

#include <linux/moduleparam.h>
#include <linux/types.h>

struct resource;
struct tmm_struct_pages;

/* One claimed run. */
struct tmm_pool {
	/* physical address, a multiple of 4096 */
	u64 start;
	/* a multiple of 4096 */
	u64 nr_bytes;
	/* the module's entry in /proc/iomem; NULL until claimed */
	struct resource *resource;
	/* write-back alias of the whole run; NULL until claimed */
	void *window;
	/* make struct pages when the run is claimed */
	bool wants_struct_pages;
	/* NULL if the run has no struct pages */
	struct tmm_struct_pages *struct_pages;
	/* bytes at the start of the run that hold the struct pages; not to be accessed */
	u64 nr_reserved;
};

/* All claimed runs of the module. */
struct tmm_pools {
	/* sorted by start; NULL if there are none */
	struct tmm_pool *pools;
	unsigned int nr;
};

/* A smaller run has no room for a root table and a few more tables. */
#define TMM_POOL_MIN_BYTES	(64ULL << 10)

int __must_check tmm_pools_parse(const char *text, bool wants_struct_pages,
				 struct tmm_pool **pools, unsigned int *nr);
int __must_check tmm_pool_claim(struct tmm_pool *pool);
void tmm_pool_release(struct tmm_pool *pool);

/* All pools that regions= names */
extern const struct kernel_param_ops tmm_pools_param_ops;
int __must_check tmm_pools_claim(struct tmm_pools *pools, const char *regions,
				 bool wants_struct_pages);
void tmm_pools_release(struct tmm_pools *pools);
bool tmm_pools_contain(const struct tmm_pools *pools, u64 frame);
void tmm_pools_announce(const struct tmm_pools *pools);

#endif /* TMM_ALLOC_POOL_H */
