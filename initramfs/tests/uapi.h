/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One inline function for each call of the UAPI: a test sees the descriptors, the handles
 * and the raw error, which libtmm hides on purpose.
 *
 * The calls, the handles they consume and their errors are described in
 * <linux/theseus_mm.h>. Each function returns 0 or a negative errno value and leaves errno
 * as it was; results are stored on success only.
 */
#ifndef TESTS_UAPI_H
#define TESTS_UAPI_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <linux/theseus_mm.h>

#define UAPI_DEVICE	"/dev/theseus_mm"
#define UAPI_PAGE_SIZE	4096ULL

/*
 * Open @path, or UAPI_DEVICE if @path is NULL.
 *
 * Return: a descriptor that exec closes, or a negative errno value
 */
static inline int uapi_open(const char *path)
{
	int saved = errno;
	int fd = open(path ? path : UAPI_DEVICE, O_RDWR | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	errno = saved;
	return err ? err : fd;
}

/* All functions below use this one. */
static inline int uapi_call(int fd, unsigned long request, void *argument)
{
	int saved = errno;
	int err = ioctl(fd, request, argument) < 0 ? -errno : 0;

	errno = saved;
	return err;
}

/* A call whose structure is the result, stored on success only. */
#define UAPI_CALL_FOR(fd, request, call, result)					\
	({										\
		int _err = uapi_call(fd, request, &(call));				\
											\
		if (!_err)								\
			*(result) = (call);						\
		_err;									\
	})

/* --- facts and counts ------------------------------------------------------------ */

static inline int uapi_get_info(int fd, struct theseus_mm_info *info)
{
	struct theseus_mm_info call = { 0 };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_GET_INFO, call, info);
}

static inline int uapi_get_region(int fd, __u32 index, struct theseus_mm_region *region)
{
	struct theseus_mm_region call = { .index = index };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_GET_REGION, call, region);
}

/* The caller fills the "in" fields, except bucket_size. */
static inline int uapi_get_occupancy(int fd, struct theseus_mm_occupancy *call)
{
	call->bucket_size = sizeof(struct theseus_mm_bucket);
	return uapi_call(fd, THESEUS_MM_IOC_GET_OCCUPANCY, call);
}

static inline int uapi_get_limits(int fd, struct theseus_mm_limits *limits)
{
	struct theseus_mm_limits call = { 0 };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_GET_LIMITS, call, limits);
}

/* THESEUS_MM_NO_LIMIT leaves a limit as it is. */
static inline int uapi_set_limits(int fd, __u64 frames_max, __u64 handles_max)
{
	struct theseus_mm_limits call = {
		.flags = (frames_max == THESEUS_MM_NO_LIMIT ? 0 : THESEUS_MM_SET_FRAMES) |
			 (handles_max == THESEUS_MM_NO_LIMIT ? 0 : THESEUS_MM_SET_HANDLES),
		.client_frames_max = frames_max,
		.client_handles_max = handles_max,
	};

	return uapi_call(fd, THESEUS_MM_IOC_SET_LIMITS, &call);
}

/* @which has flags THESEUS_MM_SET_*; THESEUS_MM_NO_LIMIT takes these limits away. */
static inline int uapi_set_limit(int fd, __u32 which, __u64 max)
{
	struct theseus_mm_limits call = {
		.flags = which,
		.client_frames_max = max,
		.client_pages_max = max,
		.client_handles_max = max,
	};

	return uapi_call(fd, THESEUS_MM_IOC_SET_LIMITS, &call);
}

static inline int uapi_get_clients(int fd, struct theseus_mm_client_info *clients, __u32 room,
				   struct theseus_mm_clients *found)
{
	struct theseus_mm_clients call = {
		.nr_clients = room,
		.clients = (uintptr_t)clients,
		.entry_size = sizeof(*clients),
	};

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_GET_CLIENTS, call, found);
}

/* --- objects of any kind --------------------------------------------------------- */

/* The caller sets @from to the first number to list; the call sets @from to the next number. */
static inline int uapi_list_handles(int fd, __u32 flags, __u32 *from,
				    struct theseus_mm_handle_info *infos, __u32 room, __u32 *nr)
{
	struct theseus_mm_handles call = {
		.flags = flags,
		.nr_handles = room,
		.from = *from,
		.entry_size = sizeof(*infos),
		.handles = (uintptr_t)infos,
	};
	int err = uapi_call(fd, THESEUS_MM_IOC_LIST_HANDLES, &call);

	if (!err) {
		*from = call.from;
		*nr = call.nr_handles;
	}
	return err;
}

static inline int uapi_query(int fd, __u32 handle, struct theseus_mm_query *query)
{
	struct theseus_mm_query call = { .handle = handle };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_QUERY, call, query);
}

static inline int uapi_drop(int fd, __u32 handle)
{
	struct theseus_mm_drop call = { .handle = handle };

	return uapi_call(fd, THESEUS_MM_IOC_DROP, &call);
}

