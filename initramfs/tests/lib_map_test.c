// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings with libtmm: create, copy, change and drop them, one at a time and many at once.
 */
#include "library.h"
#include "limits.h"

#define NR	8
#define SIZE	(NR * PAGE)

#define OPTIONS(...)	(&(struct tmm_create_options){ __VA_ARGS__ })
#define CREATE(size, flags, options)							\
	OWN(mapping, tmm_mapping_create(self->client, size, flags, options))

TEST_F(library, create_gives_zeros_in_whole_pages)
{
	struct tmm_mapping *mapping = CREATE(SIZE - 1, TMM_DATA, NULL);
	struct theseus_mm_query query = QUERY(tmm_mapping_handle(mapping));
	char bytes[SIZE] = { 1 }, zeros[SIZE] = { 0 };

	EXPECT_EQ(THESEUS_MM_KIND_MAPPING, query.kind);
	EXPECT_EQ(tmm_mapping_address(mapping), query.start);
	EXPECT_EQ(SIZE, tmm_mapping_size(mapping));
	EXPECT_EQ(NR, query.nr_pages);
	EXPECT_EQ(TMM_DATA, query.pte_flags & THESEUS_MM_PTE_SETTABLE);
	ASSERT_EQ(0, tmm_mapping_read(mapping, 0, bytes, SIZE));
	EXPECT_EQ(0, memcmp(zeros, bytes, SIZE));
	EXPECT_EQ(NR, INFO().client_frames);
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_EQ(NULL, mapping);
	EXPECT_ALL_BACK();
}

TEST_F(library, create_heeds_the_options)
{
	struct tmm_translation translation;
	struct tmm_mapping *mapping;

	mapping = CREATE(SIZE, TMM_DATA, OPTIONS(.is_contiguous = true,
						 .align = TMM_LARGE_PAGE_SIZE));
	EXPECT_EQ(1, QUERY(tmm_mapping_handle(mapping)).nr_frame_ranges);
	EXPECT_EQ(0, tmm_mapping_address(mapping) % TMM_LARGE_PAGE_SIZE);
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(mapping),
					  &translation));
	EXPECT_EQ(0, translation.paddr % TMM_LARGE_PAGE_SIZE);

	mapping = CREATE(SIZE, TMM_DATA, OPTIONS(.is_identity = true));
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(mapping),
					  &translation));
	EXPECT_EQ(tmm_mapping_address(mapping), translation.paddr);

	mapping = CREATE(TMM_LARGE_PAGE_SIZE, TMM_DATA, OPTIONS(.leaf_size = TMM_PAGE_SIZE));
	ASSERT_EQ(0, tmm_client_translate(self->client, tmm_mapping_address(mapping),
					  &translation));
	EXPECT_EQ(TMM_PAGE_SIZE, translation.page_size);
}

TEST_F(library, create_refuses)
{
	struct tmm_client *client = self->client;

	EXPECT_NONE(EBADF, tmm_mapping_create(NULL, PAGE, TMM_DATA, NULL));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, 0, TMM_DATA, NULL));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, PAGE, 1ULL << 40, NULL));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, PAGE, TMM_DATA,
					       OPTIONS(.leaf_size = TMM_LARGE_PAGE_SIZE)));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, PAGE, TMM_DATA, OPTIONS(.align = 3)));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, PAGE, TMM_DATA,
					       OPTIONS(.reserved1 = { 1 })));
	EXPECT_NONE(EINVAL, tmm_mapping_create(client, PAGE, TMM_DATA,
					       OPTIONS(.reserved = { 1 })));
	EXPECT_NONE(ENOSPC, tmm_mapping_create(client, self->start.region_bytes, TMM_DATA, NULL));
	ASSERT_EQ(0, set_capability(CAP_SYS_RAWIO, false));
	EXPECT_NONE(EPERM, tmm_mapping_create(client, PAGE, TMM_DATA,
					      OPTIONS(.is_identity = true)));
}

