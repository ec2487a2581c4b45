// SPDX-License-Identifier: GPL-2.0
/*
 * READ and WRITE: the bytes that they copy, and the bytes that they must not touch.
 */
#include "client.h"

#define NR	4
#define SIZE	(NR * PAGE)

FIXTURE(mapping)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	unsigned char before[SIZE];
	unsigned char after[SIZE];
};

FIXTURE_SETUP(mapping)
{
	size_t i;

	CLIENT_SETUP();
	self->handle = MAPPING(NR).handle;
	for (i = 0; i < SIZE; i++)
		self->before[i] = i * 31 + i / PAGE;
	ASSERT_EQ(0, uapi_write(self->fd, self->handle, 0, self->before, SIZE));
}

FIXTURE_TEARDOWN(mapping)
{
	CLIENT_TEARDOWN();
}

#define EXPECT_ACCESS_REFUSED(error, call)	EXPECT_REFUSED(error, call, self->handle)

/* Offsets and lengths around the boundaries of pages. */
static const struct {
	__u64 offset, length;
} pieces[] = {
	{ 0, 1 }, { 0, PAGE }, { 0, SIZE }, { 1, 1 }, { PAGE - 1, 1 }, { PAGE - 1, 2 },
	{ PAGE, PAGE }, { PAGE + 1, PAGE - 2 }, { 3, 3 * PAGE }, { 2 * PAGE - 7, PAGE + 14 },
	{ SIZE - 1, 1 }, { SIZE - PAGE - 1, PAGE + 1 },
};

TEST_F(mapping, read_copies_just_that)
{
	unsigned char buffer[SIZE + 2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		memset(buffer, 0xee, sizeof(buffer));
		ASSERT_EQ(0, uapi_read(self->fd, self->handle, pieces[i].offset, buffer + 1,
				       pieces[i].length));
		EXPECT_EQ(0, memcmp(buffer + 1, self->before + pieces[i].offset,
				    pieces[i].length));
		EXPECT_EQ(0xee, buffer[0]);
		EXPECT_EQ(0xee, buffer[pieces[i].length + 1]);
	}
}

TEST_F(mapping, write_changes_just_that)
{
	unsigned char buffer[SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		memset(buffer, 0x40 + i, sizeof(buffer));
		ASSERT_EQ(0, uapi_write(self->fd, self->handle, pieces[i].offset, buffer,
					pieces[i].length));
		memcpy(self->before + pieces[i].offset, buffer, pieces[i].length);
		ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, self->after, SIZE));
		EXPECT_EQ(0, memcmp(self->before, self->after, SIZE));
	}
}

TEST_F(mapping, neighbours_are_not_touched)
{
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, 2 * PAGE, &first, &second));
	memset(self->after, 0, SIZE);
	ASSERT_EQ(0, uapi_write(self->fd, first, 0, self->after, 2 * PAGE));
	ASSERT_EQ(0, uapi_read(self->fd, second, 0, self->after, 2 * PAGE));
	EXPECT_EQ(0, memcmp(self->before + 2 * PAGE, self->after, 2 * PAGE));
}

TEST_F(mapping, long_access)
{
	const size_t size = 700 * PAGE + 13;
	unsigned char *out = malloc(size), *in = malloc(size);
	__u32 handle = MAPPING(701).handle;
	size_t i;

	ASSERT_NE(NULL, out);
	ASSERT_NE(NULL, in);
	for (i = 0; i < size; i++)
		out[i] = i * 7 + i / PAGE;
	ASSERT_EQ(0, uapi_write(self->fd, handle, 5, out, size));
	ASSERT_EQ(0, uapi_read(self->fd, handle, 5, in, size));
	EXPECT_EQ(0, memcmp(in, out, size));
}

TEST_F(mapping, no_bytes_is_success)
{
	EXPECT_REFUSED(0, uapi_read(self->fd, self->handle, 0, self->after, 0), self->handle);
	EXPECT_REFUSED(0, uapi_write(self->fd, self->handle, 0, self->after, 0), self->handle);
	EXPECT_REFUSED(0, uapi_write(self->fd, self->handle, SIZE, self->after, 0), self->handle);
	EXPECT_REFUSED(0, uapi_read(self->fd, self->handle, 3, NULL, 0), self->handle);
}

