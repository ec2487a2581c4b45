// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of libtmm: parts of mappings in this process.
 */
#include "library.h"

#define NR	8
#define SIZE	(NR * PAGE)

#define WINDOW(mapping, offset, length, prot)						\
	({										\
		unsigned char *_window = tmm_mapping_mmap(mapping, offset, length, prot); \
											\
		ASSERT_NE(NULL, _window);						\
		_window;								\
	})

TEST_F(library, mmap_shows_a_part)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR);
	unsigned char *window = WINDOW(mapping, 2 * PAGE, 3 * PAGE, RW), byte;

	EXPECT_EQ(3 * PAGE, nr_alike(window, 2 * PAGE, 3 * PAGE));
	window[PAGE] = 0xa5;
	EXPECT_EQ(1, QUERY(tmm_mapping_handle(mapping)).nr_borrows);
	ASSERT_EQ(0, tmm_mapping_munmap(window, 3 * PAGE));
	EXPECT_EQ(0, QUERY(tmm_mapping_handle(mapping)).nr_borrows);
	EXPECT_EQ(SIGSEGV, load(window, &byte));
	ASSERT_EQ(0, tmm_mapping_read(mapping, 3 * PAGE, &byte, 1));
	EXPECT_EQ(0xa5, byte);
	window = WINDOW(mapping, 0, SIZE, R);
	EXPECT_EQ(SIGSEGV, store(window, 0));
	ASSERT_EQ(0, tmm_mapping_munmap(window, SIZE));
}

TEST_F(library, mmap_refuses_what_is_not_in_the_mapping)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR), *none = NULL;
	const __u32 handle = tmm_mapping_handle(mapping);
	struct tmm_mapping *next = OWN_MAPPING(NR);
	uint64_t offset;

	/*
	 * the first call gives the mapping its offset; the next offsets belong to another mapping
	 */
	ASSERT_EQ(0, tmm_mapping_map_offset(mapping, &offset));
	ASSERT_EQ(0, tmm_mapping_map_offset(next, &offset));
	EXPECT_NONE(ERANGE, tmm_mapping_mmap(mapping, SIZE, PAGE, R), handle);
	EXPECT_NONE(ERANGE, tmm_mapping_mmap(mapping, 0, SIZE + PAGE, R), handle);
	EXPECT_NONE(ERANGE, tmm_mapping_mmap(mapping, -PAGE, PAGE, R), handle);
	EXPECT_NONE(EINVAL, tmm_mapping_mmap(mapping, 0, 0, R), handle);
	EXPECT_NONE(EINVAL, tmm_mapping_mmap(mapping, 1, PAGE, R), handle);
	EXPECT_NONE(EACCES, tmm_mapping_mmap(mapping, 0, PAGE, RX), handle);
	EXPECT_NONE(ENOENT, tmm_mapping_mmap(none, 0, PAGE, R));
}

TEST_F(library, windows_are_borrows)
{
	struct tmm_mapping *mapping = OWN_MAPPING(NR);
	const __u32 handle = tmm_mapping_handle(mapping);
	unsigned char *first = WINDOW(mapping, 0, PAGE, R), *second, byte;

	second = WINDOW(mapping, PAGE, PAGE, R);
	EXPECT_EQ(0, tmm_mapping_read(mapping, 0, &byte, 1));
	EXPECT_NONE(EBUSY, tmm_mapping_mmap(mapping, 2 * PAGE, PAGE, RW), handle);
	EXPECT_FAILS(EBUSY, tmm_mapping_write(mapping, 0, &byte, 1), handle);
	EXPECT_FAILS(EBUSY, tmm_mapping_remap(mapping, TMM_READ_ONLY_DATA), handle);
	ASSERT_EQ(0, tmm_mapping_munmap(first, PAGE));
	ASSERT_EQ(0, tmm_mapping_munmap(second, PAGE));
	first = WINDOW(mapping, 0, PAGE, RW);
	EXPECT_FAILS(EBUSY, tmm_mapping_read(mapping, 0, &byte, 1), handle);
	ASSERT_EQ(0, tmm_mapping_munmap(first, PAGE));
	EXPECT_EQ(0, tmm_mapping_munmap(NULL, PAGE));
	EXPECT_FAILS(EINVAL, tmm_mapping_munmap(first + 1, PAGE), handle);
}

