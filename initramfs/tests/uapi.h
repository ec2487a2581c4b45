/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thin client of /dev/theseus_mm: one function for each call of its UAPI.
 *
 * There is no state here and no policy: a function puts its arguments into the
 * call's structure, makes the call, and hands out what came back. What the calls
 * do, which handles they consume and which errors they give is said once, in
 * <linux/theseus_mm.h>.
 *
 * Every function but tmm_open() returns 0, or the error as a negative errno
 * value. errno itself is left as it was. Results are stored on success only.
 * All functions may be called from several threads at once.
 *
 * Handles, sizes, offsets and addresses are as in the UAPI: a handle is never 0,
 * sizes and addresses are in bytes.
 */
#ifndef TESTS_UAPI_H
#define TESTS_UAPI_H

#include <stdbool.h>
#include <linux/theseus_mm.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TMM_DEVICE	"/dev/theseus_mm"
#define TMM_PAGE_SIZE	4096ULL

/**
 * tmm_open() - become a client
 * @path: the device; NULL means TMM_DEVICE
 *
 * Everything the client owns goes back when the last descriptor of it is closed,
 * by close(2), exit or a signal. The descriptor does not survive exec.
 *
 * Return: a file descriptor, or a negative errno value
 */
int tmm_open(const char *path);

/**
 * tmm_call() - make any call
 * @fd: the client
 * @request: a THESEUS_MM_IOC_* number
 * @argument: its structure, in and out
 *
 * What all the functions below are made of.
 */
int tmm_call(int fd, unsigned long request, void *argument);

/* --- facts and counts ------------------------------------------------------------ */

int tmm_get_info(int fd, struct theseus_mm_info *info);
int tmm_get_region(int fd, __u32 index, struct theseus_mm_region *region);

/**
 * tmm_get_occupancy() - count the uses and the owners of a region's frames
 * @fd: the client
 * @call: the "in" fields but for @bucket_size say what is wanted; the others are filled in
 */
int tmm_get_occupancy(int fd, struct theseus_mm_occupancy *call);

int tmm_get_limits(int fd, struct theseus_mm_limits *limits);

/**
 * tmm_set_limits() - lower what the client may have
 * @fd: the client
 * @frames_max: THESEUS_MM_NO_LIMIT leaves it as it is
 * @handles_max: the same
 */
int tmm_set_limits(int fd, __u64 frames_max, __u64 handles_max);

/**
 * tmm_set_limit() - change one limit of the client
 * @fd: the client
 * @which: THESEUS_MM_SET_*
 * @max: the limit; THESEUS_MM_NO_LIMIT: none
 */
int tmm_set_limit(int fd, __u32 which, __u64 max);

/**
 * tmm_get_clients() - who is there
 * @fd: the client that asks
 * @clients: filled as far as it goes
 * @room: how many there is room for
 * @found: how many there are, and what of the others may be known
 */
int tmm_get_clients(int fd, struct theseus_mm_client_info *clients, __u32 room,
		    struct theseus_mm_clients *found);

/* --- objects of any kind --------------------------------------------------------- */

int tmm_query(int fd, __u32 handle, struct theseus_mm_query *query);

/**
 * tmm_list_handles() - list the objects of a client
 * @fd: the client
 * @flags: THESEUS_MM_HANDLES_*
 * @from: in: the first number to list; out: the number to continue from
 * @infos: filled as far as it goes
 * @room: entries that @infos has room for
 * @nr: set to the number of entries written
 */
int tmm_list_handles(int fd, __u32 flags, __u32 *from, struct theseus_mm_handle_info *infos,
		     __u32 room, __u32 *nr);
int tmm_drop(int fd, __u32 handle);
int tmm_split(int fd, __u32 handle, __u64 offset, __u32 *first, __u32 *second);
int tmm_merge(int fd, __u32 handle, __u32 other);

/* --- frames and pages ------------------------------------------------------------ */

/**
 * tmm_allocate_frames(), tmm_allocate_pages() - own a run without mapping it
 * @fd: the client
 * @request: the "in" fields say what is wanted; the others are filled in
 */
int tmm_allocate_frames(int fd, struct theseus_mm_allocate *request);
int tmm_allocate_pages(int fd, struct theseus_mm_allocate *request);

/* --- mappings -------------------------------------------------------------------- */

/**
 * tmm_create_mapping(), tmm_create_contiguous_mapping(),
 * tmm_create_identity_mapping() - pages and frames at once
 * @fd: the client
 * @size: in bytes
 * @pte_flags: THESEUS_MM_PTE_*; THESEUS_MM_PTE_DATA is the usual choice
 * @mapping: filled with handle, address, size
 */
int tmm_create_mapping(int fd, __u64 size, __u64 pte_flags,
		       struct theseus_mm_create_mapping *mapping);
