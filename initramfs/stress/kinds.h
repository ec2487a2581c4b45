/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of values that the fields of calls have. scripts/stress_calls.py knows which fields a
 * call reads; the macro of each of them is here.
 */
#ifndef STRESS_KINDS_H
#define STRESS_KINDS_H

enum kind {
	KIND_ZERO,
	KIND_RESULT,
	KIND_NEW_HANDLE,
	KIND_NEW_FD,
	KIND_NEW_EXPORT_ID,
	KIND_NEW_ADDRESS,
	KIND_NEW_PADDR,
	KIND_HANDLE,
	KIND_FRAMES_HANDLE,	/* 0 unless the call is MAP_ALLOCATED_PAGES_TO */
	KIND_FLAGS,		/* of the call's own */
	KIND_INDEX,
	KIND_COUNT,		/* of entries in an array */
	KIND_ITEM_COUNT,	/* of a batch */
	KIND_ENTRY_SIZE,
	KIND_ARRAY,		/* an address that the call writes to */
	KIND_ARRAY_OR_NULL,
	KIND_ITEMS,		/* the items of a batch */
	KIND_BUFFER,
	KIND_BUCKET_FRAMES,
	KIND_OFFSET,
	KIND_LENGTH,
	KIND_SIZE,		/* bytes, more than 0 */
	KIND_CHUNKS,		/* pages or frames, or bytes with BY_BYTES */
	KIND_AT,		/* 0 unless the flag AT is set */
	KIND_BOUND,		/* 0 unless the flag IN_RANGE is set */
	KIND_ALIGN,
	KIND_LEAF_SIZE,
	KIND_PTE_FLAGS,
	KIND_LIMIT,
	KIND_ADDRESS,		/* in the shared address space */
	KIND_EXPORT_FD,
	KIND_EXPORT_ID,
	KIND_MEMORY_TYPE,
	KIND_DEVICE_ADDRESS,
	KIND_DEVICE_BYTES,
};

#define KIND_theseus_mm_region_index			KIND_INDEX
#define KIND_theseus_mm_occupancy_index			KIND_INDEX
#define KIND_theseus_mm_occupancy_nr_buckets		KIND_COUNT
#define KIND_theseus_mm_occupancy_bucket_size		KIND_ENTRY_SIZE
#define KIND_theseus_mm_occupancy_buckets		KIND_ARRAY
#define KIND_theseus_mm_occupancy_owners		KIND_ARRAY_OR_NULL
#define KIND_theseus_mm_occupancy_bucket_frames		KIND_BUCKET_FRAMES
#define KIND_theseus_mm_query_handle			KIND_HANDLE
#define KIND_theseus_mm_drop_handle			KIND_HANDLE
#define KIND_theseus_mm_split_handle			KIND_HANDLE
#define KIND_theseus_mm_split_offset			KIND_OFFSET
#define KIND_theseus_mm_merge_handle			KIND_HANDLE
#define KIND_theseus_mm_merge_other			KIND_HANDLE
#define KIND_theseus_mm_clients_nr_clients		KIND_COUNT
#define KIND_theseus_mm_clients_clients			KIND_ARRAY_OR_NULL
#define KIND_theseus_mm_clients_entry_size		KIND_ENTRY_SIZE
#define KIND_theseus_mm_limits_flags			KIND_FLAGS
#define KIND_theseus_mm_limits_client_frames_max	KIND_LIMIT
#define KIND_theseus_mm_limits_client_pages_max		KIND_LIMIT
#define KIND_theseus_mm_limits_client_handles_max	KIND_LIMIT
#define KIND_theseus_mm_handles_flags			KIND_FLAGS
#define KIND_theseus_mm_handles_nr_handles		KIND_COUNT
#define KIND_theseus_mm_handles_from			KIND_HANDLE
#define KIND_theseus_mm_handles_entry_size		KIND_ENTRY_SIZE
#define KIND_theseus_mm_handles_handles			KIND_ARRAY
#define KIND_theseus_mm_allocate_flags			KIND_FLAGS
#define KIND_theseus_mm_allocate_size			KIND_CHUNKS
#define KIND_theseus_mm_allocate_at			KIND_AT
#define KIND_theseus_mm_allocate_min			KIND_BOUND
#define KIND_theseus_mm_allocate_max			KIND_BOUND
#define KIND_theseus_mm_allocate_align			KIND_ALIGN
#define KIND_theseus_mm_create_mapping_size		KIND_SIZE
#define KIND_theseus_mm_create_mapping_pte_flags	KIND_PTE_FLAGS
#define KIND_theseus_mm_create_mapping_leaf_size	KIND_LEAF_SIZE
#define KIND_theseus_mm_create_mapping_align		KIND_ALIGN
#define KIND_theseus_mm_map_pages			KIND_HANDLE
#define KIND_theseus_mm_map_frames			KIND_FRAMES_HANDLE
#define KIND_theseus_mm_map_pte_flags			KIND_PTE_FLAGS
#define KIND_theseus_mm_remap_handle			KIND_HANDLE
#define KIND_theseus_mm_remap_pte_flags			KIND_PTE_FLAGS
#define KIND_theseus_mm_unmap_handle			KIND_HANDLE
#define KIND_theseus_mm_unmap_frames			KIND_ARRAY
#define KIND_theseus_mm_unmap_nr_frames			KIND_COUNT
#define KIND_theseus_mm_access_handle			KIND_HANDLE
#define KIND_theseus_mm_access_offset			KIND_OFFSET
#define KIND_theseus_mm_access_length			KIND_LENGTH
#define KIND_theseus_mm_access_buffer			KIND_BUFFER
#define KIND_theseus_mm_map_offset_handle		KIND_HANDLE
#define KIND_theseus_mm_revoke_handle			KIND_HANDLE
#define KIND_theseus_mm_share_flags			KIND_FLAGS
#define KIND_theseus_mm_share_handle			KIND_HANDLE
#define KIND_theseus_mm_batch_flags			KIND_FLAGS
#define KIND_theseus_mm_batch_nr_items			KIND_ITEM_COUNT
#define KIND_theseus_mm_batch_items			KIND_ITEMS
#define KIND_theseus_mm_batch_item_size			KIND_ENTRY_SIZE
#define KIND_theseus_mm_map_range_paddr			KIND_DEVICE_ADDRESS
#define KIND_theseus_mm_map_range_nr_bytes		KIND_DEVICE_BYTES
#define KIND_theseus_mm_map_range_pte_flags		KIND_PTE_FLAGS
#define KIND_theseus_mm_translate_vaddr			KIND_ADDRESS
#define KIND_theseus_mm_dump_pte_vaddr			KIND_ADDRESS
#define KIND_theseus_mm_export_flags			KIND_FLAGS
#define KIND_theseus_mm_export_handle			KIND_HANDLE
#define KIND_theseus_mm_import_fd			KIND_EXPORT_FD
#define KIND_theseus_mm_take_back_export_id		KIND_EXPORT_ID
#define KIND_theseus_mm_device_region_memory_type	KIND_MEMORY_TYPE
#define KIND_theseus_mm_device_region_start		KIND_DEVICE_ADDRESS
#define KIND_theseus_mm_device_region_nr_bytes		KIND_DEVICE_BYTES

#endif /* STRESS_KINDS_H */
