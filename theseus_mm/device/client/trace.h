/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of this layer, for clients that come and go. See alloc/trace.h. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM theseus_mm

#if !defined(TMM_DEVICE_CLIENT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TMM_DEVICE_CLIENT_TRACE_H

#include <linux/tracepoint.h>

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

/* The client has given back all objects of its handles. */
DEFINE_EVENT(tmm_client, tmm_client_close,
	TP_PROTO(u32 client),
	TP_ARGS(client));

#endif /* TMM_DEVICE_CLIENT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH device/client
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
