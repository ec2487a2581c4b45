// SPDX-License-Identifier: GPL-2.0
/*
 * The owners in GET_OCCUPANCY, and the memory that closed clients left; as root, and as other
 * users, who see only their own clients.
 */
#include "area.h"
#include "observe.h"

#include <sys/stat.h>

/* --- owners -------------------------------------------------------------------------- */

/* Return: the part of region 0 that contains an address */
static __u32 part_of(const struct theseus_mm_region *region,
		     const struct theseus_mm_occupancy *call, __u64 paddr)
{
	return (paddr - region->start) / PAGE / call->bucket_frames;
}

TEST_F(client, own_parts_of_a_region)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_occupancy call;
	struct theseus_mm_region region;
	__u32 i, first, last, id = id_of(self->fd);

	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	call = GET_OWNERS(self->fd, 0);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(THESEUS_MM_OWNER_NONE, owners[i]);
	/* large leaves, and small ones at the end */
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 5 * 512 * PAGE + 7 * PAGE,
						    THESEUS_MM_PTE_DATA, &mapping));
	first = part_of(&region, &call, mapping.paddr);
	last = part_of(&region, &call, mapping.paddr + mapping.nr_pages * PAGE - 1);
	ASSERT_LT(first + 2, last);
	GET_OWNERS(self->fd, 0);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(i >= first && i <= last ? id : THESEUS_MM_OWNER_NONE, owners[i])
			TH_LOG("part %u of %u..%u", i, first, last);
	for (i = first + 1; i < last; i++)
		EXPECT_EQ(0, buckets[i].free);
}

TEST_F(client, own_parts_by_frames_too)
{
	struct theseus_mm_region region;
	struct theseus_mm_allocate frames = FRAMES(1000);
	struct theseus_mm_occupancy call;
	__u32 i, first, last;

	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	call = GET_OWNERS(self->fd, 0);
	first = part_of(&region, &call, frames.start);
	last = part_of(&region, &call, frames.start + 1000 * PAGE - 1);
	for (i = 0; i < call.nr_buckets; i++)
		ASSERT_EQ(i >= first && i <= last ? id_of(self->fd) : 0, owners[i]);
	ASSERT_EQ(0, uapi_drop(self->fd, frames.handle));
	GET_OWNERS(self->fd, 0);
	EXPECT_EQ(THESEUS_MM_OWNER_NONE, owners[first]);
}

/* The whole region is one part. */
#define WHOLE	THESEUS_MM_MAX_BUCKET_FRAMES

TEST_F(client, own_a_part_if_they_have_most_of_it)
{
	int other = uapi_open(NULL);
	struct theseus_mm_allocate call = { .size = 30 };
	struct theseus_mm_create_mapping mapping;

	FRAMES(20);
	ASSERT_EQ(0, uapi_allocate_frames(other, &call));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(other), owners[0]);
	/* mapped and allocated frames count together, in any number of runs */
	ASSERT_EQ(0, uapi_create_mapping(self->fd, 11 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	close(other);
}

TEST_F(client, with_many_objects_owns_them_all)
{
	int other = uapi_open(NULL);
	struct theseus_mm_allocate call = { .size = 99 };
	int i;

	for (i = 0; i < 100; i++)
		FRAMES(1);
	ASSERT_EQ(0, uapi_allocate_frames(other, &call));
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	close(other);
}

TEST_F(client, own_what_they_exported_until_they_are_gone)
{
	struct theseus_mm_create_mapping mapping;
	__u32 handle, id;
	int other = uapi_open(NULL), export;

	id = id_of(other);
	ASSERT_EQ(0, uapi_create_mapping(other, 40 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_export(other, mapping.handle, &export));
	FRAMES(5);
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id, owners[0]);
	/* a closed client is still charged for its export, but is not shown as an owner */
	close(other);
	GET_OWNERS(self->fd, WHOLE);
	EXPECT_EQ(id_of(self->fd), owners[0]);
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	close(export);
}

static int sees_hidden_owners(void *data)
{
	struct theseus_mm_occupancy call = owners_in(0);
	int fd = *(int *)data;
	__u32 i, nr_hidden = 0;

	if (uapi_get_occupancy(fd, &call))
		return 1;
	for (i = 0; i < call.nr_buckets; i++) {
		nr_hidden += owners[i] == THESEUS_MM_OWNER_HIDDEN;
		if (owners[i] != THESEUS_MM_OWNER_HIDDEN && owners[i] != THESEUS_MM_OWNER_NONE)
			return 2;
	}
	return nr_hidden ? 0 : 3;
}

TEST_F(client, owners_are_hidden_from_other_users)
{
	int other = uapi_open(NULL);
	struct theseus_mm_allocate call = { .size = 30 };

	ASSERT_EQ(0, uapi_allocate_frames(other, &call));
	EXPECT_EQ(0, as_user(NOBODY, sees_hidden_owners, &self->fd));
	close(other);
}

/**
 * finder - where the client's frame can be, as far as the client has learned
 * @fd: the client
 * @id: the client's number
 * @low: lowest possible frame, counted from the region's start
 * @high: first frame above the possible ones
 */
struct finder {
	int fd;
	__u32 id;
	__u64 low;
	__u64 high;
};

static void learn(struct finder *finder, struct theseus_mm_occupancy call)
{
	__u64 start, end;
	__u32 i;

	if (uapi_get_occupancy(finder->fd, &call))
		return;
	for (i = 0; i < call.nr_buckets; i++) {
		if (owners[i] != finder->id)
			continue;
		start = i * call.bucket_frames;
		end = start + call.bucket_frames;
		finder->low = start > finder->low ? start : finder->low;
		finder->high = end < finder->high ? end : finder->high;
	}
}

/* Without privilege: query parts of many sizes, and combine the results. */
static int cannot_narrow_its_frame(void *data)
{
	struct theseus_mm_allocate frame = { .size = 1 };
	struct finder finder = { .fd = uapi_open(NULL), .high = ~0ULL };
	struct theseus_mm_occupancy call;
	__u32 room;
	__u64 size;

	(void)data;
	if (finder.fd < 0 || uapi_allocate_frames(finder.fd, &frame) || frame.start)
		return 10;
	finder.id = id_of(finder.fd);
	for (room = PARTS; room; room -= room > 64 ? 31 : 1) {
		call = owners_in(0);
		call.nr_buckets = room;
		learn(&finder, call);
	}
	for (size = 1; size; size *= 2) {
		learn(&finder, owners_in(size));
		learn(&finder, owners_in(3 * size));
	}
	/* the client has learned a part of the region, but not the frame */
	if (finder.high == ~0ULL)
		return 11;
	return finder.high - finder.low < 512;
}

TEST_F_TIMEOUT(client, cannot_narrow_its_frame_below_a_part, 120)
{
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, cannot_narrow_its_frame, NULL));
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0600));
}

