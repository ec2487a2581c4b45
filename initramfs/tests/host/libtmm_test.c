// SPDX-License-Identifier: GPL-2.0
/*
 * What the library does by itself: no device is needed, for the kernel is a function
 * in here (linked with --wrap=ioctl,--wrap=calloc).
 */
#include <tmm.h>

#include <linux/theseus_mm.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static int nr_checks, nr_failed;

#define EXPECT(is_true)									\
	do {										\
		nr_checks++;								\
		if (!(is_true)) {							\
			nr_failed++;							\
			fprintf(stderr, "%s:%d: %s: not so (errno %s)\n", __FILE__,	\
				__LINE__, #is_true, strerrorname_np(errno));		\
		}									\
	} while (0)

/* @is_failure is so, and errno is @error. */
#define EXPECT_REFUSED(error, is_failure)						\
	do {										\
		errno = 0;								\
		EXPECT((is_failure) && errno == (error));				\
	} while (0)

/* --- the kernel ---------------------------------------------------------------------- */

/**
 * struct fake - a kernel that says yes
 * @error: say this instead, to all but GET_INFO
 * @nr_calls: how often it was asked
 * @last: what it was asked last, and with what
 * @handle: the last it gave out
 * @nr_runs: frames' runs of every mapping
 * @nr_races: how often UNMAP still finds one run more than QUERY said, or GET_CLIENTS
 *            more clients than there were
 * @nr_clients: how many GET_CLIENTS tells of
 * @bad_item: the item of a batch that fails with EBUSY, from 1 on; 0 for none
 * @is_real: ask the true kernel
 */
static struct {
	int error;
	int nr_calls;
	unsigned long last;
	union {
		struct theseus_mm_allocate allocate;
		struct theseus_mm_create_mapping create;
		struct theseus_mm_access access;
		struct theseus_mm_query query;
		struct theseus_mm_share share;
		struct theseus_mm_export export;
		struct theseus_mm_import import;
		struct theseus_mm_take_back take_back;
		struct theseus_mm_limits limits;
		struct theseus_mm_batch batch;
		struct theseus_mm_device_region device_region;
		struct theseus_mm_map_range map_range;
		char bytes[256];
	} argument;
	__u32 handle;
	__u32 nr_runs;
	int nr_races;
	__u32 nr_clients;
	__u32 bad_item;
	bool is_real;
} fake;

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

#define NR_FAKE_HANDLES	150
#define NR_FAKE_EXPORTS	3

/* Every second number is one. */
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

static int answer_new(unsigned long request, void *argument)
{
	struct theseus_mm_map_range *range = argument;
	struct theseus_mm_revoke *revoke = argument;
	struct theseus_mm_limits *limits = argument;
	struct theseus_mm_take_back *take_back = argument;
	struct theseus_mm_import *import = argument;

	switch (request) {
	case THESEUS_MM_IOC_EXPORT:
	case THESEUS_MM_IOC_EXPORT_DMABUF:
		((struct theseus_mm_export *)argument)->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
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
		*limits = (struct theseus_mm_limits){
			.client_frames_max = 1, .client_handles_max = 2,
			.client_frames = 3, .client_handles = 4,
			.user_frames_max = THESEUS_MM_NO_LIMIT, .user_handles_max = 6,
			.user_frames = 7, .user_handles = 8,
			.client_pages_max = 9, .client_pages = 10,
			.user_pages_max = 11, .user_pages = 12,
		};
		return 0;
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

/* Memory runs out at the @no_memory_at-th request from now on; 0 for never. */
static int no_memory_at;

void *__real_calloc(size_t nr, size_t size);
void *__wrap_calloc(size_t nr, size_t size)
{
	if (no_memory_at && !--no_memory_at) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(nr, size);
}

/* --- the tests ------------------------------------------------------------------------- */

static const struct tmm_allocate_options four = { .nr_pages = 4 };

static struct tmm_client *new_client(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), taken = fd;
	struct tmm_client *client = tmm_client_from_fd(&taken);

	EXPECT(client && taken == -1 && tmm_client_fd(client) == fd);
	return client;
}

static struct tmm_mapping *new_mapping(struct tmm_client *client)
{
	struct tmm_mapping *mapping = tmm_mapping_create(client, 4 * TMM_PAGE_SIZE, TMM_DATA, NULL);

	EXPECT(tmm_mapping_size(mapping) == 4 * TMM_PAGE_SIZE);
	return mapping;
}

static void open_refuses(void)
{
	struct tmm_client *client = NULL;
	int none = -1;

	EXPECT_REFUSED(ENOENT, !tmm_client_open("/nonexistent"));
	EXPECT_REFUSED(EBADF, !tmm_client_from_fd(&none));
	EXPECT_REFUSED(EBADF, tmm_client_info(NULL, &(struct tmm_info){ 0 }));
	EXPECT_REFUSED(EBADF, !tmm_pages_allocate(NULL, &four));
	EXPECT(tmm_client_fd(NULL) == -1);
	tmm_client_close(&client);
}

static void objects_outlive_their_client(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	char byte;

	tmm_client_close(&client);
	EXPECT(!client);
	EXPECT_REFUSED(EBADF, tmm_mapping_read(mapping, 0, &byte, 1));
	EXPECT_REFUSED(EBADF, tmm_mapping_split(&mapping, TMM_PAGE_SIZE, &mapping, &mapping));
	EXPECT(mapping);
	EXPECT(!tmm_mapping_drop(&mapping));
	EXPECT(!mapping);
}

static void consumed_objects_are_refused(void)
{
	struct tmm_client *client = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four);
	struct tmm_mapping *mapping = NULL;
	struct tmm_frames *frames = NULL;
	const int nr_calls = fake.nr_calls;
	struct tmm_parts parts;
	uint64_t offset;

	EXPECT_REFUSED(ENOENT, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT_REFUSED(ENOENT, tmm_mapping_read(mapping, 0, &offset, 1));
	EXPECT_REFUSED(ENOENT, tmm_mapping_remap(mapping, TMM_DATA));
	EXPECT_REFUSED(ENOENT, tmm_mapping_map_offset(mapping, &offset));
	EXPECT_REFUSED(ENOENT, !tmm_mapping_mmap(mapping, 0, 1, PROT_READ));
	EXPECT_REFUSED(ENOENT, tmm_mapping_revoke(mapping, NULL));
	EXPECT_REFUSED(ENOENT, tmm_mapping_share(mapping, true));
	EXPECT_REFUSED(ENOENT, tmm_mapping_export(&mapping) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_export_dmabuf(mapping) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_lend(mapping, NULL) < 0);
	EXPECT_REFUSED(ENOENT, tmm_mapping_unmap_into_parts(&mapping, &parts));
	EXPECT_REFUSED(ENOENT, tmm_mapping_merge(mapping, &mapping));
	EXPECT_REFUSED(ENOENT, tmm_frames_split(&frames, TMM_PAGE_SIZE, &frames, &frames));
	EXPECT(!tmm_mapping_drop(&mapping));
	EXPECT(!tmm_frames_size(frames) && !tmm_frames_address(frames));
	EXPECT(fake.nr_calls == nr_calls);
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

static void failure_consumes_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four), *kept = pages, *other = NULL;
	struct tmm_frames *frames = tmm_frames_allocate(client, &four);
	const uint32_t handle = tmm_pages_handle(pages);

	fake.error = EDQUOT;
	EXPECT_REFUSED(EDQUOT, tmm_pages_split(&pages, TMM_PAGE_SIZE, &other, &other));
	EXPECT_REFUSED(EDQUOT, !tmm_pages_map(&pages, TMM_DATA));
	EXPECT_REFUSED(EDQUOT, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT_REFUSED(EDQUOT, tmm_pages_drop(&pages));
	fake.error = 0;
	EXPECT(pages == kept && !other && frames);
	EXPECT(tmm_pages_handle(pages) == handle);
	EXPECT(tmm_pages_size(pages) == 4 * TMM_PAGE_SIZE);
	EXPECT(!tmm_pages_drop(&pages));
	EXPECT(!tmm_frames_drop(&frames));
	tmm_client_close(&client);
}

static void split_and_merge_keep_count(void)
{
	struct tmm_client *client = new_client();
	struct tmm_frames *frames = tmm_frames_allocate(client, &four), *rest;

	EXPECT(!tmm_frames_split(&frames, TMM_PAGE_SIZE, &frames, &rest));
	EXPECT(tmm_frames_size(frames) == TMM_PAGE_SIZE);
	EXPECT(tmm_frames_size(rest) == 3 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(rest) == tmm_frames_address(frames) + TMM_PAGE_SIZE);
	EXPECT(tmm_frames_handle(rest) == tmm_frames_handle(frames) + 1);
	EXPECT(!tmm_frames_merge(rest, &frames));
	EXPECT(!frames && tmm_frames_size(rest) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(rest) == 0x10000);
	EXPECT(!tmm_frames_drop(&rest));
	tmm_client_close(&client);
}

static void clients_do_not_mix(void)
{
	struct tmm_client *client = new_client(), *stranger = new_client();
	struct tmm_pages *pages = tmm_pages_allocate(client, &four);
	struct tmm_pages *other = tmm_pages_allocate(stranger, &four);
	struct tmm_frames *frames = tmm_frames_allocate(stranger, &four);

	EXPECT_REFUSED(EXDEV, tmm_pages_merge(pages, &other));
	EXPECT_REFUSED(EXDEV, !tmm_pages_map_to(&pages, &frames, TMM_DATA));
	EXPECT(pages && other && frames);
	EXPECT(!tmm_pages_drop(&pages) && !tmm_pages_drop(&other) && !tmm_frames_drop(&frames));
	tmm_client_close(&client);
	tmm_client_close(&stranger);
}

static void options_are_checked(void)
{
	struct tmm_client *client = new_client();
	struct tmm_allocate_options wanted = { .nr_bytes = 5, .place = TMM_IN_RANGE, .max = 7 };
	struct tmm_pages *pages = tmm_pages_allocate(client, &wanted);

	EXPECT(pages && fake.argument.allocate.size == 5 && fake.argument.allocate.max == 7);
	EXPECT(fake.argument.allocate.flags ==
	       (THESEUS_MM_ALLOCATE_BY_BYTES | THESEUS_MM_ALLOCATE_IN_RANGE));
	EXPECT(!tmm_pages_drop(&pages));
	wanted.nr_pages = 1;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	wanted.nr_bytes = 0;
	wanted.reserved[3] = 1;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	wanted.reserved[3] = 0;
	wanted.place = (enum tmm_place)3;
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, &wanted));
	EXPECT_REFUSED(EINVAL, !tmm_pages_allocate(client, NULL));
	EXPECT_REFUSED(EINVAL, !tmm_mapping_create(client, 1, TMM_DATA,
						   &(struct tmm_create_options){
		.reserved = { 1 },
	}));
	tmm_client_close(&client);
}

