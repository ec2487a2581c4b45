// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: a call on an unknown handle fails with ENOENT, a call that fails consumes nothing, and
 * the number of handles has a limit.
 */
#include "client.h"

#include <fcntl.h>

#define MAX_HANDLES	"/sys/module/theseus_mm/parameters/max_handles"

/* --- a handle that names nothing ---------------------------------------------------------- */

/**
 * use - a client with one object of each kind, and a second client
 * @handles: by THESEUS_MM_KIND_*; [0] names nothing
 * @other_fd: another client
 */
FIXTURE(use)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handles[4];
	int other_fd;
};

/**
 * use variants - one for each way to use a handle
 * @kinds: bits of the kinds that the call accepts
 * @use: makes the call with a handle
 */
FIXTURE_VARIANT(use)
{
	unsigned int kinds;
	int (*use)(FIXTURE_DATA(use) *self, __u32 handle);
};

#define PAGES_BIT	(1U << THESEUS_MM_KIND_PAGES)
#define FRAMES_BIT	(1U << THESEUS_MM_KIND_FRAMES)
#define MAPPING_BIT	(1U << THESEUS_MM_KIND_MAPPING)
#define ANY_BIT		(PAGES_BIT | FRAMES_BIT | MAPPING_BIT)

static int use_query(FIXTURE_DATA(use) *self, __u32 handle)
{
	struct theseus_mm_query query;

	return uapi_query(self->fd, handle, &query);
}

static int use_drop(FIXTURE_DATA(use) *self, __u32 handle)
{
	return uapi_drop(self->fd, handle);
}

static int use_split(FIXTURE_DATA(use) *self, __u32 handle)
{
	__u32 first, second;

	return uapi_split(self->fd, handle, PAGE, &first, &second);
}

static int use_merge_first(FIXTURE_DATA(use) *self, __u32 handle)
{
	return uapi_merge(self->fd, handle, self->handles[THESEUS_MM_KIND_PAGES]);
}

static int use_merge_other(FIXTURE_DATA(use) *self, __u32 handle)
{
	return uapi_merge(self->fd, self->handles[THESEUS_MM_KIND_PAGES], handle);
}

static int use_map(FIXTURE_DATA(use) *self, __u32 handle)
{
	struct theseus_mm_map mapping;

	return uapi_map_allocated_pages(self->fd, handle, THESEUS_MM_PTE_DATA, &mapping);
}

static int use_map_to_pages(FIXTURE_DATA(use) *self, __u32 handle)
{
	struct theseus_mm_map mapping;

	return uapi_map_allocated_pages_to(self->fd, handle, self->handles[THESEUS_MM_KIND_FRAMES],
					   THESEUS_MM_PTE_DATA, &mapping);
}

static int use_map_to_frames(FIXTURE_DATA(use) *self, __u32 handle)
{
	struct theseus_mm_map mapping;

	return uapi_map_allocated_pages_to(self->fd, self->handles[THESEUS_MM_KIND_PAGES], handle,
					   THESEUS_MM_PTE_DATA, &mapping);
}

static int use_remap(FIXTURE_DATA(use) *self, __u32 handle)
{
	return uapi_remap(self->fd, handle, READ_ONLY);
}

static int use_unmap(FIXTURE_DATA(use) *self, __u32 handle)
{
	__u32 pages, frames[4], nr = 4;

	return uapi_unmap_into_parts(self->fd, handle, &pages, frames, &nr);
}

static int use_read(FIXTURE_DATA(use) *self, __u32 handle)
{
	char byte;

	return uapi_read(self->fd, handle, 0, &byte, 1);
}

static int use_write(FIXTURE_DATA(use) *self, __u32 handle)
{
	return uapi_write(self->fd, handle, 0, "x", 1);
}

FIXTURE_VARIANT_ADD(use, query) { .kinds = ANY_BIT, .use = use_query };
FIXTURE_VARIANT_ADD(use, drop) { .kinds = ANY_BIT, .use = use_drop };
FIXTURE_VARIANT_ADD(use, split) { .kinds = ANY_BIT, .use = use_split };
/* MERGE accepts any kind, but the other handle of these variants is pages */
FIXTURE_VARIANT_ADD(use, merge_first) { .kinds = PAGES_BIT, .use = use_merge_first };
FIXTURE_VARIANT_ADD(use, merge_other) { .kinds = PAGES_BIT, .use = use_merge_other };
FIXTURE_VARIANT_ADD(use, map) { .kinds = PAGES_BIT, .use = use_map };
FIXTURE_VARIANT_ADD(use, map_to_pages) { .kinds = PAGES_BIT, .use = use_map_to_pages };
FIXTURE_VARIANT_ADD(use, map_to_frames) { .kinds = FRAMES_BIT, .use = use_map_to_frames };
FIXTURE_VARIANT_ADD(use, remap) { .kinds = MAPPING_BIT, .use = use_remap };
FIXTURE_VARIANT_ADD(use, unmap) { .kinds = MAPPING_BIT, .use = use_unmap };
FIXTURE_VARIANT_ADD(use, read) { .kinds = MAPPING_BIT, .use = use_read };
FIXTURE_VARIANT_ADD(use, write) { .kinds = MAPPING_BIT, .use = use_write };

