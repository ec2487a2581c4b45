// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of handles: descriptors, offsets and remaining areas count as handles.
 */
#include "area.h"
#include "limits_client.h"

TEST_F(limits, of_handles_are_for_the_client)
{
	struct theseus_mm_allocate call = { .size = 1 };
	__u32 pages = PAGES(2).handle, first, second;

	ASSERT_EQ(0, uapi_set_limits(self->fd, NO_LIMIT, 2));
	EXPECT_EQ(2, INFO().client_handles_max);
	FRAMES(1);
	EXPECT_EDQUOT(uapi_allocate_pages(self->fd, &call), pages);
	EXPECT_EDQUOT(uapi_allocate_frames(self->fd, &call), pages);
	EXPECT_EDQUOT(uapi_split(self->fd, pages, PAGE, &first, &second), pages);
	EXPECT_EQ(0, uapi_allocate_pages(self->theirs, &call));
}

TEST_F(limits, of_handles_of_a_user_are_for_all_their_clients)
{
	struct theseus_mm_allocate call = { .size = 2 };
	__u32 first, second;

	ASSERT_EQ(0, write_number("max_user_handles", 2));
	ASSERT_EQ(0, uapi_allocate_pages(self->theirs, &call));
	ASSERT_EQ(0, take(self->also_theirs, 1, NULL));
	EXPECT_EQ(2, LIMITS(self->theirs).user_handles);
	EXPECT_EQ(-EDQUOT, take(self->theirs, 1, NULL));
	EXPECT_EQ(-EDQUOT, uapi_split(self->theirs, call.handle, PAGE, &first, &second));
	EXPECT_EQ(2, LIMITS(self->theirs).user_handles);
	EXPECT_EQ(1, LIMITS(self->theirs).client_handles);
	EXPECT_EQ(0, take(self->fd, 1, NULL));
	ASSERT_EQ(0, uapi_drop(self->theirs, call.handle));
	EXPECT_EQ(0, take(self->also_theirs, 1, NULL));
}

/*
 * A descriptor of an export uses a file, and so does a mapping with an offset. Linux has a limited
 * number of files, so each of these files counts as a handle until it is closed.
 */
TEST_F(limits, of_handles_count_descriptors_and_offsets)
{
	__u32 first = MAPPING(1).handle, second = MAPPING(1).handle, handle;
	__u64 offset;
	int export;

	ASSERT_EQ(0, uapi_map_offset(self->fd, first, &offset, NULL));
	EXPECT_EQ(3, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_set_limits(self->fd, NO_LIMIT, 3));
	EXPECT_EDQUOT(uapi_map_offset(self->fd, second, &offset, NULL), first, second);
	/* EXPORT turns the handle into a descriptor */
	ASSERT_EQ(0, uapi_export(self->fd, second, &export));
	EXPECT_EQ(3, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_import(self->theirs, export, &handle));
	EXPECT_EQ(3, LIMITS(self->fd).client_handles);
	close(export);
	EXPECT_EQ(2, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_EQ(0, LIMITS(self->fd).client_handles);
}

/* The limit is below what the client has. Calls that do not need more handles still succeed. */
TEST_F(limits, of_handles_are_for_calls_that_make_more_of_them)
{
	__u32 exported = MAPPING(1).handle, pages = PAGES(2).handle, more = PAGES(1).handle;
	__u32 frames = FRAMES(1).handle, first, second, handle;
	struct theseus_mm_map mapping;
	int export;

	ASSERT_EQ(0, uapi_set_limits(self->fd, NO_LIMIT, 1));
	EXPECT_EQ(4, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_export(self->fd, exported, &export));
	EXPECT_EQ(4, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_map_allocated_pages(self->fd, pages, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(4, LIMITS(self->fd).client_handles);
	EXPECT_EDQUOT(uapi_split(self->fd, mapping.handle, PAGE, &first, &second), mapping.handle);
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, more, frames, THESEUS_MM_PTE_DATA,
						 &mapping));
	EXPECT_EQ(3, LIMITS(self->fd).client_handles);
	/* the descriptor of the export is still open, and counts */
	EXPECT_EDQUOT(uapi_import(self->fd, export, &handle));
	close(export);
	EXPECT_EQ(2, LIMITS(self->fd).client_handles);
}

/*
 * A mapping keeps its file even without an area, until a call consumes or resizes the mapping.
 */
TEST_F(limits, of_handles_know_the_files_that_a_call_consumes)
{
	__u32 first, second, pages, runs[4], nr = 4, handle = MAPPING(2).handle;
	__u64 offset;
	int lent;

	ASSERT_EQ(0, uapi_map_offset(self->fd, handle, &offset, NULL));
	ASSERT_EQ(0, uapi_set_limits(self->fd, NO_LIMIT, 2));
	ASSERT_EQ(0, uapi_split(self->fd, handle, PAGE, &first, &second));
	EXPECT_EQ(2, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_map_offset(self->fd, first, &offset, NULL));
	EXPECT_EQ(2, LIMITS(self->fd).client_handles);
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, first, &pages, runs, &nr));
	EXPECT_EQ(1, nr);
	EXPECT_EQ(2, LIMITS(self->fd).client_handles);
	/* a descriptor keeps the file */
	ASSERT_EQ(0, uapi_set_limits(self->fd, NO_LIMIT, 5));
	handle = MAPPING(2).handle;
	ASSERT_EQ(0, uapi_export_as(self->fd, handle, THESEUS_MM_EXPORT_BORROW, &lent, NULL));
	EXPECT_EQ(5, LIMITS(self->fd).client_handles);
	EXPECT_EDQUOT(uapi_split(self->fd, handle, PAGE, &first, &second), handle);
	nr = 4;
	EXPECT_EDQUOT(uapi_unmap_into_parts(self->fd, handle, &pages, runs, &nr), handle);
	close(lent);
	EXPECT_EQ(0, uapi_split(self->fd, handle, PAGE, &first, &second));
	EXPECT_EQ(4, LIMITS(self->fd).client_handles);
}

/* A mapping without a handle keeps its file as long as a process has it mmapped. */
TEST_F(limits, of_handles_count_what_a_process_still_has_mapped)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	__u64 offset;

	ASSERT_EQ(0, uapi_create_mapping(self->theirs, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_map_offset(self->theirs, mapping.handle, &offset, NULL));
	area = mmap(NULL, PAGE, RW, MAP_SHARED, self->theirs, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	close(self->theirs);
	self->theirs = -1;
	EXPECT_EQ(1, LIMITS(self->also_theirs).user_handles);
	ASSERT_EQ(0, munmap(area, PAGE));
	EXPECT_EQ(0, LIMITS(self->also_theirs).user_handles);
}

TEST_HARNESS_MAIN
