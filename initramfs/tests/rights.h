/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of rights that are less than ownership, with checks of what a descriptor
 * of the mapping allows.
 */
#ifndef TESTS_RIGHTS_H
#define TESTS_RIGHTS_H

#include "exported.h"

#define NR	4
#define SIZE	(NR * PAGE)

/**
 * rights - a client with a mapping in which every byte has a known value
 * @handle: the mapping
 * @vaddr: address of the mapping
 * @other: another client, which receives the mapping
 */
FIXTURE(rights)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 vaddr;
	int other;
};

FIXTURE_SETUP(rights)
{
	struct theseus_mm_create_mapping mapping;

	recover_start();
	CLIENT_SETUP();
	mapping = FILLED(NR);
	self->handle = mapping.handle;
	self->vaddr = mapping.start;
	self->other = uapi_open(NULL);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(rights)
{
	close(self->other);
	CLIENT_TEARDOWN();
}

/* A descriptor of the mapping of the fixture. */
#define EXPORT(flags)	EXPORT_OF(self->handle, flags)

static inline unsigned int nr_borrows(int fd, __u32 handle)
{
	struct theseus_mm_query query;

	return uapi_query(fd, handle, &query) ? ~0U : query.nr_borrows;
}

/*
 * Check that a permanently read-only mapping can be read, and that no call writes to it or takes
 * it apart.
 */
static inline void expect_sealed(struct __test_metadata *_metadata, int fd, __u32 handle)
{
	__u32 pages, frames[NR], nr = NR;
	struct theseus_mm_query query;
	unsigned char byte;

	ASSERT_EQ(0, uapi_query(fd, handle, &query));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_READ_ONLY, query.attributes);
	EXPECT_EQ(0, query.pte_flags & THESEUS_MM_PTE_WRITABLE);
	EXPECT_EQ(-EACCES, uapi_remap(fd, handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(-EACCES, uapi_write(fd, handle, 0, "x", 1));
	EXPECT_EQ(EACCES, mmap_errno(fd, handle, RW));
	EXPECT_EQ(-EACCES, uapi_unmap_into_parts(fd, handle, &pages, frames, &nr));
	EXPECT_EQ(0, uapi_remap(fd, handle, READ_ONLY));
	EXPECT_EQ(0, uapi_read(fd, handle, 0, &byte, 1));
	EXPECT_EQ(0, mmap_errno(fd, handle, R));
}

#endif /* TESTS_RIGHTS_H */
