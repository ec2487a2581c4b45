// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on a whole mapping: remap, split, merge, unmap, drop.
 */
#include "client.h"
#include "fragment.h"

#define MADE	(THESEUS_MM_PTE_VALID | THESEUS_MM_PTE_EXCLUSIVE)

/* Fill every byte of each page with the page's number plus @first. */
static int fill(int fd, __u32 handle, unsigned int nr, unsigned char first)
{
	unsigned char page[PAGE];
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < nr; i++) {
		memset(page, first + i, sizeof(page));
		err = uapi_write(fd, handle, i * PAGE, page, sizeof(page));
	}
	return err;
}

/* Do all pages still have the content that fill() wrote? */
static bool is_filled(int fd, __u32 handle, unsigned int nr, unsigned char first)
{
	unsigned char page[PAGE];
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		if (uapi_read(fd, handle, i * PAGE, page, sizeof(page)))
			return false;
		for (j = 0; j < PAGE; j++)
			if (page[j] != (unsigned char)(first + i))
				return false;
	}
	return true;
}

/* Make two adjacent mappings of 3 pages each. */
static int make_neighbours(int fd, __u64 first_flags, __u64 second_flags, __u32 handles[2])
{
	struct theseus_mm_allocate pages = { .size = 6 };
	const __u64 flags[2] = { first_flags, second_flags };
	struct theseus_mm_map mapping = { 0 };
	__u32 parts[2];
	int i, err;

	err = uapi_allocate_pages(fd, &pages);
	if (!err)
		err = uapi_split(fd, pages.handle, 3 * PAGE, &parts[0], &parts[1]);
	for (i = 0; !err && i < 2; i++) {
		err = uapi_map_allocated_pages(fd, parts[i], flags[i], &mapping);
		handles[i] = mapping.handle;
	}
	return err;
}

/* --- remap ------------------------------------------------------------------------------ */

TEST_F(client, remap_takes_write_access_away)
{
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	struct theseus_mm_translate found;

	ASSERT_EQ(0, fill(self->fd, mapping.handle, 3, 1));
	ASSERT_EQ(0, uapi_remap(self->fd, mapping.handle, READ_ONLY));
	EXPECT_EQ(READ_ONLY | MADE, QUERY(mapping.handle).pte_flags);
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + 2 * PAGE, &found));
	EXPECT_EQ(0, found.pte_flags & THESEUS_MM_PTE_WRITABLE);
	EXPECT_REFUSED(EACCES, uapi_write(self->fd, mapping.handle, 0, "x", 1), mapping.handle);
	EXPECT_TRUE(is_filled(self->fd, mapping.handle, 3, 1));
}

TEST_F(client, remap_gives_write_access_back)
{
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	struct theseus_mm_translate found;

	ASSERT_EQ(0, uapi_remap(self->fd, mapping.handle, READ_ONLY));
	ASSERT_EQ(0, uapi_remap(self->fd, mapping.handle, THESEUS_MM_PTE_DATA));
	EXPECT_EQ(0, fill(self->fd, mapping.handle, 3, 7));
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_NE(0, found.pte_flags & THESEUS_MM_PTE_WRITABLE);
	EXPECT_TRUE(is_filled(self->fd, mapping.handle, 3, 7));
}

TEST_F(client, remap_to_the_same_is_nothing)
{
	__u32 handle = MAPPING(3).handle;

	EXPECT_REFUSED(0, uapi_remap(self->fd, handle, THESEUS_MM_PTE_DATA), handle);
}

TEST_F(client, remap_refuses_each_flag_that_is_not_settable)
{
	__u32 handle = MAPPING(3).handle;
	struct snapshot before;
	int bit;

	TAKE_SNAPSHOT(&before, handle);
	for (bit = 0; bit < 64; bit++)
		if (!(THESEUS_MM_PTE_SETTABLE & 1ULL << bit))
			EXPECT_EQ(-EINVAL, uapi_remap(self->fd, handle, READ_ONLY | 1ULL << bit));
	EXPECT_UNCHANGED(&before, handle);
}

TEST_F(client, remap_refuses_writable_and_executable_at_once)
{
	__u32 handle = MAPPING(3).handle;

	EXPECT_REFUSED(EINVAL, uapi_remap(self->fd, handle, THESEUS_MM_PTE_WRITABLE), handle);
}

