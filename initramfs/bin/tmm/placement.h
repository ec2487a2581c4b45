/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choose a range of RAM to reserve at the next boot.
 *
 * The first of these that has room is taken, and there the lowest address:
 * 1. on one NUMA node, which keeps memory of its own; then on any nodes
 * 2. above 4 GiB; then below, where devices with 32-bit DMA need memory
 * 3. at a multiple of 1 GiB; then of 128 MiB; then of 2 MiB
 *
 * The lowest address above 4 GiB stays RAM when memory is added to a machine, or is taken out. The
 * first 256 MiB are never taken: devices with 24-bit DMA need their start, and Linux's EFI stub
 * puts the kernel there if the command line has memmap=.
 */
#ifndef TMM_PLACEMENT_H
#define TMM_PLACEMENT_H

#include "machine.h"

#include <linux/types.h>
#include <stdbool.h>

#define ALIGN_SMALL	(2ULL << 20)
/* Linux has struct pages for whole sections. */
#define ALIGN_SECTION	(128ULL << 20)
#define ALIGN_LARGE	(1ULL << 30)

#define DMA32_END	(4ULL << 30)

/* Any node, or several. */
#define ANY_NODE	(-1)

/**
 * struct placement_request - the range that is wanted
 * @bytes: its size, a multiple of ALIGN_SMALL, or of ALIGN_SECTION for sections
 * @keep: bytes that Linux keeps at least
 * @node: the node to use, or ANY_NODE
 * @wants_sections: the range consists of whole sections
 */
struct placement_request {
	__u64 bytes;
	__u64 keep;
	int node;
	bool wants_sections;
};

/**
 * struct placement - the range that was chosen
 * @start: its address
 * @align: ALIGN_LARGE, ALIGN_SECTION or ALIGN_SMALL: the address is a multiple
 * @node: its node, or ANY_NODE if it is on several or Linux does not tell
 */
struct placement {
	__u64 start;
	__u64 align;
	int node;
};

/* Does Linux keep enough memory without @bytes? */
bool placement_is_affordable(const struct machine *machine,
			     const struct placement_request *request);
/* Find a range. False if there is none. */
bool placement_find(const struct machine *machine, const struct placement_request *request,
		    struct placement *placement);
/* Return the largest size that placement_find() finds a range for; 0 if there is none. */
__u64 placement_largest(const struct machine *machine, const struct placement_request *request);

#endif /* TMM_PLACEMENT_H */
