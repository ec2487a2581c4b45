// SPDX-License-Identifier: GPL-2.0
/*
 * What all calls have in common: numbers, sizes, flags, pointers. Every test
 * here runs once for every call.
 */
#include "client.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>

/* Also 32-bit: every structure has one layout. */

/* Programs are built with these; they never change. */
_Static_assert(sizeof(struct theseus_mm_info) == 152, "");
_Static_assert(sizeof(struct theseus_mm_region) == 24, "");
_Static_assert(sizeof(struct theseus_mm_bucket) == 24, "");
_Static_assert(sizeof(struct theseus_mm_occupancy) == 40, "");
_Static_assert(sizeof(struct theseus_mm_query) == 48, "");
_Static_assert(sizeof(struct theseus_mm_drop) == 8, "");
_Static_assert(sizeof(struct theseus_mm_split) == 24, "");
_Static_assert(sizeof(struct theseus_mm_merge) == 16, "");
_Static_assert(sizeof(struct theseus_mm_allocate) == 64, "");
_Static_assert(sizeof(struct theseus_mm_create_mapping) == 64, "");
_Static_assert(sizeof(struct theseus_mm_map) == 40, "");
_Static_assert(sizeof(struct theseus_mm_remap) == 16, "");
_Static_assert(sizeof(struct theseus_mm_unmap) == 24, "");
_Static_assert(sizeof(struct theseus_mm_access) == 32, "");
_Static_assert(sizeof(struct theseus_mm_map_offset) == 24, "");
_Static_assert(sizeof(struct theseus_mm_revoke) == 16, "");
_Static_assert(sizeof(struct theseus_mm_clients) == 40, "");
_Static_assert(sizeof(struct theseus_mm_client_info) == 48, "");
_Static_assert(sizeof(struct theseus_mm_limits) == 104, "");
_Static_assert(sizeof(struct theseus_mm_handles) == 24, "");
_Static_assert(sizeof(struct theseus_mm_handle_info) == 48, "");
_Static_assert(sizeof(struct theseus_mm_share) == 8, "");
_Static_assert(sizeof(struct theseus_mm_export) == 16, "");
_Static_assert(sizeof(struct theseus_mm_import) == 32, "");
_Static_assert(sizeof(struct theseus_mm_take_back) == 32, "");
_Static_assert(sizeof(struct theseus_mm_batch) == 24, "");
_Static_assert(sizeof(struct theseus_mm_create_item) == 72, "");
_Static_assert(sizeof(struct theseus_mm_drop_item) == 8, "");
_Static_assert(sizeof(struct theseus_mm_device_region) == 24, "");
_Static_assert(sizeof(struct theseus_mm_map_range) == 48, "");
_Static_assert(sizeof(struct theseus_mm_translate) == 32, "");
_Static_assert(sizeof(struct theseus_mm_dump_pte) == 56, "");

_Static_assert(THESEUS_MM_IOC_GET_INFO == 0xc098ba00, "");
_Static_assert(THESEUS_MM_IOC_GET_REGION == 0xc018ba01, "");
_Static_assert(THESEUS_MM_IOC_GET_OCCUPANCY == 0xc028ba02, "");
_Static_assert(THESEUS_MM_IOC_QUERY == 0xc030ba03, "");
_Static_assert(THESEUS_MM_IOC_DROP == 0xc008ba04, "");
_Static_assert(THESEUS_MM_IOC_SPLIT == 0xc018ba05, "");
_Static_assert(THESEUS_MM_IOC_MERGE == 0xc010ba06, "");
_Static_assert(THESEUS_MM_IOC_ALLOCATE_FRAMES == 0xc040ba10, "");
_Static_assert(THESEUS_MM_IOC_ALLOCATE_PAGES == 0xc040ba20, "");
_Static_assert(THESEUS_MM_IOC_CREATE_MAPPING == 0xc040ba30, "");
_Static_assert(THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING == 0xc040ba31, "");
_Static_assert(THESEUS_MM_IOC_MAP_ALLOCATED_PAGES == 0xc028ba32, "");
_Static_assert(THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO == 0xc028ba33, "");
_Static_assert(THESEUS_MM_IOC_REMAP == 0xc010ba34, "");
_Static_assert(THESEUS_MM_IOC_UNMAP_INTO_PARTS == 0xc018ba35, "");
_Static_assert(THESEUS_MM_IOC_READ == 0xc020ba36, "");
_Static_assert(THESEUS_MM_IOC_WRITE == 0xc020ba37, "");
_Static_assert(THESEUS_MM_IOC_MAP_OFFSET == 0xc018ba38, "");
_Static_assert(THESEUS_MM_IOC_REVOKE == 0xc010ba39, "");
_Static_assert(THESEUS_MM_IOC_TRANSLATE == 0xc020ba40, "");
_Static_assert(THESEUS_MM_IOC_GET_CLIENTS == 0xc028ba07, "");
_Static_assert(THESEUS_MM_IOC_GET_LIMITS == 0xc068ba08, "");
_Static_assert(THESEUS_MM_IOC_SET_LIMITS == 0xc068ba09, "");
_Static_assert(THESEUS_MM_IOC_LIST_HANDLES == 0xc018ba0a, "");
_Static_assert(THESEUS_MM_IOC_SHARE == 0xc008ba3a, "");
_Static_assert(THESEUS_MM_IOC_CREATE_BATCH == 0xc018ba3b, "");
_Static_assert(THESEUS_MM_IOC_DROP_BATCH == 0xc018ba3c, "");
_Static_assert(THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING == 0xc040ba3d, "");
_Static_assert(THESEUS_MM_IOC_MAP_FRAME_RANGE == 0xc030ba3e, "");
_Static_assert(THESEUS_MM_IOC_EXPORT == 0xc010ba50, "");
_Static_assert(THESEUS_MM_IOC_IMPORT == 0xc020ba51, "");
_Static_assert(THESEUS_MM_IOC_EXPORT_DMABUF == 0xc010ba52, "");
_Static_assert(THESEUS_MM_IOC_TAKE_BACK == 0xc020ba53, "");
_Static_assert(THESEUS_MM_IOC_ADD_DEVICE_REGION == 0xc018ba60, "");
_Static_assert(THESEUS_MM_IOC_REMOVE_DEVICE_REGION == 0xc018ba61, "");
_Static_assert(THESEUS_MM_IOC_DUMP_PTE == 0xc038ba41, "");

