/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests that run once for every call: a variant for each call, with an
 * argument that the call accepts.
 */
#ifndef TESTS_CALL_H
#define TESTS_CALL_H

#include "argument.h"
#include "client.h"

/**
 * call - a client with one object of each kind, and a good argument for a call
 * @pages: a handle
 * @frames: a handle of as many frames as @pages has pages
 * @first: handle of a mapping
 * @second: handle of the mapping right after @first
 * @vaddr: address of @first
 * @argument: argument of the call, in memory with an inaccessible page after it
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
 * @request: number of the call
 * @known_flags: the flags that the call knows
 * @has_results: the call writes to its structure
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

	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uapi_get_info(self->fd, &info));
	self->start = info;
	self->pages = PAGES(4).handle;
	self->frames = FRAMES(4).handle;
	mapping = MAPPING(4);
	self->vaddr = mapping.start;
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 0, "content", 8));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 2 * PAGE, &self->first, &self->second));

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
	/* the descriptor that EXPORT returned owns a mapping too */
	if (variant->request == THESEUS_MM_IOC_EXPORT && self->argument->export.fd)
		close(self->argument->export.fd);
	self->fd = uapi_open(NULL);
	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
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

	if (!uapi_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping))
		uapi_export_as(self->fd, mapping.handle, 0, &self->exported,
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

#define ALL_HANDLES	self->pages, self->frames, self->first, self->second

#endif /* TESTS_CALL_H */
