/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/theseus_mm/. This is the lowest floor that fires
 * one; all floors above may use them. They know core/ only.
 *
 * Off, they cost a jump that is not taken. None is in a window, inside
 * (paging/tlb.h) or under an allocator's lock. Like Linux's own, they show
 * physical addresses, to whoever may trace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_ALLOC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_ALLOC_TRACE_H

#include "core/address.h"
#include "core/pte_flags.h"

#include <linux/tracepoint.h>

/* Numbers, not an enum: programs read the formats. */
#define TMM_TRACE_PAGES		1
#define TMM_TRACE_FRAMES	2
#define TMM_TRACE_TABLE		3

#define tmm_trace_kind(kind)							\
	__print_symbolic(kind,							\
			 { TMM_TRACE_PAGES, "pages" },				\
			 { TMM_TRACE_FRAMES, "frames" },			\
			 { TMM_TRACE_TABLE, "table" })

#define tmm_trace_flags(flags)							\
	__print_flags((unsigned long)(flags), "|",				\
		      { 1UL << 0, "valid" },					\
		      { 1UL << 1, "writable" },					\
		      { 1UL << 2, "user" },					\
		      { 1UL << 4, "device" },					\
		      { 1UL << 5, "accessed" },					\
		      { 1UL << 6, "dirty" },					\
		      { 1UL << 8, "global" },					\
		      { 1UL << 55, "exclusive" },				\
		      { 1UL << 63, "noexec" })

/* THESEUS_MM_IOC_*, by number, since programs read the formats. */
#define tmm_trace_call_name(nr)							\
	__print_symbolic(nr,							\
			 { 0x00, "GET_INFO" },					\
			 { 0x01, "GET_REGION" },				\
			 { 0x02, "GET_OCCUPANCY" },				\
			 { 0x03, "QUERY" },					\
			 { 0x04, "DROP" },					\
			 { 0x05, "SPLIT" },					\
			 { 0x06, "MERGE" },					\
			 { 0x07, "GET_CLIENTS" },				\
			 { 0x08, "GET_LIMITS" },				\
			 { 0x09, "SET_LIMITS" },				\
			 { 0x0a, "LIST_HANDLES" },				\
			 { 0x10, "ALLOCATE_FRAMES" },				\
			 { 0x20, "ALLOCATE_PAGES" },				\
			 { 0x30, "CREATE_MAPPING" },				\
			 { 0x31, "CREATE_CONTIGUOUS_MAPPING" },			\
			 { 0x32, "MAP_ALLOCATED_PAGES" },			\
			 { 0x33, "MAP_ALLOCATED_PAGES_TO" },			\
			 { 0x34, "REMAP" },					\
			 { 0x35, "UNMAP_INTO_PARTS" },				\
			 { 0x36, "READ" },					\
			 { 0x37, "WRITE" },					\
			 { 0x38, "MAP_OFFSET" },				\
			 { 0x39, "REVOKE" },					\
			 { 0x3a, "SHARE" },					\
			 { 0x3b, "CREATE_BATCH" },				\
			 { 0x3c, "DROP_BATCH" },				\
			 { 0x3d, "CREATE_IDENTITY_MAPPING" },			\
			 { 0x3e, "MAP_FRAME_RANGE" },				\
			 { 0x40, "TRANSLATE" },					\
			 { 0x41, "DUMP_PTE" },					\
			 { 0x50, "EXPORT" },					\
			 { 0x51, "IMPORT" },					\
			 { 0x52, "EXPORT_DMABUF" },				\
			 { 0x53, "TAKE_BACK" },					\
			 { 0x60, "ADD_DEVICE_REGION" },				\
			 { 0x61, "REMOVE_DEVICE_REGION" })

/* A run of pages or frames, by number, between the free set and an owner. */
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