/* Room for any structure and a tail behind it. */
#define ROOM	PAGE

union argument {
	__u32 flags;
	struct theseus_mm_info info;
	struct theseus_mm_region region;
	struct theseus_mm_occupancy occupancy;
	struct theseus_mm_clients clients;
	struct theseus_mm_query query;
	struct theseus_mm_handles handles;
	struct theseus_mm_drop drop;
	struct theseus_mm_split split;
	struct theseus_mm_merge merge;
	struct theseus_mm_allocate allocate;
	struct theseus_mm_create_mapping create;
	struct theseus_mm_map map;
	struct theseus_mm_remap remap;
	struct theseus_mm_unmap unmap;
	struct theseus_mm_access access;
	struct theseus_mm_map_offset map_offset;
	struct theseus_mm_revoke revoke;
	struct theseus_mm_share share;
	struct theseus_mm_export export;
	struct theseus_mm_take_back take_back;
	struct theseus_mm_batch batch;
	struct theseus_mm_limits limits;
	struct theseus_mm_device_region device_region;
	struct theseus_mm_map_range map_range;
	struct theseus_mm_translate translate;
	struct theseus_mm_dump_pte dump;
	unsigned char bytes[ROOM];
};

/**
 * call - a client with one object of each kind, and a good argument for a call
 * @pages: a handle
 * @frames: a handle of as many
 * @first: handle of a mapping
 * @second: handle of the mapping right after it
 * @vaddr: address of the first
 * @argument: what the call is made with; in a mapping of its own, with an
 *            inaccessible page behind it
 */
FIXTURE(call)
{
	int fd;
	struct theseus_mm_info start;
	__u32 pages;
	__u32 frames;
	__u32 first;
	__u32 second;
	__u64 vaddr;
	union argument *argument;
	struct theseus_mm_bucket buckets[4];
	__u32 owners[4];
	struct theseus_mm_client_info clients[4];
	struct theseus_mm_handle_info handles[4];
	__u32 unmapped[4];
	int exported;
	unsigned char buffer[64];
	struct theseus_mm_create_item creates[2];
	struct theseus_mm_drop_item drops[2];
};

/**
 * call variants - one for each call
 * @request: its number
 * @known_flags: the bits of its flags that are not refused as such
 * @has_results: it writes to its structure
 * @fill: writes a good argument
 */
FIXTURE_VARIANT(call)
{
	unsigned long request;
	__u32 known_flags;
	bool has_results;
	void (*fill)(FIXTURE_DATA(call) *self, union argument *argument);
};

FIXTURE_SETUP(call)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_info info;

	self->fd = tmm_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, tmm_get_info(self->fd, &info));
	self->start = info;
	self->pages = PAGES(4).handle;
	self->frames = FRAMES(4).handle;
	mapping = MAPPING(4);
	self->vaddr = mapping.start;
	ASSERT_EQ(0, tmm_write(self->fd, mapping.handle, 0, "content", 8));
	ASSERT_EQ(0, tmm_split(self->fd, mapping.handle, 2 * PAGE, &self->first, &self->second));

	self->argument = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->argument);
	ASSERT_EQ(0, mprotect((char *)self->argument + PAGE, PAGE, PROT_NONE));
	self->exported = -1;
	variant->fill(self, self->argument);
}

