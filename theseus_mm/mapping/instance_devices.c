// SPDX-License-Identifier: GPL-2.0
#include "mapping/instance_devices.h"

#include "alloc/device_region.h"
#include "core/bug.h"
#include "mapping/instance.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

/*
 * Make a region of device memory available for allocation. @start and @nr_bytes are multiples
 * of 4096. @type is the memory type of every mapping of the region. Returns an error of
 * tmm_device_region_add().
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_add_reserved_region(struct tmm_instance *inst, struct tmm_paddr start,
				     u64 nr_bytes, enum tmm_memory_type type)
{
	struct tmm_device_region *device;

	tmm_device_regions_hold();
	mutex_lock(&inst->device_lock);
	device = tmm_device_region_add(&inst->fa, start, nr_bytes, type);
	if (!IS_ERR(device))
		list_add(&device->link, &inst->devices);
	mutex_unlock(&inst->device_lock);
	tmm_device_regions_unhold();
	return PTR_ERR_OR_ZERO(device);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_add_reserved_region);

static struct tmm_device_region *find_device(struct tmm_instance *inst, u64 first, u64 nr)
{
	struct tmm_device_region *device;

	lockdep_assert_held(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link)
		if (device->region.range.first == first && device->region.range.nr == nr)
			return device;
	return NULL;
}

/*
 * Undo tmm_instance_add_reserved_region(), which had the same arguments. Returns -ERANGE if no
 * such region was added, or -EBUSY if a frame of the region is owned. After an error nothing has
 * changed.
 *
 * Context: Process context, may sleep.
 */
int tmm_instance_remove_reserved_region(struct tmm_instance *inst, struct tmm_paddr start,
					u64 nr_bytes)
{
	struct tmm_device_region *device;
	int err = -ERANGE;

	if ((start.v | nr_bytes) & (TMM_PAGE_SIZE - 1))
		return err;
	mutex_lock(&inst->device_lock);
	device = find_device(inst, start.v >> TMM_PAGE_SHIFT, nr_bytes >> TMM_PAGE_SHIFT);
	if (device) {
		list_del(&device->link);
		err = tmm_device_region_remove(&inst->fa, &device);
		if (err)
			list_add(&device->link, &inst->devices);
	}
	mutex_unlock(&inst->device_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_remove_reserved_region);

/*
 * Close the regions in a resource of a device that is being removed. @start is the first and
 * @end the last byte of the resource. See tmm_device_region_close(). The caller then revokes the
 * areas in processes, and calls tmm_instance_give_up_device() last. Returns true if there was a
 * region.
 *
 * Context: Process context, sleeps.
 */
bool tmm_instance_close_device(struct tmm_instance *inst, u64 start, u64 end)
{
	struct tmm_device_region *device;
	bool found = false;

	mutex_lock(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link) {
		if (!device->is_claimed || !tmm_device_region_is_within(device, start, end))
			continue;
		tmm_device_region_close(&inst->fa, device);
		found = true;
	}
	mutex_unlock(&inst->device_lock);
	return found;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_close_device);

/*
 * Release the claims on the regions of a device that tmm_instance_close_device() closed. The
 * regions stay on the list until they are removed.
 *
 * Context: Process context, may sleep.
 */
void tmm_instance_give_up_device(struct tmm_instance *inst, u64 start, u64 end)
{
	struct tmm_device_region *device;

	mutex_lock(&inst->device_lock);
	list_for_each_entry(device, &inst->devices, link)
		if (device->is_claimed && device->region.range.is_closed &&
		    tmm_device_region_is_within(device, start, end))
			tmm_device_region_give_up(device);
	mutex_unlock(&inst->device_lock);
}
EXPORT_SYMBOL_IF_KUNIT(tmm_instance_give_up_device);

/* Remove the remaining regions, because the instance is being destroyed. */
void tmm_instance_forget_devices(struct tmm_instance *inst)
{
	struct tmm_device_region *device, *next;

	list_for_each_entry_safe(device, next, &inst->devices, link) {
		list_del(&device->link);
		TMM_BUG_IF(tmm_device_region_remove(&inst->fa, &device));
	}
}
