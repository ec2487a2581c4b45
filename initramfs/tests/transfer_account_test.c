// SPDX-License-Identifier: GPL-2.0
/*
 * The account of an exported mapping, and the owner that GET_OCCUPANCY shows.
 */
#include "export.h"

/* Also 32-bit: the tests make descriptors, and mmap them. */

static __u64 frames_charged(int fd)
{
	struct theseus_mm_limits limits;

	return uapi_get_limits(fd, &limits) ? ~0ULL : limits.client_frames;
}

TEST_F(export, counts_for_its_exporter_until_it_is_imported)
{
	__u64 charged = frames_charged(self->fd);
	int importer = uapi_open(NULL);
	__u32 handle;

	ASSERT_LE(0, importer);
	EXPECT_LE(NR, charged);
	EXPECT_EQ(0, frames_charged(importer));
	ASSERT_EQ(0, uapi_import(importer, self->export, &handle));
	EXPECT_EQ(0, frames_charged(self->fd));
	EXPECT_EQ(charged, frames_charged(importer));
	EXPECT_EQ(0, uapi_drop(importer, handle));
	EXPECT_EQ(0, frames_charged(importer));
	close(importer);
}

TEST_F(export, close_uncharges_the_exporter)
{
	close(self->export);
	self->export = -1;
	EXPECT_EQ(0, frames_charged(self->fd));
}

TEST_F(export, import_above_the_limit)
{
	int importer = uapi_open(NULL);
	__u32 handle;

	ASSERT_LE(0, importer);
	ASSERT_EQ(0, uapi_set_limits(importer, NR - 1, THESEUS_MM_NO_LIMIT));
	EXPECT_REFUSED(EDQUOT, uapi_import(importer, self->export, &handle));
	EXPECT_EQ(0, frames_charged(importer));
	ASSERT_EQ(0, uapi_set_limits(importer, THESEUS_MM_NO_LIMIT, 0));
	EXPECT_REFUSED(EDQUOT, uapi_import(importer, self->export, &handle));
	close(importer);
	EXPECT_THERE();
	EXPECT_EQ(0, uapi_import(self->fd, self->export, &handle));
}

static int nr_exported(int fd)
{
	struct theseus_mm_client_info clients[8];
	struct theseus_mm_clients found;
	struct theseus_mm_info info;
	__u32 i;

	if (uapi_get_info(fd, &info) || uapi_get_clients(fd, clients, 8, &found))
		return -1;
	for (i = 0; i < found.nr_clients && i < 8; i++)
		if (clients[i].id == info.client_id)
			return clients[i].nr_exported;
	return -1;
}

/* Return: the number of parts of the first region in which the client owns most, or -1 */
static int nr_owned_parts(int fd)
{
	static struct theseus_mm_bucket buckets[4096];
	static __u32 owners[4096];
	struct theseus_mm_occupancy call = {
		.nr_buckets = 4096,
		.buckets = (uintptr_t)buckets,
		.owners = (uintptr_t)owners,
	};
	struct theseus_mm_info info;
	int nr = 0;
	__u32 i;

	if (uapi_get_info(fd, &info) || uapi_get_occupancy(fd, &call))
		return -1;
	for (i = 0; i < call.nr_buckets; i++)
		nr += owners[i] == info.client_id;
	return nr;
}

TEST_F(export, is_shown_as_its_exporters)
{
	__u32 handle;
	int other;

	EXPECT_EQ(1, nr_exported(self->fd));
	EXPECT_LE(1, nr_owned_parts(self->fd));
	ASSERT_EQ(0, uapi_import(self->fd, self->export, &handle));
	EXPECT_EQ(0, nr_exported(self->fd));
	EXPECT_LE(1, nr_owned_parts(self->fd));
	ASSERT_EQ(0, uapi_export(self->fd, handle, &other));
	EXPECT_EQ(1, nr_exported(self->fd));
	close(other);
	EXPECT_EQ(0, nr_exported(self->fd));
	EXPECT_EQ(0, nr_owned_parts(self->fd));
}

TEST_HARNESS_MAIN
