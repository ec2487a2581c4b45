// SPDX-License-Identifier: GPL-2.0
/*
 * TRANSLATE and DUMP_PTE.
 */
#include "client.h"

#define ENTRY_PRESENT	1ULL
#define ENTRY_FRAME	0x000FFFFFFFFFF000ULL
#define USED(entry)	((entry) >> 52 & 0x7ff)

TEST_F(client, translate_keeps_the_offset)
{
	static const __u64 offsets[] = { 0, 1, PAGE - 1, PAGE, 2 * PAGE + 77, 3 * PAGE - 1 };
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;
	unsigned int i;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 3 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + offsets[i], &found));
		EXPECT_EQ(mapping.paddr + offsets[i], found.paddr);
		EXPECT_EQ(12, found.page_size_shift);
	}
}

TEST_F(client, translate_shows_the_flags)
{
	const __u64 made = THESEUS_MM_PTE_VALID | THESEUS_MM_PTE_EXCLUSIVE;
	struct theseus_mm_create_mapping mapping = MAPPING(1);
	struct theseus_mm_translate found;

	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_EQ(THESEUS_MM_PTE_DATA | made, found.pte_flags);
}

/* The hardware sets ACCESSED and DIRTY. */
TEST_F(client, translate_shows_what_was_written)
{
	struct theseus_mm_create_mapping mapping = MAPPING(2);
	struct theseus_mm_translate found;

	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, PAGE, "x", 1));
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start, &found));
	EXPECT_EQ(0, found.pte_flags & THESEUS_MM_PTE_DIRTY);
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + PAGE, &found));
	EXPECT_NE(0, found.pte_flags & THESEUS_MM_PTE_DIRTY);
}

TEST_F(client, translate_refuses_what_is_not_mapped)
{
	struct theseus_mm_allocate pages = PAGES(3);
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	struct theseus_mm_translate found;

	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, mapping.start - 1, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, mapping.start + 3 * PAGE, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, pages.start, &found), pages.handle);
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, self->start.pages_start +
					      self->start.pages_total * PAGE - 1, &found));
}

/* TRANSLATE does not show Linux's own mappings. */
TEST_F(client, translate_refuses_addresses_of_linux)
{
	static char here;
	struct theseus_mm_translate found;

	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, 0xffffffff81000000ULL, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, 0xffff888000000000ULL, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, ~0ULL, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, 0, &found));
	EXPECT_REFUSED(ENOENT, uapi_translate(self->fd, (uintptr_t)&here, &found));
}

TEST_F(client, translate_refuses_an_address_that_is_not_canonical)
{
	const __u64 first_bad = 1ULL << (self->start.paging_levels * 9 + 11);
	struct theseus_mm_translate found;

	EXPECT_REFUSED(EINVAL, uapi_translate(self->fd, first_bad, &found));
	EXPECT_REFUSED(EINVAL, uapi_translate(self->fd, 1ULL << 63, &found));
	EXPECT_REFUSED(EINVAL, uapi_translate(self->fd, -first_bad - 1, &found));
}

TEST_F(client, dump_walks_all_levels)
{
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	struct theseus_mm_translate found;
	struct theseus_mm_dump_pte dump;
	unsigned int i, last;

	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + 2 * PAGE, &found));
	ASSERT_EQ(0, uapi_dump_pte(self->fd, mapping.start + 2 * PAGE + 5, &dump));
	ASSERT_EQ(self->start.paging_levels, dump.nr_levels);
	last = dump.nr_levels - 1;
	for (i = 0; i <= last; i++)
		EXPECT_NE(0, dump.entries[i] & ENTRY_PRESENT);
	EXPECT_EQ(found.paddr, dump.entries[last] & ENTRY_FRAME);
	EXPECT_EQ(found.pte_flags, dump.entries[last] & ~ENTRY_FRAME);
	/* the lowest table has three entries, and each table above it has one */
	EXPECT_EQ(3, USED(dump.entries[last - 1]));
	for (i = 0; i + 1 < last; i++)
		EXPECT_EQ(1, USED(dump.entries[i]));
	for (i = dump.nr_levels; i < THESEUS_MM_MAX_LEVELS; i++)
		EXPECT_EQ(0, dump.entries[i]);
}

TEST_F(client, dump_ends_where_nothing_is_mapped)
{
	struct theseus_mm_create_mapping mapping = MAPPING(3);
	struct theseus_mm_dump_pte dump;

	ASSERT_EQ(0, uapi_dump_pte(self->fd, mapping.start + 3 * PAGE, &dump));
	EXPECT_EQ(self->start.paging_levels, dump.nr_levels);
	EXPECT_EQ(0, dump.entries[dump.nr_levels - 1]);
	ASSERT_EQ(0, uapi_drop(self->fd, mapping.handle));
	ASSERT_EQ(0, uapi_dump_pte(self->fd, mapping.start, &dump));
	EXPECT_EQ(1, dump.nr_levels);
	EXPECT_EQ(0, dump.entries[0]);
}

/* The root has Linux's entries, but the walk does not follow them. */
TEST_F(client, dump_does_not_enter_tables_of_linux)
{
	struct theseus_mm_dump_pte dump;

	ASSERT_EQ(0, uapi_dump_pte(self->fd, 0xffffffff81000000ULL, &dump));
	EXPECT_EQ(1, dump.nr_levels);
}

TEST_F(client, dump_refuses_an_address_that_is_not_canonical)
{
	const __u64 first_bad = 1ULL << (self->start.paging_levels * 9 + 11);
	struct theseus_mm_dump_pte dump;

	EXPECT_REFUSED(EINVAL, uapi_dump_pte(self->fd, first_bad, &dump));
	EXPECT_REFUSED(EINVAL, uapi_dump_pte(self->fd, 1ULL << 63, &dump));
}

TEST_HARNESS_MAIN
