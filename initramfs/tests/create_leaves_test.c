// SPDX-License-Identifier: GPL-2.0
/*
 * CREATE_MAPPING with a given leaf size and a given alignment, also when few aligned addresses are
 * left.
 */
#include "client.h"
#include "limits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* --- leaves and alignment --------------------------------------------------------------- */

#define SIZE_2M		(2ULL << 20)
#define SIZE_1G		(1ULL << 30)

/* The calls that create mappings; all take the same structure. */
static const unsigned long create_calls[] = {
	THESEUS_MM_IOC_CREATE_MAPPING,
	THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING,
	THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING,
};

static int create(int fd, unsigned long request, __u64 size, __u64 leaf_size, __u64 align,
		  struct theseus_mm_create_mapping *mapping)
{
	*mapping = (struct theseus_mm_create_mapping){
		.size = size,
		.pte_flags = THESEUS_MM_PTE_DATA,
		.leaf_size = leaf_size,
		.align = align,
	};
	return ioctl(fd, request, mapping) ? -errno : 0;
}

/* Does the leaf at each 4 KiB of a mapping have this size? */
static bool consists_of(int fd, const struct theseus_mm_create_mapping *mapping, __u64 leaf_size)
{
	struct theseus_mm_translate found;
	__u64 page;

	for (page = 0; page < mapping->nr_pages; page++)
		if (uapi_translate(fd, mapping->start + page * PAGE, &found) ||
		    1ULL << found.page_size_shift != leaf_size)
			return false;
	return true;
}

TEST_F(client, create_uses_leaves_of_the_size_that_is_asked_for)
{
	static const __u64 leaf_sizes[] = { PAGE, SIZE_2M };
	struct theseus_mm_create_mapping mapping;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(create_calls); i++) {
		for (k = 0; k < ARRAY_SIZE(leaf_sizes); k++) {
			ASSERT_EQ(0, create(self->fd, create_calls[i], 2 * SIZE_2M, leaf_sizes[k],
					    0, &mapping));
			EXPECT_TRUE(consists_of(self->fd, &mapping, leaf_sizes[k]));
			EXPECT_EQ(2 * SIZE_2M / PAGE, mapping.nr_pages);
			ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
		}
	}
}

static bool cpu_has_1g(void)
{
	char line[8192];
	FILE *file = fopen("/proc/cpuinfo", "r");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, " pdpe1gb");
	if (file)
		fclose(file);
	return found;
}

TEST_F(client, create_uses_1g_leaves_or_says_that_there_are_none)
{
	const __u64 size = SIZE_1G;
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;

	if (!cpu_has_1g()) {
		EXPECT_REFUSED(EOPNOTSUPP, create(self->fd, create_calls[0], size, size, 0,
						  &mapping));
		EXPECT_REFUSED(EOPNOTSUPP, create(self->fd, create_calls[1], size, size, 0,
						  &mapping));
		EXPECT_REFUSED(EOPNOTSUPP, create(self->fd, create_calls[2], size, size, 0,
						  &mapping));
		return;
	}
	ASSERT_EQ(0, create(self->fd, create_calls[0], size, size, 0, &mapping));
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_EQ(30, found.page_size_shift);
}

TEST_F(client, create_aligns)
{
	struct theseus_mm_create_mapping mapping;
	unsigned int i;
	__u64 align;

	for (i = 0; i < ARRAY_SIZE(create_calls); i++) {
		for (align = PAGE; align <= SIZE_1G; align *= 2) {
			ASSERT_EQ(0, create(self->fd, create_calls[i], 3 * PAGE, 0, align,
					    &mapping));
			EXPECT_EQ(0, mapping.start % align);
			EXPECT_EQ(0, mapping.paddr % align);
			EXPECT_EQ(3, mapping.nr_pages);
			ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
		}
	}
	/* name the leaf size and the alignment in one call */
	ASSERT_EQ(0, create(self->fd, create_calls[1], SIZE_2M, PAGE, 4 * SIZE_2M, &mapping));
	EXPECT_EQ(0, (mapping.start | mapping.paddr) % (4 * SIZE_2M));
	EXPECT_TRUE(consists_of(self->fd, &mapping, PAGE));
}

