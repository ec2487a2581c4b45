// SPDX-License-Identifier: GPL-2.0
/*
 * Properties that only frames have: a region with an end, metadata at the start of the region, and
 * content.
 */
#include "client.h"

#define MAX_RUNS	64

#define REGION(index)									\
	({										\
		struct theseus_mm_region _region;					\
											\
		ASSERT_EQ(0, uapi_get_region(self->fd, index, &_region));		\
		_region;								\
	})

/* A client can own all frames. Return: the number of handles, or 0 on failure */
static unsigned int take_all_frames(int fd, __u32 *handles, unsigned int max)
{
	struct theseus_mm_allocate call;
	struct theseus_mm_info info;
	unsigned int nr;

	for (nr = 0; nr < max; nr++) {
		if (uapi_get_info(fd, &info))
			return 0;
		if (!info.frames_free)
			return nr;
		call = (struct theseus_mm_allocate){ .size = info.frames_largest[0] };
		if (uapi_allocate_frames(fd, &call))
			return 0;
		handles[nr] = call.handle;
	}
	return 0;
}

TEST_F(client, regions_add_up)
{
	__u64 nr_bytes = 0;
	__u32 i;

	for (i = 0; i < self->start.nr_regions; i++) {
		EXPECT_NE(0, REGION(i).start);
		EXPECT_EQ(0, REGION(i).start % PAGE);
		nr_bytes += REGION(i).nr_bytes;
	}
	EXPECT_EQ(self->start.region_bytes, nr_bytes);
	EXPECT_LT(self->start.frames_total * PAGE, nr_bytes);
}

TEST_F(client, get_region_refuses_an_index_past_the_last)
{
	struct theseus_mm_region region;

	EXPECT_REFUSED(ERANGE, uapi_get_region(self->fd, self->start.nr_regions, &region));
	EXPECT_REFUSED(ERANGE, uapi_get_region(self->fd, ~0U, &region));
}

static struct theseus_mm_bucket buckets[THESEUS_MM_MAX_BUCKETS];

/* Ask for region 0 in parts of @frames; with 0, the module chooses the size of the parts. */
#define OCCUPANCY(frames)								\
	({										\
		struct theseus_mm_occupancy _call = {					\
			.nr_buckets = ARRAY_SIZE(buckets),				\
			.buckets = (uintptr_t)buckets,					\
			.bucket_frames = (frames),					\
		};									\
											\
		ASSERT_EQ(0, uapi_get_occupancy(self->fd, &_call));			\
		_call;									\
	})

TEST_F(client, occupancy_shows_what_is_owned)
{
	struct theseus_mm_bucket before;

	EXPECT_EQ(1, OCCUPANCY(THESEUS_MM_MAX_BUCKET_FRAMES).nr_buckets);
	before = buckets[0];
	FRAMES(7);
	MAPPING(5);
	OCCUPANCY(THESEUS_MM_MAX_BUCKET_FRAMES);
	EXPECT_EQ(before.allocated + 7, buckets->allocated);
	EXPECT_EQ(before.mapped + 5, buckets->mapped);
	EXPECT_LT(before.tables, buckets->tables);
	EXPECT_EQ(before.free, buckets->free + 12 + (buckets->tables - before.tables));
	EXPECT_EQ(before.metadata, buckets->metadata);
	EXPECT_LT(0, buckets->metadata);
	EXPECT_EQ(0, buckets->bad);
}

static __u64 nr_frames_in(const struct theseus_mm_bucket *bucket)
{
	return (__u64)bucket->free + bucket->allocated + bucket->mapped + bucket->tables +
	       bucket->metadata + bucket->bad;
}

TEST_F(client, occupancy_counts_each_frame_once)
{
	static const __u64 sizes[] = { 0, 512, 1024, 1 << 17, THESEUS_MM_MAX_BUCKET_FRAMES };
	struct theseus_mm_occupancy call;
	__u64 frames;
	__u32 i, nr;

	for (nr = 0; nr < ARRAY_SIZE(sizes); nr++) {
		memset(buckets, 0xff, sizeof(buckets));
		call = OCCUPANCY(sizes[nr]);
		if (sizes[nr])
			EXPECT_EQ(sizes[nr], call.bucket_frames);
		for (frames = 0, i = 0; i < call.nr_buckets; i++) {
			if (i + 1 < call.nr_buckets)
				ASSERT_EQ(call.bucket_frames, nr_frames_in(&buckets[i]));
			frames += nr_frames_in(&buckets[i]);
		}
		EXPECT_EQ(REGION(0).nr_bytes / PAGE, frames);
	}
}

