// SPDX-License-Identifier: GPL-2.0
/*
 * A fake kernel, so that the tool runs without the module: two regions, one of them busy, and
 * clients that each own a pattern of frames. The tool is linked with --wrap=ioctl,--wrap=open64.
 *
 * The variable FAKE changes the answers:
 *
 *	empty	there are no clients
 *	old	the module has no calls for clients and owners
 *	nobody	the caller has no privilege
 *	many	there are more clients than letters
 *	serves	memory can be allocated, written and read, so that each command can finish
 *	forgets	like serves, but written bytes are lost
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/theseus_mm.h>

#define FD		99
#define NR_REGIONS	2

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_ioctl(int fd, unsigned long request, ...);

static const struct {
	uint64_t start;
	uint64_t nr;
} regions[NR_REGIONS] = {
	{ 0x40000000, 131072 },
	{ 0x100000000, 24576 + 100 },
};

static const char *const names[] = {
	"database", "ring-server", "<&\"'\033[31m", "nic-driver", "backup", "tmm",
};

static bool is_fake(const char *how)
{
	const char *fake = getenv("FAKE");

	return fake && !strcmp(fake, how);
}

static bool is_serving(void)
{
	return is_fake("serves") || is_fake("forgets");
}

static unsigned int nr_clients(void)
{
	return is_fake("empty") ? 0 : is_fake("many") ? 40 : 6;
}

/* Make a pattern that is the same each time: runs, holes, and scattered pages. */
static void use_of(unsigned int region, uint64_t frame, int *use, unsigned int *owner)
{
	uint64_t nr = regions[region].nr;
	unsigned int hash = (frame * 2654435761u) >> 16 & 0xffff;

	*owner = 0;
	*use = 0;
	if (frame >= nr - nr / 900) {
		*use = 4;
		return;
	}
	if (is_fake("empty"))
		return;
	if (frame >= nr - nr / 900 - 400) {
		*use = 3;
		return;
	}
	if (is_fake("many")) {
		*owner = 1 + frame / 2000 % 45;
		*use = *owner <= 40;
		*owner = *use ? *owner : 0;
		return;
	}
	if (region == 1) {
		*use = frame < 8192 || (frame > 16384 && frame < 17000);
		*owner = *use ? 4 : 0;
	} else if (frame < 40000) {
		*use = 1, *owner = 1;
	} else if (frame > 48000 && frame < 70000) {
		*use = frame / 700 % 3 ? 1 : 0;
		*owner = *use ? 2 : 0;
	} else if (frame > 72000 && frame < 90000) {
		*use = hash % 16 < frame / 1200 % 16 ? 2 : 0;
		*owner = *use ? 3 : 0;
	} else if (frame > 100000 && frame < 104096) {
		*use = 2, *owner = 5;
	} else if (frame > 120000 && frame < 121000) {
		*use = 1;
	}
}

/* The use of each frame, computed once and kept, since the tool asks often. */
static struct frame {
	unsigned char use;
	unsigned char owner;
} *frames[NR_REGIONS];

static const struct frame *frames_in(unsigned int region)
{
	unsigned int owner;
	uint64_t frame;
	int use;

	if (frames[region])
		return frames[region];
	frames[region] = calloc(regions[region].nr, sizeof(struct frame));
	for (frame = 0; frame < regions[region].nr; frame++) {
		use_of(region, frame, &use, &owner);
		frames[region][frame] = (struct frame){ .use = use, .owner = owner };
	}
	return frames[region];
}

static int get_info(struct theseus_mm_info *info)
{
	uint64_t run = 0, frame;
	unsigned int i;
	int use;

	memset(info, 0, sizeof(*info));
	info->abi = THESEUS_MM_ABI;
	info->paging_levels = 5;
	info->nr_regions = NR_REGIONS;
	for (i = 0; i < NR_REGIONS; i++) {
		info->region_bytes += regions[i].nr * 4096;
		for (frame = 0; frame <= regions[i].nr; frame++) {
			use = frame < regions[i].nr ? frames_in(i)[frame].use : 1;
			info->frames_total += frame < regions[i].nr && use != 4;
			info->frames_free += !use;
			run = use ? 0 : run + 1;
			info->frames_ranges += run == 1;
			if (run > info->frames_largest[0])
				info->frames_largest[0] = run;
		}
	}
	info->frames_largest[1] = info->frames_largest[0] / 512 * 512;
	info->pages_start = 0xff00000000000000;
	info->pages_total = 1ULL << 31;
	info->pages_free = (1ULL << 31) - 1000;
	info->nr_mappings = 77;
	info->nr_tables = 800;
	info->client_handles_max = 1 << 20;
	if (!is_fake("old")) {
		info->client_id = 6;
		info->nr_clients = nr_clients();
	}
	return 0;
}

