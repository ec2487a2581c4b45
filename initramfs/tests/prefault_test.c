// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that have all their entries before their first use take no faults later.
 */
#include "area.h"

#define SIZE_2M		(1ULL << 21)

/* Six tables of small entries, not all full. */
#define SIZE		(5 * SIZE_2M + 3 * PAGE)

/**
 * prefault - a mapping of small leaves
 * @handle: the mapping
 * @offset: offset of the mapping for mmap()
 */
FIXTURE(prefault)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	__u64 offset;
};

FIXTURE_SETUP(prefault)
{
	struct theseus_mm_map mapping;

	recover_start();
	CLIENT_SETUP();
	ASSERT_EQ(0, map_aligned(self->fd, SIZE, SIZE_2M, 1, &mapping));
	self->handle = mapping.handle;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &self->offset, NULL));
}

FIXTURE_TEARDOWN(prefault)
{
	CLIENT_TEARDOWN();
}

/* Return: how many faults a read of every page takes, or -1 if a byte is wrong */
static long nr_faults_of(const unsigned char *area)
{
	long faults = nr_faults();
	__u64 i, nr_wrong = 0;

	for (i = 0; i < SIZE; i += PAGE)
		nr_wrong += __atomic_load_n(area + i, __ATOMIC_RELAXED) != pattern(i);
	return nr_wrong ? -1 : nr_faults() - faults;
}

/* Return: how many faults a write to every page takes; the writes do not change the content */
static long nr_faults_of_writing(unsigned char *area)
{
	long faults = nr_faults();
	__u64 i;

	for (i = 0; i < SIZE; i += PAGE)
		__atomic_store_n(area + i, pattern(i), __ATOMIC_RELAXED);
	return nr_faults() - faults;
}

/* Mmap with flags in addition to MAP_SHARED. */
#define AREA_WITH(protection, flags)							\
	({										\
		unsigned char *_area = mmap(NULL, SIZE, protection, MAP_SHARED | (flags),	\
					    self->fd, self->offset);			\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

TEST_F(prefault, there_are_faults_unless_asked)
{
	unsigned char *area = AREA_WITH(R, 0);

	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	/* with MAP_NONBLOCK, Linux populates nothing */
	area = AREA_WITH(R, MAP_POPULATE | MAP_NONBLOCK);
	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(prefault, map_populate_leaves_none)
{
	unsigned char *area = AREA_WITH(R, MAP_POPULATE);

	EXPECT_EQ(0, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA_WITH(RW, MAP_POPULATE);
	EXPECT_EQ(0, nr_faults_of_writing(area));
	EXPECT_EQ(0, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA_WITH(PROT_WRITE, MAP_POPULATE);
	EXPECT_EQ(0, nr_faults_of_writing(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(prefault, map_populate_of_a_part_at_an_address)
{
	unsigned char *place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const __u64 part = SIZE - 7 * PAGE;
	unsigned char *area;
	long faults;
	__u64 i;

	ASSERT_NE((unsigned char *)MAP_FAILED, place);
	area = mmap(place + PAGE, part, R, MAP_SHARED | MAP_FIXED | MAP_POPULATE, self->fd,
		    self->offset + 3 * PAGE);
	ASSERT_EQ(place + PAGE, area);
	faults = nr_faults();
	for (i = 0; i < part; i += PAGE)
		ASSERT_EQ(pattern(i + 3 * PAGE), area[i]);
	EXPECT_EQ(faults, nr_faults());
	EXPECT_EQ(0, munmap(place, SIZE));
}

TEST_F(prefault, map_populate_of_an_exported_mapping)
{
	unsigned char *area;
	int export;

	ASSERT_EQ(0, uapi_export(self->fd, self->handle, &export));
	area = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_POPULATE, export, 0);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(0, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, close(export));
}

TEST_F(prefault, mlockall_of_what_will_come_leaves_none)
{
	unsigned char *area;

	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	area = AREA_WITH(RW, 0);
	EXPECT_EQ(0, nr_faults_of(area));
	EXPECT_EQ(0, nr_faults_of_writing(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	/* with MCL_ONFAULT, only touched pages get entries */
	ASSERT_EQ(0, mlockall(MCL_FUTURE | MCL_ONFAULT));
	area = AREA_WITH(RW, 0);
	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	ASSERT_EQ(0, munlockall());
}

TEST_F(prefault, map_locked_leaves_none)
{
	unsigned char *area = AREA_WITH(R, MAP_LOCKED);

	EXPECT_EQ(0, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* MAP_POPULATE inserts no entry if mmap() is refused or the area is PROT_NONE. */
TEST_F(prefault, nothing_is_shown_that_may_not_be_seen)
{
	unsigned char *area, byte;

	EXPECT_ERRNO(EACCES, mmap(NULL, SIZE, RX, MAP_SHARED | MAP_POPULATE, self->fd,
				  self->offset));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE | MAP_POPULATE, self->fd,
				  self->offset));
	EXPECT_ERRNO(ERANGE, mmap(NULL, SIZE + PAGE, R, MAP_SHARED | MAP_POPULATE, self->fd,
				  self->offset));
	area = AREA_WITH(PROT_NONE, MAP_POPULATE);
	EXPECT_EQ(SIGSEGV, load(area, &byte));
	EXPECT_EQ(0, mprotect(area, SIZE, R));
	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/* An mmap() that fails must not fill the area that is already at its address. */
TEST_F(prefault, a_refused_map_populate_fills_nothing)
{
	unsigned char *area = AREA_WITH(R, 0);

	EXPECT_ERRNO(EEXIST, mmap(area, SIZE, R,
				  MAP_SHARED | MAP_POPULATE | MAP_FIXED_NOREPLACE, self->fd,
				  self->offset));
	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	/* a later area is not affected either */
	area = AREA_WITH(R, 0);
	EXPECT_LE(5, nr_faults_of(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(prefault, it_can_be_revoked)
{
	unsigned char *area = AREA_WITH(RW, MAP_POPULATE), byte;
	__u64 i;
	__u32 nr;

	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	for (i = 0; i < SIZE; i += SIZE_2M / 2)
		EXPECT_EQ(SIGBUS, load(area + i, &byte));
	EXPECT_EQ(SIGBUS, store(area + SIZE - 1, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, QUERY(self->handle).nr_borrows);
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
}

/* madvise() refuses memory without struct pages; MAP_POPULATE works. */
TEST_F(prefault, madvise_cannot_populate)
{
	unsigned char *area = AREA_WITH(RW, 0);

	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_POPULATE_READ));
	EXPECT_ERRNO(EINVAL, madvise(area, SIZE, MADV_POPULATE_WRITE));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_HARNESS_MAIN