static void large_numbers_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	const uint64_t offset = UINT64_C(0xfedcba9876543210);

	EXPECT(!tmm_mapping_write(mapping, offset, "x", 1));
	EXPECT(fake.argument.access.offset == offset && fake.argument.access.length == 1);
	EXPECT(fake.last == THESEUS_MM_IOC_WRITE);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* Beyond its end, an offset would be another mapping's. */
static void windows_stay_within(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);

	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, UINT64_C(1) << 43, 4096, PROT_READ));
	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, 0, 4 * 4096 + 1, PROT_READ));
	EXPECT_REFUSED(ERANGE, !tmm_mapping_mmap(mapping, 4096, SIZE_MAX, PROT_READ));
	EXPECT_REFUSED(EINVAL, !tmm_mapping_mmap(mapping, 0, 0, PROT_READ));
	EXPECT(!tmm_mapping_munmap(NULL, 4096));
	EXPECT(!tmm_mapping_prefault(NULL, 0));
	EXPECT_REFUSED(EINVAL, tmm_mapping_prefault((void *)4097, 4096));
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void flags_go_round(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_mapping_info info;

	EXPECT(!tmm_mapping_query(mapping, &info));
	EXPECT(info.flags == TMM_DATA && info.is_exclusive);
	EXPECT(info.is_pinned && !info.is_shareable && info.nr_borrows == 9);
	EXPECT(info.nr_bytes == TMM_PAGE_SIZE && info.address == 0x1000 * fake.handle);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void unmap_counts_again(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_parts parts;

	fake.nr_runs = 3;
	fake.nr_races = 2;
	EXPECT(!tmm_mapping_unmap_into_parts(&mapping, &parts));
	EXPECT(!mapping && parts.pages && parts.nr_frames == 5);
	EXPECT(tmm_pages_size(parts.pages) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_frames_size(parts.frames[4]) == TMM_PAGE_SIZE);
	EXPECT(tmm_frames_address(parts.frames[4]) == 0x1000 * tmm_frames_handle(parts.frames[4]));
	EXPECT(tmm_frames_handle(parts.frames[4]) == tmm_frames_handle(parts.frames[0]) + 4);
	fake.error = EBUSY;
	EXPECT_REFUSED(EBUSY, tmm_parts_drop(&parts));
	fake.error = 0;
	EXPECT(parts.pages && parts.nr_frames == 5 && parts.frames[0]);
	EXPECT(!tmm_parts_drop(&parts));
	EXPECT(!parts.pages && !parts.frames && !parts.nr_frames);
	EXPECT(!tmm_parts_drop(&parts));
	tmm_client_close(&client);
}

static void unmap_counts_again_while_there_is_room(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	struct tmm_frames *frames[4];
	struct tmm_pages *pages;
	uint32_t nr = 4;

	fake.nr_runs = 1;
	fake.nr_races = 2;
	EXPECT(!tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(!mapping && nr == 3);
	while (nr)
		EXPECT(!tmm_frames_drop(&frames[--nr]));
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

/* Each request for memory is refused once: nothing is asked of the kernel, nothing lost. */
static void unmap_without_memory(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *kept = mapping;
	struct tmm_frames *frames[3] = { NULL };
	struct tmm_pages *pages = NULL;
	uint32_t nr = 2;
	int i;

	fake.nr_runs = 3;
	EXPECT_REFUSED(ENOBUFS, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(nr == 3 && mapping == kept);
	for (i = 1; i <= 5; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
		EXPECT(fake.last == THESEUS_MM_IOC_QUERY);
		EXPECT(mapping == kept && !pages && !frames[0] && nr == 3);
	}
	EXPECT(!tmm_mapping_unmap_into(&mapping, &pages, frames, &nr));
	EXPECT(!mapping && nr == 3);
	for (i = 0; i < 3; i++)
		EXPECT(!tmm_frames_drop(&frames[i]));
	EXPECT(!tmm_pages_drop(&pages));
	tmm_client_close(&client);
}

static void no_memory_asks_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *rest = NULL;
	const int nr_calls = fake.nr_calls;

	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_split(&mapping, TMM_PAGE_SIZE, &mapping, &rest));
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_create(client, 1, TMM_DATA, NULL));
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_pages_allocate(client, &four));
	EXPECT(mapping && !rest && fake.nr_calls == nr_calls);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* A descriptor of something else stays the caller's. */
static void another_file_is_no_client(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), kept = fd;

	fake.is_real = true;
	EXPECT_REFUSED(ENOTTY, !tmm_client_from_fd(&fd));
	EXPECT(fd == kept && fcntl(fd, F_GETFD) >= 0);
	close(fd);
	EXPECT_REFUSED(ENOTTY, !tmm_client_open("/dev/null"));
	/* the lowest that is free: the library's own was closed */
	EXPECT(open("/dev/null", O_RDWR | O_CLOEXEC) == fd);
	close(fd);
	fake.is_real = false;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	close(fd);
	return fd;
}