/* Answer in parts of 2 MiB. */
static int get_occupancy(struct theseus_mm_occupancy *ask)
{
	struct theseus_mm_bucket *buckets = (void *)(uintptr_t)ask->buckets;
	uint32_t *owners = (void *)(uintptr_t)ask->owners, room = ask->nr_buckets, i, owner;
	const struct frame *all = frames_in(ask->index);
	uint64_t nr = regions[ask->index].nr, frame;
	int use;

	ask->bucket_frames = 512;
	ask->nr_buckets = (nr - 1) / 512 + 1;
	if (room < ask->nr_buckets) {
		errno = ENOBUFS;
		return -1;
	}
	for (i = 0; i < ask->nr_buckets; i++) {
		memset(&buckets[i], 0, sizeof(buckets[i]));
		for (frame = 512 * i; frame < 512 * (i + 1) && frame < nr; frame++) {
			use = all[frame].use;
			owner = all[frame].owner;
			(&buckets[i].free)[use == 1 ? 2 : use == 2 ? 1 : use]++;
			if (owners && owner && !is_fake("old"))
				owners[i] = is_fake("nobody") && owner != 2 ?
					    THESEUS_MM_OWNER_HIDDEN : owner;
		}
	}
	return 0;
}

static uint64_t frames_of(unsigned int id)
{
	unsigned int region;
	uint64_t frame, nr = 0;

	for (region = 0; region < NR_REGIONS; region++)
		for (frame = 0; frame < regions[region].nr; frame++)
			nr += frames_in(region)[frame].owner == id;
	return nr;
}

static int get_clients(struct theseus_mm_clients *ask)
{
	struct theseus_mm_client_info *clients = (void *)(uintptr_t)ask->clients;
	unsigned int id, room = ask->nr_clients;

	ask->nr_clients = 0;
	ask->orphan_frames = is_fake("empty") ? 0 : 300;
	for (id = 1; id <= nr_clients(); id++) {
		if (is_fake("nobody") && id != 2) {
			ask->nr_hidden++;
			ask->hidden_frames += frames_of(id);
			continue;
		}
		if (ask->nr_clients < room)
			clients[ask->nr_clients] = (struct theseus_mm_client_info){
				.id = id, .uid = id % 2 ? 0 : 65534, .pid = 1000 + 37 * id,
				.nr_handles = 3 * id, .nr_mappings = id,
				.nr_frames = frames_of(id),
			};
		if (ask->nr_clients < room)
			memcpy(clients[ask->nr_clients].comm, names[(id - 1) % 6],
			       strlen(names[(id - 1) % 6]));
		ask->nr_clients++;
	}
	return 0;
}