TEST_F(client, create_refuses_sizes_of_leaves_that_there_are_not)
{
	static const __u64 leaf_sizes[] = {
		1, 2048, PAGE + 1, 2 * PAGE, SIZE_2M + PAGE, 2 * SIZE_1G, 512 * SIZE_1G, ~0ULL,
	};
	struct theseus_mm_create_mapping mapping;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(create_calls); i++)
		for (k = 0; k < ARRAY_SIZE(leaf_sizes); k++)
			EXPECT_REFUSED(EINVAL, create(self->fd, create_calls[i], 1ULL << 40,
						      leaf_sizes[k], 0, &mapping));
}

TEST_F(client, create_refuses_sizes_that_do_not_suit_the_leaves)
{
	static const __u64 sizes[][2] = {
		{ PAGE, SIZE_2M }, { SIZE_2M + PAGE, SIZE_2M }, { SIZE_2M - PAGE, SIZE_2M },
		{ SIZE_2M, SIZE_1G }, { SIZE_1G + SIZE_2M, SIZE_1G },
		/* the size is more than any client may have, but the leaf size is checked first */
		{ (1ULL << 50) + PAGE, SIZE_2M }, { (1ULL << 50) + SIZE_2M, SIZE_1G },
	};
	struct theseus_mm_create_mapping mapping;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(create_calls); i++)
		for (k = 0; k < ARRAY_SIZE(sizes); k++)
			EXPECT_REFUSED(EINVAL, create(self->fd, create_calls[i], sizes[k][0],
						      sizes[k][1], 0, &mapping));
}

TEST_F(client, create_refuses_alignments_that_are_none)
{
	static const __u64 aligns[] = {
		1, 2, 2048, PAGE - 1, PAGE + 1, 3 * PAGE, SIZE_1G + PAGE, 2 * SIZE_1G, 1ULL << 63,
	};
	struct theseus_mm_create_mapping mapping;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(create_calls); i++)
		for (k = 0; k < ARRAY_SIZE(aligns); k++)
			EXPECT_REFUSED(EINVAL, create(self->fd, create_calls[i], PAGE, 0,
						      aligns[k], &mapping));
}

/* --- with few addresses left ----------------------------------------------------------- */

/*
 * Own the first page, and all pages after the next 2 MiB. Of the pages that stay free, only the
 * last one is at a multiple of 2 MiB.
 */
static int leave_no_aligned_page(int fd, const struct theseus_mm_info *info)
{
	struct theseus_mm_allocate first = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = info->pages_start,
		.size = 1,
	};
	struct theseus_mm_allocate rest = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = info->pages_start + 513 * PAGE,
		.size = info->pages_total - 513,
	};
	int err = uapi_set_limit(fd, THESEUS_MM_SET_PAGES, THESEUS_MM_NO_LIMIT);

	if (!err)
		err = write_parameter("max_user_pages", "unlimited");
	if (!err)
		err = uapi_allocate_pages(fd, &first);
	return err ? err : uapi_allocate_pages(fd, &rest);
}

TEST_F(client, create_takes_smaller_leaves_where_no_aligned_page_is_left)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_no_aligned_page(self->fd, &self->start));
	ASSERT_EQ(0, uapi_create_mapping(self->fd, 512 * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(self->start.pages_start + PAGE, mapping.start);
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 512 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	EXPECT_EQ(self->start.pages_start + PAGE, mapping.start);
	EXPECT_REFUSED(ENOSPC, uapi_create_mapping(self->fd, PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(ENOSPC, uapi_create_contiguous_mapping(self->fd, 512 * PAGE,
							      THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(0, write_number("max_user_pages", self->start.pages_total / 2));
}

TEST_F(client, create_refuses_leaves_and_alignments_that_there_is_no_room_for)
{
	struct theseus_mm_create_mapping mapping;
	unsigned int i;

	ASSERT_EQ(0, leave_no_aligned_page(self->fd, &self->start));
	for (i = 0; i < 2; i++) {
		EXPECT_REFUSED(ENOSPC, create(self->fd, create_calls[i], SIZE_2M, SIZE_2M, 0,
					      &mapping));
		/* only the last page is free and aligned */
		EXPECT_REFUSED(ENOSPC, create(self->fd, create_calls[i], 2 * PAGE, 0, SIZE_2M,
					      &mapping));
		EXPECT_EQ(0, create(self->fd, create_calls[i], 256 * PAGE, PAGE, 0, &mapping));
	}
	EXPECT_EQ(0, write_number("max_user_pages", self->start.pages_total / 2));
}

TEST_HARNESS_MAIN