FIXTURE_TEARDOWN(call)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	close(self->fd);
	close(self->exported);
	/* what it gave is an owner of its own */
	if (variant->request == THESEUS_MM_IOC_EXPORT && self->argument->export.fd)
		close(self->argument->export.fd);
	self->fd = tmm_open(NULL);
	EXPECT_EQ(0, tmm_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

#define CALL(call_name, number, flags_known, results)					\
	static void fill_##call_name(FIXTURE_DATA(call) *self, union argument *argument); \
	FIXTURE_VARIANT_ADD(call, call_name) {						\
		.request = number,							\
		.known_flags = flags_known,						\
		.has_results = results,							\
		.fill = fill_##call_name,						\
	};										\
	static void fill_##call_name(							\
		FIXTURE_DATA(call) __attribute__((unused)) *self,			\
		union argument __attribute__((unused)) *argument)

CALL(get_info, THESEUS_MM_IOC_GET_INFO, 0, true)
{
}

CALL(get_region, THESEUS_MM_IOC_GET_REGION, 0, true)
{
}

CALL(get_occupancy, THESEUS_MM_IOC_GET_OCCUPANCY, 0, true)
{
	argument->occupancy.nr_buckets = 4;
	argument->occupancy.bucket_size = sizeof(self->buckets[0]);
	/* the whole region is one part */
	argument->occupancy.bucket_frames = THESEUS_MM_MAX_BUCKET_FRAMES;
	argument->occupancy.buckets = (uintptr_t)self->buckets;
	argument->occupancy.owners = (uintptr_t)self->owners;
}

CALL(get_clients, THESEUS_MM_IOC_GET_CLIENTS, 0, true)
{
	argument->clients.nr_clients = 4;
	argument->clients.clients = (uintptr_t)self->clients;
	argument->clients.entry_size = sizeof(self->clients[0]);
}

CALL(list_handles, THESEUS_MM_IOC_LIST_HANDLES, THESEUS_MM_HANDLES_FLAGS_ALL, true)
{
	argument->handles.nr_handles = 4;
	argument->handles.entry_size = sizeof(self->handles[0]);
	argument->handles.handles = (uintptr_t)self->handles;
}

CALL(query, THESEUS_MM_IOC_QUERY, 0, true)
{
	argument->query.handle = self->first;
}

CALL(drop, THESEUS_MM_IOC_DROP, 0, false)
{
	argument->drop.handle = self->first;
}

CALL(split, THESEUS_MM_IOC_SPLIT, 0, true)
{
	argument->split.handle = self->first;
	argument->split.offset = PAGE;
}

CALL(merge, THESEUS_MM_IOC_MERGE, 0, false)
{
	argument->merge.handle = self->first;
	argument->merge.other = self->second;
}

CALL(allocate_frames, THESEUS_MM_IOC_ALLOCATE_FRAMES, THESEUS_MM_ALLOCATE_FLAGS_ALL, true)
{
	argument->allocate.size = 1;
}

CALL(allocate_pages, THESEUS_MM_IOC_ALLOCATE_PAGES, THESEUS_MM_ALLOCATE_FLAGS_ALL, true)
{
	argument->allocate.size = 1;
}

CALL(create_mapping, THESEUS_MM_IOC_CREATE_MAPPING, 0, true)
{
	argument->create.size = PAGE;
	argument->create.pte_flags = THESEUS_MM_PTE_DATA;
}

CALL(create_contiguous_mapping, THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING, 0, true)
{
	argument->create.size = PAGE;
	argument->create.pte_flags = THESEUS_MM_PTE_DATA;
}

CALL(map_allocated_pages, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES, 0, true)
{
	argument->map.pages = self->pages;
	argument->map.pte_flags = THESEUS_MM_PTE_DATA;
}

CALL(map_allocated_pages_to, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO, 0, true)
{
	argument->map.pages = self->pages;
	argument->map.frames = self->frames;
	argument->map.pte_flags = THESEUS_MM_PTE_DATA;
}

CALL(remap, THESEUS_MM_IOC_REMAP, 0, false)
{
	argument->remap.handle = self->first;
	argument->remap.pte_flags = READ_ONLY;
}

CALL(unmap_into_parts, THESEUS_MM_IOC_UNMAP_INTO_PARTS, 0, true)
{
	argument->unmap.handle = self->first;
	argument->unmap.frames = (uintptr_t)self->unmapped;
	argument->unmap.nr_frames = 4;
}

CALL(read, THESEUS_MM_IOC_READ, 0, false)
{
	argument->access.handle = self->first;
	argument->access.length = sizeof(self->buffer);
	argument->access.buffer = (uintptr_t)self->buffer;
}

CALL(write, THESEUS_MM_IOC_WRITE, 0, false)
{
	argument->access.handle = self->first;
	argument->access.length = sizeof(self->buffer);
	argument->access.buffer = (uintptr_t)self->buffer;
}

CALL(map_offset, THESEUS_MM_IOC_MAP_OFFSET, 0, true)
{
	argument->map_offset.handle = self->first;
}

CALL(revoke, THESEUS_MM_IOC_REVOKE, 0, true)
{
	argument->revoke.handle = self->first;
}

CALL(share, THESEUS_MM_IOC_SHARE, THESEUS_MM_SHARE_FLAGS_ALL, false)
{
	argument->share.handle = self->first;
}

CALL(export, THESEUS_MM_IOC_EXPORT, THESEUS_MM_EXPORT_FLAGS_ALL, true)
{
	argument->export.handle = self->first;
}

