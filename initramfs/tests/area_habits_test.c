// SPDX-License-Identifier: GPL-2.0
/*
 * Properties of shared memory that programs rely on: calls without any work succeed, and old
 * programs get an area too.
 */
#include "area.h"

#include <linux/futex.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#define SIZE	(4 * PAGE)

/* Make an area of a mapping that is exported first. The test closes @export. */
#define EXPORTED_AREA(handle, protection, export)					\
	({										\
		unsigned char *_area;							\
											\
		ASSERT_EQ(0, uapi_export(self->fd, handle, export));			\
		_area = mmap(NULL, SIZE, protection, MAP_SHARED, *(export), 0);		\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

/* Nothing needs to be written back: msync() returns 0, as for a memfd, and changes nothing. */
static int msync_all(unsigned char *area)
{
	if (msync(area, SIZE, MS_ASYNC) || msync(area, SIZE, MS_SYNC) ||
	    msync(area, SIZE, MS_SYNC | MS_INVALIDATE) || msync(area + PAGE, PAGE, MS_SYNC))
		return -errno;
	return 0;
}

TEST_F(client, msync_has_nothing_to_do)
{
	__u32 handle = MAPPING(4).handle;
	unsigned char *area = AREA(handle, RW);

	recover_start();
	EXPECT_EQ(0, store(area, 7));
	EXPECT_EQ(0, store(area + SIZE - 1, 8));
	EXPECT_EQ(0, msync_all(area));
	EXPECT_EQ(7, area[0]);
	EXPECT_EQ(8, area[SIZE - 1]);
	EXPECT_EQ(0, mprotect(area, SIZE, R));
	EXPECT_EQ(0, msync_all(area));
	/* msync() also succeeds after the area is revoked */
	EXPECT_EQ(0, uapi_revoke(self->fd, handle, NULL));
	EXPECT_EQ(0, msync_all(area));
	EXPECT_EQ(0, munmap(area, PAGE));
	EXPECT_ERRNO(ENOMEM, msync(area, SIZE, MS_SYNC));
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(client, msync_of_an_exported_mapping)
{
	int export = -1;
	unsigned char *area = EXPORTED_AREA(MAPPING(4).handle, RW, &export);

	EXPECT_EQ(0, msync_all(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, fsync(export));
	EXPECT_EQ(0, fdatasync(export));
	EXPECT_EQ(0, close(export));
}

/* Return: the third letter of an area's permissions, or 0 */
static char execute_letter(const unsigned char *area)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[256], permissions[5], letter = 0;
	unsigned long start;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %4s", &start, permissions) == 2 &&
		    start == (unsigned long)area)
			letter = permissions[2];
	if (maps)
		fclose(maps);
	return letter;
}

/*
 * From this call on, reading implies execution. Each test is a process of its own, so the call
 * affects no other test.
 */
static int become_old(void)
{
	return personality(personality(0xffffffff) | READ_IMPLIES_EXEC) < 0 ? -errno : 0;
}

TEST_F(client, an_old_program_gets_an_area_that_is_not_executable)
{
	__u32 handle = MAPPING(4).handle;
	unsigned char *area;

	recover_start();
	ASSERT_EQ(0, become_old());
	area = AREA(handle, RW);
	EXPECT_EQ('-', execute_letter(area));
	EXPECT_EQ(0, store(area, 5));
	EXPECT_EQ(0, mprotect(area, PAGE, R));
	EXPECT_EQ('-', execute_letter(area));
	EXPECT_EQ(SIGSEGV, store(area, 6));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA(handle, R);
	EXPECT_EQ('-', execute_letter(area));
	EXPECT_EQ(5, area[0]);
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(client, an_old_program_gets_an_area_of_an_exported_mapping)
{
	unsigned char *area;
	int export = -1;

	ASSERT_EQ(0, become_old());
	area = EXPORTED_AREA(MAPPING(4).handle, RW, &export);
	EXPECT_EQ('-', execute_letter(area));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, close(export));
}

TEST_F(client, an_old_program_is_refused_what_it_asks_for_itself)
{
	__u32 handle = MAPPING(4).handle;

	EXPECT_EQ(EACCES, mmap_errno(self->fd, handle, RX));
	EXPECT_EQ(EACCES, mmap_errno(self->fd, handle, PROT_EXEC));
	ASSERT_EQ(0, become_old());
	EXPECT_EQ(EACCES, mmap_errno(self->fd, handle, PROT_EXEC));
}

TEST_F(client, an_old_program_gets_an_executable_area_of_an_executable_mapping)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;

	ASSERT_EQ(0, uapi_create_mapping(self->fd, SIZE,
					 THESEUS_MM_PTE_DATA & ~THESEUS_MM_PTE_NOT_EXECUTABLE &
						~THESEUS_MM_PTE_WRITABLE,
					 &mapping));
	ASSERT_EQ(0, become_old());
	area = AREA(mapping.handle, R);
	EXPECT_EQ('x', execute_letter(area));
	EXPECT_EQ(0, munmap(area, SIZE));
}

/*
 * Linux identifies a lock that processes share by its struct page. This memory has no struct pages,
 * so futex() fails with EFAULT. Threads of one process need no struct page.
 */
TEST_F(client, a_lock_that_processes_share_is_refused_without_struct_pages)
{
	unsigned char *area = AREA(MAPPING(1).handle, RW);

	if (self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES)
		SKIP(return, "there are struct pages");
	EXPECT_ERRNO(EFAULT, syscall(SYS_futex, area, FUTEX_WAIT, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_futex, area, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EAGAIN, syscall(SYS_futex, area, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	EXPECT_EQ(0, syscall(SYS_futex, area, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	EXPECT_EQ(0, munmap(area, PAGE));
}

TEST_HARNESS_MAIN
