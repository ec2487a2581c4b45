// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of pages keep room for others in the shared address space.
 */
#include "area.h"
#include "limits_client.h"

/* Allocate all pages that the client may have, in as few runs as possible. */
static void take_all_pages(int fd)
{
	struct theseus_mm_allocate pages;
	__u64 nr;

	for (nr = 1ULL << 42; nr; nr >>= 1) {
		do
			pages = (struct theseus_mm_allocate){ .size = nr };
		while (!uapi_allocate_pages(fd, &pages));
	}
}

TEST_F(limits, of_pages_leave_others_their_room)
{
	struct theseus_mm_create_mapping mapping = { 0 };

	take_all_pages(self->theirs);
	EXPECT_EQ(0, uapi_create_mapping(self->also_theirs, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	/* the limit is for all clients of a user together */
	take_all_pages(self->also_theirs);
	EXPECT_EQ(0, uapi_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
}

TEST_F(limits, of_pages_count_them_until_they_are_free)
{
	struct theseus_mm_create_mapping mapping;
	__u32 pages = PAGES(10).handle, first, second, runs[4], nr = 4;
	struct theseus_mm_map map;
	unsigned char *area;
	__u64 offset;

	EXPECT_EQ(10, LIMITS(self->fd).client_pages);
	ASSERT_EQ(0, uapi_split(self->fd, pages, 4 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_EQ(6, LIMITS(self->fd).client_pages);
	ASSERT_EQ(0, uapi_map_allocated_pages(self->fd, second, THESEUS_MM_PTE_DATA, &map));
	EXPECT_EQ(6, LIMITS(self->fd).client_pages);
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, map.handle, &pages, runs, &nr));
	EXPECT_EQ(6, LIMITS(self->fd).client_pages);
	EXPECT_EQ(6, LIMITS(self->fd).user_pages);
	ASSERT_EQ(0, uapi_drop(self->fd, pages));
	EXPECT_EQ(0, LIMITS(self->fd).client_pages);
	/* pages of a created mapping count too, also while only an area keeps the mapping */
	ASSERT_EQ(0, uapi_create_mapping(self->theirs, 5 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(5, LIMITS(self->theirs).client_pages);
	ASSERT_EQ(0, uapi_map_offset(self->theirs, mapping.handle, &offset, NULL));
	area = mmap(NULL, 5 * PAGE, RW, MAP_SHARED, self->theirs, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	close(self->theirs);
	self->theirs = -1;
	EXPECT_EQ(5, LIMITS(self->also_theirs).user_pages);
	ASSERT_EQ(0, munmap(area, 5 * PAGE));
	EXPECT_EQ(0, LIMITS(self->also_theirs).user_pages);
}

TEST_F(limits, of_pages_are_for_every_call_that_takes_some)
{
	struct theseus_mm_create_mapping mapping = { 0 };
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->start.pages_start,
		.size = 3,
	};
	__u32 pages = PAGES(8).handle;

	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, 10));
	EXPECT_EDQUOT(uapi_allocate_pages(self->fd, &call), pages);
	call = (struct theseus_mm_allocate){ .size = 3 };
	EXPECT_EDQUOT(uapi_allocate_pages(self->fd, &call), pages);
	EXPECT_EDQUOT(uapi_create_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA, &mapping),
		      pages);
	EXPECT_EDQUOT(uapi_create_contiguous_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						     &mapping), pages);
	/* placement does not change what the limit allows */
	EXPECT_EQ(0, uapi_create_mapping(self->fd, 2 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(0, uapi_create_contiguous_mapping(self->fd, 2 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
}

/* A large run is aligned for large leaves; the gap before the run does not count. */
TEST_F(limits, of_pages_count_no_more_than_was_asked_for)
{
	struct theseus_mm_create_mapping mapping;
	__u32 frames;

	/* the next run of frames is not aligned for large leaves */
	ASSERT_EQ(0, take(self->fd, 1, &frames));
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, 1024));
	ASSERT_EQ(0, uapi_create_mapping(self->fd, 1024 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(0, uapi_create_contiguous_mapping(self->fd, 1024 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	EXPECT_EQ(1024, LIMITS(self->fd).client_pages);
}

TEST_HARNESS_MAIN