TEST_F(client, remap_refuses_a_memory_type_on_ram)
{
	__u32 handle = MAPPING(3).handle;

	EXPECT_REFUSED(EOPNOTSUPP, uapi_remap(self->fd, handle,
					      READ_ONLY | THESEUS_MM_PTE_DEVICE_MEMORY), handle);
}

/* --- split ------------------------------------------------------------------------------ */

TEST_F(client, split_keeps_everything_in_place)
{
	struct theseus_mm_create_mapping mapping = MAPPING(5);
	__u32 first, second;

	ASSERT_EQ(0, fill(self->fd, mapping.handle, 5, 10));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 2 * PAGE, &first, &second));
	EXPECT_EQ(mapping.start, QUERY(first).start);
	EXPECT_EQ(2, QUERY(first).nr_pages);
	EXPECT_EQ(mapping.start + 2 * PAGE, QUERY(second).start);
	EXPECT_EQ(3, QUERY(second).nr_pages);
	EXPECT_EQ(QUERY(first).pte_flags, QUERY(second).pte_flags);
	EXPECT_TRUE(is_filled(self->fd, first, 2, 10));
	EXPECT_TRUE(is_filled(self->fd, second, 3, 12));
	EXPECT_EQ(self->start.nr_mappings + 2, INFO().nr_mappings);
	EXPECT_EQ(5, INFO().client_frames);
}

TEST_F(client, split_parts_live_their_own_lives)
{
	struct theseus_mm_create_mapping mapping = MAPPING(5);
	struct theseus_mm_translate found;
	__u32 first, second;

	ASSERT_EQ(0, fill(self->fd, mapping.handle, 5, 10));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 2 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_remap(self->fd, first, READ_ONLY));
	EXPECT_EQ(0, fill(self->fd, second, 3, 99));
	ASSERT_EQ(0, uapi_drop(self->fd, second));
	EXPECT_TRUE(is_filled(self->fd, first, 2, 10));
	EXPECT_EQ(0, uapi_translate(self->fd, mapping.start + PAGE, &found));
	EXPECT_EQ(-ENOENT, uapi_translate(self->fd, mapping.start + 2 * PAGE, &found));
}

TEST_F(client, split_cuts_between_runs_and_within)
{
	__u32 first, second, third, fourth;
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	mapping = MAPPING(8);
	ASSERT_EQ(8, QUERY(mapping.handle).nr_frame_ranges);
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 3 * PAGE, &first, &second));
	EXPECT_EQ(3, QUERY(first).nr_frame_ranges);
	EXPECT_EQ(5, QUERY(second).nr_frame_ranges);

	ASSERT_EQ(0, uapi_drop(self->fd, first));
	ASSERT_EQ(0, uapi_split(self->fd, second, PAGE, &third, &fourth));
	EXPECT_EQ(1, QUERY(third).nr_frame_ranges);
	EXPECT_EQ(4, QUERY(fourth).nr_frame_ranges);
}

TEST_F(client, split_refuses_offsets_that_are_none)
{
	static const __u64 offsets[] = {
		0, 1, PAGE - 1, 5 * PAGE, 5 * PAGE + 1, 6 * PAGE, 1ULL << 63, ~0ULL,
		~0ULL - PAGE + 1,
	};
	__u32 handle = MAPPING(5).handle;
	__u32 first, second;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		EXPECT_REFUSED(EINVAL, uapi_split(self->fd, handle, offsets[i], &first, &second),
			       handle);
}

TEST_F(client, split_refuses_a_single_page)
{
	__u32 handle = MAPPING(1).handle;
	__u32 first, second;

	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, handle, PAGE, &first, &second), handle);
}

/* The boundary lies inside a large leaf, and the small leaves need a table. */
TEST_F(client, split_refuses_if_the_table_does_not_fit)
{
	const __u64 size = 512 * PAGE;
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;
	__u32 frame, first, second;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, size, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	ASSERT_EQ(21, found.page_size_shift);
	frame = FRAMES(1).handle;
	ASSERT_EQ(0, leave_singles(self->fd, 0));
	EXPECT_REFUSED(ENOSPC, uapi_split(self->fd, mapping.handle, PAGE, &first, &second),
		       mapping.handle);
	ASSERT_EQ(0, uapi_drop(self->fd, frame));
	EXPECT_EQ(0, uapi_split(self->fd, mapping.handle, PAGE, &first, &second));
	EXPECT_EQ(0, INFO().frames_free);
}

