// SPDX-License-Identifier: GPL-2.0
/*
 * Exported mappings have one owner at any instant, whoever holds descriptors of them.
 */
#include "export.h"
#include "kernel.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Also 32-bit: the tests make descriptors, and mmap them. */

#define EXPORT_AREA(protection)								\
	({										\
		unsigned char *_area = mmap_export(self->export, SIZE, protection);	\
											\
		ASSERT_NE((unsigned char *)MAP_FAILED, _area);				\
		_area;									\
	})

TEST_F(export, consumes_the_handle)
{
	struct theseus_mm_info info = INFO();

	EXPECT_GONE(self->handle);
	/* the descriptor counts as one handle, and nothing else counts */
	EXPECT_EQ(1, info.client_handles);
	EXPECT_THERE();
	EXPECT_EQ(-ENOENT, uapi_export(self->fd, self->handle, &self->export));
}

TEST_F(export, close_drops)
{
	close(self->export);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, import_moves_it_back)
{
	unsigned char content[SIZE];
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	EXPECT_EQ(self->vaddr, QUERY(handle).start);
	EXPECT_EQ(NR, QUERY(handle).nr_pages);
	/* the stale descriptor still counts */
	EXPECT_EQ(2, INFO().client_handles);
	ASSERT_EQ(0, uapi_read(self->fd, handle, 0, content, SIZE));
	EXPECT_EQ(SIZE, nr_alike(content, 0, SIZE));
	EXPECT_STALE_EXPORT(self->export);
	EXPECT_EQ(0, uapi_drop(self->fd, handle));
	EXPECT_STALE_EXPORT(self->export);
	close(self->export);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, import_tells_where_it_is)
{
	struct theseus_mm_import call = { .fd = self->export };

	ASSERT_EQ(0, uapi_call(self->fd, THESEUS_MM_IOC_IMPORT, &call));
	EXPECT_NE(0, call.handle);
	EXPECT_EQ(self->vaddr, call.start);
	EXPECT_EQ(NR, call.nr_pages);
}

TEST_F(export, can_be_exported_again)
{
	int again;
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	ASSERT_EQ(0, uapi_export(self->fd, handle, &again));
	EXPECT_STALE_EXPORT(self->export);
	EXPECT_THERE();
	ASSERT_EQ(0, uapi_import(self->fd, again, &handle));
	EXPECT_STALE_EXPORT(again);
	close(again);
	EXPECT_THERE();
}

TEST_F(export, is_owned_by_all_its_descriptors_together)
{
	int copy = dup(self->export);

	close(self->export);
	EXPECT_THERE();
	self->export = copy;
	copy = dup(self->export);
	close(self->export);
	EXPECT_THERE();
	close(copy);
	EXPECT_ALL_BACK();
	self->export = -1;
}

TEST_F(export, outlives_its_client)
{
	unsigned char *area;

	close(self->fd);
	self->fd = uapi_open(NULL);
	EXPECT_THERE();
	area = EXPORT_AREA(R);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_THERE();
}

TEST_F(export, copies_are_stale_after_an_import)
{
	int copy = dup(self->export);
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->fd, copy, &handle));
	EXPECT_STALE_EXPORT(copy);
	EXPECT_STALE_EXPORT(self->export);
	close(copy);
	close(self->export);
	self->export = -1;
	EXPECT_THERE();
}

/* --- borrowing ---------------------------------------------------------------------------- */

