// SPDX-License-Identifier: GPL-2.0
/*
 * Identity mappings, which take CAP_SYS_RAWIO.
 */
#include "area.h"
#include "rawio.h"

TEST_F(client, identity_mappings_are_where_their_frames_are)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;
	char text[6] = "";

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, 2 * PAGE + 1, THESEUS_MM_PTE_DATA,
						  &mapping));
	EXPECT_EQ(3, mapping.nr_pages);
	EXPECT_NE(0, mapping.start);
	EXPECT_EQ(mapping.start, mapping.paddr);
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + PAGE + 7, &found));
	EXPECT_EQ(mapping.start + PAGE + 7, found.paddr);
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, PAGE - 2, "hello", 6));
	ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, PAGE - 2, text, 6));
	EXPECT_STREQ("hello", text);
	EXPECT_EQ(mapping.start, QUERY(mapping.handle).start);
	EXPECT_EQ(1, QUERY(mapping.handle).nr_frame_ranges);
	EXPECT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_ALL_BACK();
}

TEST_F(client, identity_mappings_have_large_leaves)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, LARGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(0, mapping.start % LARGE);
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_EQ(21, found.page_size_shift);
}

/* The second round gets frames that the first round has written. */
TEST_F(client, identity_mappings_begin_with_zeros)
{
	const __u64 nr_bytes = 64 * LARGE;
	static unsigned char data[16 * PAGE];
	struct theseus_mm_create_mapping mapping;
	unsigned int round, i;
	__u64 offset;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, nr_bytes, THESEUS_MM_PTE_DATA,
							  &mapping));
		for (offset = 0; offset < nr_bytes; offset += LARGE) {
			ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, offset, data,
					       sizeof(data)));
			for (i = 0; i < sizeof(data); i++)
				ASSERT_EQ(0, data[i]);
			memset(data, 0x5a, sizeof(data));
			ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, offset, data,
						sizeof(data)));
		}
		ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
}

TEST_F(client, identity_mappings_can_be_mmapped)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char *area;
	unsigned char byte;
	__u64 offset;

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						  &mapping));
	ASSERT_EQ(0, uapi_map_offset(self->fd, mapping.handle, &offset, NULL));
	area = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, self->fd, offset);
	ASSERT_NE(MAP_FAILED, (void *)area);
	area[PAGE + 5] = 0x5a;
	ASSERT_EQ(0, munmap(area, 3 * PAGE));
	ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, PAGE + 5, &byte, 1));
	EXPECT_EQ(0x5a, byte);
}

TEST_F(client, identity_mappings_can_be_taken_apart)
{
	struct theseus_mm_create_mapping mapping;
	__u32 first, second, pages, frames, nr = 1;

	ASSERT_EQ(0, uapi_create_identity_mapping(self->fd, 4 * PAGE, THESEUS_MM_PTE_DATA,
						  &mapping));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, PAGE, &first, &second));
	EXPECT_EQ(mapping.start + PAGE, QUERY(second).start);
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_remap(self->fd, first, READ_ONLY));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, first, &pages, &frames, &nr));
	EXPECT_EQ(mapping.start, QUERY(pages).start);
	EXPECT_EQ(mapping.start, QUERY(frames).start);
}

TEST_F(client, identity_mappings_are_refused)
{
	struct theseus_mm_create_mapping mapping;

	EXPECT_REFUSED(EINVAL, uapi_create_identity_mapping(self->fd, 0, THESEUS_MM_PTE_DATA,
							    &mapping));
	EXPECT_REFUSED(EINVAL, uapi_create_identity_mapping(self->fd, PAGE, ~0ULL, &mapping));
	EXPECT_REFUSED(EOPNOTSUPP, uapi_create_identity_mapping(self->fd, PAGE, DEVICE_DATA,
								&mapping));
	EXPECT_REFUSED(EOVERFLOW, uapi_create_identity_mapping(self->fd, ~0ULL - PAGE + 2,
							       THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(ENOSPC, uapi_create_identity_mapping(self->fd, 1ULL << 45,
							    THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, uapi_set_limits(self->fd, 10, THESEUS_MM_NO_LIMIT));
	EXPECT_REFUSED(EDQUOT, uapi_create_identity_mapping(self->fd, 11 * PAGE,
							    THESEUS_MM_PTE_DATA, &mapping));
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_REFUSED(EPERM, uapi_create_identity_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA,
							   &mapping));
	ASSERT_EQ(0, set_rawio(true));
}

TEST_HARNESS_MAIN
