// SPDX-License-Identifier: GPL-2.0
/*
 * A client without CAP_SYS_ADMIN: physical addresses are neither shown nor
 * chosen; everything else works. The test opens the device before it drops the
 * privilege, like a service that hands descriptors out.
 */
#include "client.h"
#include "text.h"

#include <grp.h>

#define NOBODY	65534

FIXTURE(nobody)
{
	int fd;
	struct theseus_mm_info start;
	__u64 region;
};

FIXTURE_SETUP(nobody)
{
	struct theseus_mm_region region;

	CLIENT_SETUP();
	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	self->region = region.start;
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
}

FIXTURE_TEARDOWN(nobody)
{
	close(self->fd);
}

TEST_F(nobody, counts_are_for_everyone)
{
	struct theseus_mm_info info = INFO();
	char text[SNAPSHOT_TEXT];

	EXPECT_STREQ("", info_difference(&self->start, &info, text));
}

/* With parts of a chosen size, a client could learn more from two results than from one. */
TEST_F(nobody, the_parts_of_a_region_are_no_choice)
{
	static struct theseus_mm_bucket buckets[THESEUS_MM_MAX_BUCKETS];
	struct theseus_mm_occupancy call = {
		.nr_buckets = ARRAY_SIZE(buckets),
		.buckets = (uintptr_t)buckets,
	};
	__u64 chosen, frames;
	int error;

	ASSERT_EQ(0, uapi_get_occupancy(self->fd, &call));
	chosen = call.bucket_frames;
	for (frames = 1; frames; frames *= 2) {
		call.nr_buckets = ARRAY_SIZE(buckets);
		call.bucket_frames = frames;
		if (frames < 512 || frames > THESEUS_MM_MAX_BUCKET_FRAMES)
			error = EINVAL;
		else
			error = frames == chosen ? 0 : EPERM;
		EXPECT_EQ(-error, uapi_get_occupancy(self->fd, &call));
	}
}

TEST_F(nobody, regions_have_a_size_but_no_address)
{
	struct theseus_mm_region region;

	ASSERT_EQ(0, uapi_get_region(self->fd, 0, &region));
	EXPECT_EQ(0, region.start);
	EXPECT_NE(0, region.nr_bytes);
}

TEST_F(nobody, frames_have_a_size_but_no_address)
{
	struct theseus_mm_allocate frames = FRAMES(3);
	__u32 first, second;

	EXPECT_EQ(0, frames.start);
	EXPECT_EQ(3, frames.nr_pages);
	EXPECT_EQ(0, QUERY(frames.handle).start);
	EXPECT_EQ(3, QUERY(frames.handle).nr_pages);
	ASSERT_EQ(0, uapi_split(self->fd, frames.handle, PAGE, &first, &second));
	EXPECT_EQ(0, QUERY(second).start);
}

TEST_F(nobody, a_contiguous_mapping_has_no_physical_address)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	EXPECT_EQ(0, mapping.paddr);
	EXPECT_NE(0, mapping.start);
}

TEST_F(nobody, unmapped_frames_have_no_address)
{
	__u32 pages, frames, nr = 1;

	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, MAPPING(2).handle, &pages, &frames, &nr));
	EXPECT_EQ(0, QUERY(frames).start);
	EXPECT_NE(0, QUERY(pages).start);
}

TEST_F(nobody, frames_refuse_a_chosen_address)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->region + (1 << 23),
		.size = 1,
	};

	EXPECT_REFUSED(EPERM, uapi_allocate_frames(self->fd, &call));
	/* the result does not show whether there is memory at the address */
	call.at = 0;
	EXPECT_REFUSED(EPERM, uapi_allocate_frames(self->fd, &call));
}

TEST_F(nobody, frames_refuse_a_chosen_range)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_IN_RANGE,
		.max = (1ULL << 52) - 1,
		.size = 1,
	};

	EXPECT_REFUSED(EPERM, uapi_allocate_frames(self->fd, &call));
}

TEST_F(nobody, frames_may_be_aligned)
{
	struct theseus_mm_allocate call = { .align = 16 * PAGE, .size = 2 };

	EXPECT_EQ(0, uapi_allocate_frames(self->fd, &call));
	EXPECT_EQ(0, call.start);
}

TEST_F(nobody, pages_may_be_chosen)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = self->start.pages_start + 1000 * PAGE,
		.size = 1,
	};

	EXPECT_EQ(0, uapi_allocate_pages(self->fd, &call));
	EXPECT_EQ(self->start.pages_start + 1000 * PAGE, call.start);
	call = (struct theseus_mm_allocate){
		.flags = THESEUS_MM_ALLOCATE_IN_RANGE,
		.min = self->start.pages_start + 2000 * PAGE,
		.max = self->start.pages_start + 2001 * PAGE - 1,
		.size = 1,
	};
	EXPECT_EQ(0, uapi_allocate_pages(self->fd, &call));
}

TEST_F(nobody, translate_is_refused)
{
	struct theseus_mm_create_mapping mapping = MAPPING(2);
	struct theseus_mm_translate found;

	EXPECT_REFUSED(EPERM, uapi_translate(self->fd, mapping.start, &found), mapping.handle);
	EXPECT_REFUSED(EPERM, uapi_translate(self->fd, 0, &found));
}

TEST_F(nobody, dump_is_refused)
{
	struct theseus_mm_create_mapping mapping = MAPPING(2);
	struct theseus_mm_dump_pte dump;

	EXPECT_REFUSED(EPERM, uapi_dump_pte(self->fd, mapping.start, &dump), mapping.handle);
	EXPECT_REFUSED(EPERM, uapi_dump_pte(self->fd, 0, &dump));
}

TEST_F(nobody, everything_else_works)
{
	struct theseus_mm_allocate pages = PAGES(2), frames = FRAMES(2);
	struct theseus_mm_map mapping;
	__u32 first, second;
	char text[6] = "";

	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages.handle, frames.handle,
						 THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, PAGE - 2, "hello", 6));
	ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, PAGE - 2, text, 6));
	EXPECT_STREQ("hello", text);
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_remap(self->fd, first, READ_ONLY));
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_ALL_BACK();
}

TEST_F(nobody, opening_the_device_takes_more)
{
	EXPECT_EQ(-EACCES, uapi_open(NULL));
}

TEST_HARNESS_MAIN
