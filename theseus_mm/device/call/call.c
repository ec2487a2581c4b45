// SPDX-License-Identifier: GPL-2.0
#include "device/call/call.h"

#include "device/call/user_words.h"
#include "device/client/handles.h"

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

/*
 * Convert flags of the UAPI. The functions of mapping/ check that the flags are well-formed and
 * suit the memory.
 */
int tmm_call_decode_flags(u64 user_flags, tmm_pte_flags_t *flags)
{
	BUILD_BUG_ON((THESEUS_MM_PTE_SETTABLE | THESEUS_MM_PTE_VALID |
		      THESEUS_MM_PTE_EXCLUSIVE) != (__force u64)TMM_PTE_ALL);
	if (user_flags & ~THESEUS_MM_PTE_SETTABLE)
		return -EINVAL;
	*flags = (__force tmm_pte_flags_t)user_flags;
	return 0;
}

/*
 * Convert an alignment: 0, or a power of two from 4 KiB to 1 GiB. Other alignments are refused,
 * so that a search for free memory tries few runs, see alloc/fit.h.
 */
int tmm_call_decode_align(u64 nr_bytes, u64 *align)
{
	if (nr_bytes && (!is_power_of_2(nr_bytes) || nr_bytes < TMM_PAGE_SIZE ||
			 nr_bytes > tmm_page_size_bytes(TMM_1G)))
		return -EINVAL;
	*align = nr_bytes >> TMM_PAGE_SHIFT;
	return 0;
}

int tmm_call_reply(const struct tmm_call *call)
{
	if (likely(call->user_size == call->size))
		return tmm_user_words_write(call->user, &call->arg, call->size);
	return copy_to_user(call->user, &call->arg, min(call->user_size, call->size)) ? -EFAULT : 0;
}

/* Reply, then make @object visible to the client. If the reply fails, drop @object. */
int tmm_call_deliver(struct tmm_call *call, struct tmm_object *object)
{
	int err;

	err = tmm_call_reply(call);
	if (err)
		tmm_handle_drop(call->client, object);
	else
		tmm_handle_publish(call->client, object);
	return err;
}
