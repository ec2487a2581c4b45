// SPDX-License-Identifier: GPL-2.0
/* GET_INFO and GET_REGION: facts about the module and its regions. */
#include "device/call/call.h"

#include "alloc/account.h"
#include "device/client/client.h"
#include "device/client/features.h"
#include "device/share/mapping_file.h"
#include "mapping/instance.h"
#include "paging/page_table.h"

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>

static u64 region_bytes(const struct tmm_instance *inst)
{
	u64 nr = 0;
	unsigned int i;

	for (i = 0; i < inst->nr_memories; i++)
		nr += inst->memories[i].memory.nr;
	return nr << TMM_PAGE_SHIFT;
}

int tmm_ioctl_get_info(struct tmm_call *call)
{
	struct tmm_client *client = call->client;
	struct tmm_instance *inst = client->inst;
	struct theseus_mm_info *info = &call->arg.info;
	struct tmm_range_totals totals;
	unsigned int size;

	memset(info, 0, sizeof(*info));
	info->abi = THESEUS_MM_ABI;
	info->features = tmm_features(inst);
	info->paging_levels = tmm_paging_levels();
	info->nr_regions = inst->nr_memories;
	info->region_bytes = region_bytes(inst);
	tmm_range_allocator_totals(&inst->fa.ra, &totals);
	info->frames_total = totals.nr_total;
	info->frames_free = totals.nr_free;
	info->frames_ranges = totals.nr_ranges;
	for (size = TMM_4K; size < TMM_NR_PAGE_SIZES; size++)
		info->frames_largest[size] = totals.largest[size];
	tmm_range_allocator_totals(&inst->pa.ra, &totals);
	info->pages_start = tmm_vaddr_new_canonical(tmm_private_first_page() << TMM_PAGE_SHIFT).v;
	info->pages_total = totals.nr_total;
	info->pages_free = totals.nr_free;
	info->nr_mappings = tmm_page_table_nr_mappings(inst->root);
	info->nr_tables = READ_ONCE(inst->fa.nr_tables);
	info->client_handles = tmm_account_count(client->account, TMM_RESOURCE_HANDLES);
	info->client_handles_max =
		min_t(u64, tmm_account_max(client->account, TMM_RESOURCE_HANDLES), U32_MAX);
	info->client_frames = atomic64_read(&client->nr_frames);
	info->client_id = client->identity.id;
	info->nr_clients = tmm_clients_nr();
	info->frames_bad = READ_ONCE(inst->fa.nr_bad);
	return tmm_call_reply(call);
}

int tmm_ioctl_get_region(struct tmm_call *call)
{
	struct theseus_mm_region *region = &call->arg.region;
	const struct tmm_instance *inst = call->client->inst;
	const struct tmm_memory *memory;

	if (region->index >= inst->nr_memories)
		return -ERANGE;
	memory = &inst->memories[array_index_nospec(region->index, inst->nr_memories)].memory;
	region->start = tmm_identity_sees_all() ? memory->first << TMM_PAGE_SHIFT : 0;
	region->nr_bytes = memory->nr << TMM_PAGE_SHIFT;
	return tmm_call_reply(call);
}