static void export_and_import_move(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client), *kept = mapping;
	int fd, taken;

	fake.error = EBUSY;
	EXPECT_REFUSED(EBUSY, tmm_mapping_export(&mapping) == -1);
	fake.error = 0;
	EXPECT(mapping == kept);
	fd = tmm_mapping_export(&mapping);
	EXPECT(is_open(fd) && !mapping);

	taken = fd;
	fake.error = EDQUOT;
	EXPECT_REFUSED(EDQUOT, !tmm_mapping_import(client, &taken));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_import(client, &taken));
	EXPECT_REFUSED(EBADF, !tmm_mapping_import(NULL, &taken));
	EXPECT(taken == fd && is_open(fd));
	mapping = tmm_mapping_import(client, &taken);
	EXPECT(mapping && taken == -1 && !is_open(fd) && fake.argument.import.fd == fd);
	EXPECT(tmm_mapping_size(mapping) == 7 * TMM_PAGE_SIZE);
	EXPECT(tmm_mapping_address(mapping) == 0x70000);
	EXPECT(tmm_mapping_handle(mapping) == fake.handle);

	fd = tmm_mapping_export_dmabuf(mapping);
	EXPECT(is_open(fd) && fake.last == THESEUS_MM_IOC_EXPORT_DMABUF);
	close(fd);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

