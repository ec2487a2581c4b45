// SPDX-License-Identifier: GPL-2.0
#include "alloc/device_region.h"

#include "alloc/decoded.h"
#include "alloc/firmware_map.h"

#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>

/* The readers are the module's own accesses to device memory, which may sleep between windows. */
DEFINE_STATIC_SRCU(accesses);

static u64 start_of(const struct tmm_device_region *dr)
{
	return dr->region.range.first << TMM_PAGE_SHIFT;
}

static u64 nr_bytes_of(const struct tmm_device_region *dr)
{
	return dr->region.range.nr << TMM_PAGE_SHIFT;
}

/* Check the range by itself, without looking at other resources. */
static int check_range(u64 start, u64 nr_bytes, enum tmm_memory_type type)
{
	u64 end;

	if (!nr_bytes || !IS_ALIGNED(start | nr_bytes, TMM_PAGE_SIZE) ||
	    (unsigned int)type >= TMM_NR_MEMORY_TYPES)
		return -EINVAL;
	if (check_add_overflow(start, nr_bytes, &end) ||
	    end > 1ULL << boot_cpu_data.x86_phys_bits)
		return -EOVERFLOW;
	return 0;
}

/*
 * True if a part of the range is RAM: in use by Linux, reserved with memmap= (for this module
 * or for others), or hot-added.
 */