/* --- merge ------------------------------------------------------------------------------ */

TEST_F(client, merge_undoes_split)
{
	struct theseus_mm_create_mapping mapping = MAPPING(5);
	struct theseus_mm_query before = QUERY(mapping.handle);
	__u32 first, second;

	ASSERT_EQ(0, fill(self->fd, mapping.handle, 5, 10));
	ASSERT_EQ(0, uapi_split(self->fd, mapping.handle, 2 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_GONE(second);
	EXPECT_EQ(before.start, QUERY(first).start);
	EXPECT_EQ(before.nr_pages, QUERY(first).nr_pages);
	EXPECT_EQ(before.nr_frame_ranges, QUERY(first).nr_frame_ranges);
	EXPECT_TRUE(is_filled(self->fd, first, 5, 10));
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
}

TEST_F(client, merge_joins_what_was_mapped_apart)
{
	__u32 handles[2];

	ASSERT_EQ(0, make_neighbours(self->fd, THESEUS_MM_PTE_DATA, THESEUS_MM_PTE_DATA, handles));
	ASSERT_EQ(0, fill(self->fd, handles[0], 3, 1));
	ASSERT_EQ(0, fill(self->fd, handles[1], 3, 4));
	ASSERT_EQ(0, uapi_merge(self->fd, handles[0], handles[1]));
	EXPECT_EQ(6, QUERY(handles[0]).nr_pages);
	EXPECT_TRUE(is_filled(self->fd, handles[0], 6, 1));
	ASSERT_EQ(0, uapi_drop(self->fd, handles[0]));
	EXPECT_ALL_BACK();
}

TEST_F(client, merge_refuses_the_one_before)
{
	__u32 handles[2];

	ASSERT_EQ(0, make_neighbours(self->fd, THESEUS_MM_PTE_DATA, THESEUS_MM_PTE_DATA, handles));
	EXPECT_REFUSED(EDOM, uapi_merge(self->fd, handles[1], handles[0]), handles[0], handles[1]);
}

TEST_F(client, merge_refuses_a_gap)
{
	__u32 first, second, third, rest;
	__u32 handle = MAPPING(6).handle;

	ASSERT_EQ(0, uapi_split(self->fd, handle, 2 * PAGE, &first, &rest));
	ASSERT_EQ(0, uapi_split(self->fd, rest, 2 * PAGE, &second, &third));
	EXPECT_REFUSED(EDOM, uapi_merge(self->fd, first, third), first, second, third);
}

TEST_F(client, merge_refuses_other_flags)
{
	__u32 handles[2];

	ASSERT_EQ(0, make_neighbours(self->fd, THESEUS_MM_PTE_DATA, READ_ONLY, handles));
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, handles[0], handles[1]), handles[0],
		       handles[1]);
}

TEST_F(client, merge_refuses_other_recorded_flags)
{
	__u32 handles[2];

	ASSERT_EQ(0, make_neighbours(self->fd, READ_ONLY, READ_ONLY | THESEUS_MM_PTE_GLOBAL,
				     handles));
	EXPECT_REFUSED(EMEDIUMTYPE, uapi_merge(self->fd, handles[0], handles[1]), handles[0],
		       handles[1]);
}

TEST_F(client, merge_refuses_the_same_twice)
{
	__u32 handle = MAPPING(2).handle;

	EXPECT_REFUSED(EINVAL, uapi_merge(self->fd, handle, handle), handle);
}

/* --- unmap ------------------------------------------------------------------------------ */