/* List an object of each kind and an export, two in each call. */
static int list_handles(struct theseus_mm_handles *ask)
{
	static const struct theseus_mm_handle_info all[] = {
		{ .handle = 3, .kind = THESEUS_MM_KIND_PAGES, .start = 0xff00000000000000,
		  .nr_pages = 4 },
		{ .handle = 5, .kind = THESEUS_MM_KIND_FRAMES, .nr_pages = 512,
		  .nr_frame_ranges = 1 },
		{ .handle = 9, .kind = THESEUS_MM_KIND_MAPPING, .start = 0xff00000000200000,
		  .nr_pages = 3, .nr_frame_ranges = 2, .nr_borrows = 1,
		  .pte_flags = THESEUS_MM_PTE_DATA,
		  .attributes = THESEUS_MM_ATTRIBUTE_SHAREABLE },
	};
	static const struct theseus_mm_handle_info export = {
		.kind = THESEUS_MM_KIND_MAPPING, .start = 0xff00000000400000, .nr_pages = 1,
		.nr_frame_ranges = 1, .export_id = 2,
	};
	struct theseus_mm_handle_info *infos = (void *)(uintptr_t)ask->handles;
	uint32_t nr = 0, i;

	if (ask->flags & THESEUS_MM_HANDLES_EXPORTS) {
		infos[nr++] = export;
		ask->from = 0;
	} else {
		for (i = 0; i < 3 && nr < 2; i++)
			if (all[i].handle >= ask->from)
				infos[nr++] = all[i];
		ask->from = ask->from <= 5 ? 9 : 0;
	}
	ask->nr_handles = nr;
	return 0;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* All mappings share this memory, since the tool writes and reads one mapping at a time. */
static char memory[1 << 20];
static uint64_t memory_flags = THESEUS_MM_PTE_DATA;
static uint32_t last_handle;

static int create_mapping(struct theseus_mm_create_mapping *call)
{
	call->handle = ++last_handle;
	call->start = 0xff00000000000000;
	call->nr_pages = (call->size + 4095) / 4096;
	memory_flags = call->pte_flags;
	return 0;
}

static int allocate(struct theseus_mm_allocate *call, uint64_t start)
{
	call->handle = ++last_handle;
	call->start = start;
	call->nr_pages = (call->size + 4095) / 4096;
	return 0;
}

static int query(struct theseus_mm_query *call)
{
	call->kind = THESEUS_MM_KIND_MAPPING;
	call->start = 0xff00000000000000;
	call->nr_pages = 16;
	call->nr_frame_ranges = 1;
	call->pte_flags = memory_flags;
	return 0;
}

static int access_memory(const struct theseus_mm_access *call, bool is_write)
{
	char *place = memory + call->offset, *buffer = (char *)(uintptr_t)call->buffer;

	if (call->length > sizeof(memory) || call->offset > sizeof(memory) - call->length)
		return refuse(EINVAL);
	if (is_write && !(memory_flags & THESEUS_MM_PTE_WRITABLE))
		return refuse(EACCES);
	if (is_write && is_fake("forgets"))
		return 0;
	memcpy(is_write ? place : buffer, is_write ? buffer : place, call->length);
	return 0;
}

static int split(struct theseus_mm_split *call)
{
	call->first = call->handle;
	call->second = ++last_handle;
	return 0;
}

static int translate(struct theseus_mm_translate *call)
{
	call->page_size_shift = 12;
	call->paddr = regions[0].start + call->vaddr % 4096;
	call->pte_flags = memory_flags;
	return 0;
}

/* Return five entries: four for tables, and the last one for a page. */
static int dump_pte(struct theseus_mm_dump_pte *call)
{
	call->nr_levels = 5;
	call->entries[0] = 0x0010000040000063;
	call->entries[1] = 0x0020000040001063;
	call->entries[2] = 0x0030000040002063;
	call->entries[3] = 0x0040000040003063;
	call->entries[4] = 0x8000000040004063;
	return 0;
}

static int serve(unsigned long request, void *argument)
{
	switch (request) {
	case THESEUS_MM_IOC_CREATE_MAPPING:
	case THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING:
		return create_mapping(argument);
	case THESEUS_MM_IOC_ALLOCATE_FRAMES:
		return allocate(argument, regions[0].start);
	case THESEUS_MM_IOC_ALLOCATE_PAGES:
		return allocate(argument, 0xff00000000000000);
	case THESEUS_MM_IOC_QUERY:
		return query(argument);
	case THESEUS_MM_IOC_READ:
		return access_memory(argument, false);
	case THESEUS_MM_IOC_WRITE:
		return access_memory(argument, true);
	case THESEUS_MM_IOC_REMAP:
		memory_flags = ((struct theseus_mm_remap *)argument)->pte_flags;
		return 0;
	case THESEUS_MM_IOC_SPLIT:
		return split(argument);
	case THESEUS_MM_IOC_MERGE:
	case THESEUS_MM_IOC_DROP:
		return 0;
	case THESEUS_MM_IOC_TRANSLATE:
		return translate(argument);
	case THESEUS_MM_IOC_DUMP_PTE:
		return dump_pte(argument);
	default:
		return refuse(ENOTTY);
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd != FD)
		return __real_ioctl(fd, request, argument);
	switch (request) {
	case THESEUS_MM_IOC_GET_INFO:
		return get_info(argument);
	case THESEUS_MM_IOC_GET_REGION:
		((struct theseus_mm_region *)argument)->start = is_fake("nobody") ? 0 :
			regions[((struct theseus_mm_region *)argument)->index].start;
		((struct theseus_mm_region *)argument)->nr_bytes =
			regions[((struct theseus_mm_region *)argument)->index].nr * 4096;
		return 0;
	case THESEUS_MM_IOC_GET_OCCUPANCY:
		return get_occupancy(argument);
	case THESEUS_MM_IOC_GET_CLIENTS:
		return is_fake("old") ? refuse(ENOTTY) : get_clients(argument);
	case THESEUS_MM_IOC_LIST_HANDLES:
		return list_handles(argument);
	case THESEUS_MM_IOC_TRANSLATE:
		if (is_serving())
			return serve(request, argument);
		return refuse(is_fake("nobody") ? EPERM : ENOENT);
	default:
		return is_serving() ? serve(request, argument) : refuse(ENOTTY);
	}
}

int __wrap_open64(const char *path, int flags, ...)
{
	va_list list;
	int mode;

	if (!strcmp(path, "/dev/theseus_mm"))
		return FD;
	va_start(list, flags);
	mode = va_arg(list, int);
	va_end(list);
	return __real_open64(path, flags, mode);
}