static bool has_ram(u64 start, u64 nr_bytes)
{
	return region_intersects(start, nr_bytes, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
		       REGION_DISJOINT ||
	       tmm_firmware_map.has(&tmm_firmware_map, TMM_MAP_RAM, start, start + nr_bytes);
}

static bool overlaps_known(struct tmm_frame_allocator *fa, u64 start, u64 nr_bytes)
{
	u64 first = start >> TMM_PAGE_SHIFT;
	u64 end = (start + nr_bytes) >> TMM_PAGE_SHIFT;
	struct tmm_range_region *region;
	bool overlaps = false;

	spin_lock(&fa->ra.lock);
	list_for_each_entry(region, &fa->ra.regions, link)
		if (region->first < end && first < region->first + region->nr)
			overlaps = true;
	spin_unlock(&fa->ra.lock);
	return overlaps;
}

/* Claim the region in /proc/iomem, and in the kernel's list of memory types. */
static int claim_region(struct tmm_device_region *dr)
{
	int err;

	if (!request_mem_region_exclusive(start_of(dr), nr_bytes_of(dr), KBUILD_MODNAME))
		return -EBUSY;
	if (dr->region.memory_type == TMM_WRITE_COMBINING) {
		err = arch_io_reserve_memtype_wc(start_of(dr), nr_bytes_of(dr));
		if (err) {
			release_mem_region(start_of(dr), nr_bytes_of(dr));
			return err;
		}
	}
	dr->is_claimed = true;
	return 0;
}

static void release_claim(struct tmm_device_region *dr)
{
	if (!dr->is_claimed)
		return;
	dr->is_claimed = false;
	if (dr->region.memory_type == TMM_WRITE_COMBINING)
		arch_io_free_memtype_wc(start_of(dr), nr_bytes_of(dr));
	release_mem_region(start_of(dr), nr_bytes_of(dr));
}

static void free_device_region(struct tmm_device_region *dr)
{
	kvfree(dr->table);
	kfree(dr);
}

static struct tmm_device_region *new_device_region(u64 start, u64 nr_bytes,
						   enum tmm_memory_type type)
{
	struct tmm_device_region *dr = kzalloc(sizeof(*dr), GFP_KERNEL);
	struct tmm_range_region *range;

	if (!dr)
		return NULL;
	INIT_LIST_HEAD(&dr->link);
	dr->region.memory_type = type;
	range = &dr->region.range;
	range->type = TMM_REGION_RESERVED;
	range->first = start >> TMM_PAGE_SHIFT;
	range->nr = nr_bytes >> TMM_PAGE_SHIFT;
	/*
	 * The maps and the table have more than one byte per frame. The heap may have no room for
	 * those of a huge region, and this failure needs no warning.
	 */
	dr->table = kvzalloc(tmm_frame_regions_nr_bytes(range->first, range->nr),
			     GFP_KERNEL | __GFP_NOWARN);
	if (!dr->table) {
		kfree(dr);
		return NULL;
	}
	return dr;
}

/*
 * Add a device's memory, in whole frames, to an allocator. The frames are reserved: callers
 * allocate the frames by address only. The device memory is neither mapped nor accessed.
 *
 * May sleep. O(frames). Return:
 *
 * * the region           - the caller owns the region until tmm_device_region_remove()
 * * ERR_PTR(-EINVAL)     - not whole frames, an empty range, or an unknown @type
 * * ERR_PTR(-EOVERFLOW)  - the range ends past the last physical address
 * * ERR_PTR(-EOPNOTSUPP) - a part of the range is RAM
 * * ERR_PTR(-EADDRINUSE) - @fa already knows a part of the range
 * * ERR_PTR(-EBUSY)      - the processor or the chipset itself decodes a part of the range;
 *   a driver has claimed a part, or has mapped a part with another memory type; the range
 *   crosses the boundary of an entry of /proc/iomem, such as a BAR; or there was no memory
 *   for the claim, for which Linux returns no error of its own
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 */
struct tmm_device_region *tmm_device_region_add(struct tmm_frame_allocator *fa,
						struct tmm_paddr start, u64 nr_bytes,
						enum tmm_memory_type type)
{
	struct tmm_device_region *dr;
	int err;

	err = check_range(start.v, nr_bytes, type);
	if (err)
		return ERR_PTR(err);
	if (has_ram(start.v, nr_bytes))
		return ERR_PTR(-EOPNOTSUPP);
	if (overlaps_known(fa, start.v, nr_bytes))
		return ERR_PTR(-EADDRINUSE);
	if (tmm_decoded_by_machine(start.v, nr_bytes))
		return ERR_PTR(-EBUSY);
	dr = new_device_region(start.v, nr_bytes, type);
	if (!dr)
		return ERR_PTR(-ENOMEM);
	err = claim_region(dr);
	if (err)
		goto err_free;
	err = tmm_frame_regions_add(fa, &dr->region, dr->table);
	if (err)
		goto err_release;
	return dr;

err_release:
	release_claim(dr);
err_free:
	free_device_region(dr);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_device_region_add);

/*
 * Undo tmm_device_region_add(). @dr is consumed, and may point to NULL or an error pointer.
 * Sleeps. Return: 0, or -EBUSY if a frame of the region is owned; then nothing has changed.
 */
int tmm_device_region_remove(struct tmm_frame_allocator *fa, struct tmm_device_region **dr)
{
	struct tmm_device_region *doomed = *dr;
	int err;

	if (!IS_ERR_OR_NULL(doomed)) {
		err = tmm_frame_regions_remove(fa, &doomed->region);
		if (err)
			return err;
		release_claim(doomed);
		free_device_region(doomed);
	}
	*dr = NULL;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_device_region_remove);

#ifdef CONFIG_PCI
/*
 * Keep PCI devices from being removed. Otherwise a device could be removed after its memory is
 * claimed and before the notifier can find the region. Linux does not take this lock to remove
 * a platform device, or a PCI device that a driver created and removes when the driver is
 * unbound, such as a virtual function. May sleep. This lock is the outermost lock.
 */
void tmm_device_regions_hold(void)
{
	pci_lock_rescan_remove();
}

/* Undo tmm_device_regions_hold(). */
void tmm_device_regions_unhold(void)
{
	pci_unlock_rescan_remove();
}
#else
void tmm_device_regions_hold(void)
{
}

void tmm_device_regions_unhold(void)
{
}
#endif /* CONFIG_PCI */

/* True if all of the region lies in a range; @end is inclusive. */
bool tmm_device_region_is_within(const struct tmm_device_region *dr, u64 start, u64 end)
{
	return start <= start_of(dr) && start_of(dr) + nr_bytes_of(dr) - 1 <= end;
}

/*
 * Close a region whose device is being removed. The allocator knows the region until
 * tmm_device_region_remove(). When this function returns, frames of the region are no longer
 * given out, and the module does not access the frames. The caller has to revoke the areas in
 * processes. Sleeps.
 */
void tmm_device_region_close(struct tmm_frame_allocator *fa, struct tmm_device_region *dr)
{
	spin_lock(&fa->ra.lock);
	WRITE_ONCE(dr->region.range.is_closed, true);
	spin_unlock(&fa->ra.lock);
	/* Wait for copies, and for windows with interrupts off, that saw the region open. */
	synchronize_srcu(&accesses);
	synchronize_rcu();
}
EXPORT_SYMBOL_IF_KUNIT(tmm_device_region_close);

/*
 * Release the claim on the addresses of a region that is closed and mapped in no process. The
 * caller makes sure that the parent resource of the claim still exists. May sleep.
 */
void tmm_device_region_give_up(struct tmm_device_region *dr)
{
	pr_warn("device region %lluK@%#llx: the device was removed: drop the mappings of the region, then remove it\n",
		nr_bytes_of(dr) >> 10, start_of(dr));
	release_claim(dr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_device_region_give_up);

/*
 * Keep tmm_device_region_close() from returning until tmm_device_region_access_end(), to which
 * the caller passes the returned token. After this call, the caller checks whether the region
 * is closed.
 */
int tmm_device_region_access_begin(void)
	__acquires(&accesses)
{
	return srcu_read_lock(&accesses);
}

/* Undo tmm_device_region_access_begin(). */
void tmm_device_region_access_end(int token)
	__releases(&accesses)
{
	srcu_read_unlock(&accesses, token);
}
