/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device regions: physical memory that is not RAM, such as a PCI device's BAR,
 * given to a frame allocator so that it can be owned and mapped like RAM.
 *
 * Invariant: while an allocator knows one, it is exclusively ours in /proc/iomem,
 * and no RAM is in it. It is a reserved region: frames of it go to those who name
 * them. The module itself never touches what is behind them.
 * Owner: whoever added it, until tmm_device_region_remove().
 */
#ifndef TMM_ALLOC_DEVICE_REGION_H
#define TMM_ALLOC_DEVICE_REGION_H

#include "alloc/frame_allocator.h"
#include "core/pte_flags.h"
#include "core/types.h"

#include <linux/err.h>
#include <linux/list.h>

/**
 * struct tmm_device_region - device memory that an allocator knows
 * @link: for the owner's list
 * @region: as the frame allocator sees it
 * @table: memory of its frame table
 */
struct tmm_device_region {
	struct list_head link;
	/* private: */
	struct tmm_frame_region region;
	void *table;
};

struct tmm_device_region * __must_check
tmm_device_region_add(struct tmm_frame_allocator *fa, struct tmm_paddr start, u64 nr_bytes,
		      enum tmm_memory_type type);
int __must_check tmm_device_region_remove(struct tmm_frame_allocator *fa,
					  struct tmm_device_region **dr);

#endif /* TMM_ALLOC_DEVICE_REGION_H */