/* One run of frames behind pages; a mapping of several gives several events. */
TRACE_EVENT(tmm_map,
	TP_PROTO(u64 page, u64 frame, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, frame, nr, flags),
	TP_STRUCT__entry(
		__field(u64, vaddr)
		__field(u64, paddr)
		__field(u64, nr_pages)
		__field(u64, flags)
	),
	TP_fast_assign(
		__entry->vaddr = tmm_vaddr_new_canonical(page << TMM_PAGE_SHIFT).v;
		__entry->paddr = frame << TMM_PAGE_SHIFT;
		__entry->nr_pages = nr;
		__entry->flags = (__force u64)flags;
	),
	TP_printk("vaddr=0x%llx nr_pages=%llu paddr=0x%llx flags=%s", __entry->vaddr,
		  __entry->nr_pages, __entry->paddr, tmm_trace_flags(__entry->flags))
);

DECLARE_EVENT_CLASS(tmm_mapping,
	TP_PROTO(u64 page, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, nr, flags),
	TP_STRUCT__entry(
		__field(u64, vaddr)
		__field(u64, nr_pages)
		__field(u64, flags)
	),
	TP_fast_assign(
		__entry->vaddr = tmm_vaddr_new_canonical(page << TMM_PAGE_SHIFT).v;
		__entry->nr_pages = nr;
		__entry->flags = (__force u64)flags;
	),
	TP_printk("vaddr=0x%llx nr_pages=%llu flags=%s", __entry->vaddr, __entry->nr_pages,
		  tmm_trace_flags(__entry->flags))
);

/* @flags: the new ones */
DEFINE_EVENT(tmm_mapping, tmm_remap,
	TP_PROTO(u64 page, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, nr, flags));

/* The entries are about to be cleared. */
DEFINE_EVENT(tmm_mapping, tmm_unmap,
	TP_PROTO(u64 page, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, nr, flags));

/* A part of a mapping that starts @offset bytes behind @page. */
DECLARE_EVENT_CLASS(tmm_part,
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

DEFINE_EVENT(tmm_part, tmm_borrow,
	TP_PROTO(u64 page, u64 offset, u64 nr_bytes, bool is_mutable),
	TP_ARGS(page, offset, nr_bytes, is_mutable));

DEFINE_EVENT(tmm_part, tmm_unborrow,
	TP_PROTO(u64 page, u64 offset, u64 nr_bytes, bool is_mutable),
	TP_ARGS(page, offset, nr_bytes, is_mutable));

/* A process loses what it borrowed; the end of the borrow follows. */
DEFINE_EVENT(tmm_part, tmm_revoke,
	TP_PROTO(u64 page, u64 offset, u64 nr_bytes, bool is_mutable),
	TP_ARGS(page, offset, nr_bytes, is_mutable));

DECLARE_EVENT_CLASS(tmm_client,
	TP_PROTO(u32 client),
	TP_ARGS(client),
	TP_STRUCT__entry(
		__field(u32, client)
	),
	TP_fast_assign(
		__entry->client = client;
	),
	TP_printk("client=%u", __entry->client)
);

DEFINE_EVENT(tmm_client, tmm_client_open,
	TP_PROTO(u32 client),
	TP_ARGS(client));

/* Everything that it owned has gone back. */
DEFINE_EVENT(tmm_client, tmm_client_close,
	TP_PROTO(u32 client),
	TP_ARGS(client));

/* The events of this task since its last one are of this call. */
TRACE_EVENT(tmm_call,
	TP_PROTO(u32 client, u32 nr, long ret),
	TP_ARGS(client, nr, ret),
	TP_STRUCT__entry(
		__field(u32, client)
		__field(u32, nr)
		__field(long, ret)
	),
	TP_fast_assign(
		__entry->client = client;
		__entry->nr = nr;
		__entry->ret = ret;
	),
	TP_printk("client=%u call=%s ret=%ld", __entry->client,
		  tmm_trace_call_name(__entry->nr), __entry->ret)
);

#endif /* TMM_ALLOC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH alloc
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