TEST_F(library, query_says_how_a_mapping_is)
{
	struct tmm_mapping *mapping = CREATE(SIZE, TMM_READ_ONLY_DATA, NULL), *none = NULL;
	struct tmm_mapping_info info;
	void *area;

	ASSERT_EQ(0, tmm_mapping_share(mapping, true));
	area = tmm_mapping_mmap(mapping, 0, PAGE, R);
	ASSERT_NE(NULL, area);
	ASSERT_EQ(0, tmm_mapping_query(mapping, &info));
	EXPECT_EQ(TMM_READ_ONLY_DATA, info.flags);
	EXPECT_EQ(QUERY(tmm_mapping_handle(mapping)).nr_frame_ranges, info.nr_frame_ranges);
	EXPECT_EQ(1, info.nr_borrows);
	EXPECT_TRUE(info.is_exclusive);
	EXPECT_TRUE(info.is_shareable);
	EXPECT_FALSE(info.is_pinned);
	EXPECT_FALSE(info.is_read_only);
	EXPECT_FALSE(info.is_lent);
	EXPECT_FALSE(info.is_bad);
	EXPECT_EQ(tmm_mapping_address(mapping), info.address);
	EXPECT_EQ(SIZE, info.nr_bytes);
	ASSERT_EQ(0, tmm_mapping_munmap(area, PAGE));
	ASSERT_EQ(0, tmm_mapping_query(mapping, &info));
	EXPECT_EQ(0, info.nr_borrows);
	EXPECT_FAILS(ENOENT, tmm_mapping_query(none, &info));
	EXPECT_EQ(SIZE, info.nr_bytes);
}

TEST_F(library, what_is_nothing_has_no_size)
{
	struct tmm_mapping *none = NULL;
	char byte;

	EXPECT_EQ(0, tmm_mapping_address(none));
	EXPECT_EQ(0, tmm_mapping_size(none));
	EXPECT_EQ(0, tmm_mapping_handle(none));
	EXPECT_EQ(0, tmm_mapping_drop(&none));
	EXPECT_FAILS(ENOENT, tmm_mapping_read(none, 0, &byte, 1));
	EXPECT_FAILS(ENOENT, tmm_mapping_write(none, 0, &byte, 1));
	EXPECT_FAILS(ENOENT, tmm_mapping_remap(none, TMM_DATA));
	EXPECT_FAILS(ENOENT, tmm_mapping_share(none, true));
	EXPECT_FAILS(ENOENT, tmm_mapping_split(&none, PAGE, &none, &none));
}

TEST_F(library, write_and_read_copy_what_lies_in_a_mapping)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	const __u32 handle = tmm_mapping_handle(mapping);
	char bytes[8] = "", *nowhere = NULL;

	/* across the edge of a page */
	ASSERT_EQ(0, tmm_mapping_write(mapping, PAGE - 4, "libtmm!", 8));
	ASSERT_EQ(0, uapi_read(self->fd, handle, PAGE - 4, bytes, 8));
	EXPECT_STREQ("libtmm!", bytes);
	memset(bytes, 0, sizeof(bytes));
	ASSERT_EQ(0, tmm_mapping_read(mapping, PAGE - 4, bytes, 8));
	EXPECT_STREQ("libtmm!", bytes);
	ASSERT_EQ(0, tmm_mapping_read(mapping, PAGE + 4, bytes, 8));
	EXPECT_EQ(8, nr_alike((unsigned char *)bytes, PAGE + 4, 8));
	EXPECT_EQ(0, tmm_mapping_read(mapping, SIZE, bytes, 0));
	EXPECT_EQ(0, tmm_mapping_write(mapping, SIZE, bytes, 0));

	EXPECT_FAILS(ERANGE, tmm_mapping_read(mapping, SIZE - 7, bytes, 8), handle);
	EXPECT_FAILS(ERANGE, tmm_mapping_write(mapping, SIZE - 7, bytes, 8), handle);
	EXPECT_FAILS(EOVERFLOW, tmm_mapping_read(mapping, ~0ULL, bytes, 8), handle);
	EXPECT_FAILS(EOVERFLOW, tmm_mapping_write(mapping, ~0ULL, bytes, 8), handle);
	EXPECT_FAILS(EFAULT, tmm_mapping_read(mapping, 0, nowhere, 8), handle);
	EXPECT_FAILS(EFAULT, tmm_mapping_write(mapping, 0, nowhere, 8), handle);
}

TEST_F(library, remap_changes_what_may_be_done)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	const __u32 handle = tmm_mapping_handle(mapping);

	ASSERT_EQ(0, tmm_mapping_remap(mapping, TMM_READ_ONLY_DATA));
	EXPECT_EQ(TMM_READ_ONLY_DATA, QUERY(handle).pte_flags & THESEUS_MM_PTE_SETTABLE);
	EXPECT_FAILS(EACCES, tmm_mapping_write(mapping, 0, "x", 1), handle);
	EXPECT_EQ(EACCES, mmap_errno(self->fd, handle, RW));
	EXPECT_EQ(SIZE, nr_alike_in(mapping, 0, SIZE));
	EXPECT_FAILS(EINVAL, tmm_mapping_remap(mapping, 1ULL << 40), handle);
	EXPECT_FAILS(EOPNOTSUPP, tmm_mapping_remap(mapping, TMM_DATA | TMM_DEVICE_MEMORY), handle);
	ASSERT_EQ(0, tmm_mapping_remap(mapping, TMM_DATA));
	EXPECT_EQ(0, tmm_mapping_write(mapping, 0, "x", 1));
}