CALL(take_back, THESEUS_MM_IOC_TAKE_BACK, 0, true)
{
	struct theseus_mm_create_mapping mapping;

	if (!tmm_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping))
		tmm_export_as(self->fd, mapping.handle, 0, &self->exported,
			      &argument->take_back.export_id);
}

CALL(create_identity_mapping, THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING, 0, true)
{
	argument->create.size = PAGE;
	argument->create.pte_flags = THESEUS_MM_PTE_DATA;
}

CALL(create_batch, THESEUS_MM_IOC_CREATE_BATCH, THESEUS_MM_BATCH_FLAGS_ALL, true)
{
	const struct theseus_mm_create_item item = {
		.size = PAGE,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};

	self->creates[0] = item;
	self->creates[1] = item;
	argument->batch.nr_items = 2;
	argument->batch.items = (uintptr_t)self->creates;
	argument->batch.item_size = sizeof(self->creates[0]);
}

CALL(drop_batch, THESEUS_MM_IOC_DROP_BATCH, THESEUS_MM_BATCH_FLAGS_ALL, true)
{
	self->drops[0].handle = self->first;
	self->drops[1].handle = self->pages;
	argument->batch.nr_items = 2;
	argument->batch.items = (uintptr_t)self->drops;
	argument->batch.item_size = sizeof(self->drops[0]);
}

CALL(get_limits, THESEUS_MM_IOC_GET_LIMITS, 0, true)
{
}

CALL(set_limits, THESEUS_MM_IOC_SET_LIMITS, THESEUS_MM_SET_LIMITS_FLAGS_ALL, true)
{
	argument->limits.flags = THESEUS_MM_SET_LIMITS_FLAGS_ALL;
	argument->limits.client_frames_max = 1000;
	argument->limits.client_pages_max = 1000;
	argument->limits.client_handles_max = 1000;
}

CALL(translate, THESEUS_MM_IOC_TRANSLATE, 0, true)
{
	argument->translate.vaddr = self->vaddr;
}

CALL(dump_pte, THESEUS_MM_IOC_DUMP_PTE, 0, true)
{
	argument->dump.vaddr = self->vaddr;
}

/* The call's number with another size of the structure. */
static unsigned long resized(unsigned long request, size_t size)
{
	return (request & ~(unsigned long)IOCSIZE_MASK) | size << _IOC_SIZESHIFT;
}

#define ALL_HANDLES	self->pages, self->frames, self->first, self->second

#define EXPECT_CALL_REFUSED(error, request, pointer)					\
	EXPECT_REFUSED(error, tmm_call(self->fd, request, pointer), ALL_HANDLES)

/* Without this, all that is refused below might be refused for another reason. */
TEST_F(call, succeeds)
{
	EXPECT_EQ(0, tmm_call(self->fd, variant->request, self->argument));
}

TEST_F(call, refuses_each_unknown_flag)
{
	struct snapshot before;
	unsigned int bit;

	TAKE_SNAPSHOT(&before, ALL_HANDLES);
	for (bit = 0; bit < 32; bit++) {
		if (variant->known_flags & 1U << bit)
			continue;
		self->argument->flags = 1U << bit;
		EXPECT_EQ(-EINVAL, tmm_call(self->fd, variant->request, self->argument));
	}
	EXPECT_UNCHANGED(&before, ALL_HANDLES);
}

/* The size of a call's structure when it was new: programs were built with that. */
static size_t first_size(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_GET_INFO:
		return offsetof(struct theseus_mm_info, client_id);
	case THESEUS_MM_IOC_QUERY:
		return offsetof(struct theseus_mm_query, attributes);
	default:
		return _IOC_SIZE(request);
	}
}

TEST_F(call, takes_the_structure_of_old_programs)
{
	const size_t size = first_size(variant->request);
	union argument *old = (union argument *)((char *)self->argument + ROOM - size);

	memmove(old, self->argument, size);
	EXPECT_EQ(0, tmm_call(self->fd, resized(variant->request, size), old));
	memmove(self->argument, old, size);
}