TEST_F(client, occupancy_shows_where)
{
	struct theseus_mm_region region = REGION(0);
	struct theseus_mm_bucket before[2];
	/* allocate in the second of two parts */
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = region.start + region.nr_bytes - 100 * PAGE,
		.size = 3,
	};
	__u64 half = 512;

	while (2 * half < region.nr_bytes / PAGE)
		half *= 2;
	ASSERT_EQ(2, OCCUPANCY(half).nr_buckets);
	memcpy(before, buckets, sizeof(before));
	ASSERT_EQ(0, uapi_allocate_frames(self->fd, &call));
	OCCUPANCY(half);
	EXPECT_LT(0, before[0].metadata);
	EXPECT_EQ(0, before[1].metadata);
	before[1].allocated += 3;
	before[1].free -= 3;
	EXPECT_EQ(0, memcmp(before, buckets, sizeof(before)));
}

/*
 * The module chooses the smallest parts of which THESEUS_MM_MAX_BUCKETS cover the region. The room
 * of the array does not matter.
 */
TEST_F(client, occupancy_is_in_parts_of_the_modules_choice)
{
	const __u64 nr = REGION(0).nr_bytes / PAGE;
	struct theseus_mm_occupancy call = OCCUPANCY(0), other;
	__u32 room;

	EXPECT_LE(512, call.bucket_frames);
	EXPECT_EQ(0, call.bucket_frames & (call.bucket_frames - 1));
	EXPECT_EQ((nr - 1) / call.bucket_frames + 1, call.nr_buckets);
	EXPECT_GE(THESEUS_MM_MAX_BUCKETS, call.nr_buckets);
	if (call.bucket_frames > 512)
		EXPECT_LT(THESEUS_MM_MAX_BUCKETS, (nr - 1) / (call.bucket_frames / 2) + 1);
	for (room = call.nr_buckets; room < THESEUS_MM_MAX_BUCKETS; room += 97) {
		other = (struct theseus_mm_occupancy){
			.nr_buckets = room,
			.buckets = (uintptr_t)buckets,
		};
		ASSERT_EQ(0, uapi_get_occupancy(self->fd, &other));
		EXPECT_EQ(call.nr_buckets, other.nr_buckets);
		EXPECT_EQ(call.bucket_frames, other.bucket_frames);
	}
}

TEST_F(client, occupancy_tells_the_room_it_takes)
{
	const struct theseus_mm_occupancy good = OCCUPANCY(0);
	const __u32 rooms[] = { 0, 1, good.nr_buckets - 1 };
	struct theseus_mm_occupancy call;
	unsigned int i;

	memset(buckets, 0x5a, sizeof(buckets));
	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		call = (struct theseus_mm_occupancy){
			.nr_buckets = rooms[i],
			.buckets = (uintptr_t)buckets,
			.owners = (uintptr_t)buckets,
		};
		EXPECT_REFUSED(ENOBUFS, uapi_get_occupancy(self->fd, &call));
		EXPECT_EQ(good.nr_buckets, call.nr_buckets);
		EXPECT_EQ(good.bucket_frames, call.bucket_frames);
		EXPECT_EQ(0x5a5a5a5a, buckets[0].free);
	}
}

TEST_F(client, occupancy_refuses_parts_of_another_size)
{
	const __u64 sizes[] = {
		1, 2, 256, 511, 513, 768, THESEUS_MM_MAX_BUCKET_FRAMES - 1ULL,
		2ULL * THESEUS_MM_MAX_BUCKET_FRAMES, 1ULL << 63, ~0ULL,
	};
	struct theseus_mm_occupancy call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		call = (struct theseus_mm_occupancy){
			.nr_buckets = ARRAY_SIZE(buckets),
			.buckets = (uintptr_t)buckets,
			.bucket_frames = sizes[i],
		};
		EXPECT_REFUSED(EINVAL, uapi_get_occupancy(self->fd, &call));
	}
}

TEST_F(client, occupancy_refuses_an_index_past_the_last)
{
	struct theseus_mm_occupancy call = {
		.index = self->start.nr_regions,
		.nr_buckets = ARRAY_SIZE(buckets),
		.buckets = (uintptr_t)buckets,
	};

	EXPECT_REFUSED(ERANGE, uapi_get_occupancy(self->fd, &call));
	call.index = ~0U;
	EXPECT_REFUSED(ERANGE, uapi_get_occupancy(self->fd, &call));
}

TEST_F(client, occupancy_refuses_a_bad_array)
{
	struct theseus_mm_occupancy call = { .nr_buckets = ARRAY_SIZE(buckets) };

	EXPECT_REFUSED(EFAULT, uapi_get_occupancy(self->fd, &call));
	call.buckets = 0xffff888000000000;
	EXPECT_REFUSED(EFAULT, uapi_get_occupancy(self->fd, &call));
	call.buckets = (uintptr_t)buckets;
	call.owners = 8;
	EXPECT_REFUSED(EFAULT, uapi_get_occupancy(self->fd, &call));
}

