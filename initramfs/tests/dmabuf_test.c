// SPDX-License-Identifier: GPL-2.0
/* Before Linux 6.15: the module refuses struct_pages=1 since then. */
/*
 * A mapping as a dma-buf, as a process sees it (the module is loaded with struct_pages=1).
 * kunit/device/dmabuf_test.c tests the dma-buf as a device sees it.
 */
#include "library.h"
#include "open_files.h"
#include "pin.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NR	4
#define SIZE	(NR * PAGE)

FIXTURE(dmabuf)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
};

FIXTURE_SETUP(dmabuf)
{
	recover_start();
	CLIENT_SETUP();
	if (!(self->start.features & THESEUS_MM_FEATURE_DMABUF))
		SKIP(return, "the module is not loaded with struct_pages=1");
	self->handle = FILLED(NR).handle;
}

FIXTURE_TEARDOWN(dmabuf)
{
	PINNED_TEARDOWN();
}

/* Return: the dma-buf, or a negative errno */
static int export(int fd, __u32 handle)
{
	struct theseus_mm_export request = { .handle = handle };
	int err = uapi_call(fd, THESEUS_MM_IOC_EXPORT_DMABUF, &request);

	return err ? err : request.fd;
}

#define EXPORT(handle)									\
	({										\
		int _buffer = export(self->fd, handle);					\
											\
		ASSERT_LE(0, _buffer);							\
		_buffer;								\
	})

static unsigned char *mmap_buffer(int buffer, int protection)
{
	return mmap(NULL, SIZE, protection, MAP_SHARED, buffer, 0);
}

static int sync_buffer(int buffer, __u64 flags)
{
	struct dma_buf_sync request = { .flags = flags };

	return ioctl(buffer, DMA_BUF_IOCTL_SYNC, &request);
}