TEST_F(call, refuses_a_structure_too_small)
{
	const size_t size = first_size(variant->request);
	const size_t sizes[] = { 0, 1, 4, size - 8, size - 4, size - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_CALL_REFUSED(EINVAL, resized(variant->request, sizes[i]), self->argument);
}

TEST_F(call, takes_a_larger_structure_that_ends_in_zeros)
{
	const size_t size = _IOC_SIZE(variant->request);
	size_t i;

	EXPECT_EQ(0, tmm_call(self->fd, resized(variant->request, size + 8), self->argument));
	for (i = size; i < ROOM; i++)
		ASSERT_EQ(0, self->argument->bytes[i]);
}

TEST_F(call, takes_a_structure_of_a_page_that_ends_in_zeros)
{
	EXPECT_EQ(0, tmm_call(self->fd, resized(variant->request, ROOM), self->argument));
}

TEST_F(call, refuses_a_larger_structure_that_says_more)
{
	const size_t size = _IOC_SIZE(variant->request);

	self->argument->bytes[size] = 1;
	EXPECT_CALL_REFUSED(E2BIG, resized(variant->request, size + 8), self->argument);
	self->argument->bytes[size] = 0;
	self->argument->bytes[size + 7] = 0x80;
	EXPECT_CALL_REFUSED(E2BIG, resized(variant->request, size + 8), self->argument);
	self->argument->bytes[ROOM - 1] = 1;
	EXPECT_CALL_REFUSED(E2BIG, resized(variant->request, ROOM), self->argument);
}

/* The module refuses the size itself: the structure could even end in zeros. */
TEST_F(call, refuses_a_structure_larger_than_a_page)
{
	EXPECT_CALL_REFUSED(E2BIG, resized(variant->request, ROOM + 8), self->argument);
	EXPECT_CALL_REFUSED(E2BIG, resized(variant->request, _IOC_SIZEMASK), self->argument);
}

TEST_F(call, refuses_another_magic_or_direction)
{
	const unsigned long magics = (unsigned long)_IOC_TYPEMASK << _IOC_TYPESHIFT;
	const unsigned long magic = (unsigned long)(THESEUS_MM_IOC_MAGIC ^ 1) << _IOC_TYPESHIFT;
	const unsigned long directions = (unsigned long)_IOC_DIRMASK << _IOC_DIRSHIFT;
	unsigned long direction;

	EXPECT_CALL_REFUSED(ENOTTY, (variant->request & ~magics) | magic, self->argument);
	for (direction = 0; direction < (_IOC_READ | _IOC_WRITE); direction++)
		EXPECT_CALL_REFUSED(ENOTTY, (variant->request & ~directions) |
				    direction << _IOC_DIRSHIFT, self->argument);
}

TEST_F(call, refuses_bad_pointers)
{
	const size_t size = _IOC_SIZE(variant->request);
	char *ends_in_a_hole = (char *)self->argument + ROOM - size + 1;

	EXPECT_CALL_REFUSED(EFAULT, variant->request, NULL);
	EXPECT_CALL_REFUSED(EFAULT, variant->request, (void *)0xffff888000000000UL);
	EXPECT_CALL_REFUSED(EFAULT, variant->request, (void *)(~0UL - 7));
	memmove(ends_in_a_hole, self->argument, size - 1);
	EXPECT_CALL_REFUSED(EFAULT, variant->request, ends_in_a_hole);
}

/* Where the results cannot be stored, the call is undone. */
TEST_F(call, is_undone_if_its_results_cannot_be_stored)
{
	ASSERT_EQ(0, mprotect(self->argument, PAGE, PROT_READ));
	if (variant->has_results)
		EXPECT_CALL_REFUSED(EFAULT, variant->request, self->argument);
	else
		EXPECT_EQ(0, tmm_call(self->fd, variant->request, self->argument));
}

/* Is the call one that a client opened with O_RDONLY may make? */
static bool looks(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_GET_INFO:
	case THESEUS_MM_IOC_GET_REGION:
	case THESEUS_MM_IOC_GET_OCCUPANCY:
	case THESEUS_MM_IOC_GET_CLIENTS:
	case THESEUS_MM_IOC_LIST_HANDLES:
	case THESEUS_MM_IOC_GET_LIMITS:
	case THESEUS_MM_IOC_QUERY:
	case THESEUS_MM_IOC_TRANSLATE:
	case THESEUS_MM_IOC_DUMP_PTE:
		return true;
	default:
		return false;
	}
}

static int call_through(int flags, unsigned long request, void *argument)
{
	int fd = open(TMM_DEVICE, flags | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = tmm_call(fd, request, argument);
	close(fd);
	return err;
}

TEST_F(call, of_a_client_that_only_looks)
{
	if (!looks(variant->request)) {
		EXPECT_REFUSED(EBADF, call_through(O_RDONLY, variant->request, self->argument),
			       ALL_HANDLES);
		/* neither reading nor writing: for calls only, as Linux has it */
		EXPECT_REFUSED(EBADF, call_through(O_ACCMODE, variant->request, self->argument),
			       ALL_HANDLES);
		EXPECT_REFUSED(EBADF, call_through(O_RDONLY, variant->request, NULL), ALL_HANDLES);
		return;
	}
	/* the descriptor is another client: the handle does not exist there */
	EXPECT_EQ(variant->request == THESEUS_MM_IOC_QUERY ? -ENOENT : 0,
		  call_through(O_RDONLY, variant->request, self->argument));
}

/* Calls that the tests above have no argument for: they ask for devices, or make files. */
TEST_F(client, other_calls_of_a_client_that_only_looks)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	struct theseus_mm_import import = { 0 };
	struct theseus_mm_export export = { .handle = mapping.handle };
	struct theseus_mm_device_region region = { .nr_bytes = PAGE };
	struct theseus_mm_map_range range = { .nr_bytes = PAGE };

	ASSERT_EQ(0, tmm_export(self->fd, mapping.handle, &import.fd));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_IMPORT, &import));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_EXPORT_DMABUF, &export));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_ADD_DEVICE_REGION, &region));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_REMOVE_DEVICE_REGION, &region));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_MAP_FRAME_RANGE, &range));
	EXPECT_EQ(0, tmm_import(self->fd, import.fd, &import.handle));
	close(import.fd);
}

