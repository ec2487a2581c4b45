// SPDX-License-Identifier: GPL-2.0
/*
 * TRANSLATE and DUMP_PTE: walk the page tables of the instance for the caller. The calls show
 * physical addresses, so they need CAP_SYS_ADMIN.
 */
#include "device/call/call.h"

#include "core/address.h"
#include "core/page.h"
#include "device/client/client.h"
#include "mapping/instance.h"
#include "paging/mapper.h"
#include "paging/page_table.h"
#include "paging/translate.h"

#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/string.h>

int tmm_ioctl_translate(struct tmm_call *call)
{
	struct theseus_mm_translate *request = &call->arg.translate;
	struct tmm_translation found;
	struct tmm_vaddr vaddr;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = tmm_vaddr_new(request->vaddr, &vaddr);
	if (err)
		return err;
	err = tmm_mapper_translate(call->client->inst->root, vaddr, &found);
	if (err)
		return err;
	request->page_size_shift = TMM_PAGE_SHIFT + tmm_page_size_order(found.size);
	request->paddr = found.paddr.v;
	request->pte_flags = (__force u64)found.flags;
	return tmm_call_reply(call);
}

int tmm_ioctl_dump_pte(struct tmm_call *call)
{
	struct theseus_mm_dump_pte *request = &call->arg.dump_pte;
	struct tmm_pte_dump dump = {};
	struct tmm_vaddr vaddr;
	int err;

	BUILD_BUG_ON(THESEUS_MM_MAX_LEVELS != TMM_MAX_LEVELS);
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = tmm_vaddr_new(request->vaddr, &vaddr);
	if (err)
		return err;
	tmm_translate_dump(call->client->inst->root, vaddr, &dump);
	request->nr_levels = dump.nr_levels;
	memcpy(request->entries, dump.entries, sizeof(dump.entries));
	return tmm_call_reply(call);
}