TEST_F(library, share_lets_many_write)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR);
	char *first, *second, bytes[2];

	ASSERT_EQ(0, tmm_mapping_share(mapping, true));
	first = tmm_mapping_mmap(mapping, 0, SIZE, RW);
	ASSERT_NE(NULL, first);
	second = tmm_mapping_mmap(mapping, 0, SIZE, RW);
	ASSERT_NE(NULL, second);
	first[PAGE] = 'a';
	second[PAGE + 1] = 'b';
	ASSERT_EQ(0, tmm_mapping_read(mapping, PAGE, bytes, 2));
	EXPECT_EQ(0, memcmp("ab", bytes, 2));
	EXPECT_FAILS(EBUSY, tmm_mapping_share(mapping, false), tmm_mapping_handle(mapping));
	ASSERT_EQ(0, tmm_mapping_munmap(first, SIZE));
	ASSERT_EQ(0, tmm_mapping_munmap(second, SIZE));
	ASSERT_EQ(0, tmm_mapping_share(mapping, false));
	first = tmm_mapping_mmap(mapping, 0, SIZE, RW);
	ASSERT_NE(NULL, first);
	EXPECT_NONE(EBUSY, tmm_mapping_mmap(mapping, 0, SIZE, RW));
	ASSERT_EQ(0, tmm_mapping_munmap(first, SIZE));
}

TEST_F(library, split_and_merge_keep_the_content)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR), *first = NULL, *second = NULL;
	const __u64 vaddr = tmm_mapping_address(mapping);
	const __u32 handle = tmm_mapping_handle(mapping);

	EXPECT_FAILS(EINVAL, tmm_mapping_split(&mapping, 1, &first, &second), handle);
	EXPECT_FAILS(EINVAL, tmm_mapping_split(&mapping, SIZE + PAGE, &first, &second), handle);
	EXPECT_EQ(NULL, first);
	EXPECT_NE(NULL, mapping);
	ASSERT_EQ(0, tmm_mapping_split(&mapping, 3 * PAGE, &first, &second));
	EXPECT_EQ(NULL, mapping);
	EXPECT_EQ(vaddr, tmm_mapping_address(first));
	EXPECT_EQ(3 * PAGE, tmm_mapping_size(first));
	EXPECT_EQ(vaddr + 3 * PAGE, tmm_mapping_address(second));
	EXPECT_EQ(SIZE - 3 * PAGE, tmm_mapping_size(second));
	EXPECT_EQ(3 * PAGE, nr_alike_in(first, 0, 3 * PAGE));
	EXPECT_EQ(SIZE - 3 * PAGE, nr_alike_in(second, 3 * PAGE, SIZE - 3 * PAGE));

	EXPECT_FAILS(EDOM, tmm_mapping_merge(second, &first), tmm_mapping_handle(first),
		     tmm_mapping_handle(second));
	ASSERT_EQ(0, tmm_mapping_remap(second, TMM_READ_ONLY_DATA));
	EXPECT_FAILS(EMEDIUMTYPE, tmm_mapping_merge(first, &second), tmm_mapping_handle(first),
		     tmm_mapping_handle(second));
	EXPECT_NE(NULL, second);
	ASSERT_EQ(0, tmm_mapping_remap(second, TMM_DATA));
	ASSERT_EQ(0, tmm_mapping_merge(first, &second));
	EXPECT_EQ(NULL, second);
	EXPECT_EQ(vaddr, tmm_mapping_address(first));
	EXPECT_EQ(SIZE, tmm_mapping_size(first));
	EXPECT_EQ(NR, QUERY(tmm_mapping_handle(first)).nr_pages);
	EXPECT_EQ(SIZE, nr_alike_in(first, 0, SIZE));
	EXPECT_EQ(1, INFO().client_handles);
}

TEST_F(library, mappings_of_two_clients_do_not_mix)
{
	struct tmm_client *other = tmm_client_open(NULL);
	struct tmm_mapping *mine = OWN_MAPPING(1), *theirs, *both[2];

	ASSERT_NE(NULL, other);
	theirs = OWN(mapping, tmm_mapping_create(other, PAGE, TMM_DATA, NULL));
	EXPECT_FAILS(EXDEV, tmm_mapping_merge(mine, &theirs));
	both[0] = mine;
	both[1] = theirs;
	EXPECT_FAILS(EXDEV, tmm_mapping_drop_many(both, NULL, 2, 0));
	EXPECT_EQ(mine, both[0]);
	EXPECT_EQ(theirs, both[1]);
	tmm_client_close(&other);
}