static void descriptors_can_be_less(void)
{
	const struct tmm_export_options read_only = { .is_read_only = true };
	const struct tmm_export_options unknown[] = { { .reserved1 = { 1 } }, { .reserved = { 1 } } };
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);
	uint32_t id = 0;
	int fd, i;

	for (i = 0; i < 2; i++) {
		EXPECT_REFUSED(EINVAL, tmm_mapping_lend(mapping, &unknown[i]) == -1);
		EXPECT_REFUSED(EINVAL, tmm_mapping_export_as(&mapping, &unknown[i], &id) == -1);
	}
	fd = tmm_mapping_lend(mapping, NULL);
	EXPECT(is_open(fd) && fake.argument.export.flags == THESEUS_MM_EXPORT_BORROW);
	EXPECT(fake.argument.export.handle == tmm_mapping_handle(mapping));
	close(fd);
	fd = tmm_mapping_lend(mapping, &read_only);
	EXPECT(is_open(fd) && fake.argument.export.flags == THESEUS_MM_EXPORT_FLAGS_ALL);
	close(fd);
	fake.error = EMFILE;
	EXPECT_REFUSED(EMFILE, tmm_mapping_export_as(&mapping, &read_only, &id) == -1);
	EXPECT(mapping && !id);
	fake.error = 0;
	fd = tmm_mapping_export_as(&mapping, &read_only, &id);
	EXPECT(is_open(fd) && !mapping && id == 44);
	EXPECT(fake.argument.export.flags == THESEUS_MM_EXPORT_READ_ONLY);
	fake.error = ESTALE;
	EXPECT_REFUSED(ESTALE, !tmm_mapping_take_back(client, id));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, !tmm_mapping_take_back(client, id));
	mapping = tmm_mapping_take_back(client, id);
	EXPECT(mapping && fake.argument.take_back.export_id == 44);
	EXPECT(tmm_mapping_size(mapping) == 7 * TMM_PAGE_SIZE);
	close(fd);
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* The mapping of a descriptor is its handle 0. */
static void descriptors_are_asked(void)
{
	struct tmm_revocation revocation;
	struct tmm_mapping_info info;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	EXPECT(!tmm_fd_query(fd, &info) && info.nr_borrows == 9);
	EXPECT(!fake.argument.query.handle);
	EXPECT(!tmm_fd_revoke(fd, &revocation));
	EXPECT(revocation.nr_revoked == 5 && revocation.nr_pinned == 2);
	EXPECT(!tmm_fd_revoke(fd, NULL));
	fake.error = ESTALE;
	revocation.nr_revoked = 77;
	EXPECT_REFUSED(ESTALE, tmm_fd_revoke(fd, &revocation));
	EXPECT_REFUSED(ESTALE, tmm_fd_query(fd, &info));
	EXPECT(revocation.nr_revoked == 77 && info.nr_borrows == 9);
	fake.error = 0;
	EXPECT_REFUSED(EBADF, tmm_fd_query(-1, &info));
	close(fd);
}

