// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of a client that opened the device for reading only: calls that only look succeed, and
 * all others fail.
 */
#include "call.h"

#include <fcntl.h>
#include <poll.h>

/* Also 32-bit: every structure has one layout. */

/* May a client that was opened with O_RDONLY make this call? */
static bool looks(unsigned long request)
{
	switch (request) {
	case THESEUS_MM_IOC_GET_INFO:
	case THESEUS_MM_IOC_GET_REGION:
	case THESEUS_MM_IOC_GET_OCCUPANCY:
	case THESEUS_MM_IOC_GET_CLIENTS:
	case THESEUS_MM_IOC_LIST_HANDLES:
	case THESEUS_MM_IOC_GET_LIMITS:
	case THESEUS_MM_IOC_QUERY:
	case THESEUS_MM_IOC_TRANSLATE:
	case THESEUS_MM_IOC_DUMP_PTE:
		return true;
	default:
		return false;
	}
}

static int call_through(int flags, unsigned long request, void *argument)
{
	int fd = open(UAPI_DEVICE, flags | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = uapi_call(fd, request, argument);
	close(fd);
	return err;
}

TEST_F(call, of_a_client_that_only_looks)
{
	if (!looks(variant->request)) {
		EXPECT_REFUSED(EBADF, call_through(O_RDONLY, variant->request, self->argument),
			       ALL_HANDLES);
		/* access mode 3: Linux allows neither reading nor writing, only calls */
		EXPECT_REFUSED(EBADF, call_through(O_ACCMODE, variant->request, self->argument),
			       ALL_HANDLES);
		EXPECT_REFUSED(EBADF, call_through(O_RDONLY, variant->request, NULL), ALL_HANDLES);
		return;
	}
	/* the descriptor belongs to another client, in which the handle does not exist */
	EXPECT_EQ(variant->request == THESEUS_MM_IOC_QUERY ? -ENOENT : 0,
		  call_through(O_RDONLY, variant->request, self->argument));
}

/* The tests above have no argument for these calls, which need devices or make files. */
TEST_F(client, other_calls_of_a_client_that_only_looks)
{
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	struct theseus_mm_import import = { 0 };
	struct theseus_mm_export export = { .handle = mapping.handle };
	struct theseus_mm_device_region region = { .nr_bytes = PAGE };
	struct theseus_mm_map_range range = { .nr_bytes = PAGE };

	ASSERT_EQ(0, uapi_export(self->fd, mapping.handle, &import.fd));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_IMPORT, &import));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_EXPORT_DMABUF, &export));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_ADD_DEVICE_REGION, &region));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_REMOVE_DEVICE_REGION, &region));
	EXPECT_EQ(-EBADF, call_through(O_RDONLY, THESEUS_MM_IOC_MAP_FRAME_RANGE, &range));
	EXPECT_EQ(0, uapi_import(self->fd, import.fd, &import.handle));
	close(import.fd);
}

TEST_F(client, other_calls_refuse_each_unknown_flag)
{
	struct theseus_mm_device_region region = { .nr_bytes = PAGE };
	struct theseus_mm_map_range range = { .nr_bytes = PAGE };
	struct snapshot before;
	unsigned int bit;

	TAKE_SNAPSHOT(&before);
	for (bit = 0; bit < 32; bit++) {
		region.flags = 1U << bit;
		range.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_ADD_DEVICE_REGION, &region));
		EXPECT_EQ(-EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_REMOVE_DEVICE_REGION,
					     &region));
		EXPECT_EQ(-EINVAL, uapi_call(self->fd, THESEUS_MM_IOC_MAP_FRAME_RANGE, &range));
	}
	EXPECT_UNCHANGED(&before);
}

TEST_F(client, a_client_that_only_looks_waits_as_others)
{
	struct pollfd wanted = { .fd = open(UAPI_DEVICE, O_RDONLY | O_CLOEXEC), .events = POLLIN };

	ASSERT_LE(0, wanted.fd);
	EXPECT_EQ(1, poll(&wanted, 1, 0));
	EXPECT_EQ(POLLIN, wanted.revents);
	close(wanted.fd);
}

TEST_HARNESS_MAIN