TEST_F(client, other_calls_refuse_each_unknown_flag)
{
	struct theseus_mm_device_region region = { .nr_bytes = PAGE };
	struct theseus_mm_map_range range = { .nr_bytes = PAGE };
	struct snapshot before;
	unsigned int bit;

	TAKE_SNAPSHOT(&before);
	for (bit = 0; bit < 32; bit++) {
		region.flags = 1U << bit;
		range.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_ADD_DEVICE_REGION, &region));
		EXPECT_EQ(-EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_REMOVE_DEVICE_REGION,
					    &region));
		EXPECT_EQ(-EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_MAP_FRAME_RANGE, &range));
	}
	EXPECT_UNCHANGED(&before);
}

TEST_F(client, a_client_that_only_looks_waits_as_others)
{
	struct pollfd wanted = { .fd = open(TMM_DEVICE, O_RDONLY | O_CLOEXEC), .events = POLLIN };

	ASSERT_LE(0, wanted.fd);
	EXPECT_EQ(1, poll(&wanted, 1, 0));
	EXPECT_EQ(POLLIN, wanted.revents);
	close(wanted.fd);
}

/* What was in an out field does not matter. */
TEST_F(client, results_need_not_be_cleared_before)
{
	struct theseus_mm_query query;
	struct theseus_mm_info info;

	memset(&info, 0xff, sizeof(info));
	info.flags = 0;
	EXPECT_EQ(0, tmm_call(self->fd, THESEUS_MM_IOC_GET_INFO, &info));
	EXPECT_EQ(THESEUS_MM_ABI, info.abi);

	memset(&query, 0xff, sizeof(query));
	query.flags = 0;
	query.handle = PAGES(1).handle;
	EXPECT_EQ(0, tmm_call(self->fd, THESEUS_MM_IOC_QUERY, &query));
	EXPECT_EQ(THESEUS_MM_KIND_PAGES, query.kind);
	EXPECT_EQ(0, query.pte_flags);
}

TEST_F(client, is_no_file)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

static bool is_known(unsigned int nr)
{
	return nr <= 0x0a || nr == 0x10 || nr == 0x20 || (nr >= 0x30 && nr <= 0x3e) ||
	       nr == 0x40 || nr == 0x41 || (nr >= 0x50 && nr <= 0x53) || nr == 0x60 || nr == 0x61;
}

TEST_F(client, refuses_each_unknown_number)
{
	const unsigned int direction = _IOC_READ | _IOC_WRITE;
	union argument argument = { 0 };
	struct snapshot before;
	unsigned int nr;

	TAKE_SNAPSHOT(&before);
	for (nr = 0; nr < 256; nr++)
		if (!is_known(nr))
			EXPECT_EQ(-ENOTTY, tmm_call(self->fd, _IOC(direction, THESEUS_MM_IOC_MAGIC,
								   nr, 8), &argument));
	EXPECT_UNCHANGED(&before);
}

TEST_F(client, refuses_reserved_fields_of_merge)
{
	struct theseus_mm_allocate pages = PAGES(2);
	struct theseus_mm_merge call = { .reserved = 1 << 31 };

	ASSERT_EQ(0, tmm_split(self->fd, pages.handle, PAGE, &call.handle, &call.other));
	EXPECT_REFUSED(EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_MERGE, &call), call.handle,
		       call.other);
	call.reserved = 0;
	EXPECT_EQ(0, tmm_call(self->fd, THESEUS_MM_IOC_MERGE, &call));
}

TEST_F(client, refuses_frames_in_map_allocated_pages)
{
	struct theseus_mm_map call = {
		.pages = PAGES(1).handle,
		.frames = FRAMES(1).handle,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};

	EXPECT_REFUSED(EINVAL, tmm_call(self->fd, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES, &call),
		       call.pages, call.frames);
}

/* --- arrays ------------------------------------------------------------------------- */

/* Room for two entries of any size, and an inaccessible page behind it. */
#define ARRAY_ROOM	(2 * PAGE)
#define UNTOUCHED	0x5a

/**
 * array - a client with an object of each kind, and a good argument for a call that has
 *         an array of structures
 * @pages: a handle
 * @frames: a handle
 * @other: another client
 * @argument: what the call is made with
 * @memory: where the array is
 */
FIXTURE(array)
{
	int fd;
	struct theseus_mm_info start;
	__u32 pages;
	__u32 frames;
	int other;
	union argument argument;
	unsigned char *memory;
};

/**
 * array variants - one for each call
 * @request: its number
 * @known: size of an entry
 * @first: the same, when the structure was new
 * @is_read: entries are in and out
 * @set: puts the array's address and the size of an entry into the argument
 * @fill: fills in the rest of it, and an array of two entries
 * @is_told: does an entry look as if the call succeeded?
 */