static void share_says_which(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping = new_mapping(client);

	EXPECT(!tmm_mapping_share(mapping, true) && !fake.argument.share.flags);
	EXPECT(!tmm_mapping_share(mapping, false));
	EXPECT(fake.argument.share.flags == THESEUS_MM_SHARE_OFF);
	EXPECT(fake.argument.share.handle == tmm_mapping_handle(mapping));
	EXPECT(!tmm_mapping_drop(&mapping));
	tmm_client_close(&client);
}

/* As many descriptors as wanted, which a careful receiver does not expect. */
static void send_some(int socket, int fd, unsigned int nr)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(8 * sizeof(fd))];
	} control = { .room = { 0 } };
	struct iovec data = { .iov_base = &(char){ 0 }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = nr ? &control : NULL,
		.msg_controllen = nr ? CMSG_SPACE(nr * sizeof(fd)) : 0,
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (header) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(nr * sizeof(fd));
		while (nr)
			memcpy(CMSG_DATA(header) + --nr * sizeof(fd), &fd, sizeof(fd));
	}
	EXPECT(sendmsg(socket, &message, 0) == 1);
}

static void descriptors_travel(int type)
{
	int ends[2], fd = open("/dev/zero", O_RDWR | O_CLOEXEC), other;
	struct stat sent, received;

	EXPECT(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
	EXPECT(!tmm_fd_send(ends[0], fd));
	EXPECT(!tmm_fd_send(ends[0], ends[1]));
	other = tmm_fd_receive(ends[1]);
	EXPECT(other >= 0 && other != fd && fcntl(other, F_GETFD) == FD_CLOEXEC);
	EXPECT(!fstat(fd, &sent) && !fstat(other, &received));
	EXPECT(sent.st_rdev == received.st_rdev);
	close(other);
	other = tmm_fd_receive(ends[1]);
	EXPECT(!fstat(other, &received) && S_ISSOCK(received.st_mode));
	close(other);

	/* a socket that tells who sent it */
	EXPECT(!setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	EXPECT(!tmm_fd_send(ends[0], fd));
	other = tmm_fd_receive(ends[1]);
	EXPECT(is_open(other));
	close(other);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

/* Whatever arrives, no stray descriptor stays. */
static void odd_messages_are_refused(void)
{
	const unsigned int numbers[] = { 0, 2, 3, 8 };
	struct rlimit limit, none;
	int ends[2], free_before;
	unsigned int i;

	EXPECT(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	EXPECT_REFUSED(EBADF, tmm_fd_send(ends[0], -1));
	EXPECT_REFUSED(EBADF, tmm_fd_send(-1, ends[0]));
	EXPECT_REFUSED(EBADF, tmm_fd_receive(-1) == -1);
	free_before = lowest_free();
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		send_some(ends[0], ends[0], numbers[i]);
		EXPECT_REFUSED(EBADMSG, tmm_fd_receive(ends[1]) == -1);
		EXPECT(lowest_free() == free_before);
	}
	EXPECT(!tmm_fd_send(ends[0], ends[0]));
	EXPECT(!getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = (rlim_t)free_before;
	EXPECT(!setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, tmm_fd_receive(ends[1]) == -1);
	EXPECT(!setrlimit(RLIMIT_NOFILE, &limit));
	close(ends[0]);
	EXPECT_REFUSED(ECONNRESET, tmm_fd_receive(ends[1]) == -1);
	/* without a signal, which would end this program */
	EXPECT_REFUSED(EPIPE, tmm_fd_send(ends[1], ends[1]));
	close(ends[1]);
}

#define NR	4

static void fill(struct tmm_create_item *items)
{
	int i;

	for (i = 0; i < NR; i++)
		items[i] = (struct tmm_create_item){
			.nr_bytes = (i + 1) * TMM_PAGE_SIZE,
			.flags = TMM_DATA,
			.is_contiguous = i == 1,
			.error = -1,
		};
}

static void handles_are_listed_to_the_end(void)
{
	struct tmm_client *client = new_client();
	struct tmm_handles handles = { 0 };
	uint32_t i, number;

	EXPECT(!tmm_client_list_handles(client, &handles));
	EXPECT(handles.nr == NR_FAKE_HANDLES + NR_FAKE_EXPORTS);
	for (i = 0; i < handles.nr; i++) {
		const struct tmm_handle_entry *entry = &handles.entries[i];

		number = i < NR_FAKE_HANDLES ? 2 * i + 1 : 2 * (i - NR_FAKE_HANDLES) + 1;
		EXPECT(entry->handle == (i < NR_FAKE_HANDLES ? number : 0));
		EXPECT(entry->export_id == (i < NR_FAKE_HANDLES ? 0 : number));
		EXPECT(entry->address == 0x1000 * (uint64_t)number && entry->is_exclusive);
		EXPECT(entry->nr_bytes == number * TMM_PAGE_SIZE && entry->flags == TMM_DATA);
		EXPECT(entry->kind == TMM_KIND_MAPPING && entry->nr_frame_ranges == 5);
		EXPECT(entry->attributes == TMM_ATTRIBUTE_SHAREABLE && entry->nr_borrows == 2);
	}
	tmm_handles_free(&handles);
	EXPECT(!handles.entries && !handles.nr);
	tmm_handles_free(&handles);
	fake.error = ENOTTY;
	EXPECT_REFUSED(ENOTTY, tmm_client_list_handles(client, &handles));
	fake.error = 0;
	EXPECT(!handles.entries);
	tmm_client_close(&client);
}

static void a_picture_has_the_parts_there_are(void)
{
	struct tmm_client *client = new_client();
	struct tmm_occupancy occupancy = { 0 };
	int i;

	EXPECT(!tmm_client_occupancy(client, 0, 0, &occupancy));
	EXPECT(occupancy.nr == 5 && occupancy.bucket_bytes == 1024 * TMM_PAGE_SIZE);
	for (i = 0; i < 5; i++)
		EXPECT(occupancy.buckets[i].free == (uint32_t)i &&
		       occupancy.buckets[i].bad == 7 && occupancy.owners[i] == 10 + (uint32_t)i);
	tmm_occupancy_free(&occupancy);
	EXPECT(!occupancy.buckets && !occupancy.owners && !occupancy.nr);
	tmm_occupancy_free(&occupancy);
	EXPECT(!tmm_client_occupancy(client, 0, 4 << 20, &occupancy));
	EXPECT(occupancy.bucket_bytes == 4 << 20);
	tmm_occupancy_free(&occupancy);
	EXPECT_REFUSED(EINVAL, tmm_client_occupancy(client, 0, 4097, &occupancy));
	for (i = 1; i <= 2; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_client_occupancy(client, 0, 0, &occupancy));
	}
	fake.error = ERANGE;
	EXPECT_REFUSED(ERANGE, tmm_client_occupancy(client, 9, 0, &occupancy));
	fake.error = 0;
	EXPECT(!occupancy.buckets);
	tmm_client_close(&client);
}

static void many_each_for_itself(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR], *kept;
	struct tmm_create_item items[NR];
	int errors[NR];

	fill(items);
	fake.bad_item = 2;
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, 0) == NR - 1);
	EXPECT(!items[0].error && items[1].error == EBUSY && !items[2].error);
	EXPECT(mappings[0] && !mappings[1] && mappings[3]);
	EXPECT(tmm_mapping_size(mappings[3]) == 4 * TMM_PAGE_SIZE);
	EXPECT(tmm_mapping_address(mappings[3]) == 0x1000 * tmm_mapping_handle(mappings[3]));
	EXPECT(tmm_mapping_handle(mappings[3]) == tmm_mapping_handle(mappings[0]) + 2);

	/* the second that is not NULL */
	kept = mappings[2];
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, 0) == NR - 1);
	EXPECT(fake.argument.batch.nr_items == NR - 1);
	EXPECT(!mappings[0] && !mappings[1] && mappings[2] == kept && !mappings[3]);
	EXPECT(!errors[0] && !errors[1] && errors[2] == EBUSY && !errors[3]);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_drop_many(mappings, NULL, NR, 0) == NR);
	EXPECT(!mappings[2] && fake.argument.batch.nr_items == 1);

	/* nothing is left to ask for */
	fake.last = 0;
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, 0) == NR && !fake.last);
	tmm_client_close(&client);
}

