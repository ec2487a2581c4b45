// SPDX-License-Identifier: GPL-2.0
/*
 * Quarantine (the module is loaded with quarantine=1): nobody else gets memory that was ever
 * mmapped, until the module is unloaded.
 */
#include "area.h"

#define NR	4
#define SIZE	(NR * PAGE)

FIXTURE(quarantine)
{
	int fd;
	struct theseus_mm_info start;
	__u64 in_quarantine;
	struct theseus_mm_create_mapping mapping;
	__u32 handle;
};

static __u64 nr_quarantined(void)
{
	FILE *file = fopen("/sys/class/misc/theseus_mm/frames_quarantined", "r");
	unsigned long long nr = ~0ULL;

	if (file && fscanf(file, "%llu", &nr) != 1)
		nr = ~0ULL;
	if (file)
		fclose(file);
	return nr;
}

FIXTURE_SETUP(quarantine)
{
	recover_start();
	CLIENT_SETUP();
	if (!(self->start.features & THESEUS_MM_FEATURE_QUARANTINE))
		SKIP(return, "the module is not loaded with quarantine=1");
	self->in_quarantine = nr_quarantined();
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, SIZE, THESEUS_MM_PTE_DATA,
						    &self->mapping));
	self->handle = self->mapping.handle;
	ASSERT_EQ(0, fill(self->fd, self->handle, SIZE));
}

FIXTURE_TEARDOWN(quarantine)
{
	struct theseus_mm_info end = { 0 };

	if (self->fd >= 0)
		close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_EQ(0, uapi_get_info(self->fd, &end));
	/* no frame is lost: each frame that is no longer free counts as quarantined */
	EXPECT_EQ(self->start.frames_free + self->in_quarantine,
		  end.frames_free + nr_quarantined());
	EXPECT_EQ(self->start.pages_free, end.pages_free);
	EXPECT_EQ(self->start.nr_mappings, end.nr_mappings);
	close(self->fd);
}

/* Check that @nr more frames are in quarantine than at the start of the test. */
#define EXPECT_QUARANTINED(nr)								\
	EXPECT_EQ(self->in_quarantine + (nr), nr_quarantined())

static int allocate_at(int fd, __u64 paddr, __u32 *handle)
{
	struct theseus_mm_allocate one = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 1,
					   .at = paddr };
	int err = uapi_allocate_frames(fd, &one);

	*handle = one.handle;
	return err;
}

static void see(int fd, __u32 handle)
{
	void *area = mmap_part(fd, handle, 0, PAGE, R);

	if (area != MAP_FAILED)
		munmap(area, PAGE);
}

TEST_F(quarantine, what_was_never_mmapped_comes_back)
{
	__u32 handle;
	__u64 offset;

	EXPECT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_QUARANTINED(0);
	EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr, &handle));
}

TEST_F(quarantine, what_was_mmapped_goes_to_nobody)
{
	__u32 handle;
	int i;

	see(self->fd, self->handle);
	EXPECT_QUARANTINED(0);
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_QUARANTINED(NR);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + i * PAGE,
						   &handle));
}

TEST_F(quarantine, its_owner_keeps_it)
{
	__u32 pages, frames[NR], nr = NR;

	see(self->fd, self->handle);
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(-EBUSY, uapi_unmap_into_parts(self->fd, self->handle, &pages, frames, &nr));
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

TEST_F(quarantine, parts_of_it)
{
	__u32 first, second, handle;

	see(self->fd, self->handle);
	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	EXPECT_EQ(0, uapi_drop(self->fd, second));
	EXPECT_QUARANTINED(NR - 1);
	EXPECT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_QUARANTINED(NR);
	EXPECT_EQ(-EADDRINUSE, allocate_at(self->fd, self->mapping.paddr + PAGE, &handle));
}

TEST_F(quarantine, what_it_is_merged_with)
{
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, self->handle, PAGE, &first, &second));
	see(self->fd, second);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_QUARANTINED(NR);
}

TEST_F(quarantine, the_owner_is_gone_before_the_area)
{
	unsigned char *area = AREA(self->handle, RW);

	close(self->fd);
	self->fd = -1;
	EXPECT_QUARANTINED(0);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_QUARANTINED(NR);
}

TEST_F(quarantine, revoked)
{
	unsigned char *area = AREA(self->handle, RW), byte;

	EXPECT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_QUARANTINED(NR);
	EXPECT_EQ(0, munmap(area, SIZE));
}

/*
 * EXPORT_DMABUF fails without struct pages. No process saw the mapping, so it does not go into
 * quarantine.
 */
TEST_F(quarantine, what_was_refused_comes_back)
{
	struct theseus_mm_export export = { .handle = self->handle };
	__u32 handle;

	ASSERT_EQ(-EOPNOTSUPP, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &export));
	EXPECT_EQ(EACCES, mmap_errno(self->fd, self->handle, RX));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_QUARANTINED(0);
	EXPECT_EQ(0, allocate_at(self->fd, self->mapping.paddr, &handle));
}

TEST_HARNESS_MAIN