FIXTURE_VARIANT(array)
{
	unsigned long request;
	size_t known;
	size_t first;
	bool is_read;
	void (*set)(union argument *argument, void *array, __u32 size);
	void (*fill)(FIXTURE_DATA(array) *self, unsigned char *array, size_t size);
	bool (*is_told)(const void *entry);
};

static void set_buckets(union argument *argument, void *array, __u32 size)
{
	argument->occupancy.buckets = (uintptr_t)array;
	argument->occupancy.bucket_size = size;
}

/* As large as makes two parts. */
static void fill_buckets(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	struct theseus_mm_region region = { 0 };

	tmm_get_region(self->fd, 0, &region);
	self->argument.occupancy.nr_buckets = 2;
	self->argument.occupancy.bucket_frames = 512;
	while (2 * self->argument.occupancy.bucket_frames * PAGE < region.nr_bytes)
		self->argument.occupancy.bucket_frames *= 2;
}

static bool is_bucket(const void *entry)
{
	const struct theseus_mm_bucket *bucket = entry;

	return bucket->free && bucket->free < 1 << 24 && !bucket->bad;
}

FIXTURE_VARIANT_ADD(array, get_occupancy) {
	.request = THESEUS_MM_IOC_GET_OCCUPANCY,
	.known = sizeof(struct theseus_mm_bucket),
	.first = sizeof(struct theseus_mm_bucket),
	.set = set_buckets,
	.fill = fill_buckets,
	.is_told = is_bucket,
};

static void set_clients(union argument *argument, void *array, __u32 size)
{
	argument->clients.clients = (uintptr_t)array;
	argument->clients.entry_size = size;
}

static void fill_clients(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	self->argument.clients.nr_clients = 2;
}

static bool is_client(const void *entry)
{
	const struct theseus_mm_client_info *info = entry;

	return info->id && !info->uid && !strcmp(info->comm, program_invocation_short_name);
}

FIXTURE_VARIANT_ADD(array, get_clients) {
	.request = THESEUS_MM_IOC_GET_CLIENTS,
	.known = sizeof(struct theseus_mm_client_info),
	.first = sizeof(struct theseus_mm_client_info),
	.set = set_clients,
	.fill = fill_clients,
	.is_told = is_client,
};

static void set_handles(union argument *argument, void *array, __u32 size)
{
	argument->handles.handles = (uintptr_t)array;
	argument->handles.entry_size = size;
}

static void fill_handles(FIXTURE_DATA(array) *self,
			 unsigned char __attribute__((unused)) *array,
			 size_t __attribute__((unused)) size)
{
	self->argument.handles.nr_handles = 2;
}

static bool is_handle(const void *entry)
{
	const struct theseus_mm_handle_info *info = entry;

	return info->handle && info->nr_pages == 4 && !info->export_id &&
	       (info->kind == THESEUS_MM_KIND_PAGES || info->kind == THESEUS_MM_KIND_FRAMES);
}

FIXTURE_VARIANT_ADD(array, list_handles) {
	.request = THESEUS_MM_IOC_LIST_HANDLES,
	.known = sizeof(struct theseus_mm_handle_info),
	.first = sizeof(struct theseus_mm_handle_info),
	.set = set_handles,
	.fill = fill_handles,
	.is_told = is_handle,
};

static void set_items(union argument *argument, void *array, __u32 size)
{
	argument->batch.items = (uintptr_t)array;
	argument->batch.item_size = size;
}

static void fill_creates(FIXTURE_DATA(array) *self, unsigned char *array, size_t size)
{
	const struct theseus_mm_create_item item = {
		.error = 77,
		.size = PAGE,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};
	unsigned int i;

	memset(array, 0, 2 * size);
	for (i = 0; i < 2; i++)
		memcpy(array + i * size, &item, size < sizeof(item) ? size : sizeof(item));
	self->argument.batch.nr_items = 2;
}

static bool is_created(const void *entry)
{
	const struct theseus_mm_create_item *item = entry;

	return !item->error && item->handle && item->start && item->nr_pages == 1;
}

FIXTURE_VARIANT_ADD(array, create_batch) {
	.request = THESEUS_MM_IOC_CREATE_BATCH,
	.known = sizeof(struct theseus_mm_create_item),
	.first = sizeof(struct theseus_mm_create_item),
	.is_read = true,
	.set = set_items,
	.fill = fill_creates,
	.is_told = is_created,
};

static void fill_drops(FIXTURE_DATA(array) *self, unsigned char *array, size_t size)
{
	struct theseus_mm_drop_item item = { .error = 77 };
	unsigned int i;

	memset(array, 0, 2 * size);
	for (i = 0; i < 2; i++) {
		item.handle = i ? self->frames : self->pages;
		memcpy(array + i * size, &item, size < sizeof(item) ? size : sizeof(item));
	}
	self->argument.batch.nr_items = 2;
}

static bool is_dropped(const void *entry)
{
	const struct theseus_mm_drop_item *item = entry;

	return item->handle && !item->error;
}