static void many_all_or_nothing(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR] = { NULL }, *kept;
	struct tmm_create_item items[NR];
	int errors[NR];

	fill(items);
	fake.bad_item = 3;
	EXPECT_REFUSED(EBUSY, tmm_mapping_create_many(client, items, mappings, NR,
						      TMM_ALL_OR_NOTHING) == -1);
	EXPECT(items[0].error == ECANCELED && items[2].error == EBUSY && !mappings[0]);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, TMM_ALL_OR_NOTHING) == NR);
	EXPECT(!items[2].error && mappings[2]);
	kept = mappings[0];
	fake.bad_item = 3;
	EXPECT_REFUSED(EBUSY, tmm_mapping_drop_many(mappings, errors, NR,
						    TMM_ALL_OR_NOTHING) == -1);
	EXPECT(errors[0] == ECANCELED && errors[2] == EBUSY && mappings[0] == kept);
	fake.bad_item = 0;
	EXPECT(tmm_mapping_drop_many(mappings, errors, NR, TMM_ALL_OR_NOTHING) == NR);
	EXPECT(!mappings[0] && !errors[2]);
	tmm_client_close(&client);
}

static void many_are_checked(void)
{
	struct tmm_client *client = new_client(), *stranger = new_client();
	struct tmm_mapping *mappings[NR] = { new_mapping(client), NULL, new_mapping(stranger) };
	struct tmm_create_item items[NR];
	const int nr_calls = fake.nr_calls;

	fill(items);
	EXPECT_REFUSED(EXDEV, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, NR, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, TMM_MAX_MANY + 1, 0) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, NR, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, UINT32_MAX,
						       0) == -1);
	items[3].reserved[2] = 1;
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, NR, 0) == -1);
	items[3].reserved[2] = 0;
	EXPECT_REFUSED(EBADF, tmm_mapping_create_many(NULL, items, mappings, NR, 0) == -1);
	/* of nothing, all is done */
	EXPECT_REFUSED(EINVAL, tmm_mapping_create_many(client, items, mappings, 0, 2) == -1);
	EXPECT_REFUSED(EINVAL, tmm_mapping_drop_many(mappings, NULL, 0, 2) == -1);
	EXPECT(tmm_mapping_create_many(client, items, mappings, 0, 0) == 0);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, 0, 0) == 0);
	EXPECT(tmm_mapping_create_many(client, items, mappings, 0, TMM_ALL_OR_NOTHING) == 0);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, 0, TMM_ALL_OR_NOTHING) == 0);
	EXPECT(fake.nr_calls == nr_calls);
	EXPECT(mappings[0] && !mappings[1] && mappings[2] && items[0].error == -1);

	/* of a closed client, what is here is freed */
	tmm_client_close(&stranger);
	EXPECT(tmm_mapping_drop_many(mappings + 1, NULL, NR - 1, 0) == NR - 1);
	EXPECT(!mappings[2]);
	EXPECT(!tmm_mapping_drop(&mappings[0]));
	tmm_client_close(&client);
}

