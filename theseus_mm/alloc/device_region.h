/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device regions: physical memory that is not RAM, such as a PCI device's BAR, added to a frame
 * allocator so that clients can own and map the memory like RAM.
 *
 * Invariant: while an allocator knows a region that is not closed, the module has claimed the
 * region exclusively in /proc/iomem, and the region contains no RAM. The region is reserved:
 * its frames are given out by address only. The module itself accesses device memory only
 * between tmm_device_region_access_begin() and tmm_device_region_access_end(). A region whose
 * device is removed is *closed*: its frames stay with their owners, who can only drop the
 * frames. No frame is given out, and no process or CPU can access the frames' addresses.
 * Owner: the caller of tmm_device_region_add(), until tmm_device_region_remove().
 */
#ifndef TMM_ALLOC_DEVICE_REGION_H
#define TMM_ALLOC_DEVICE_REGION_H

#include "alloc/frame_regions.h"
#include "core/address.h"
#include "core/pte_flags.h"

#include <linux/err.h>
#include <linux/list.h>

/* Device memory that an allocator knows. Callers use @link only. */
struct tmm_device_region {
	/* for the owner's list */
	struct list_head link;
	/* the frame allocator's view of the region */
	struct tmm_frame_region region;
	/* memory of the frame maps and the frame table */
	void *table;
	/* the module has claimed the addresses in /proc/iomem */
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