TEST_F(client, unmap_gives_pages_and_frames_back)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;
	__u32 pages, frames[2], nr = 2;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 5 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, mapping.handle, &pages, frames, &nr));
	EXPECT_GONE(mapping.handle);
	EXPECT_EQ(1, nr);
	EXPECT_EQ(THESEUS_MM_KIND_PAGES, QUERY(pages).kind);
	EXPECT_EQ(mapping.start, QUERY(pages).start);
	EXPECT_EQ(5, QUERY(pages).nr_pages);
	EXPECT_EQ(THESEUS_MM_KIND_FRAMES, QUERY(frames[0]).kind);
	EXPECT_EQ(mapping.paddr, QUERY(frames[0]).start);
	EXPECT_EQ(5, QUERY(frames[0]).nr_pages);
	EXPECT_EQ(-ENOENT, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_EQ(self->start.nr_mappings, INFO().nr_mappings);
	EXPECT_EQ(self->start.nr_tables, INFO().nr_tables);
	EXPECT_EQ(2, INFO().client_handles);
	EXPECT_EQ(5, INFO().client_frames);
}

TEST_F(client, unmap_gives_all_runs_in_the_order_of_the_pages)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found[8];
	__u32 pages, frames[8], nr = 8, i;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	mapping = MAPPING(8);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + i * PAGE, &found[i]));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, mapping.handle, &pages, frames, &nr));
	ASSERT_EQ(8, nr);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(1, QUERY(frames[i]).nr_pages);
		EXPECT_EQ(found[i].paddr, QUERY(frames[i]).start);
	}
}

/* The owner keeps its own content; only a new owner finds zeros. */
TEST_F(client, unmapped_frames_keep_their_content)
{
	struct theseus_mm_create_mapping mapping;
	__u32 pages, frames, nr = 1;
	struct theseus_mm_map again;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	ASSERT_EQ(0, fill(self->fd, mapping.handle, 3, 50));
	ASSERT_EQ(0, uapi_unmap_into_parts(self->fd, mapping.handle, &pages, &frames, &nr));
	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, PAGES(3).handle, frames, READ_ONLY,
						 &again));
	EXPECT_TRUE(is_filled(self->fd, again.handle, 3, 50));
	EXPECT_EQ(THESEUS_MM_KIND_PAGES, QUERY(pages).kind);
}

TEST_F(client, unmap_refuses_an_array_that_is_too_short)
{
	struct theseus_mm_create_mapping mapping;
	__u32 pages, frames[8], nr;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	mapping = MAPPING(8);
	for (nr = 0; nr < 8; nr += 7)
		EXPECT_REFUSED(ENOBUFS, uapi_unmap_into_parts(self->fd, mapping.handle, &pages,
							      frames, &nr), mapping.handle);
}

TEST_F(client, unmap_refuses_a_bad_array)
{
	__u32 pages, nr = 1, handle = MAPPING(2).handle;
	__u32 *unmapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)unmapped);
	EXPECT_REFUSED(EFAULT, uapi_unmap_into_parts(self->fd, handle, &pages, NULL, &nr), handle);
	EXPECT_REFUSED(EFAULT, uapi_unmap_into_parts(self->fd, handle, &pages, unmapped, &nr),
		       handle);
}

TEST_F(client, unmap_refuses_an_array_that_ends_in_a_hole)
{
	struct theseus_mm_create_mapping mapping;
	__u32 pages, nr = 8, *array;

	array = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)array);
	ASSERT_EQ(0, munmap((char *)array + PAGE, PAGE));
	ASSERT_EQ(0, leave_singles(self->fd, 16));
	mapping = MAPPING(8);
	EXPECT_REFUSED(EFAULT, uapi_unmap_into_parts(self->fd, mapping.handle, &pages,
						     array + PAGE / sizeof(*array) - 7, &nr),
		       mapping.handle);
}

/* --- drop ------------------------------------------------------------------------------- */

TEST_F(client, drop_unmaps_and_frees)
{
	struct theseus_mm_create_mapping mapping = MAPPING(700);
	struct theseus_mm_translate found;

	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	EXPECT_EQ(-ENOENT, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_ALL_BACK();
}

TEST_F(client, drop_in_any_order_leaves_no_table_behind)
{
	static const int order[] = { 3, 0, 4, 1, 2 };
	__u32 handles[5];
	int i;

	/* 512 pages fill a table, so mappings of 300 pages share tables at their ends */
	for (i = 0; i < 5; i++)
		handles[i] = MAPPING(300).handle;
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, uapi_drop(self->fd, handles[order[i]]));
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
