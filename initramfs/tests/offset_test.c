// SPDX-License-Identifier: GPL-2.0
/*
 * Offsets for mmap(): low ones first, so that 32-bit programs can use them, and each belongs to
 * one mapping.
 */
#include "area.h"

#include <stdlib.h>

/* Also 32-bit: a 32-bit program must be able to use the offsets that it gets. */

/* mmap2() takes 32 bits of pages. */
#define LOW_END		(1ULL << 44)
#define NR_MAPPINGS	10000U

static int compare(const void *a, const void *b)
{
	__u64 left = *(const __u64 *)a, right = *(const __u64 *)b;

	return left < right ? -1 : left > right;
}

static __u64 offset_of(int fd, __u32 handle)
{
	__u64 offset;

	return uapi_map_offset(fd, handle, &offset, NULL) ? ~0ULL : offset;
}

TEST_F(client, the_second_offset_fits_mmap2_as_the_first_does)
{
	struct theseus_mm_create_mapping first = MAPPING(3), second = MAPPING(1);

	EXPECT_GT(LOW_END, offset_of(self->fd, first.handle));
	EXPECT_GT(LOW_END, offset_of(self->fd, second.handle));
}

TEST_F_TIMEOUT(client, ten_thousand_mappings_have_low_offsets, 300)
{
	struct theseus_mm_create_item *items = calloc(NR_MAPPINGS, sizeof(*items));
	__u64 *offsets = calloc(NR_MAPPINGS, sizeof(*offsets));
	unsigned int i, nr_high = 0, nr_alike = 0;
	unsigned char *area;
	__u32 nr_done;

	ASSERT_TRUE(items && offsets);
	for (i = 0; i < NR_MAPPINGS; i++) {
		items[i].size = PAGE;
		items[i].pte_flags = THESEUS_MM_PTE_DATA;
	}
	ASSERT_EQ(0, uapi_create_batch(self->fd, 0, items, NR_MAPPINGS, &nr_done));
	ASSERT_EQ(NR_MAPPINGS, nr_done);
	for (i = 0; i < NR_MAPPINGS; i++) {
		offsets[i] = offset_of(self->fd, items[i].handle);
		nr_high += offsets[i] > LOW_END - PAGE;
	}
	EXPECT_EQ(0, nr_high);
	ASSERT_EQ(0, uapi_write(self->fd, items[NR_MAPPINGS - 1].handle, 0, "last", 5));
	area = mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offsets[NR_MAPPINGS - 1]);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_STREQ("last", (char *)area);
	munmap(area, PAGE);

	qsort(offsets, NR_MAPPINGS, sizeof(*offsets), compare);
	for (i = 1; i < NR_MAPPINGS; i++)
		nr_alike += offsets[i] < offsets[i - 1] + PAGE;
	EXPECT_EQ(0, nr_alike);
	free(items);
	free(offsets);
}

TEST_F(client, offsets_come_back)
{
	__u64 most = 0, offset;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		struct theseus_mm_create_mapping mapping = MAPPING(16);

		offset = offset_of(self->fd, mapping.handle);
		most = offset > most ? offset : most;
		ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	}
	EXPECT_GT(1000 * PAGE, most);
}

/* An area that is too long, or begins after the end, does not show another mapping. */
TEST_F(client, one_mapping_is_not_the_way_to_the_next)
{
	struct theseus_mm_create_mapping mappings[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		mappings[i] = MAPPING(2);
		ASSERT_NE(~0ULL, offset_of(self->fd, mappings[i].handle));
	}
	for (i = 0; i < 8; i++) {
		__u64 offset = offset_of(self->fd, mappings[i].handle);

		EXPECT_ERRNO(ERANGE, mmap(NULL, 3 * PAGE, R, MAP_SHARED, self->fd, offset));
		EXPECT_ERRNO(ERANGE, mmap(NULL, 2 * PAGE, R, MAP_SHARED, self->fd,
					  offset + PAGE));
		EXPECT_ERRNO(ERANGE, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset + 2 * PAGE));
	}
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, 0));
}

/* MERGE makes the mapping longer than the room at its offset. */
TEST_F(client, a_merged_mapping_has_an_offset_for_all_of_it)
{
	struct theseus_mm_create_mapping mapping = MAPPING(8), behind;
	__u32 first, second;
	unsigned char *area;
	__u64 offset, nr_bytes;

	ASSERT_EQ(0, fill(self->fd, mapping.handle, 8 * PAGE));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 4 * PAGE, &first, &second));
	ASSERT_NE(~0ULL, offset_of(self->fd, first));
	ASSERT_NE(~0ULL, offset_of(self->fd, second));
	behind = MAPPING(4);
	ASSERT_NE(~0ULL, offset_of(self->fd, behind.handle));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	ASSERT_EQ(0, uapi_map_offset(self->fd, first, &offset, &nr_bytes));
	EXPECT_EQ(8 * PAGE, nr_bytes);
	area = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, self->fd, offset);
	ASSERT_NE((unsigned char *)MAP_FAILED, area);
	EXPECT_EQ(8 * PAGE, nr_alike(area, 0, 8 * PAGE));
	munmap(area, 8 * PAGE);
}

TEST_HARNESS_MAIN
