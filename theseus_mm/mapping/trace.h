/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of this layer, for mappings that are made, changed, removed and borrowed. See
 * alloc/trace.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_MAPPING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_MAPPING_TRACE_H

#include "core/address.h"
#include "core/pte_flags.h"

#include <linux/tracepoint.h>

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

/* One run of frames behind pages. A mapping of several runs gives several events. */
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

/* @flags: the new flags */
DEFINE_EVENT(tmm_mapping, tmm_remap,
	TP_PROTO(u64 page, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, nr, flags));

/* The entries are about to be cleared. */
DEFINE_EVENT(tmm_mapping, tmm_unmap,
	TP_PROTO(u64 page, u64 nr, tmm_pte_flags_t flags),
	TP_ARGS(page, nr, flags));

/* A part of a mapping. The part starts @offset bytes after @page. */
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

#endif /* TMM_MAPPING_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH mapping
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