TEST_F(dmabuf, it_has_the_mappings_size_and_content)
{
	int buffer = EXPORT(self->handle);
	unsigned char *area = mmap_buffer(buffer, RW);

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, lseek(buffer, 0, SEEK_END));
	EXPECT_EQ(FD_CLOEXEC, fcntl(buffer, F_GETFD));
	EXPECT_EQ(0, sync_buffer(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	area[PAGE] = 0xa5;
	EXPECT_EQ(0, sync_buffer(buffer, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer);
	area = AREA(self->handle, R);
	EXPECT_EQ(0xa5, area[PAGE]);
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(dmabuf, the_library_makes_one_as_well)
{
	int fd = dup(self->fd), buffer;
	struct tmm_client *client = tmm_client_from_fd(&fd);
	struct tmm_mapping *mapping;
	unsigned char *area;

	ASSERT_NE(NULL, client);
	mapping = OWN(mapping, tmm_mapping_create(client, SIZE, TMM_DATA, NULL));
	ASSERT_EQ(0, fill(self->fd, tmm_mapping_handle(mapping), SIZE));
	buffer = tmm_mapping_export_dmabuf(mapping);
	ASSERT_LE(0, buffer);
	EXPECT_EQ(FD_CLOEXEC, fcntl(buffer, F_GETFD));
	area = mmap_buffer(buffer, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_FAILS(EBUSY, tmm_mapping_export_dmabuf(mapping), tmm_mapping_handle(mapping));
	EXPECT_FAILS(EBUSY, tmm_mapping_drop(&mapping), tmm_mapping_handle(mapping));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer);
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_FAILS(ENOENT, tmm_mapping_export_dmabuf(mapping));
	tmm_client_close(&client);
}

TEST_F(dmabuf, it_is_a_mutable_borrow)
{
	int buffer = EXPORT(self->handle), second;
	unsigned char byte, *area;

	EXPECT_EQ(-EBUSY, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(-EBUSY, uapi_remap(self->fd, self->handle, READ_ONLY));
	EXPECT_EQ(-EBUSY, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(EBUSY, mmap_errno(self->fd, self->handle, R));
	EXPECT_EQ(-EBUSY, export(self->fd, self->handle));
	second = dup(buffer);
	close(buffer);
	EXPECT_EQ(-EBUSY, uapi_read(self->fd, self->handle, 0, &byte, 1));
	area = mmap_buffer(second, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	close(second);
	EXPECT_EQ(pattern(PAGE), area[PAGE]);
	EXPECT_EQ(-EBUSY, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(0, munmap(area, SIZE));
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
}

TEST_F(dmabuf, of_a_read_only_mapping)
{
	unsigned char byte, *area;
	int buffer;

	ASSERT_EQ(0, uapi_remap(self->fd, self->handle, READ_ONLY));
	buffer = EXPORT(self->handle);
	EXPECT_EQ(0, uapi_read(self->fd, self->handle, 0, &byte, 1));
	EXPECT_EQ(-EBUSY, uapi_remap(self->fd, self->handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ((unsigned char *)MAP_FAILED, mmap_buffer(buffer, RW));
	EXPECT_EQ(EACCES, errno);
	area = mmap_buffer(buffer, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_ERRNO(EACCES, mprotect(area, SIZE, RW));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer);
	EXPECT_EQ(0, uapi_remap(self->fd, self->handle, THESEUS_MM_PTE_DATA));
}

TEST_F(dmabuf, revoked)
{
	int buffer = EXPORT(self->handle);
	unsigned char *area = mmap_buffer(buffer, RW), byte;
	__u32 nr;

	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	ASSERT_EQ(0, uapi_revoke(self->fd, self->handle, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(SIGBUS, load(area, &byte));
	EXPECT_EQ((unsigned char *)MAP_FAILED, mmap_buffer(buffer, RW));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(0, sync_buffer(buffer, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	/* the mapping is as if it had never been exported */
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(0, uapi_drop(self->fd, self->handle));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer);
}

TEST_F(dmabuf, it_outlives_its_client)
{
	int buffer = EXPORT(self->handle);
	struct theseus_mm_info now;
	unsigned char *area;

	close(self->fd);
	self->fd = uapi_open(NULL);
	ASSERT_EQ(0, uapi_get_info(self->fd, &now));
	EXPECT_EQ(self->start.nr_mappings + 1, now.nr_mappings);
	area = mmap_buffer(buffer, R);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(SIZE, nr_alike(area, 0, SIZE));
	EXPECT_EQ(0, munmap(area, SIZE));
	close(buffer);
}

TEST_F(dmabuf, what_an_area_of_it_may_not)
{
	int buffer = EXPORT(self->handle);

	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, R, MAP_PRIVATE, buffer, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, RX, MAP_SHARED, buffer, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE + PAGE, R, MAP_SHARED, buffer, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, R, MAP_SHARED, buffer, SIZE));
	EXPECT_EQ(EINVAL, errno);
	close(buffer);
}

TEST_F(dmabuf, refusals)
{
	struct theseus_mm_export request;
	__u32 pages = PAGES(1).handle, frames = FRAMES(1).handle;
	unsigned char *area;

	request = (struct theseus_mm_export){ .handle = self->handle, .flags = 1 };
	EXPECT_REFUSED(EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, &request),
		       self->handle);
	EXPECT_REFUSED(ENOENT, export(self->fd, 0));
	EXPECT_REFUSED(ENOENT, export(self->fd, pages), pages);
	EXPECT_REFUSED(ENOENT, export(self->fd, frames), frames);
	area = AREA(self->handle, R);
	EXPECT_REFUSED(EBUSY, export(self->fd, self->handle), self->handle);
	EXPECT_EQ(0, munmap(area, SIZE));
}

TEST_F(dmabuf, needs_a_descriptor)
{
	struct rlimit limit, none;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_REFUSED(EMFILE, export(self->fd, self->handle), self->handle);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

/* The first dma-buf of a mapping needs a file for itself and one for the mapping. */
TEST_F(dmabuf, needs_files)
{
	char max[OPEN_FILES_TEXT];
	int buffer;

	ASSERT_EQ(0, open_files_end(max));
	EXPECT_REFUSED(ENFILE, export(self->fd, self->handle), self->handle);
	EXPECT_EQ(0, open_files_resume(max));
	buffer = EXPORT(self->handle);
	close(buffer);
	ASSERT_EQ(0, open_files_end(max));
	EXPECT_REFUSED(ENFILE, export(self->fd, self->handle), self->handle);
	EXPECT_EQ(0, open_files_resume(max));
	/* a refused call leaves no borrow behind */
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

TEST_F(dmabuf, counts_as_a_handle)
{
	struct theseus_mm_limits limits;
	int buffer;

	/* there is room for the dma-buf or for the mapping's file, but not for both */
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 2));
	EXPECT_REFUSED(EDQUOT, export(self->fd, self->handle), self->handle);
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 3));
	buffer = EXPORT(self->handle);
	ASSERT_EQ(0, uapi_get_limits(self->fd, &limits));
	EXPECT_EQ(3, limits.client_handles);
	close(buffer);
	ASSERT_EQ(0, uapi_set_limits(self->fd, THESEUS_MM_NO_LIMIT, 2));
	EXPECT_REFUSED(EDQUOT, export(self->fd, self->handle), self->handle);
	ASSERT_EQ(0, uapi_get_limits(self->fd, &limits));
	EXPECT_EQ(2, limits.client_handles);
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
}

/* The structure of the call cannot be written, so the call is undone. */
TEST_F(dmabuf, a_fault_undoes_it)
{
	struct theseus_mm_export *request;
	int next = dup(0);

	request = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)request);
	close(next);
	request->handle = self->handle;
	ASSERT_EQ(0, mprotect(request, PAGE, R));
	EXPECT_REFUSED(EFAULT, uapi_call(self->fd, THESEUS_MM_IOC_EXPORT_DMABUF, request),
		       self->handle);
	EXPECT_EQ(0, mmap_errno(self->fd, self->handle, RW));
	EXPECT_EQ(next, dup(0));
	close(next);
	munmap(request, PAGE);
}

TEST_HARNESS_MAIN
