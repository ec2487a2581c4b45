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

/**
 * tmm_instance_add_reserved_region() - let device memory be given out
 * @inst: the instance
 * @start: physical address, a multiple of 4096
 * @nr_bytes: size, a multiple of 4096
 * @type: how it is cached, in every mapping of it
 *
 * Context: Process context, may sleep.
 * Return: 0, or an error of tmm_device_region_add()
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

/**
 * tmm_instance_remove_reserved_region() - undo tmm_instance_add_reserved_region()
 * @inst: the instance
 * @start: as it was added
 * @nr_bytes: as it was added
 *
 * Context: Process context, may sleep.
 * Return:
 * * 0       - it is no longer ours
 * * -ERANGE - no such region was added
 * * -EBUSY  - a frame of it is owned; nothing changed
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

/**
 * tmm_instance_close_device() - close the regions of a device that is being removed
 * @inst: the instance
 * @start: first byte of a resource of the device
 * @end: last byte of it
 *
 * See tmm_device_region_close(). The caller revokes the areas in processes before it calls
 * tmm_instance_give_up_device().
 *
 * Context: Process context, sleeps.
 * Return: true if there was a region
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

/**
 * tmm_instance_give_up_device() - release the claims on the regions of a closed device
 * @inst: the instance
 * @start: as for tmm_instance_close_device()
 * @end: as for tmm_instance_close_device()
 *
 * The regions stay known until they are removed.
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

/* Remove the regions that nobody removed; the instance is being destroyed. */
void tmm_instance_forget_devices(struct tmm_instance *inst)
{
	struct tmm_device_region *device, *next;

	list_for_each_entry_safe(device, next, &inst->devices, link) {
		list_del(&device->link);
		TMM_BUG_IF(tmm_device_region_remove(&inst->fa, &device));
	}
}
