/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of areas: a client with a mapping in which every byte has a known value,
 * and checks of what the borrows of the mapping exclude.
 */
#ifndef TESTS_BORROW_H
#define TESTS_BORROW_H

#include "area.h"

#define NR	4
#define SIZE	(NR * PAGE)

/**
 * borrow - a client with a mapping in which every byte has a known value
 * @handle: the mapping
 */
FIXTURE(borrow)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
};

FIXTURE_SETUP(borrow)
{
	recover_start();
	CLIENT_SETUP();
	self->handle = FILLED(NR).handle;
}

FIXTURE_TEARDOWN(borrow)
{
	CLIENT_TEARDOWN();
}

static inline int write_byte(int fd, __u32 handle)
{
	unsigned char byte = pattern(0);

	return uapi_write(fd, handle, 0, &byte, 1);
}

static inline int read_byte(int fd, __u32 handle)
{
	unsigned char byte;

	return uapi_read(fd, handle, 0, &byte, 1);
}

/*
 * At any moment, the borrows of a mapping make it free (a client can read and write it), shared
 * (a client can only read it) or excluded (a client can do neither).
 */
#define EXPECT_FREE(handle)								\
	do {										\
		EXPECT_EQ(0, write_byte(self->fd, handle));				\
		EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));				\
	} while (0)
#define EXPECT_SHARED(handle)								\
	do {										\
		EXPECT_EQ(0, read_byte(self->fd, handle));				\
		EXPECT_EQ(0, mmap_errno(self->fd, handle, R));				\
		EXPECT_EQ(-EBUSY, write_byte(self->fd, handle));			\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, RW));			\
	} while (0)
#define EXPECT_EXCLUDED(handle)								\
	do {										\
		EXPECT_EQ(-EBUSY, read_byte(self->fd, handle));				\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, R));			\
		EXPECT_EQ(-EBUSY, write_byte(self->fd, handle));			\
		EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, RW));			\
	} while (0)

#endif /* TESTS_BORROW_H */