static inline int uapi_split(int fd, __u32 handle, __u64 offset, __u32 *first, __u32 *second)
{
	struct theseus_mm_split call = { .handle = handle, .offset = offset };
	int err = uapi_call(fd, THESEUS_MM_IOC_SPLIT, &call);

	if (!err) {
		*first = call.first;
		*second = call.second;
	}
	return err;
}

static inline int uapi_merge(int fd, __u32 handle, __u32 other)
{
	struct theseus_mm_merge call = { .handle = handle, .other = other };

	return uapi_call(fd, THESEUS_MM_IOC_MERGE, &call);
}

/* --- frames, pages and mappings -------------------------------------------------- */

/* The caller fills the "in" fields of @wanted. */
static inline int uapi_allocate(int fd, unsigned long request, struct theseus_mm_allocate *wanted)
{
	struct theseus_mm_allocate call = *wanted;

	call.handle = 0;
	call.start = 0;
	call.nr_pages = 0;
	return UAPI_CALL_FOR(fd, request, call, wanted);
}

static inline int uapi_allocate_frames(int fd, struct theseus_mm_allocate *request)
{
	return uapi_allocate(fd, THESEUS_MM_IOC_ALLOCATE_FRAMES, request);
}

static inline int uapi_allocate_pages(int fd, struct theseus_mm_allocate *request)
{
	return uapi_allocate(fd, THESEUS_MM_IOC_ALLOCATE_PAGES, request);
}

static inline int uapi_create(int fd, unsigned long request, __u64 size, __u64 pte_flags,
			      struct theseus_mm_create_mapping *mapping)
{
	struct theseus_mm_create_mapping call = { .size = size, .pte_flags = pte_flags };

	return UAPI_CALL_FOR(fd, request, call, mapping);
}

static inline int uapi_create_mapping(int fd, __u64 size, __u64 pte_flags,
				      struct theseus_mm_create_mapping *mapping)
{
	return uapi_create(fd, THESEUS_MM_IOC_CREATE_MAPPING, size, pte_flags, mapping);
}

static inline int uapi_create_contiguous_mapping(int fd, __u64 size, __u64 pte_flags,
						 struct theseus_mm_create_mapping *mapping)
{
	return uapi_create(fd, THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING, size, pte_flags, mapping);
}

static inline int uapi_create_identity_mapping(int fd, __u64 size, __u64 pte_flags,
					       struct theseus_mm_create_mapping *mapping)
{
	return uapi_create(fd, THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING, size, pte_flags, mapping);
}

static inline int uapi_map(int fd, unsigned long request, __u32 pages, __u32 frames,
			   __u64 pte_flags, struct theseus_mm_map *mapping)
{
	struct theseus_mm_map call = { .pages = pages, .frames = frames, .pte_flags = pte_flags };

	return UAPI_CALL_FOR(fd, request, call, mapping);
}

static inline int uapi_map_allocated_pages(int fd, __u32 pages, __u64 pte_flags,
					   struct theseus_mm_map *mapping)
{
	return uapi_map(fd, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES, pages, 0, pte_flags, mapping);
}

static inline int uapi_map_allocated_pages_to(int fd, __u32 pages, __u32 frames, __u64 pte_flags,
					      struct theseus_mm_map *mapping)
{
	return uapi_map(fd, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO, pages, frames, pte_flags,
			mapping);
}

static inline int uapi_remap(int fd, __u32 handle, __u64 pte_flags)
{
	struct theseus_mm_remap call = { .handle = handle, .pte_flags = pte_flags };

	return uapi_call(fd, THESEUS_MM_IOC_REMAP, &call);
}

/* The caller sets @nr_frames to the room in @frames; the call sets it to the number of handles. */
static inline int uapi_unmap_into_parts(int fd, __u32 handle, __u32 *pages, __u32 *frames,
					__u32 *nr_frames)
{
	struct theseus_mm_unmap call = {
		.handle = handle,
		.frames = (uintptr_t)frames,
		.nr_frames = *nr_frames,
	};
	int err = uapi_call(fd, THESEUS_MM_IOC_UNMAP_INTO_PARTS, &call);

	if (!err) {
		*pages = call.pages;
		*nr_frames = call.nr_frames;
	}
	return err;
}

/* @nr_done may be NULL. */
static inline int uapi_run_batch(int fd, unsigned long request, __u32 flags, void *items,
				 __u32 item_size, __u32 nr_items, __u32 *nr_done)
{
	struct theseus_mm_batch call = {
		.flags = flags,
		.nr_items = nr_items,
		.items = (uintptr_t)items,
		.item_size = item_size,
	};
	int err = uapi_call(fd, request, &call);

	if (!err && nr_done)
		*nr_done = call.nr_done;
	return err;
}

static inline int uapi_create_batch(int fd, __u32 flags, struct theseus_mm_create_item *items,
				    __u32 nr_items, __u32 *nr_done)
{
	return uapi_run_batch(fd, THESEUS_MM_IOC_CREATE_BATCH, flags, items, sizeof(*items),
			      nr_items, nr_done);
}

static inline int uapi_drop_batch(int fd, __u32 flags, struct theseus_mm_drop_item *items,
				  __u32 nr_items, __u32 *nr_done)
{
	return uapi_run_batch(fd, THESEUS_MM_IOC_DROP_BATCH, flags, items, sizeof(*items),
			      nr_items, nr_done);
}

