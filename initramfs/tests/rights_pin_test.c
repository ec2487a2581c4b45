// SPDX-License-Identifier: GPL-2.0
/* Before Linux 6.15: the module refuses struct_pages=1 since then. */
/*
 * Rights that are less than ownership, with I/O and devices that access the memory (the
 * module is loaded with struct_pages=1). I/O and devices cannot write to read-only memory
 * either. Memory that is pinned when a right ends stays borrowed until it is unpinned.
 */
#include "exported.h"
#include "pin.h"

#include <fcntl.h>
#include <sys/wait.h>

#define NR	4
#define SIZE	(NR * PAGE)

FIXTURE(held)
{
	int fd;
	int pipe[2];
	struct theseus_mm_info start;
	__u32 handle;
	int other;
};

FIXTURE_SETUP(held)
{
	recover_start();
	CLIENT_SETUP();
	if (!(self->start.features & THESEUS_MM_FEATURE_STRUCT_PAGES))
		SKIP(return, "the module is not loaded with struct_pages=1");
	ASSERT_EQ(0, pipe(self->pipe));
	self->other = uapi_open(NULL);
	ASSERT_LE(0, self->other);
	self->handle = FILLED(NR).handle;
}

FIXTURE_TEARDOWN(held)
{
	close(self->pipe[0]);
	close(self->pipe[1]);
	close(self->other);
	PINNED_TEARDOWN();
}

/* I/O may read the memory but not write to it, by any call. */
static void expect_io_reads_only(struct __test_metadata *_metadata, unsigned char *area)
{
	int disk = open("/dev/ram0", O_RDWR | O_DIRECT), mem = open("/proc/self/mem", O_RDWR);
	struct iovec from = { &(char){ 'x' }, 1 }, to = { area, 1 };
	int zero = open("/dev/zero", O_RDONLY);

	ASSERT_LE(0, disk);
	EXPECT_EQ(SIZE, pwrite(disk, area, SIZE, 0));
	EXPECT_ERRNO(EFAULT, pread(disk, area, SIZE, 0));
	EXPECT_ERRNO(EFAULT, read(zero, area, PAGE));
	EXPECT_ERRNO(EFAULT, process_vm_writev(getpid(), &from, 1, &to, 1, 0));
	EXPECT_ERRNO(EIO, pwrite(mem, "x", 1, (uintptr_t)area));
	EXPECT_ERRNO(EACCES, mprotect(area, SIZE, RW));
	EXPECT_EQ(SIGSEGV, store(area, 'x'));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	close(disk);
	close(mem);
	close(zero);
}

TEST_F(held, io_does_not_write_through_a_read_only_descriptor)
{
	int lent = EXPORT_OF(self->handle, BORROW | SEALED), export;
	unsigned char *area = AREA_OF(lent, R);

	expect_io_reads_only(_metadata, area);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(lent);
	export = EXPORT_OF(self->handle, SEALED);
	area = AREA_OF(export, R);
	expect_io_reads_only(_metadata, area);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

TEST_F(held, io_does_not_write_into_what_was_imported_read_only)
{
	int export = EXPORT_OF(self->handle, SEALED);
	unsigned char *area;
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	area = mmap_all(self->other, handle, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	expect_io_reads_only(_metadata, area);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

/* A dma-buf of a read-only mapping is read-only too, and so is each of its areas. */
TEST_F(held, a_dmabuf_of_what_was_imported_read_only)
{
	struct theseus_mm_export buffer = { 0 };
	int export = EXPORT_OF(self->handle, SEALED);
	unsigned char *area;
	__u32 handle;

	ASSERT_EQ(0, uapi_import(self->other, export, &handle));
	buffer.handle = handle;
	ASSERT_EQ(0, uapi_call(self->other, THESEUS_MM_IOC_EXPORT_DMABUF, &buffer));
	EXPECT_EQ(O_RDONLY, fcntl(buffer.fd, F_GETFL) & O_ACCMODE);
	EXPECT_ERRNO(EACCES, mmap_export(buffer.fd, SIZE, RW));
	area = AREA_OF(buffer.fd, R);
	expect_io_reads_only(_metadata, area);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer.fd);
	close(export);
}

/* Return: the attributes of the first handle or export in LIST_HANDLES, or ~0 */
static __u32 listed(int fd, __u32 flags)
{
	struct theseus_mm_handle_info info;
	__u32 from = 0, nr;

	return uapi_list_handles(fd, flags, &from, &info, 1, &nr) || nr != 1 ? ~0U :
	       info.attributes;
}

TEST_F(held, what_io_holds_is_listed_as_pinned)
{
	unsigned char *area = AREA(self->handle, R);
	struct theseus_mm_query query = { 0 };
	int export;

	EXPECT_EQ(0, listed(self->fd, 0));
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_PINNED, listed(self->fd, 0));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
	EXPECT_EQ(0, listed(self->fd, 0));
	/* LIST_HANDLES and QUERY report the same attributes for an export */
	export = EXPORT_OF(self->handle, 0);
	area = AREA_OF(export, R);
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_PINNED, listed(self->fd, THESEUS_MM_HANDLES_EXPORTS));
	ASSERT_EQ(0, uapi_call(export, THESEUS_MM_IOC_QUERY, &query));
	EXPECT_EQ(THESEUS_MM_ATTRIBUTE_PINNED, query.attributes);
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	close(export);
}