/* --- what closed clients left ----------------------------------------------------------- */

static __u64 nr_orphans(int fd)
{
	return uapi_get_clients(fd, NULL, 0, &found) ? ~0ULL : found.orphan_frames;
}

/* A client exports a mapping of 6 pages, leaves an area of 5 pages in a process, and closes. */
static __u32 leave(int *export, unsigned char **area)
{
	struct theseus_mm_create_mapping mapping;
	int fd = uapi_open(NULL);
	__u32 id = id_of(fd);

	if (uapi_create_mapping(fd, 6 * PAGE, THESEUS_MM_PTE_DATA, &mapping) ||
	    uapi_export(fd, mapping.handle, export) ||
	    uapi_create_mapping(fd, 5 * PAGE, THESEUS_MM_PTE_DATA, &mapping))
		return 0;
	*area = mmap_all(fd, mapping.handle, RW);
	close(fd);
	return *area == MAP_FAILED ? 0 : id;
}

static int sees_no_orphans(void *data)
{
	__u64 nr = nr_orphans(*(int *)data);

	return nr || found.hidden_frames < 11;
}

TEST_F(client, sees_what_others_left)
{
	unsigned char *area;
	__u32 id, handle;
	int export;

	EXPECT_EQ(0, nr_orphans(self->fd));
	id = leave(&export, &area);
	ASSERT_NE(0, id);
	/* the page tables count too, but they are few */
	EXPECT_LE(11, nr_orphans(self->fd));
	EXPECT_GE(11 + 16, nr_orphans(self->fd));
	EXPECT_EQ(self->start.nr_clients, INFO().nr_clients);
	EXPECT_EQ(NULL, find(self->fd, id));
	EXPECT_EQ(0, as_user(NOBODY, sees_no_orphans, &self->fd));
	munmap(area, 5 * PAGE);
	EXPECT_LE(6, nr_orphans(self->fd));
	EXPECT_GE(6 + 8, nr_orphans(self->fd));
	/* an imported mapping belongs to the importer */
	ASSERT_EQ(0, uapi_import(self->fd, export, &handle));
	EXPECT_EQ(0, nr_orphans(self->fd));
	close(export);
}

TEST_F(client, sees_what_others_left_until_it_is_free)
{
	unsigned char *area;
	int export;

	ASSERT_NE(0, leave(&export, &area));
	close(export);
	EXPECT_LE(5, nr_orphans(self->fd));
	munmap(area, 5 * PAGE);
	EXPECT_EQ(0, nr_orphans(self->fd));
	EXPECT_ALL_BACK();
}

/* Without privilege: the memory that a client of the same user left. */
static int sees_what_its_user_left(void *data)
{
	int fd = uapi_open(NULL), export;
	unsigned char *area;

	(void)data;
	if (fd < 0 || nr_orphans(fd) || !leave(&export, &area))
		return 1;
	return nr_orphans(fd) < 11 ? 2 : 0;
}

TEST_F(client, sees_what_clients_of_its_user_left)
{
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0666));
	EXPECT_EQ(0, as_user(NOBODY, sees_what_its_user_left, NULL));
	ASSERT_EQ(0, chmod(UAPI_DEVICE, 0600));
}

TEST_HARNESS_MAIN
