// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that all calls share: numbers, sizes, flags, pointers. Each test that uses the
 * fixture runs once for every call.
 */
#include "call.h"

#include <stddef.h>
#include <sys/ioctl.h>

/* Also 32-bit: every structure has one layout. */

/* Programs are built with these numbers, so the numbers never change. */
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

/* Return: the number of a call whose structure has another size */
static unsigned long resized(unsigned long request, size_t size)
{
	return (request & ~(unsigned long)IOCSIZE_MASK) | size << _IOC_SIZESHIFT;
}

#define EXPECT_CALL_REFUSED(error, request, pointer)					\
	EXPECT_REFUSED(error, uapi_call(self->fd, request, pointer), ALL_HANDLES)

/*
 * The argument of each call is good, so the refusals below have no other reason.
 */
TEST_F(call, succeeds)
{
	EXPECT_EQ(0, uapi_call(self->fd, variant->request, self->argument));
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
		EXPECT_EQ(-EINVAL, uapi_call(self->fd, variant->request, self->argument));
	}
	EXPECT_UNCHANGED(&before, ALL_HANDLES);
}

/* Return: the first size of the call's structure, with which programs were built */
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
	EXPECT_EQ(0, uapi_call(self->fd, resized(variant->request, size), old));
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

	EXPECT_EQ(0, uapi_call(self->fd, resized(variant->request, size + 8), self->argument));
	for (i = size; i < ROOM; i++)
		ASSERT_EQ(0, self->argument->bytes[i]);
}

TEST_F(call, takes_a_structure_of_a_page_that_ends_in_zeros)
{
	EXPECT_EQ(0, uapi_call(self->fd, resized(variant->request, ROOM), self->argument));
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

/* The module refuses the size itself, even if the structure ends in zeros. */
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

/* If the results cannot be stored, the call is undone. */
TEST_F(call, is_undone_if_its_results_cannot_be_stored)
{
	ASSERT_EQ(0, mprotect(self->argument, PAGE, PROT_READ));
	if (variant->has_results)
		EXPECT_CALL_REFUSED(EFAULT, variant->request, self->argument);
	else
		EXPECT_EQ(0, uapi_call(self->fd, variant->request, self->argument));
}

/* The old content of an out field does not matter. */
TEST_F(client, results_need_not_be_cleared_before)
{
	struct theseus_mm_query query;
	struct theseus_mm_info info;

	memset(&info, 0xff, sizeof(info));
	info.flags = 0;
	EXPECT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_GET_INFO, &info));
	EXPECT_EQ(THESEUS_MM_ABI, info.abi);

	memset(&query, 0xff, sizeof(query));
	query.flags = 0;
	query.handle = PAGES(1).handle;
	EXPECT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_QUERY, &query));
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
			EXPECT_EQ(-ENOTTY, uapi_call(self->fd, _IOC(direction, THESEUS_MM_IOC_MAGIC,
								    nr, 8), &argument));
	EXPECT_UNCHANGED(&before);
}

TEST_F(client, refuses_reserved_fields_of_merge)
{
	struct theseus_mm_allocate pages = PAGES(2);
	struct theseus_mm_merge call = { .reserved = 1 << 31 };

	ASSERT_EQ(0, uapi_split(self->fd, pages.handle, PAGE, &call.handle, &call.other));
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_MERGE, &call), call.handle,
		       call.other);
	call.reserved = 0;
	EXPECT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_MERGE, &call));
}

TEST_F(client, refuses_frames_in_map_allocated_pages)
{
	struct theseus_mm_map call = {
		.pages = PAGES(1).handle,
		.frames = FRAMES(1).handle,
		.pte_flags = THESEUS_MM_PTE_DATA,
	};

	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES, &call),
		       call.pages, call.frames);
}

TEST_HARNESS_MAIN
