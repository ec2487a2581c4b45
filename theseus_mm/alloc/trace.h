/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of this layer: pages, frames and tables that move between the free set and an
 * owner. Each higher layer has a trace.h of its own. All tracepoints are in
 * /sys/kernel/tracing/events/theseus_mm/.
 *
 * A disabled tracepoint costs a jump that is not taken. No tracepoint runs in a window, while a
 * CPU is inside (paging/tlb.h), or under an allocator's lock. Like Linux's own tracepoints,
 * these show physical addresses to users who may trace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_ALLOC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_ALLOC_TRACE_H

#include "core/address.h"

#include <linux/tracepoint.h>

/* These are macros, not an enum, since programs read the numbers in the event formats. */
#define TMM_TRACE_PAGES		1
#define TMM_TRACE_FRAMES	2
#define TMM_TRACE_TABLE		3

#define tmm_trace_kind(kind)							\
	__print_symbolic(kind,							\
			 { TMM_TRACE_PAGES, "pages" },				\
			 { TMM_TRACE_FRAMES, "frames" },			\
			 { TMM_TRACE_TABLE, "table" })

/* A run of pages or frames, by number, that moves between the free set and an owner. */
DECLARE_EVENT_CLASS(tmm_run,
	TP_PROTO(u32 kind, u64 number, u64 nr),
	TP_ARGS(kind, number, nr),
	TP_STRUCT__entry(
		__field(u32, kind)
		__field(u64, start)
		__field(u64, nr)
	),
	TP_fast_assign(
		__entry->kind = kind;
		__entry->start = number << TMM_PAGE_SHIFT;
		if (kind == TMM_TRACE_PAGES)
			__entry->start = tmm_vaddr_new_canonical(__entry->start).v;
		__entry->nr = nr;
	),
	TP_printk("kind=%s start=0x%llx nr=%llu", tmm_trace_kind(__entry->kind),
		  __entry->start, __entry->nr)
);

DEFINE_EVENT(tmm_run, tmm_allocate,
	TP_PROTO(u32 kind, u64 number, u64 nr),
	TP_ARGS(kind, number, nr));

DEFINE_EVENT(tmm_run, tmm_free,
	TP_PROTO(u32 kind, u64 number, u64 nr),
	TP_ARGS(kind, number, nr));

#endif /* TMM_ALLOC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH alloc
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