int tmm_create_contiguous_mapping(int fd, __u64 size, __u64 pte_flags,
				  struct theseus_mm_create_mapping *mapping);

int tmm_create_identity_mapping(int fd, __u64 size, __u64 pte_flags,
				struct theseus_mm_create_mapping *mapping);

int tmm_map_allocated_pages(int fd, __u32 pages, __u64 pte_flags, struct theseus_mm_map *mapping);
int tmm_map_allocated_pages_to(int fd, __u32 pages, __u32 frames, __u64 pte_flags,
			       struct theseus_mm_map *mapping);
int tmm_remap(int fd, __u32 handle, __u64 pte_flags);

/**
 * tmm_unmap_into_parts() - take a mapping apart
 * @fd: the client
 * @handle: the mapping
 * @pages: its pages' handle
 * @frames: filled with the handles of its frames
 * @nr_frames: room in @frames; then how many were written
 */
int tmm_unmap_into_parts(int fd, __u32 handle, __u32 *pages, __u32 *frames, __u32 *nr_frames);

/**
 * tmm_create_batch(), tmm_drop_batch() - many at once
 * @fd: the client
 * @flags: THESEUS_MM_BATCH_*
 * @items: what to create or to drop; each gets its result
 * @nr_items: how many, 1 .. THESEUS_MM_MAX_BATCH
 * @nr_done: how many succeeded; may be NULL
 */
int tmm_create_batch(int fd, __u32 flags, struct theseus_mm_create_item *items, __u32 nr_items,
		     __u32 *nr_done);
int tmm_drop_batch(int fd, __u32 flags, struct theseus_mm_drop_item *items, __u32 nr_items,
		   __u32 *nr_done);

int tmm_read(int fd, __u32 handle, __u64 offset, void *buffer, __u64 length);
int tmm_write(int fd, __u32 handle, __u64 offset, const void *buffer, __u64 length);

/* --- device memory --------------------------------------------------------------- */

int tmm_add_device_region(int fd, __u64 start, __u64 nr_bytes, __u32 memory_type);
int tmm_remove_device_region(int fd, __u64 start, __u64 nr_bytes);
int tmm_map_frame_range(int fd, __u64 paddr, __u64 nr_bytes, __u64 pte_flags,
			struct theseus_mm_map_range *mapping);

/* --- mappings in processes ------------------------------------------------------- */

/**
 * tmm_map_offset() - where to mmap a mapping
 * @fd: the client
 * @handle: the mapping
 * @offset: for mmap(2) of @fd, plus bytes into the mapping
 * @nr_bytes: size of the mapping; may be NULL
 */
int tmm_map_offset(int fd, __u32 handle, __u64 *offset, __u64 *nr_bytes);

/**
 * tmm_revoke() - take a mapping out of all processes
 * @fd: the client
 * @handle: the mapping
 * @nr_revoked: how many mmaps there were; may be NULL
 */
int tmm_revoke(int fd, __u32 handle, __u32 *nr_revoked);

/**
 * tmm_share() - let a mapping have many writers
 * @fd: the client
 * @handle: the mapping
 * @is_shareable: false ends it
 */
int tmm_share(int fd, __u32 handle, bool is_shareable);

/* --- handing mappings over ------------------------------------------------------- */

/**
 * tmm_export() - make a descriptor of a mapping
 * @fd: the client
 * @handle: the mapping; consumed
 * @export: the descriptor
 */
int tmm_export(int fd, __u32 handle, int *export);

/**
 * tmm_export_as() - make a descriptor with fewer rights
 * @fd: the client
 * @handle: the mapping; consumed, but with THESEUS_MM_EXPORT_BORROW
 * @flags: THESEUS_MM_EXPORT_*
 * @export: the descriptor
 * @id: its number for tmm_take_back(); may be NULL
 */
int tmm_export_as(int fd, __u32 handle, __u32 flags, int *export, __u32 *id);

/**
 * tmm_take_back() - end an export that nobody imported
 * @fd: the client that exported it
 * @id: its number
 * @handle: the mapping
 */
int tmm_take_back(int fd, __u32 id, __u32 *handle);

/**
 * tmm_import() - take over an exported mapping
 * @fd: the client
 * @export: a descriptor of it; stays open
 * @handle: the mapping
 */
int tmm_import(int fd, int export, __u32 *handle);

/* --- looking at page tables ------------------------------------------------------ */

int tmm_translate(int fd, __u64 vaddr, struct theseus_mm_translate *translation);
int tmm_dump_pte(int fd, __u64 vaddr, struct theseus_mm_dump_pte *dump);

#ifdef __cplusplus
}
#endif

#endif /* TESTS_UAPI_H */