TEST_F(export, mmap_follows_the_rules_of_borrowing)
{
	unsigned char *area = EXPORT_AREA(R), *second = EXPORT_AREA(R);

	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, SIZE, RW));
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, SIZE, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	area = EXPORT_AREA(RW);
	EXPECT_ERRNO(EBUSY, mmap_export(self->export, PAGE, R));
	area[0]++;
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_ERRNO(ERRNO_OF_EXEC(), mmap_export(self->export, SIZE, RX));
	EXPECT_ERRNO(EINVAL, mmap(NULL, SIZE, R, MAP_PRIVATE, self->export, 0));
	EXPECT_ERRNO(ERANGE, mmap_export(self->export, SIZE + PAGE, R));
	EXPECT_ERRNO(ERANGE, mmap_export_at(self->export, SIZE, PAGE, R));
	EXPECT_ERRNO(ERANGE, mmap_export_at(self->export, FAR_OFFSET, PAGE, R));
	area = mmap_export_at(self->export, 2 * PAGE, PAGE, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(PAGE, nr_alike(area, 2 * PAGE, PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
}

TEST_F(export, mmap_of_what_is_read_only)
{
	struct theseus_mm_create_mapping mapping;
	int export;

	ASSERT_EQ(0, uapi_create_mapping(self->fd, SIZE, READ_ONLY, &mapping));
	ASSERT_EQ(0, uapi_export(self->fd, mapping.handle, &export));
	EXPECT_ERRNO(EACCES, mmap_export(export, SIZE, RW));
	close(export);
}

TEST_F(export, import_is_refused_while_it_is_borrowed)
{
	unsigned char *area = EXPORT_AREA(R);
	struct theseus_mm_query query;
	__u32 handle = 77;

	EXPECT_REFUSED(EBUSY, uapi_import(self->fd, self->export, &handle));
	EXPECT_EQ(77, handle);
	EXPECT_EQ(0, query_export(self->export, &query));
	EXPECT_EQ(1, query.nr_borrows);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_import(self->fd, self->export, &handle));
}

TEST_F(export, of_what_is_borrowed_is_refused)
{
	__u32 handle = MAPPING(NR).handle;
	unsigned char *area = AREA(handle, R);
	int export = -2;

	EXPECT_REFUSED(EBUSY, uapi_export(self->fd, handle, &export), handle);
	EXPECT_EQ(0, munmap(area, SIZE));
	area = AREA(handle, RW);
	EXPECT_REFUSED(EBUSY, uapi_export(self->fd, handle, &export));
	EXPECT_EQ(-2, export);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_export(self->fd, handle, &export));
	close(export);
}

/* An area keeps the mapping after all handles and descriptors are gone. */
TEST_F(export, lives_as_long_as_an_area)
{
	unsigned char *area = EXPORT_AREA(RW);

	close(self->export);
	self->export = -1;
	EXPECT_THERE();
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	area[SIZE - 1] = 1;
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_ALL_BACK();
}

TEST_F(export, revoke_through_the_descriptor)
{
	unsigned char *area = EXPORT_AREA(R), *second = EXPORT_AREA(R), byte;
	__u32 nr, handle;

	ASSERT_EQ(0, load(area, &byte));
	EXPECT_EQ(0, revoke_export(self->export, &nr));
	EXPECT_EQ(2, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(SIGBUS, load(second, &byte));
	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, munmap(second, SIZE));
	EXPECT_EQ(0, uapi_drop(self->fd, handle));
}

/* An area that was revoked before EXPORT stays revoked, and its munmap() ends no new loan. */
TEST_F(export, revoked_areas_stay_revoked)
{
	struct theseus_mm_create_mapping mapping = MAPPING(NR);
	unsigned char *area = AREA(mapping.handle, RW), *exported, byte;
	int export;

	area[0] = 'x';
	ASSERT_EQ(0, uapi_revoke(self->fd, mapping.handle, NULL));
	ASSERT_EQ(0, uapi_export(self->fd, mapping.handle, &export));
	exported = mmap_export(export, SIZE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, exported);
	EXPECT_EQ('x', exported[0]);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ('x', exported[0]);
	EXPECT_EQ(0, munmap(exported, SIZE));
	close(export);
}

TEST_F(export, offsets_of_before_are_gone)
{
	__u32 handle = MAPPING(NR).handle;
	__u64 offset;
	int export;

	ASSERT_EQ(0, uapi_map_offset(self->fd, handle, &offset, NULL));
	ASSERT_EQ(0, uapi_export(self->fd, handle, &export));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
	EXPECT_EQ(0, mmap_errno(self->fd, handle, RW));
	close(export);
}

/*
 * Modulo 2 MiB, the address of an area equals the address of the pages that the area shows, so
 * that large leaves of the mapping can be large entries in the process.
 */
TEST_F(export, large_leaves_are_aligned)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	int export;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, LARGE + 3 * PAGE,
						    THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_export(self->fd, mapping.handle, &export));
	area = mmap_export(export, LARGE + 3 * PAGE, RW);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(mapping.start % (2 << 20), (uintptr_t)area % (2 << 20));
	area[LARGE + 3 * PAGE - 1] = 1;
	EXPECT_EQ(0, munmap(area, LARGE + 3 * PAGE));
	area = mmap_export_at(export, PAGE, LARGE, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ((mapping.start + PAGE) % (2 << 20), (uintptr_t)area % (2 << 20));
	EXPECT_EQ(0, munmap(area, LARGE));
	close(export);
}