static inline int uapi_access(int fd, unsigned long request, __u32 handle, __u64 offset,
			      const void *buffer, __u64 length)
{
	struct theseus_mm_access call = {
		.handle = handle,
		.offset = offset,
		.length = length,
		.buffer = (uintptr_t)buffer,
	};

	return uapi_call(fd, request, &call);
}

static inline int uapi_read(int fd, __u32 handle, __u64 offset, void *buffer, __u64 length)
{
	return uapi_access(fd, THESEUS_MM_IOC_READ, handle, offset, buffer, length);
}

static inline int uapi_write(int fd, __u32 handle, __u64 offset, const void *buffer, __u64 length)
{
	return uapi_access(fd, THESEUS_MM_IOC_WRITE, handle, offset, buffer, length);
}

/* --- device memory --------------------------------------------------------------- */

static inline int uapi_add_device_region(int fd, __u64 start, __u64 nr_bytes, __u32 memory_type)
{
	struct theseus_mm_device_region call = {
		.memory_type = memory_type,
		.start = start,
		.nr_bytes = nr_bytes,
	};

	return uapi_call(fd, THESEUS_MM_IOC_ADD_DEVICE_REGION, &call);
}

static inline int uapi_remove_device_region(int fd, __u64 start, __u64 nr_bytes)
{
	struct theseus_mm_device_region call = { .start = start, .nr_bytes = nr_bytes };

	return uapi_call(fd, THESEUS_MM_IOC_REMOVE_DEVICE_REGION, &call);
}

static inline int uapi_map_frame_range(int fd, __u64 paddr, __u64 nr_bytes, __u64 pte_flags,
				       struct theseus_mm_map_range *mapping)
{
	struct theseus_mm_map_range call = {
		.paddr = paddr,
		.nr_bytes = nr_bytes,
		.pte_flags = pte_flags,
	};

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_MAP_FRAME_RANGE, call, mapping);
}

/* --- mappings in processes ------------------------------------------------------- */

/* @nr_bytes may be NULL. */
static inline int uapi_map_offset(int fd, __u32 handle, __u64 *offset, __u64 *nr_bytes)
{
	struct theseus_mm_map_offset call = { .handle = handle };
	int err = uapi_call(fd, THESEUS_MM_IOC_MAP_OFFSET, &call);

	if (err)
		return err;
	*offset = call.offset;
	if (nr_bytes)
		*nr_bytes = call.nr_bytes;
	return 0;
}

/* @nr_revoked may be NULL. */
static inline int uapi_revoke(int fd, __u32 handle, __u32 *nr_revoked)
{
	struct theseus_mm_revoke call = { .handle = handle };
	int err = uapi_call(fd, THESEUS_MM_IOC_REVOKE, &call);

	if (!err && nr_revoked)
		*nr_revoked = call.nr_revoked;
	return err;
}

static inline int uapi_share(int fd, __u32 handle, bool is_shareable)
{
	struct theseus_mm_share call = {
		.flags = is_shareable ? 0 : THESEUS_MM_SHARE_OFF,
		.handle = handle,
	};

	return uapi_call(fd, THESEUS_MM_IOC_SHARE, &call);
}

/* --- handing mappings over ------------------------------------------------------- */

/* @id is the number for uapi_take_back(), and may be NULL. */
static inline int uapi_export_as(int fd, __u32 handle, __u32 flags, int *export, __u32 *id)
{
	struct theseus_mm_export call = { .handle = handle, .flags = flags };
	int err = uapi_call(fd, THESEUS_MM_IOC_EXPORT, &call);

	if (!err)
		*export = call.fd;
	if (!err && id)
		*id = call.export_id;
	return err;
}

static inline int uapi_export(int fd, __u32 handle, int *export)
{
	return uapi_export_as(fd, handle, 0, export, NULL);
}

static inline int uapi_take_back(int fd, __u32 id, __u32 *handle)
{
	struct theseus_mm_take_back call = { .export_id = id };
	int err = uapi_call(fd, THESEUS_MM_IOC_TAKE_BACK, &call);

	if (!err)
		*handle = call.handle;
	return err;
}

static inline int uapi_import(int fd, int export, __u32 *handle)
{
	struct theseus_mm_import call = { .fd = export };
	int err = uapi_call(fd, THESEUS_MM_IOC_IMPORT, &call);

	if (!err)
		*handle = call.handle;
	return err;
}

/* --- looking at page tables ------------------------------------------------------ */

static inline int uapi_translate(int fd, __u64 vaddr, struct theseus_mm_translate *translation)
{
	struct theseus_mm_translate call = { .vaddr = vaddr };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_TRANSLATE, call, translation);
}

static inline int uapi_dump_pte(int fd, __u64 vaddr, struct theseus_mm_dump_pte *dump)
{
	struct theseus_mm_dump_pte call = { .vaddr = vaddr };

	return UAPI_CALL_FOR(fd, THESEUS_MM_IOC_DUMP_PTE, call, dump);
}

#endif /* TESTS_UAPI_H */
