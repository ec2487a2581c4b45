// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory for user space. A program with device memory can do anything to the device and
 * to the machine, so these calls need CAP_SYS_RAWIO. The memory is neither cleared nor charged
 * to an account; the pages and tables of its mappings are charged.
 */
#include "device/call/call.h"

#include "alloc/range_request.h"
#include "device/call/create.h"
#include "device/client/client.h"
#include "device/client/handles.h"
#include "mapping/instance.h"
#include "mapping/instance_devices.h"
#include "mapping/mapped_pages.h"
#include "mapping/request.h"

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/security.h>

/* The calls give the same access as /dev/mem, so the same lockdown reason applies. */
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
	int err;

	BUILD_BUG_ON(THESEUS_MM_MEMORY_WRITE_BACK != TMM_WRITE_BACK);
	BUILD_BUG_ON(THESEUS_MM_MEMORY_UNCACHED != TMM_UNCACHED);
	BUILD_BUG_ON(THESEUS_MM_MEMORY_WRITE_COMBINING != TMM_WRITE_COMBINING);
	err = check_region(region);
	if (err)
		return err;
	err = check_right();
	if (err)
		return err;
	return tmm_instance_add_reserved_region(call->client->inst,
						(struct tmm_paddr){ region->start },
						region->nr_bytes, region->memory_type);
}

int tmm_ioctl_remove_device_region(struct tmm_call *call)
{
	const struct theseus_mm_device_region *region = &call->arg.device_region;
	int err;

	err = check_region(region);
	if (err)
		return err;
	if (region->memory_type)
		return -EINVAL;
	return tmm_instance_remove_reserved_region(call->client->inst,
						   (struct tmm_paddr){ region->start },
						   region->nr_bytes);
}

static int decode_range(struct tmm_client *client, const struct theseus_mm_map_range *request,
			struct tmm_mapping_request *req)
{
	struct tmm_paddr start;
	int err;

	/* Use pages of general regions only, because the lower half is for identity mappings. */
	*req = (struct tmm_mapping_request){
		.frames = TMM_FRAMES_AT,
		.account = client->account,
		.general_only = true,
	};
	err = tmm_call_decode_flags(request->pte_flags, &req->flags);
	if (err)
		return err;
	err = tmm_paddr_new(request->paddr, &start);
	if (err)
		return err;
	req->first = start.v >> TMM_PAGE_SHIFT;
	err = tmm_chunks_of_bytes(tmm_paddr_frame_offset(start), request->nr_bytes, &req->nr);
	if (err)
		return err;
	return tmm_instance_has_ram(client->inst, req->first, req->nr) ? -EOPNOTSUPP : 0;
}

int tmm_ioctl_map_frame_range(struct tmm_call *call)
{
	struct theseus_mm_map_range *request = &call->arg.map_range;
	struct tmm_mapping_request req;
	struct tmm_page_range pages;
	struct tmm_object *object;
	int err;

	err = check_right();
	if (err)
		return err;
	err = decode_range(call->client, request, &req);
	if (err)
		return err;
	err = tmm_mapping_request_check(&req);
	if (err)
		return err;
	object = tmm_call_create(call->client, &req);
	if (IS_ERR(object))
		return PTR_ERR(object);
	pages = tmm_mapped_pages_range(object->mapping);
	request->handle = object->handle;
	request->start = tmm_page_range_start_address(&pages).v;
	request->nr_pages = tmm_page_range_size_in_pages(&pages);
	return tmm_call_deliver(call, object);
}