static void many_without_memory(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mappings[NR] = { NULL };
	struct tmm_create_item items[NR];
	const int nr_calls = fake.nr_calls;
	int i;

	fill(items);
	for (i = 1; i <= 2 + NR; i++) {
		no_memory_at = i;
		EXPECT_REFUSED(ENOMEM, tmm_mapping_create_many(client, items, mappings, NR,
							       0) == -1);
		no_memory_at = 0;
		EXPECT(!mappings[0] && fake.nr_calls == nr_calls);
	}
	EXPECT(tmm_mapping_create_many(client, items, mappings, NR, 0) == NR);
	fake.error = ENOMEM;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	fake.error = 0;
	EXPECT(mappings[0] && mappings[3]);
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_mapping_drop_many(mappings, NULL, NR, 0) == -1);
	EXPECT(mappings[0] && mappings[3]);
	EXPECT(tmm_mapping_drop_many(mappings, NULL, NR, 0) == NR);
	tmm_client_close(&client);
}

static void clients_are_listed(void)
{
	struct tmm_client *client = new_client();
	struct tmm_clients clients = { .nr = 77 };

	fake.nr_clients = 16;
	EXPECT(!tmm_client_list(client, &clients));
	EXPECT(clients.nr == 16 && clients.nr_hidden == 2 && clients.hidden_frames == 3);
	EXPECT(clients.entries[15].id == 16 && clients.entries[15].pid == -1);
	EXPECT(!strcmp(clients.entries[15].comm, "exactly-15-long"));
	tmm_clients_free(&clients);
	EXPECT(!clients.entries && !clients.nr);
	tmm_clients_free(&clients);

	/* more come each time it looks */
	fake.nr_races = 3;
	EXPECT(!tmm_client_list(client, &clients));
	EXPECT(clients.nr == 316 && clients.entries[315].id == 316);
	tmm_clients_free(&clients);
	fake.nr_clients = 0;
	EXPECT(!tmm_client_list(client, &clients) && !clients.nr);
	tmm_clients_free(&clients);

	clients.nr = 77;
	fake.error = EFAULT;
	EXPECT_REFUSED(EFAULT, tmm_client_list(client, &clients));
	fake.error = 0;
	no_memory_at = 1;
	EXPECT_REFUSED(ENOMEM, tmm_client_list(client, &clients));
	EXPECT_REFUSED(EBADF, tmm_client_list(NULL, &clients));
	EXPECT(clients.nr == 77);
	tmm_client_close(&client);
}

