/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device regions: physical memory that is not RAM, such as a PCI device's BAR,
 * given to a frame allocator so that it can be owned and mapped like RAM.
 *
 * Invariant: while an allocator knows a region that is not closed, the module has claimed
 * it exclusively in /proc/iomem, and there is no RAM in it. The region is reserved: its
 * frames are given out by address only. The module itself never accesses them.
 * A region whose device is removed is *closed*: its frames stay with their owners, who can
 * only drop them. No frame is given out, and nobody can access their addresses.
 * Owner: the caller of tmm_device_region_add(), until tmm_device_region_remove().
 */
#ifndef TMM_ALLOC_DEVICE_REGION_H
#define TMM_ALLOC_DEVICE_REGION_H

#include "alloc/frame_regions.h"
#include "core/address.h"
#include "core/pte_flags.h"

#include <linux/err.h>
#include <linux/list.h>

/**
 * struct tmm_device_region - device memory that an allocator knows
 * @link: for the owner's list
 * @region: as the frame allocator sees it
 * @table: memory of its frame table
 * @is_claimed: its addresses are ours
 */
struct tmm_device_region {
	struct list_head link;
	/* private: */
	struct tmm_frame_region region;
	void *table;
	bool is_claimed;
};

struct tmm_device_region * __must_check
tmm_device_region_add(struct tmm_frame_allocator *fa, struct tmm_paddr start, u64 nr_bytes,
		      enum tmm_memory_type type);
int __must_check tmm_device_region_remove(struct tmm_frame_allocator *fa,
					  struct tmm_device_region **dr);

/* Removal of devices */
void tmm_device_regions_hold(void);
void tmm_device_regions_unhold(void);
bool tmm_device_region_is_within(const struct tmm_device_region *dr, u64 start, u64 end);
void tmm_device_region_close(struct tmm_frame_allocator *fa, struct tmm_device_region *dr);
void tmm_device_region_give_up(struct tmm_device_region *dr);
int tmm_device_region_access_begin(void);
void tmm_device_region_access_end(int token);

#endif /* TMM_ALLOC_DEVICE_REGION_H */