/* QUERY reads the attribute without a lock, and the borrow ends on another CPU. */
TEST_F(held, what_io_held_is_free_once_it_is_not_listed)
{
	unsigned char *area, byte;
	int i;

	for (i = 0; i < 20; i++) {
		area = AREA(self->handle, RW);
		ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
		EXPECT_EQ(0, munmap(area, SIZE));
		ASSERT_TRUE(is_pinned(self->fd, self->handle));
		EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
		while (is_pinned(self->fd, self->handle))
			;
		ASSERT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	}
}

/* The borrow lasts until I/O unpins the memory, but the area shows nothing any more. */
TEST_F(held, what_io_holds_of_a_revoked_area_is_not_for_debuggers)
{
	unsigned char *area = AREA(self->handle, RW), byte;
	int mem = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, mem);
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(1, pread(mem, &byte, 1, (uintptr_t)area));
	ASSERT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_TRUE(is_pinned(self->fd, self->handle));
	EXPECT_ERRNO(EIO, pread(mem, &byte, 1, (uintptr_t)area));
	EXPECT_ERRNO(EIO, pwrite(mem, "x", 1, (uintptr_t)area));
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, self->handle)));
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(pattern(0), byte);
	EXPECT_EQ(0, munmap(area, SIZE));
	close(mem);
}

/* VM_PFNMAP keeps areas without struct pages from growing; areas with struct pages lack it. */
TEST_F(held, an_area_does_not_grow)
{
	int export = EXPORT_OF(self->handle, BORROW | SEALED);
	unsigned char *area = mmap(NULL, PAGE, R, MAP_SHARED, export, 0);

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_ERRNO(EFAULT, mremap(area, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(PAGE, nr_alike(area, 0, PAGE));
	EXPECT_EQ(0, munmap(area, PAGE));
	close(export);
}

TEST_F(held, a_lending_descriptor_waits_for_what_io_holds)
{
	int export = EXPORT_OF(self->handle, BORROW);
	unsigned char *area = AREA_OF(export, R);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_TRUE(is_pinned(self->fd, self->handle));
	EXPECT_EQ(0, polled(export, 0));
	/* the descriptor is stale, but its loans have not ended */
	ASSERT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_ERRNO(ESTALE, mmap_export(export, SIZE, R));
	EXPECT_EQ(0, polled(export, 0));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(polled(export, 0) == GONE));
	EXPECT_FALSE(is_pinned(self->fd, self->handle));
	close(export);
}

TEST_F(held, pollin_comes_when_io_lets_go)
{
	int export = EXPORT_OF(self->handle, 0);
	struct pollfd wanted = { .fd = export, .events = POLLIN };
	unsigned char *area = AREA_OF(export, R);

	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, poll(&wanted, 1, 200));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_EQ(1, woken_poll(&wanted, 20000));
	EXPECT_EQ(POLLIN, wanted.revents);
	close(export);
}

/* The exporter has the mapping at once; pinned memory stays borrowed until it is unpinned. */
TEST_F(held, what_io_holds_is_taken_back)
{
	unsigned char *area;
	__u32 id, handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, 0, &export, &id));
	area = AREA_OF(export, RW);
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	ASSERT_EQ(0, uapi_take_back(self->fd, id, &handle));
	EXPECT_TRUE(is_pinned(self->fd, handle));
	EXPECT_EQ(-EBUSY, uapi_remap(self->fd, handle, READ_ONLY));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, handle, R));
	EXPECT_EQ(0, polled(export, 0));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(!is_pinned(self->fd, handle)));
	EXPECT_EQ(GONE, polled(export, 0));
	EXPECT_EQ(0, uapi_remap(self->fd, handle, READ_ONLY));
	EXPECT_EQ(0, mmap_errno(self->fd, handle, R));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(export);
}

TEST_F(held, what_io_holds_is_taken_back_and_dropped)
{
	unsigned char *area;
	__u32 id, handle;
	int export;

	ASSERT_EQ(0, uapi_export_as(self->fd, self->handle, 0, &export, &id));
	area = AREA_OF(export, R);
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	ASSERT_EQ(0, uapi_take_back(self->fd, id, &handle));
	EXPECT_EQ(0, uapi_drop(self->fd, handle));
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(has_all_back(self->fd, &self->start)));
	close(export);
}

/* Areas of several lenders: each lender waits for its own areas. */
TEST_F(held, lenders_wait_for_their_own)
{
	int first = EXPORT_OF(self->handle, BORROW), second = EXPORT_OF(self->handle, BORROW);
	unsigned char *area = AREA_OF(first, R), *other = AREA_OF(second, R), byte;

	ASSERT_EQ(0, load(other, &byte));
	ASSERT_EQ(PAGE, pin(self->pipe[1], area, PAGE));
	EXPECT_EQ(0, munmap(other + PAGE, SIZE - PAGE));
	ASSERT_EQ(0, uapi_revoke(self->fd, self->handle, NULL));
	EXPECT_EQ(0, polled(first, 0));
	EXPECT_EQ(PAGE, let_go(self->pipe[0], 0));
	EXPECT_TRUE(BECOMES(polled(first, 0) == GONE && polled(second, 0) == GONE));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, munmap(other, PAGE));
	close(first);
	close(second);
}

TEST_HARNESS_MAIN
