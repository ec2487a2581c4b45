/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of this layer: the calls. See alloc/trace.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_DEVICE_CALL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_DEVICE_CALL_TRACE_H

#include <linux/tracepoint.h>

/*
 * Each call of the user API. The rows have plain numbers instead of THESEUS_MM_IOC_*, since
 * programs parse the format files of the events.
 */
#define TMM_TRACE_CALLS(row)					\
	row(0x00, GET_INFO),					\
	row(0x01, GET_REGION),					\
	row(0x02, GET_OCCUPANCY),				\
	row(0x03, QUERY),					\
	row(0x04, DROP),					\
	row(0x05, SPLIT),					\
	row(0x06, MERGE),					\
	row(0x07, GET_CLIENTS),					\
	row(0x08, GET_LIMITS),					\
	row(0x09, SET_LIMITS),					\
	row(0x0a, LIST_HANDLES),				\
	row(0x10, ALLOCATE_FRAMES),				\
	row(0x20, ALLOCATE_PAGES),				\
	row(0x30, CREATE_MAPPING),				\
	row(0x31, CREATE_CONTIGUOUS_MAPPING),			\
	row(0x32, MAP_ALLOCATED_PAGES),				\
	row(0x33, MAP_ALLOCATED_PAGES_TO),			\
	row(0x34, REMAP),					\
	row(0x35, UNMAP_INTO_PARTS),				\
	row(0x36, READ),					\
	row(0x37, WRITE),					\
	row(0x38, MAP_OFFSET),					\
	row(0x39, REVOKE),					\
	row(0x3a, SHARE),					\
	row(0x3b, CREATE_BATCH),				\
	row(0x3c, DROP_BATCH),					\
	row(0x3d, CREATE_IDENTITY_MAPPING),			\
	row(0x3e, MAP_FRAME_RANGE),				\
	row(0x40, TRANSLATE),					\
	row(0x41, DUMP_PTE),					\
	row(0x50, EXPORT),					\
	row(0x51, IMPORT),					\
	row(0x52, EXPORT_DMABUF),				\
	row(0x53, TAKE_BACK),					\
	row(0x60, ADD_DEVICE_REGION),				\
	row(0x61, REMOVE_DEVICE_REGION)

#define tmm_trace_call_row(nr, name)	{ nr, #name }
#define tmm_trace_call_name(nr)	\
	__print_symbolic(nr, TMM_TRACE_CALLS(tmm_trace_call_row))

/*
 * A call ends. All events of the same task since its previous tmm_call event belong to this
 * call.
 */
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

#endif /* TMM_DEVICE_CALL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH device/call
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