TEST_F(mapping, read_of_a_read_only_mapping)
{
	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, self->after, SIZE));
	EXPECT_EQ(0, memcmp(self->before, self->after, SIZE));
}

TEST_F(mapping, write_refuses_a_read_only_mapping)
{
	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_ACCESS_REFUSED(EACCES, uapi_write(self->fd, self->handle, 0, self->after, 1));
	EXPECT_ACCESS_REFUSED(EACCES, uapi_write(self->fd, self->handle, 0, self->after, SIZE));
}

static const struct {
	__u64 offset, length;
} outside[] = {
	{ 0, SIZE + 1 }, { SIZE, 1 }, { SIZE - 1, 2 }, { 1, SIZE }, { SIZE + PAGE, 1 },
	{ 1ULL << 62, 1 }, { ~0ULL - 1, 1 }, { 0, ~0ULL }, { 0, 1ULL << 63 },
};

TEST_F(mapping, read_refuses_what_is_outside)
{
	unsigned int i;

	memset(self->after, 0xee, SIZE);
	for (i = 0; i < ARRAY_SIZE(outside); i++)
		EXPECT_ACCESS_REFUSED(ERANGE, uapi_read(self->fd, self->handle, outside[i].offset,
							self->after, outside[i].length));
	for (i = 0; i < SIZE; i++)
		ASSERT_EQ(0xee, self->after[i]);
}

TEST_F(mapping, write_refuses_what_is_outside)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++)
		EXPECT_ACCESS_REFUSED(ERANGE, uapi_write(self->fd, self->handle, outside[i].offset,
							 self->after, outside[i].length));
}

static const struct {
	__u64 offset, length;
} overflowing[] = {
	{ 1, ~0ULL }, { ~0ULL, 1 }, { ~0ULL, ~0ULL }, { PAGE, ~0ULL - PAGE + 1 },
	{ 1ULL << 63, 1ULL << 63 },
};

TEST_F(mapping, read_refuses_an_end_that_overflows)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(overflowing); i++)
		EXPECT_ACCESS_REFUSED(EOVERFLOW, uapi_read(self->fd, self->handle,
							   overflowing[i].offset, self->after,
							   overflowing[i].length));
}

TEST_F(mapping, write_refuses_an_end_that_overflows)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(overflowing); i++)
		EXPECT_ACCESS_REFUSED(EOVERFLOW, uapi_write(self->fd, self->handle,
							    overflowing[i].offset, self->after,
							    overflowing[i].length));
}

TEST_F(mapping, read_refuses_a_bad_buffer)
{
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_read(self->fd, self->handle, 0, NULL, 1));
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_read(self->fd, self->handle, 0,
						(void *)0xffff888000000000UL, SIZE));
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_read(self->fd, self->handle, 0, (void *)(~0UL - 9),
						PAGE));
}

TEST_F(mapping, write_refuses_a_bad_buffer)
{
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_write(self->fd, self->handle, 0, NULL, 1));
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_write(self->fd, self->handle, 0,
						 (void *)0xffff888000000000UL, SIZE));
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_write(self->fd, self->handle, 0, (void *)(~0UL - 9),
						 PAGE));
}

TEST_F(mapping, read_refuses_a_buffer_that_cannot_be_written)
{
	void *buffer = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, buffer);
	EXPECT_ACCESS_REFUSED(EFAULT, uapi_read(self->fd, self->handle, 0, buffer, PAGE));
}

/* The bytes before the failure stay copied; the bytes after it do not change. */
TEST_F(mapping, a_fault_in_the_middle_stops_there)
{
	unsigned char *buffer = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)buffer);
	ASSERT_EQ(0, munmap(buffer + PAGE, PAGE));
	memset(buffer, 0x77, PAGE);
	EXPECT_EQ(-EFAULT, uapi_write(self->fd, self->handle, 0, buffer, 2 * PAGE));
	ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, self->after, SIZE));
	EXPECT_EQ(0, memcmp(self->after + PAGE, self->before + PAGE, SIZE - PAGE));
	for (i = 0; i < PAGE && self->after[i] == 0x77; i++)
		;
	EXPECT_EQ(0, memcmp(self->after + i, self->before + i, PAGE - i));

	EXPECT_EQ(-EFAULT, uapi_read(self->fd, self->handle, 0, buffer, 2 * PAGE));
	/* the borrow of the call has ended */
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
}

TEST_HARNESS_MAIN
