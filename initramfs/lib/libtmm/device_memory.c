// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: regions, and mappings of their parts.
 */
#include "internal.h"

#define SAME(type)	_Static_assert((int)TMM_##type == THESEUS_MM_##type, #type)

SAME(MEMORY_WRITE_BACK);
SAME(MEMORY_UNCACHED);
SAME(MEMORY_WRITE_COMBINING);

int tmm_client_add_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes,
				 enum tmm_memory memory)
{
	struct theseus_mm_device_region call = {
		.memory_type = memory,
		.start = start,
		.nr_bytes = nr_bytes,
	};

	return tmm_client_call(client, THESEUS_MM_IOC_ADD_DEVICE_REGION, &call);
}

int tmm_client_remove_device_region(struct tmm_client *client, uint64_t start, uint64_t nr_bytes)
{
	struct theseus_mm_device_region call = { .start = start, .nr_bytes = nr_bytes };

	return tmm_client_call(client, THESEUS_MM_IOC_REMOVE_DEVICE_REGION, &call);
}

struct tmm_mapping *tmm_mapping_map_frame_range(struct tmm_client *client, uint64_t paddr,
						uint64_t nr_bytes, uint64_t flags)
{
	struct theseus_mm_map_range call = {
		.paddr = paddr,
		.nr_bytes = nr_bytes,
		.pte_flags = flags,
	};
	struct tmm_object *object;

	object = tmm_object_new(client);
	if (!object)
		return NULL;
	if (tmm_client_call(client, THESEUS_MM_IOC_MAP_FRAME_RANGE, &call)) {
		tmm_object_free(object);
		return NULL;
	}
	tmm_object_set(object, call.handle, call.start, call.nr_pages);
	return tmm_as_mapping(object);
}