TEST_F(library, prefault_leaves_no_fault_for_later)
{
	struct tmm_mapping *mapping = OWN(mapping, tmm_mapping_create(
		self->client, SIZE, TMM_DATA, &(struct tmm_create_options){
			.leaf_size = TMM_PAGE_SIZE }));
	unsigned char *window = WINDOW(mapping, 0, SIZE, R), byte = 0;
	long before;
	int i;

	EXPECT_FAILS(EINVAL, tmm_mapping_prefault(window + 1, PAGE));
	EXPECT_EQ(0, tmm_mapping_prefault(window, 0));
	/* the first call takes the faults of the function's own code and data */
	EXPECT_EQ(0, tmm_mapping_prefault(window, PAGE));
	EXPECT_EQ(0, tmm_mapping_prefault(window, SIZE));
	before = nr_faults();
	for (i = 0; i < NR; i++)
		byte |= *(volatile unsigned char *)(window + i * PAGE);
	EXPECT_EQ(before, nr_faults());
	EXPECT_EQ(0, byte);
	ASSERT_EQ(0, tmm_mapping_munmap(window, SIZE));
}

TEST_F(library, prefault_takes_the_faults)
{
	const size_t nr_bytes = 4 * TMM_LARGE_PAGE_SIZE;
	struct tmm_mapping *mapping = OWN(mapping, tmm_mapping_create(
		self->client, nr_bytes, TMM_DATA, &(struct tmm_create_options){
			.leaf_size = TMM_PAGE_SIZE }));
	unsigned char *window = WINDOW(mapping, 0, nr_bytes, R);
	long before = nr_faults();

	/* a fault inserts entries around the address only, never beyond its 2 MiB */
	ASSERT_EQ(0, tmm_mapping_prefault(window, nr_bytes));
	EXPECT_LE(before + 4, nr_faults());
	ASSERT_EQ(0, tmm_mapping_munmap(window, nr_bytes));
}

TEST_F(library, map_offset_is_for_a_mmap_of_ones_own)
{
	struct tmm_mapping *mapping = OWN_FILLED(NR), *next = OWN_FILLED(2), *none = NULL;
	uint64_t offset, next_offset;
	unsigned char *window;

	ASSERT_EQ(0, tmm_mapping_map_offset(mapping, &offset));
	ASSERT_EQ(0, tmm_mapping_map_offset(next, &next_offset));
	EXPECT_NE(offset, next_offset);
	window = mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset + 3 * PAGE);
	ASSERT_NE((unsigned char *)MAP_FAILED, window);
	EXPECT_EQ(PAGE, nr_alike(window, 3 * PAGE, PAGE));
	ASSERT_EQ(0, tmm_mapping_munmap(window, PAGE));
	EXPECT_FAILS(ENOENT, tmm_mapping_map_offset(none, &offset));
	ASSERT_EQ(0, tmm_mapping_drop(&mapping));
	EXPECT_ERRNO(ENOENT, mmap(NULL, PAGE, R, MAP_SHARED, self->fd, offset));
}

TEST_F(library, revoke_ends_windows)
{
	struct tmm_revocation revocation = { .nr_revoked = 77 };
	struct tmm_mapping *mapping = OWN_FILLED(NR), *none = NULL;
	unsigned char *first = WINDOW(mapping, 0, SIZE, R), *second, byte;

	second = WINDOW(mapping, PAGE, PAGE, R);
	EXPECT_FAILS(ENOENT, tmm_mapping_revoke(none, &revocation));
	EXPECT_EQ(77, revocation.nr_revoked);
	ASSERT_EQ(0, tmm_mapping_revoke(mapping, &revocation));
	EXPECT_EQ(2, revocation.nr_revoked);
	EXPECT_EQ(0, revocation.nr_pinned);
	EXPECT_EQ(SIGBUS, load(first, &byte));
	EXPECT_EQ(SIGBUS, load(second, &byte));
	EXPECT_EQ(0, tmm_mapping_write(mapping, 0, "x", 1));
	EXPECT_EQ(0, tmm_mapping_revoke(mapping, NULL));
	EXPECT_EQ(0, tmm_mapping_drop(&mapping));
	ASSERT_EQ(0, tmm_mapping_munmap(first, SIZE));
	ASSERT_EQ(0, tmm_mapping_munmap(second, PAGE));
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
