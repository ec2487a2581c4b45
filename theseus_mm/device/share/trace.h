/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of this layer, for borrows that are revoked. See alloc/trace.h. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_DEVICE_SHARE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_DEVICE_SHARE_TRACE_H

#include "core/address.h"

#include <linux/tracepoint.h>

/*
 * A process loses a borrowed part of a mapping, @offset bytes after @page. The borrow ends
 * after this event.
 */
TRACE_EVENT(tmm_revoke,
	TP_PROTO(u64 page, u64 offset, u64 nr_bytes, bool is_mutable),
	TP_ARGS(page, offset, nr_bytes, is_mutable),
	TP_STRUCT__entry(
		__field(u64, vaddr)
		__field(u64, nr_bytes)
		__field(bool, is_mutable)
	),
	TP_fast_assign(
		__entry->vaddr = tmm_vaddr_new_canonical(page << TMM_PAGE_SHIFT).v + offset;
		__entry->nr_bytes = nr_bytes;
		__entry->is_mutable = is_mutable;
	),
	TP_printk("vaddr=0x%llx nr_bytes=%llu %s", __entry->vaddr, __entry->nr_bytes,
		  __entry->is_mutable ? "mutable" : "immutable")
);

#endif /* TMM_DEVICE_SHARE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH device/share
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
