/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pool: RAM that the administrator took from Linux with memmap= and named to the
 * module, checked and claimed.
 *
 * Invariant: a claimed run was RAM in the firmware's own memory map, is Reserved
 * in the running one, is nobody else's in /proc/iomem, and stays exclusively
 * ours (for /dev/mem as well) until it is released.
 * Owner: main.c. The kernel alias is for the frame allocator; data is never
 * handed out through it.
 */
#ifndef TMM_ALLOC_POOL_H
#define TMM_ALLOC_POOL_H

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

/* Smaller ones have no room for a root and a few tables. */
#define TMM_POOL_MIN_BYTES	(64ULL << 10)

int __must_check tmm_pools_parse(const char *text, struct tmm_pool **pools, unsigned int *nr);
int __must_check tmm_pool_claim(struct tmm_pool *pool);
void tmm_pool_release(struct tmm_pool *pool);

#endif /* TMM_ALLOC_POOL_H */
