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

/* The module's own accesses to device memory are the readers; they may sleep between windows. */
DEFINE_STATIC_SRCU(accesses);

static u64 start_of(const struct tmm_device_region *dr)
{
	return dr->region.range.first << TMM_PAGE_SHIFT;
}

static u64 nr_bytes_of(const struct tmm_device_region *dr)
{
	return dr->region.range.nr << TMM_PAGE_SHIFT;
}

/* What can be said without looking at what else there is. */
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

/* In use by Linux, reserved with memmap= (for us or others), or hot-added. */
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

/* Ours in /proc/iomem, and in the kernel's list of memory types. */
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
	/* A byte a frame: what is too much for the heap is no reason to warn. */
	dr->table = kvzalloc(tmm_frame_table_nr_bytes(range->first, range->nr),
			     GFP_KERNEL | __GFP_NOWARN);
	if (!dr->table) {
		kfree(dr);
		return NULL;
	}
	return dr;
}

/**
 * tmm_device_region_add() - give an allocator a device's memory
 * @fa: the allocator
 * @start: first byte, at the start of a frame
 * @nr_bytes: size, in whole frames
 * @type: how it is to be mapped
 *
 * Frames of the region are reserved: they are allocated by address only. The device memory
 * is neither mapped nor accessed.
 *
 * Context: Process context, may sleep. O(frames).
 * Return:
 * * the region           - the caller's until tmm_device_region_remove()
 * * ERR_PTR(-EINVAL)     - not whole frames, none, or no such type
 * * ERR_PTR(-EOVERFLOW)  - it reaches past the last physical address
 * * ERR_PTR(-EOPNOTSUPP) - some of it is RAM
 * * ERR_PTR(-EADDRINUSE) - @fa knows some of it already
 * * ERR_PTR(-EBUSY)      - the processor or the chipset itself decodes some of it; a
 *   driver has claimed some of it, or has mapped it with another memory type; it crosses
 *   the boundary of an entry of /proc/iomem, such as a BAR; or there was no memory for the
 *   claim, for which Linux returns no error of its own
 * * ERR_PTR(-ENOMEM)     - the kernel heap is exhausted
 */
struct tmm_device_region *tmm_device_region_add(struct tmm_frame_allocator *fa,
						struct tmm_paddr start, u64 nr_bytes,
						enum tmm_memory_type type)
{
	struct tmm_device_region *dr;
	int err = check_range(start.v, nr_bytes, type);

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

/**
 * tmm_device_region_remove() - undo tmm_device_region_add()
 * @fa: the allocator it was added to
 * @dr: consumed; may be NULL or an error pointer
 *
 * Context: Process context, sleeps.
 * Return: 0, or -EBUSY if one of its frames is owned; nothing has changed then
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
/**
 * tmm_device_regions_hold() - keep PCI devices from being removed
 *
 * Otherwise a device could be removed between the claim of its memory and the moment when
 * the notifier can find the region. Linux does not take this lock for platform devices, nor
 * when a driver is unbound that made PCI devices, such as virtual functions.
 *
 * Context: Process context, may sleep. Outermost of all locks.
 */
void tmm_device_regions_hold(void)
{
	pci_lock_rescan_remove();
}

/**
 * tmm_device_regions_unhold() - undo tmm_device_regions_hold()
 */
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

/**
 * tmm_device_region_is_within() - does a region lie in a range?
 * @dr: the region
 * @start: first byte of the range
 * @end: last byte of the range
 *
 * Return: true if all of @dr lies in the range
 */
bool tmm_device_region_is_within(const struct tmm_device_region *dr, u64 start, u64 end)
{
	return start <= start_of(dr) && start_of(dr) + nr_bytes_of(dr) - 1 <= end;
}

/**
 * tmm_device_region_close() - close a region whose device is being removed
 * @fa: the allocator it was added to
 * @dr: the region; stays known until tmm_device_region_remove()
 *
 * When this returns, frames of the region are given out no more, and the module does not
 * access them. The caller has to revoke the areas in processes.
 *
 * Context: Process context, sleeps.
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

/**
 * tmm_device_region_give_up() - release the claim on a region's addresses
 * @dr: the region; closed, and out of all processes
 *
 * Context: Process context, may sleep. The parent resource of the claim still exists.
 */
void tmm_device_region_give_up(struct tmm_device_region *dr)
{
	pr_warn("device region %lluK@%#llx: the device was removed: drop the mappings of the region, then remove it\n",
		nr_bytes_of(dr) >> 10, start_of(dr));
	release_claim(dr);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_device_region_give_up);

/**
 * tmm_device_region_access_begin() - keep regions from being closed
 *
 * Context: Process context. The caller checks afterwards whether the region is closed.
 * Return: a token for tmm_device_region_access_end()
 */
int tmm_device_region_access_begin(void)
	__acquires(&accesses)
{
	return srcu_read_lock(&accesses);
}

/**
 * tmm_device_region_access_end() - undo tmm_device_region_access_begin()
 * @token: what it returned
 */
void tmm_device_region_access_end(int token)
	__releases(&accesses)
{
	srcu_read_unlock(&accesses, token);
}