TEST_F(client, bookkeeping_is_owned)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = REGION(0).start,
		.size = 1,
	};

	EXPECT_REFUSED(EADDRINUSE, uapi_allocate_frames(self->fd, &call));
}

TEST_F(client, the_last_frame_can_be_had)
{
	struct theseus_mm_region region = REGION(0);
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = region.start + region.nr_bytes - PAGE,
		.size = 1,
	};

	EXPECT_EQ(0, uapi_allocate_frames(self->fd, &call));
}

TEST_F(client, refuses_a_run_past_the_end_of_the_region)
{
	struct theseus_mm_region region = REGION(0);
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = region.start + region.nr_bytes - PAGE,
		.size = 2,
	};

	EXPECT_REFUSED(EADDRNOTAVAIL, uapi_allocate_frames(self->fd, &call));
}

TEST_F(client, refuses_the_frame_after_the_region)
{
	struct theseus_mm_region region = REGION(0);
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = region.start + region.nr_bytes,
		.size = 1,
	};

	EXPECT_REFUSED(ERANGE, uapi_allocate_frames(self->fd, &call));
	call.at = region.start - 1;
	EXPECT_REFUSED(ERANGE, uapi_allocate_frames(self->fd, &call));
}

TEST_F(client, refuses_when_all_is_owned)
{
	struct theseus_mm_allocate call = { .size = 1 };
	__u32 handles[MAX_RUNS];
	unsigned int nr = take_all_frames(self->fd, handles, MAX_RUNS);

	ASSERT_NE(0, nr);
	EXPECT_EQ(0, INFO().frames_largest[0]);
	EXPECT_EQ(self->start.frames_free, INFO().client_frames);
	EXPECT_REFUSED(ENOSPC, uapi_allocate_frames(self->fd, &call), handles[0]);
	while (nr--)
		ASSERT_EQ(0, uapi_drop(self->fd, handles[nr]));
	EXPECT_ALL_BACK();
}

/* Other alignments are refused, since a search for them may visit every free range. */
TEST_F(client, alignment_must_be_a_power_of_two_up_to_1_gib)
{
	static const __u64 alignments[] = { 3 * PAGE, 5ULL << 20, 1ULL << 31, 1ULL << 63 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alignments); i++) {
		struct theseus_mm_allocate call = { .align = alignments[i], .size = 2 };

		EXPECT_REFUSED(EINVAL, uapi_allocate_frames(self->fd, &call));
		EXPECT_REFUSED(EINVAL, uapi_allocate_pages(self->fd, &call));
	}
}

TEST_F(client, merge_takes_the_one_before_too)
{
	struct theseus_mm_allocate frames = FRAMES(8);
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, frames.handle, 3 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, second, first));
	EXPECT_GONE(first);
	EXPECT_EQ(frames.start, QUERY(second).start);
	EXPECT_EQ(8, QUERY(second).nr_pages);
}

TEST_F(client, merge_refuses_frames_of_two_regions)
{
	struct theseus_mm_allocate call[2];
	int i;

	if (self->start.nr_regions < 2)
		SKIP(return, "one region only");
	for (i = 0; i < 2; i++) {
		call[i] = (struct theseus_mm_allocate){
			.flags = THESEUS_MM_ALLOCATE_IN_RANGE,
			.min = REGION(i).start,
			.max = REGION(i).start + REGION(i).nr_bytes - 1,
			.size = 2,
		};
		ASSERT_EQ(0, uapi_allocate_frames(self->fd, &call[i]));
	}
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, call[0].handle, call[1].handle),
		       call[0].handle, call[1].handle);
}

/* Content never moves to another owner, not even from one object of a client to the next. */
TEST_F(client, given_out_frames_are_zero)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_allocate frames = { .flags = THESEUS_MM_ALLOCATE_AT, .size = 8 };
	static unsigned char content[8 * PAGE], zero[8 * PAGE];
	struct theseus_mm_map again;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, sizeof(content), THESEUS_MM_PTE_DATA,
						    &mapping));
	memset(content, 0x5a, sizeof(content));
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 0, content, sizeof(content)));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));

	frames.at = mapping.paddr;
	ASSERT_EQ(0, uapi_allocate_frames(self->fd, &frames));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, PAGES(8).handle, frames.handle,
						 READ_ONLY, &again));
	ASSERT_EQ(0, uapi_read(self->fd, again.handle, 0, content, sizeof(content)));
	EXPECT_EQ(0, memcmp(content, zero, sizeof(content)));
}

TEST_HARNESS_MAIN