TEST_F(library, drop_waits_for_no_borrow)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	void *area = tmm_mapping_mmap(mapping, 0, SIZE, R);

	ASSERT_NE(NULL, area);
	EXPECT_FAILS(EBUSY, tmm_mapping_drop(&mapping), tmm_mapping_handle(mapping));
	EXPECT_NE(NULL, mapping);
	ASSERT_EQ(0, tmm_mapping_munmap(area, SIZE));
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_EQ(NULL, mapping);
	EXPECT_ALL_BACK();
}

TEST_F(library, create_many_gives_each_its_own_success)
{
	struct tmm_create_item items[] = {
		{ .nr_bytes = PAGE, .flags = TMM_DATA, .error = 77 },
		{ .nr_bytes = 0, .flags = TMM_DATA },
		{ .nr_bytes = SIZE, .flags = TMM_READ_ONLY_DATA, .is_contiguous = true },
	};
	struct tmm_mapping *mappings[3] = { NULL };

	ASSERT_EQ(2, tmm_mapping_create_many(self->client, items, mappings, 3, 0));
	EXPECT_EQ(0, items[0].error);
	EXPECT_EQ(EINVAL, items[1].error);
	EXPECT_EQ(0, items[2].error);
	EXPECT_EQ(PAGE, tmm_mapping_size(mappings[0]));
	EXPECT_EQ(NULL, mappings[1]);
	EXPECT_EQ(SIZE, tmm_mapping_size(mappings[2]));
	EXPECT_EQ(tmm_mapping_address(mappings[2]),
		  QUERY(tmm_mapping_handle(mappings[2])).start);
	EXPECT_EQ(1, QUERY(tmm_mapping_handle(mappings[2])).nr_frame_ranges);
	EXPECT_EQ(TMM_READ_ONLY_DATA, QUERY(tmm_mapping_handle(mappings[2])).pte_flags &
				      THESEUS_MM_PTE_SETTABLE);
	EXPECT_EQ(2, INFO().client_handles);
	EXPECT_EQ(0, tmm_mapping_create_many(self->client, NULL, NULL, 0, 0));
}

TEST_F(library, create_many_makes_all_or_nothing)
{
	struct tmm_create_item items[] = {
		{ .nr_bytes = PAGE, .flags = TMM_DATA },
		{ .nr_bytes = 0, .flags = TMM_DATA },
	};
	struct tmm_mapping *none = NULL, *mappings[2] = { none, none };

	EXPECT_FAILS(EINVAL, tmm_mapping_create_many(self->client, items, mappings, 2,
						     TMM_ALL_OR_NOTHING));
	EXPECT_EQ(ECANCELED, items[0].error);
	EXPECT_EQ(EINVAL, items[1].error);
	EXPECT_EQ(NULL, mappings[0]);
	EXPECT_FAILS(EINVAL, tmm_mapping_create_many(self->client, items, mappings, 2, 1U << 1));
	EXPECT_FAILS(EINVAL, tmm_mapping_create_many(self->client, items, mappings,
						     TMM_MAX_MANY + 1, 0));
	items[1].nr_bytes = SIZE;
	EXPECT_EQ(2, tmm_mapping_create_many(self->client, items, mappings, 2,
					     TMM_ALL_OR_NOTHING));
	EXPECT_EQ(SIZE, tmm_mapping_size(mappings[1]));
}

TEST_F(library, drop_many_gives_each_its_own_success)
{
	struct tmm_mapping *mappings[4] = { OWN_MAPPING(1), NULL, OWN_MAPPING(2), OWN_MAPPING(3) };
	void *area = tmm_mapping_mmap(mappings[2], 0, PAGE, R);
	int errors[4] = { 77, 77, 77, 77 };

	ASSERT_NE(NULL, area);
	EXPECT_FAILS(EBUSY, tmm_mapping_drop_many(mappings, errors, 4, TMM_ALL_OR_NOTHING));
	EXPECT_EQ(ECANCELED, errors[0]);
	EXPECT_EQ(0, errors[1]);
	EXPECT_EQ(EBUSY, errors[2]);
	EXPECT_EQ(ECANCELED, errors[3]);
	EXPECT_NE(NULL, mappings[0]);

	EXPECT_EQ(3, tmm_mapping_drop_many(mappings, errors, 4, 0));
	EXPECT_EQ(0, errors[0]);
	EXPECT_EQ(EBUSY, errors[2]);
	EXPECT_EQ(NULL, mappings[0]);
	EXPECT_NE(NULL, mappings[2]);
	EXPECT_EQ(NULL, mappings[3]);
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
	ASSERT_EQ(0, tmm_mapping_munmap(area, PAGE));
	EXPECT_EQ(4, tmm_mapping_drop_many(mappings, NULL, 4, TMM_ALL_OR_NOTHING));
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