FIXTURE_SETUP(use)
{
	CLIENT_SETUP();
	self->other_fd = uapi_open(NULL);
	ASSERT_LE(0, self->other_fd);
	self->handles[THESEUS_MM_KIND_PAGES] = PAGES(4).handle;
	self->handles[THESEUS_MM_KIND_FRAMES] = FRAMES(4).handle;
	self->handles[THESEUS_MM_KIND_MAPPING] = MAPPING(4).handle;
}

FIXTURE_TEARDOWN(use)
{
	close(self->other_fd);
	CLIENT_TEARDOWN();
}

#define EXPECT_NO_ENTRY(handle)								\
	EXPECT_REFUSED(ENOENT, variant->use(self, handle),				\
		       self->handles[1], self->handles[2], self->handles[3])

TEST_F(use, refuses_handle_0)
{
	EXPECT_NO_ENTRY(0);
}

TEST_F(use, refuses_numbers_never_given)
{
	EXPECT_NO_ENTRY(4321);
	EXPECT_NO_ENTRY(~0U);
	EXPECT_NO_ENTRY(1U << 31);
}

TEST_F(use, refuses_each_other_kind)
{
	__u32 kind;

	for (kind = 1; kind < ARRAY_SIZE(self->handles); kind++)
		if (!(variant->kinds & 1U << kind))
			EXPECT_NO_ENTRY(self->handles[kind]);
}

TEST_F(use, refuses_what_was_dropped)
{
	__u32 kind, dropped[4];

	dropped[THESEUS_MM_KIND_PAGES] = PAGES(4).handle;
	dropped[THESEUS_MM_KIND_FRAMES] = FRAMES(4).handle;
	dropped[THESEUS_MM_KIND_MAPPING] = MAPPING(4).handle;
	for (kind = 1; kind < ARRAY_SIZE(dropped); kind++)
		ASSERT_EQ(0, uapi_drop(self->fd, dropped[kind]));
	for (kind = 1; kind < ARRAY_SIZE(dropped); kind++)
		EXPECT_NO_ENTRY(dropped[kind]);
}

