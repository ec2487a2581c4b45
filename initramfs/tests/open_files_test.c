// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that make files are refused while Linux has no more files to give, and succeed afterwards.
 * dmabuf_test.c tests EXPORT_DMABUF.
 */
#include "client.h"
#include "open_files.h"

/**
 * files - a client with a mapping
 * @handle: the mapping
 * @max: fs.file-max, as it was before the test
 */
FIXTURE(files)
{
	int fd;
	struct theseus_mm_info start;
	__u32 handle;
	char max[OPEN_FILES_TEXT];
};

FIXTURE_SETUP(files)
{
	CLIENT_SETUP();
	self->handle = MAPPING(2).handle;
	ASSERT_EQ(0, open_files_end(self->max));
}

FIXTURE_TEARDOWN(files)
{
	EXPECT_EQ(0, open_files_resume(self->max));
	CLIENT_TEARDOWN();
}

static __u64 handles_charged(int fd)
{
	struct theseus_mm_limits limits;

	return uapi_get_limits(fd, &limits) ? ~0ULL : limits.client_handles;
}

TEST_F(files, the_process_gets_no_more)
{
	EXPECT_EQ(-ENFILE, uapi_open(NULL));
}

TEST_F(files, map_offset_needs_one)
{
	__u64 offset;

	EXPECT_REFUSED(ENFILE, uapi_map_offset(self->fd, self->handle, &offset, NULL),
		       self->handle);
	EXPECT_EQ(1, handles_charged(self->fd));
	ASSERT_EQ(0, open_files_resume(self->max));
	EXPECT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
}

TEST_F(files, export_needs_one)
{
	int export = -1;

	EXPECT_REFUSED(ENFILE, uapi_export(self->fd, self->handle, &export), self->handle);
	EXPECT_EQ(1, handles_charged(self->fd));
	ASSERT_EQ(0, open_files_resume(self->max));
	EXPECT_EQ(0, uapi_export(self->fd, self->handle, &export));
	close(export);
}

/* A lending descriptor needs a file, and so does the mapping. */
TEST_F(files, lending_needs_two)
{
	const __u32 borrow = THESEUS_MM_EXPORT_BORROW;
	char max[OPEN_FILES_TEXT];
	__u64 offset;
	int export = -1;

	EXPECT_REFUSED(ENFILE, uapi_export_as(self->fd, self->handle, borrow, &export, NULL),
		       self->handle);
	EXPECT_EQ(1, handles_charged(self->fd));
	ASSERT_EQ(0, open_files_resume(self->max));
	ASSERT_EQ(0, uapi_map_offset(self->fd, self->handle, &offset, NULL));
	ASSERT_EQ(0, open_files_end(max));
	EXPECT_REFUSED(ENFILE, uapi_export_as(self->fd, self->handle, borrow, &export, NULL),
		       self->handle);
	EXPECT_EQ(2, handles_charged(self->fd));
	ASSERT_EQ(0, open_files_resume(self->max));
	EXPECT_EQ(0, uapi_export_as(self->fd, self->handle, borrow, &export, NULL));
	close(export);
}

TEST_HARNESS_MAIN