static void limits_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_limits limits;

	EXPECT(!tmm_client_limits(client, &limits));
	EXPECT(limits.client_frames_max == 1 && limits.client_handles_max == 2);
	EXPECT(limits.client_frames == 3 && limits.client_handles == 4);
	EXPECT(limits.user_frames_max == TMM_NO_LIMIT && limits.user_handles_max == 6);
	EXPECT(limits.user_frames == 7 && limits.user_handles == 8);
	EXPECT(limits.client_pages_max == 9 && limits.client_pages == 10);
	EXPECT(limits.user_pages_max == 11 && limits.user_pages == 12);
	limits.client_frames_max = 5;
	limits.client_handles_max = TMM_NO_LIMIT;
	EXPECT(!tmm_client_set_limits(client, TMM_LIMIT_FRAMES | TMM_LIMIT_HANDLES, &limits));
	EXPECT(fake.last == THESEUS_MM_IOC_SET_LIMITS);
	EXPECT(fake.argument.limits.flags == (THESEUS_MM_SET_FRAMES | THESEUS_MM_SET_HANDLES));
	EXPECT(fake.argument.limits.client_frames_max == 5);
	EXPECT(fake.argument.limits.client_pages_max == 9);
	EXPECT(fake.argument.limits.client_handles_max == THESEUS_MM_NO_LIMIT);
	EXPECT(!fake.argument.limits.user_frames_max);
	fake.error = EPERM;
	EXPECT_REFUSED(EPERM, tmm_client_set_limits(client, TMM_LIMIT_PAGES, &limits));
	fake.error = 0;
	tmm_client_close(&client);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A pipe is ready when something was written to it. */
static void wait_ends(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 20 * 1000 };
	const struct sigaction action = { .sa_handler = on_alarm };
	struct tmm_client *client;
	int ends[2];

	EXPECT(!pipe2(ends, O_CLOEXEC));
	client = tmm_client_from_fd(&ends[0]);
	EXPECT_REFUSED(ETIMEDOUT, tmm_client_wait(client, 0));
	EXPECT_REFUSED(ETIMEDOUT, tmm_client_wait(client, 10));
	EXPECT(!sigaction(SIGALRM, &action, NULL));
	EXPECT(!setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_REFUSED(EINTR, tmm_client_wait(client, -1));
	EXPECT(write(ends[1], "", 1) == 1);
	EXPECT(!tmm_client_wait(client, -1));
	tmm_client_close(&client);
	close(ends[1]);
	EXPECT_REFUSED(EBADF, tmm_client_wait(client, -1));
}

static void privileged_requests_arrive(void)
{
	struct tmm_client *client = new_client();
	struct tmm_mapping *mapping;

	mapping = tmm_mapping_create(client, 1, TMM_DATA, &(struct tmm_create_options){
		.is_identity = true,
		.is_contiguous = true,
		.leaf_size = TMM_LARGE_PAGE_SIZE,
		.align = 3,
	});
	EXPECT(mapping && fake.last == THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING);
	EXPECT(fake.argument.create.leaf_size == TMM_LARGE_PAGE_SIZE);
	EXPECT(fake.argument.create.align == 3);
	EXPECT(!tmm_mapping_drop(&mapping));
	mapping = tmm_mapping_map_frame_range(client, 0x123456, 99, TMM_DEVICE_MEMORY);
	EXPECT(mapping && tmm_mapping_size(mapping) == 5 * TMM_PAGE_SIZE);
	EXPECT(fake.argument.map_range.paddr == 0x123456 && fake.argument.map_range.nr_bytes == 99);
	EXPECT(fake.argument.map_range.pte_flags == THESEUS_MM_PTE_DEVICE_MEMORY);
	EXPECT(!tmm_mapping_drop(&mapping));
	fake.error = ERANGE;
	EXPECT_REFUSED(ERANGE, !tmm_mapping_map_frame_range(client, 0, 1, 0));
	fake.error = 0;
	EXPECT(!tmm_client_add_device_region(client, 0x1000, 0x2000, TMM_MEMORY_WRITE_COMBINING));
	EXPECT(fake.argument.device_region.memory_type == THESEUS_MM_MEMORY_WRITE_COMBINING);
	EXPECT(fake.argument.device_region.start == 0x1000);
	EXPECT(!tmm_client_remove_device_region(client, 0x1000, 0x2000));
	EXPECT(fake.last == THESEUS_MM_IOC_REMOVE_DEVICE_REGION);
	EXPECT(fake.argument.device_region.nr_bytes == 0x2000);
	EXPECT(!fake.argument.device_region.memory_type);
	tmm_client_close(&client);
}

int main(void)
{
	open_refuses();
	objects_outlive_their_client();
	consumed_objects_are_refused();
	failure_consumes_nothing();
	split_and_merge_keep_count();
	clients_do_not_mix();
	options_are_checked();
	large_numbers_arrive();
	windows_stay_within();
	flags_go_round();
	unmap_counts_again();
	unmap_counts_again_while_there_is_room();
	unmap_without_memory();
	no_memory_asks_nothing();
	another_file_is_no_client();
	export_and_import_move();
	descriptors_can_be_less();
	descriptors_are_asked();
	share_says_which();
	descriptors_travel(SOCK_STREAM);
	descriptors_travel(SOCK_SEQPACKET);
	odd_messages_are_refused();
	handles_are_listed_to_the_end();
	a_picture_has_the_parts_there_are();
	many_each_for_itself();
	many_all_or_nothing();
	many_are_checked();
	many_without_memory();
	clients_are_listed();
	limits_arrive();
	wait_ends();
	privileged_requests_arrive();
	printf("libtmm: %d checks, %d failed\n", nr_checks, nr_failed);
	return nr_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