/* --- as a descriptor ---------------------------------------------------------------------- */

TEST_F(export, tells_its_size)
{
	struct stat status;
	char byte;

	ASSERT_EQ(0, fstat(self->export, &status));
	EXPECT_EQ(SIZE, status.st_size);
	EXPECT_EQ(SIZE, lseek(self->export, 0, SEEK_END));
	EXPECT_EQ(PAGE, lseek(self->export, PAGE, SEEK_SET));
	EXPECT_ERRNO(EINVAL, lseek(self->export, SIZE + 1, SEEK_SET));
	EXPECT_ERRNO(EINVAL, read(self->export, &byte, 1));
	EXPECT_ERRNO(EINVAL, write(self->export, &byte, 1));
	EXPECT_ERRNO(EINVAL, ftruncate(self->export, 0));
}

TEST_F(export, is_not_inherited_by_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->export, F_GETFD));
}

TEST_F(export, cannot_be_opened_again)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->export);
	EXPECT_ERRNO(ERRNO_OF_REOPEN(), open(path, O_RDWR));
	EXPECT_ERRNO(ERRNO_OF_REOPEN(), open(path, O_RDONLY));
	EXPECT_THERE();
}

TEST_F(export, query_through_the_descriptor)
{
	struct theseus_mm_query query;

	ASSERT_EQ(0, query_export(self->export, &query));
	EXPECT_EQ(THESEUS_MM_KIND_MAPPING, query.kind);
	EXPECT_EQ(self->vaddr, query.start);
	EXPECT_EQ(NR, query.nr_pages);
	EXPECT_EQ(0, query.nr_borrows);
	query.handle = 1;
	EXPECT_EQ(-EINVAL, uapi_call(self->export, THESEUS_MM_IOC_QUERY, &query));
}

TEST_F(export, other_calls_are_for_clients)
{
	struct theseus_mm_revoke revoke = { .handle = 1 };
	struct theseus_mm_drop drop = { 0 };
	struct theseus_mm_info info;
	__u32 handle;

	EXPECT_EQ(-EINVAL, uapi_call(self->export, THESEUS_MM_IOC_REVOKE, &revoke));
	EXPECT_EQ(-ENOTTY, uapi_call(self->export, THESEUS_MM_IOC_DROP, &drop));
	EXPECT_EQ(-ENOTTY, uapi_get_info(self->export, &info));
	EXPECT_EQ(-ENOTTY, uapi_import(self->export, self->export, &handle));
	EXPECT_ERRNO(ENOTTY, ioctl(self->export, 0x5401, &handle));
	EXPECT_THERE();
}

TEST_F(export, import_of_something_else)
{
	struct theseus_mm_import call = { .fd = self->export, .reserved = 1 };
	int sockets[2];
	__u32 handle;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	EXPECT_REFUSED(EINVAL, uapi_import(self->fd, sockets[0], &handle));
	EXPECT_REFUSED(EINVAL, uapi_import(self->fd, self->fd, &handle));
	EXPECT_REFUSED(EBADF, uapi_import(self->fd, -1, &handle));
	EXPECT_REFUSED(EBADF, uapi_import(self->fd, 1 << 20, &handle));
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_IMPORT, &call));
}

TEST_F(export, of_something_else)
{
	struct theseus_mm_export call = { .handle = MAPPING(1).handle, .flags = 1U << 2 };
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle;
	int export;

	EXPECT_REFUSED(ENOENT, uapi_export(self->fd, pages, &export), pages);
	EXPECT_REFUSED(ENOENT, uapi_export(self->fd, frames, &export), frames);
	EXPECT_REFUSED(ENOENT, uapi_export(self->fd, 0, &export));
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT, &call), call.handle);
}

TEST_F(export, needs_a_descriptor)
{
	__u32 handle = MAPPING(1).handle;
	struct rlimit limit, none;
	int export;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, uapi_export(self->fd, handle, &export), handle);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST_F(export, import_is_undone_if_its_result_cannot_be_stored)
{
	struct theseus_mm_import *call = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u32 handle;

	ASSERT_NE(MAP_FAILED, (void *)call);
	call->fd = self->export;
	ASSERT_EQ(0, mprotect(call, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_IMPORT, call));
	EXPECT_EQ(0, uapi_import(self->fd, self->export, &handle));
}

TEST_HARNESS_MAIN
