// SPDX-License-Identifier: GPL-2.0
/*
 * The fake kernel of the library's host-side tests: it records each call and answers.
 */
#include "libtmm_test.h"

#include <stdarg.h>
#include <sys/mman.h>

struct libtmm_fake fake;
int no_memory_at;

static int fake_unmap(struct theseus_mm_unmap *unmap)
{
	__u32 *handles = (__u32 *)(uintptr_t)unmap->frames;
	__u32 i;

	if (fake.nr_races) {
		fake.nr_races--;
		fake.nr_runs++;
	}
	if (unmap->nr_frames < fake.nr_runs)
		return -ENOBUFS;
	unmap->nr_frames = fake.nr_runs;
	for (i = 0; i < fake.nr_runs; i++)
		handles[i] = ++fake.handle;
	unmap->pages = ++fake.handle;
	return 0;
}

static void fake_query(struct theseus_mm_query *query)
{
	query->nr_frame_ranges = fake.nr_runs;
	query->start = 0x1000 * query->handle;
	query->nr_pages = 1;
	query->pte_flags = THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_VALID | THESEUS_MM_PTE_EXCLUSIVE;
	query->attributes = THESEUS_MM_ATTRIBUTE_PINNED;
	query->nr_borrows = 9;
}

static __u32 fake_item_error(const struct theseus_mm_batch *batch, __u32 i)
{
	const bool is_all = batch->flags & THESEUS_MM_BATCH_ALL_OR_NOTHING;
	const __u32 others = fake.bad_item && is_all ? ECANCELED : 0;

	return fake.bad_item == i + 1 ? EBUSY : others;
}

static int fake_end_batch(struct theseus_mm_batch *batch)
{
	batch->nr_done = batch->nr_items - !!fake.bad_item;
	return fake.bad_item && batch->flags & THESEUS_MM_BATCH_ALL_OR_NOTHING ? -EBUSY : 0;
}

static int fake_create_batch(struct theseus_mm_batch *batch)
{
	struct theseus_mm_create_item *items = (void *)(uintptr_t)batch->items;
	__u32 i;

	for (i = 0; i < batch->nr_items; i++) {
		items[i].error = fake_item_error(batch, i);
		if (items[i].error)
			continue;
		items[i].handle = ++fake.handle;
		items[i].start = 0x1000 * items[i].handle;
		items[i].nr_pages = items[i].size / TMM_PAGE_SIZE;
	}
	return batch->nr_items ? fake_end_batch(batch) : -EINVAL;
}

static int fake_drop_batch(struct theseus_mm_batch *batch)
{
	struct theseus_mm_drop_item *items = (void *)(uintptr_t)batch->items;
	__u32 i;

	for (i = 0; i < batch->nr_items; i++)
		items[i].error = fake_item_error(batch, i);
	return fake_end_batch(batch);
}

static int fake_clients(struct theseus_mm_clients *clients)
{
	struct theseus_mm_client_info *infos = (void *)(uintptr_t)clients->clients;
	__u32 i;

	if (fake.nr_races) {
		fake.nr_races--;
		fake.nr_clients += 100;
	}
	for (i = 0; i < clients->nr_clients && i < fake.nr_clients; i++) {
		infos[i] = (struct theseus_mm_client_info){ .id = i + 1, .pid = -1 };
		snprintf(infos[i].comm, sizeof(infos[i].comm), "exactly-15-long");
	}
	clients->nr_clients = fake.nr_clients;
	clients->nr_hidden = 2;
	clients->hidden_frames = 3;
	clients->orphan_frames = 4;
	return 0;
}

/* Odd numbers are handles or exports; even numbers are not used. */
static int fake_handles(struct theseus_mm_handles *call)
{
	struct theseus_mm_handle_info *infos = (void *)(uintptr_t)call->handles;
	const bool is_exports = call->flags & THESEUS_MM_HANDLES_EXPORTS;
	const __u32 end = 2 * (is_exports ? NR_FAKE_EXPORTS : NR_FAKE_HANDLES) + 1;
	__u32 number = call->from | 1, nr = 0;

	if (call->entry_size != sizeof(*infos))
		return -EINVAL;
	for (; number < end && nr < call->nr_handles; number += 2)
		infos[nr++] = (struct theseus_mm_handle_info){
			.handle = is_exports ? 0 : number,
			.export_id = is_exports ? number : 0,
			.kind = THESEUS_MM_KIND_MAPPING,
			.attributes = THESEUS_MM_ATTRIBUTE_SHAREABLE,
			.nr_borrows = 2,
			.start = 0x1000 * number,
			.nr_pages = number,
			.pte_flags = THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_VALID |
				     THESEUS_MM_PTE_EXCLUSIVE,
			.nr_frame_ranges = 5,
		};
	call->nr_handles = nr;
	call->from = number < end ? number : 0;
	return 0;
}