FIXTURE_VARIANT_ADD(array, drop_batch) {
	.request = THESEUS_MM_IOC_DROP_BATCH,
	.known = sizeof(struct theseus_mm_drop_item),
	.first = sizeof(struct theseus_mm_drop_item),
	.is_read = true,
	.set = set_items,
	.fill = fill_drops,
	.is_told = is_dropped,
};

FIXTURE_SETUP(array)
{
	self->fd = tmm_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, tmm_get_info(self->fd, &self->start));
	self->other = tmm_open(NULL);
	self->pages = PAGES(4).handle;
	self->frames = FRAMES(4).handle;
	self->memory = mmap(NULL, ARRAY_ROOM + PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->memory);
	ASSERT_EQ(0, mprotect(self->memory + ARRAY_ROOM, PAGE, PROT_NONE));
}

FIXTURE_TEARDOWN(array)
{
	struct theseus_mm_info end;
	char text[SNAPSHOT_TEXT];

	close(self->other);
	close(self->fd);
	self->fd = tmm_open(NULL);
	EXPECT_EQ(0, tmm_get_info(self->fd, &end));
	EXPECT_STREQ("", info_difference(&self->start, &end, text));
	close(self->fd);
}

/* An array of two entries that ends where the memory does; the rest is untouched so far. */
static unsigned char *array_of(FIXTURE_DATA(array) *self, const FIXTURE_VARIANT(array) *variant,
			       size_t size)
{
	unsigned char *array = self->memory + ARRAY_ROOM - 2 * size;

	memset(self->memory, UNTOUCHED, ARRAY_ROOM);
	memset(&self->argument, 0, sizeof(self->argument));
	variant->fill(self, array, size);
	variant->set(&self->argument, array, size);
	return array;
}

TEST_F(array, of_entries_of_the_size_they_have)
{
	unsigned char *array = array_of(self, variant, variant->known);

	ASSERT_EQ(0, tmm_call(self->fd, variant->request, &self->argument));
	EXPECT_TRUE(variant->is_told(array));
	EXPECT_TRUE(variant->is_told(array + variant->known));
	EXPECT_EQ(UNTOUCHED, array[-1]);
}

/* Entries smaller and larger than the module's: the unknown rest of a larger one is 0. */
TEST_F(array, of_entries_of_another_size)
{
	const size_t sizes[] = { variant->first, variant->known + 8, 1024, PAGE };
	unsigned char *array;
	size_t i, j, size;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size = sizes[i];
		if (i && variant->request == THESEUS_MM_IOC_DROP_BATCH) {
			self->pages = PAGES(1).handle;
			self->frames = FRAMES(1).handle;
		}
		array = array_of(self, variant, size);
		ASSERT_EQ(0, tmm_call(self->fd, variant->request, &self->argument));
		EXPECT_TRUE(variant->is_told(array));
		EXPECT_TRUE(variant->is_told(array + size));
		for (j = variant->known; j < size; j++) {
			ASSERT_EQ(0, array[j]);
			ASSERT_EQ(0, array[size + j]);
		}
		if (2 * size < ARRAY_ROOM)
			EXPECT_EQ(UNTOUCHED, array[-1]);
	}
}

TEST_F(array, of_entries_too_small_or_no_multiple_of_8_or_too_large)
{
	const __u32 sizes[] = {
		0, 1, 4, variant->first - 8, variant->first - 4, variant->first - 1,
		variant->known + 1, variant->known + 4, variant->known + 7, PAGE - 4, PAGE + 8,
		1U << 31, ~0U - 7, ~0U,
	};
	unsigned char *array = array_of(self, variant, variant->known);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		variant->set(&self->argument, array, sizes[i]);
		EXPECT_REFUSED(EINVAL, tmm_call(self->fd, variant->request, &self->argument),
			       self->pages, self->frames);
	}
}

TEST_F(array, of_entries_that_say_more)
{
	const size_t sizes[] = { variant->known + 8, PAGE };
	unsigned char *array;
	size_t i, at;

	if (!variant->is_read)
		return;
	for (i = 0; i < 3 * ARRAY_SIZE(sizes); i++) {
		const size_t size = sizes[i / 3];

		array = array_of(self, variant, size);
		/* the first byte that is not known, the last, and that of the second entry */
		at = i % 3 == 0 ? variant->known : i % 3 == 1 ? size - 1 : 2 * size - 1;
		array[at] = 0x80;
		EXPECT_REFUSED(E2BIG, tmm_call(self->fd, variant->request, &self->argument),
			       self->pages, self->frames);
		EXPECT_EQ(0x80, array[at]);
	}
}

/* The second entry cannot be written: then the call has done nothing for the first either. */
TEST_F(array, that_is_not_all_there)
{
	unsigned char *array = self->memory + ARRAY_ROOM - variant->known;

	memset(&self->argument, 0, sizeof(self->argument));
	variant->fill(self, self->memory, variant->known);
	memcpy(array, self->memory, variant->known);
	variant->set(&self->argument, array, variant->known);
	EXPECT_REFUSED(EFAULT, tmm_call(self->fd, variant->request, &self->argument),
		       self->pages, self->frames);
}

TEST_HARNESS_MAIN
