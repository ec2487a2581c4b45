// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory for user space. With it a program can do anything to the device, and to
 * the machine, so it takes CAP_SYS_RAWIO. The memory is neither cleared nor charged to an
 * account; its pages and tables are charged.
 */
#include "device/call/call.h"

#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/create.h"
#include "mapping/instance.h"
#include "mapping/instance_devices.h"
#include "mapping/mapped_pages.h"
#include "mapping/placement.h"

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/security.h>

/* The call gives the access that /dev/mem gives, so it obeys the same lockdown reason. */
static int check_right(void)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return security_locked_down(LOCKDOWN_DEV_MEM) ? -EPERM : 0;
}

static int check_region(const struct theseus_mm_device_region *region)
{
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return !region->nr_bytes || ((region->start | region->nr_bytes) & (TMM_PAGE_SIZE - 1)) ?
	       -EINVAL : 0;
}

int tmm_ioctl_add_device_region(struct tmm_call *call)
{
	const struct theseus_mm_device_region *region = &call->arg.device_region;
	int err = check_region(region) ?: check_right();

	BUILD_BUG_ON(THESEUS_MM_MEMORY_WRITE_BACK != TMM_WRITE_BACK);
	BUILD_BUG_ON(THESEUS_MM_MEMORY_UNCACHED != TMM_UNCACHED);
	BUILD_BUG_ON(THESEUS_MM_MEMORY_WRITE_COMBINING != TMM_WRITE_COMBINING);
	return err ?: tmm_instance_add_reserved_region(call->client->inst,
						       (struct tmm_paddr){ region->start },
						       region->nr_bytes, region->memory_type);
}

int tmm_ioctl_remove_device_region(struct tmm_call *call)
{
	const struct theseus_mm_device_region *region = &call->arg.device_region;
	int err = check_region(region);

	if (!err && region->memory_type)
		err = -EINVAL;
	return err ?: tmm_instance_remove_reserved_region(call->client->inst,
							  (struct tmm_paddr){ region->start },
							  region->nr_bytes);
}

static struct tmm_mapped_pages *map(struct tmm_client *client,
				    const struct theseus_mm_map_range *request)
{
	/* The low half is for identity mappings. */
	struct tmm_mapping_request req = { .account = client->account, .general_only = true };
	struct tmm_instance *inst = client->inst;
	struct tmm_paddr start;
	u64 first;
	int err = tmm_decode_flags(request->pte_flags, &req.flags);

	if (!err)
		err = tmm_paddr_new(request->paddr, &start);
	if (!err)
		err = tmm_chunks_of_bytes(tmm_paddr_frame_offset(start), request->nr_bytes,
					  &req.nr);
	if (err)
		return ERR_PTR(err);
	first = start.v >> TMM_PAGE_SHIFT;
	if (tmm_instance_has_ram(inst, first, req.nr))
		return ERR_PTR(-EOPNOTSUPP);
	return tmm_instance_map_frames_at(inst, inst->root, first, &req);
}

int tmm_ioctl_map_frame_range(struct tmm_call *call)
{
	struct theseus_mm_map_range *request = &call->arg.map_range;
	struct tmm_client *client = call->client;
	struct tmm_page_range pages;
	struct tmm_object *object;
	int err;

	err = check_right();
	if (err)
		return err;
	object = tmm_object_reserve(client);
	if (IS_ERR(object))
		return PTR_ERR(object);
	object->mapping = map(client, request);
	if (IS_ERR(object->mapping)) {
		err = PTR_ERR(object->mapping);
		tmm_object_abandon(client, object);
		return err;
	}
	object->kind = THESEUS_MM_KIND_MAPPING;
	pages = tmm_mapped_pages_range(object->mapping);
	request->handle = object->handle;
	request->start = tmm_page_range_start_address(&pages).v;
	request->nr_pages = tmm_page_range_size_in_pages(&pages);
	err = tmm_call_reply(call);
	if (err)
		tmm_object_drop(client, object);
	else
		tmm_object_publish(client, object);
	return err;
}