static int fake_occupancy(struct theseus_mm_occupancy *call)
{
	struct theseus_mm_bucket *buckets = (void *)(uintptr_t)call->buckets;
	__u32 *owners = (void *)(uintptr_t)call->owners, room = call->nr_buckets, i;

	if (call->bucket_size != sizeof(*buckets))
		return -EINVAL;
	call->nr_buckets = 5;
	call->bucket_frames = call->bucket_frames ? call->bucket_frames : 1024;
	if (room < 5)
		return -ENOBUFS;
	for (i = 0; i < 5; i++) {
		buckets[i] = (struct theseus_mm_bucket){ .free = i, .bad = 7 };
		owners[i] = 10 + i;
	}
	return 0;
}

static int fake_limits(struct theseus_mm_limits *limits)
{
	*limits = (struct theseus_mm_limits){
		.client_frames_max = 1, .client_handles_max = 2,
		.client_frames = 3, .client_handles = 4,
		.user_frames_max = THESEUS_MM_NO_LIMIT, .user_handles_max = 6,
		.user_frames = 7, .user_handles = 8,
		.client_pages_max = 9, .client_pages = 10,
		.user_pages_max = 11, .user_pages = 12,
	};
	return 0;
}

/* A descriptor that can be mmapped, and has the size of the fake mappings. */
static int fake_descriptor(void)
{
	int fd = memfd_create("mapping", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 4 * TMM_PAGE_SIZE))
		abort();
	return fd;
}

static int answer_new(unsigned long request, void *argument)
{
	struct theseus_mm_map_range *range = argument;
	struct theseus_mm_revoke *revoke = argument;
	struct theseus_mm_take_back *take_back = argument;
	struct theseus_mm_import *import = argument;

	switch (request) {
	case THESEUS_MM_IOC_EXPORT:
	case THESEUS_MM_IOC_EXPORT_DMABUF:
		((struct theseus_mm_export *)argument)->fd = fake_descriptor();
		((struct theseus_mm_export *)argument)->export_id = 44;
		return 0;
	case THESEUS_MM_IOC_TAKE_BACK:
		take_back->handle = ++fake.handle;
		take_back->start = 0x70000;
		take_back->nr_pages = 7;
		return 0;
	case THESEUS_MM_IOC_IMPORT:
		import->handle = ++fake.handle;
		import->start = 0x70000;
		import->nr_pages = 7;
		return 0;
	case THESEUS_MM_IOC_MAP_FRAME_RANGE:
		range->handle = ++fake.handle;
		range->start = 0x50000;
		range->nr_pages = 5;
		return 0;
	case THESEUS_MM_IOC_REVOKE:
		revoke->nr_revoked = 5;
		revoke->nr_pinned = 2;
		return 0;
	case THESEUS_MM_IOC_GET_LIMITS:
		return fake_limits(argument);
	case THESEUS_MM_IOC_CREATE_BATCH:
		return fake_create_batch(argument);
	case THESEUS_MM_IOC_DROP_BATCH:
		return fake_drop_batch(argument);
	case THESEUS_MM_IOC_GET_CLIENTS:
		return fake_clients(argument);
	case THESEUS_MM_IOC_LIST_HANDLES:
		return fake_handles(argument);
	case THESEUS_MM_IOC_GET_OCCUPANCY:
		return fake_occupancy(argument);
	}
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	struct theseus_mm_allocate *allocate = argument;
	struct theseus_mm_create_mapping *create = argument;
	struct theseus_mm_split *split = argument;
	struct theseus_mm_map *map = argument;

	switch (request) {
	case THESEUS_MM_IOC_ALLOCATE_PAGES:
	case THESEUS_MM_IOC_ALLOCATE_FRAMES:
		allocate->handle = ++fake.handle;
		allocate->start = 0x10000;
		allocate->nr_pages = 4;
		return 0;
	case THESEUS_MM_IOC_CREATE_MAPPING:
	case THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING:
	case THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING:
		create->handle = ++fake.handle;
		create->start = 0x40000;
		create->nr_pages = 4;
		return 0;
	case THESEUS_MM_IOC_SPLIT:
		split->first = ++fake.handle;
		split->second = ++fake.handle;
		return 0;
	case THESEUS_MM_IOC_MAP_ALLOCATED_PAGES:
	case THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO:
		map->handle = ++fake.handle;
		return 0;
	case THESEUS_MM_IOC_QUERY:
		fake_query(argument);
		return 0;
	case THESEUS_MM_IOC_UNMAP_INTO_PARTS:
		return fake_unmap(argument);
	case THESEUS_MM_IOC_MAP_OFFSET:
		((struct theseus_mm_map_offset *)argument)->nr_bytes = 4 * TMM_PAGE_SIZE;
		return 0;
	}
	return answer_new(request, argument);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list rest;
	int error;

	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	if (fake.is_real)
		return __real_ioctl(fd, request, argument);
	fake.nr_calls++;
	fake.last = request;
	memcpy(fake.argument.bytes, argument, _IOC_SIZE(request));
	if (fd < 0)
		error = -EBADF;
	else if (fake.error && request != THESEUS_MM_IOC_GET_INFO)
		error = -fake.error;
	else
		error = answer(request, argument);
	if (!error)
		return 0;
	errno = -error;
	return -1;
}

void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size)
{
	if (no_memory_at && !--no_memory_at) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(nr, size);
}