/* Each client has its own handles. */
TEST_F(use, refuses_what_another_client_has)
{
	struct theseus_mm_allocate pages = { .size = 4 }, frames = { .size = 4 };
	struct theseus_mm_create_mapping mapping;
	int i;

	/* make the other client's numbers larger than any handle of this client */
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, uapi_allocate_pages(self->other_fd, &pages));
	ASSERT_EQ(0, uapi_allocate_frames(self->other_fd, &frames));
	ASSERT_EQ(0, uapi_create_mapping(self->other_fd, 4 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_NO_ENTRY(pages.handle);
	EXPECT_NO_ENTRY(frames.handle);
	EXPECT_NO_ENTRY(mapping.handle);
	EXPECT_EQ(0, uapi_drop(self->other_fd, pages.handle));
	EXPECT_EQ(0, uapi_drop(self->other_fd, frames.handle));
	EXPECT_EQ(0, uapi_drop(self->other_fd, mapping.handle));
}

/* --- consuming ----------------------------------------------------------------------------- */

TEST_F(client, split_consumes)
{
	__u32 handle = PAGES(4).handle, first, second;

	ASSERT_EQ(0, uapi_split(self->fd, handle, PAGE, &first, &second));
	EXPECT_GONE(handle);
}

TEST_F(client, drop_consumes)
{
	__u32 handle = MAPPING(4).handle;

	ASSERT_EQ(0, uapi_drop(self->fd, handle));
	EXPECT_EQ(-ENOENT, uapi_drop(self->fd, handle));
}

TEST_F(client, what_stays_stays)
{
	struct theseus_mm_create_mapping mapping = MAPPING(4);
	char byte = 1;

	EXPECT_EQ(0, uapi_write(self->fd, mapping.handle, 0, &byte, 1));
	EXPECT_EQ(0, uapi_read(self->fd, mapping.handle, 0, &byte, 1));
	EXPECT_EQ(0, uapi_remap(self->fd, mapping.handle, READ_ONLY));
	EXPECT_EQ(mapping.start, QUERY(mapping.handle).start);
	EXPECT_EQ(1, INFO().client_handles);
}

/* A number is not reused soon after its handle is gone. */
TEST_F(client, numbers_are_not_reused_at_once)
{
	__u32 handle = PAGES(1).handle;
	int i;

	ASSERT_EQ(0, uapi_drop(self->fd, handle));
	for (i = 0; i < 100; i++)
		EXPECT_NE(handle, PAGES(1).handle);
}

/* --- the limit ------------------------------------------------------------------------------ */

#define LIMIT	8

/**
 * limit - a client that has room for LIMIT handles
 * @saved: the limit as it was
 */
FIXTURE(limit)
{
	int fd;
	struct theseus_mm_info start;
	char saved[16];
};

static int write_limit(const char *text)
{
	int fd = open(MAX_HANDLES, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	close(fd);
	return written == (ssize_t)strlen(text) ? 0 : -EIO;
}

FIXTURE_SETUP(limit)
{
	char text[16];

	CLIENT_SETUP();
	snprintf(self->saved, sizeof(self->saved), "%u", self->start.client_handles_max);
	snprintf(text, sizeof(text), "%u", LIMIT);
	ASSERT_EQ(0, write_limit(text));
	/* The limit applies to clients that open the device now. */
	close(self->fd);
	self->fd = uapi_open(NULL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(limit)
{
	EXPECT_EQ(0, write_limit(self->saved));
	CLIENT_TEARDOWN();
}

/* Allocate @nr more single pages. */
#define TAKE_HANDLES(nr)								\
	do {										\
		int _nr = (nr);								\
											\
		while (_nr--)								\
			PAGES(1);							\
	} while (0)

TEST_F(limit, is_told)
{
	EXPECT_EQ(LIMIT, INFO().client_handles_max);
}

TEST_F(limit, can_be_reached)
{
	TAKE_HANDLES(LIMIT);
	EXPECT_EQ(LIMIT, INFO().client_handles);
}

TEST_F(limit, allocate_refuses_one_more)
{
	struct theseus_mm_allocate call = { .size = 1 };

	TAKE_HANDLES(LIMIT);
	EXPECT_REFUSED(EDQUOT, uapi_allocate_pages(self->fd, &call));
	EXPECT_REFUSED(EDQUOT, uapi_allocate_frames(self->fd, &call));
}

TEST_F(limit, create_refuses_one_more)
{
	struct theseus_mm_create_mapping mapping;

	TAKE_HANDLES(LIMIT);
	EXPECT_REFUSED(EDQUOT, uapi_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(EDQUOT, uapi_create_contiguous_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA,
							      &mapping));
}

TEST_F(limit, split_refuses_one_more)
{
	__u32 pages = PAGES(2).handle, frames = FRAMES(2).handle, mapping = MAPPING(2).handle;
	__u32 first, second;

	TAKE_HANDLES(LIMIT - 3);
	EXPECT_REFUSED(EDQUOT, uapi_split(self->fd, pages, PAGE, &first, &second), pages);
	EXPECT_REFUSED(EDQUOT, uapi_split(self->fd, frames, PAGE, &first, &second), frames);
	EXPECT_REFUSED(EDQUOT, uapi_split(self->fd, mapping, PAGE, &first, &second), mapping);
}

TEST_F(limit, unmap_refuses_one_more)
{
	__u32 mapping = MAPPING(2).handle, pages, frames[2], nr = 2;

	TAKE_HANDLES(LIMIT - 1);
	EXPECT_REFUSED(EDQUOT, uapi_unmap_into_parts(self->fd, mapping, &pages, frames, &nr),
		       mapping);
}

/* At the limit, a call is possible if it makes no more handles than it consumes. */
TEST_F(limit, does_not_stop_what_needs_no_more)
{
	__u32 pages = PAGES(2).handle, frames = FRAMES(2).handle, first, second;
	struct theseus_mm_map mapping;

	TAKE_HANDLES(LIMIT - 2);
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages, frames, THESEUS_MM_PTE_DATA,
						 &mapping));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, PAGE, &first, &second));
	EXPECT_EQ(LIMIT, INFO().client_handles);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_EQ(LIMIT - 2, INFO().client_handles);
}

TEST_F(limit, map_needs_no_more)
{
	__u32 pages = PAGES(2).handle;
	struct theseus_mm_map mapping;

	TAKE_HANDLES(LIMIT - 1);
	EXPECT_EQ(0, uapi_map_allocated_pages(self->fd, pages, THESEUS_MM_PTE_DATA, &mapping));
}

TEST_F(limit, room_comes_back)
{
	__u32 handle = PAGES(1).handle;

	TAKE_HANDLES(LIMIT - 1);
	ASSERT_EQ(0, uapi_drop(self->fd, handle));
	TAKE_HANDLES(1);
}

TEST_F(limit, is_for_each_client)
{
	struct theseus_mm_allocate call = { .size = 1 };
	int other = uapi_open(NULL);

	ASSERT_LE(0, other);
	TAKE_HANDLES(LIMIT);
	EXPECT_EQ(0, uapi_allocate_pages(other, &call));
	close(other);
}

TEST_HARNESS_MAIN
