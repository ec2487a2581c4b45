/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pool: RAM that the administrator took from Linux with memmap= and named to the
 * module, checked and claimed.
 *
 * Invariant: a claimed run was RAM in the firmware's own memory map, is Reserved
 * in the running one, is nobody else's in /proc/iomem, and stays exclusively
 * ours (for /dev/mem as well) until it is released.
 * Owner: main.c, as struct tmm_pools. The kernel alias is for the frame allocator; data is never
 * handed out through it.
 */
#ifndef TMM_ALLOC_POOL_H
#define TMM_ALLOC_POOL_H

#include <linux/moduleparam.h>
#include <linux/types.h>

struct resource;
struct tmm_struct_pages;

/**
 * struct tmm_pool - one claimed run
 * @start: physical address, a multiple of 4096
 * @nr_bytes: size, a multiple of 4096
 * @resource: our entry in /proc/iomem; NULL until claimed
 * @window: write-back alias of all of it; NULL until claimed
 * @wants_struct_pages: make struct pages of it when it is claimed
 * @struct_pages: they; NULL without
 * @nr_reserved: bytes at its start that hold them, not to be touched
 */
struct tmm_pool {
	u64 start;
	u64 nr_bytes;
	struct resource *resource;
	void *window;
	bool wants_struct_pages;
	struct tmm_struct_pages *struct_pages;
	u64 nr_reserved;
};

/**
 * struct tmm_pools - all claimed runs of the module
 * @pools: sorted by their start; NULL if there are none
 * @nr: their number
 */
struct tmm_pools {
	struct tmm_pool *pools;
	unsigned int nr;
};

/* Smaller ones have no room for a root and a few tables. */
#define TMM_POOL_MIN_BYTES	(64ULL << 10)

int __must_check tmm_pools_parse(const char *text, struct tmm_pool **pools, unsigned int *nr);
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
