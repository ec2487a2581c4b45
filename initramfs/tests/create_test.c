// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that make mappings, two that create and two that map: what they have in common, and
 * where they differ.
 */
#include "client.h"
#include "fragment.h"

#include <errno.h>

#define MADE	(THESEUS_MM_PTE_VALID | THESEUS_MM_PTE_EXCLUSIVE)

/* Pages of each mapping that a variant makes. */
#define NR	4

/**
 * make - a client with the parts for a mapping
 * @pages: handle of NR pages
 * @frames: handle of NR frames
 */
FIXTURE(make)
{
	int fd;
	struct theseus_mm_info start;
	__u32 pages;
	__u32 frames;
};

/**
 * make variants - one for each call that makes a mapping
 * @make: makes a mapping of NR pages; *@handle is set on success
 */
FIXTURE_VARIANT(make)
{
	int (*make)(FIXTURE_DATA(make) *self, __u64 pte_flags, __u32 *handle);
};

static int make_create(FIXTURE_DATA(make) *self, __u64 pte_flags, __u32 *handle)
{
	struct theseus_mm_create_mapping mapping = { 0 };
	int err = uapi_create_mapping(self->fd, NR * PAGE, pte_flags, &mapping);

	*handle = mapping.handle;
	return err;
}

static int make_contiguous(FIXTURE_DATA(make) *self, __u64 pte_flags, __u32 *handle)
{
	struct theseus_mm_create_mapping mapping = { 0 };
	int err = uapi_create_contiguous_mapping(self->fd, NR * PAGE, pte_flags, &mapping);

	*handle = mapping.handle;
	return err;
}

static int make_map(FIXTURE_DATA(make) *self, __u64 pte_flags, __u32 *handle)
{
	struct theseus_mm_map mapping = { 0 };
	int err = uapi_map_allocated_pages(self->fd, self->pages, pte_flags, &mapping);

	*handle = mapping.handle;
	return err;
}

static int make_map_to(FIXTURE_DATA(make) *self, __u64 pte_flags, __u32 *handle)
{
	struct theseus_mm_map mapping = { 0 };
	int err = uapi_map_allocated_pages_to(self->fd, self->pages, self->frames, pte_flags,
					      &mapping);

	*handle = mapping.handle;
	return err;
}

FIXTURE_VARIANT_ADD(make, create_mapping) { .make = make_create };
FIXTURE_VARIANT_ADD(make, create_contiguous_mapping) { .make = make_contiguous };
FIXTURE_VARIANT_ADD(make, map_allocated_pages) { .make = make_map };
FIXTURE_VARIANT_ADD(make, map_allocated_pages_to) { .make = make_map_to };

/* Fill the frames that the next mapping will get. */
static int leave_dirt(int fd)
{
	static unsigned char dirt[16 * PAGE];
	struct theseus_mm_create_mapping mapping;
	int err = uapi_create_mapping(fd, sizeof(dirt), THESEUS_MM_PTE_DATA, &mapping);

	memset(dirt, 0xa5, sizeof(dirt));
	if (!err)
		err = uapi_write(fd, mapping.handle, 0, dirt, sizeof(dirt));
	return err ? err : uapi_drop(fd, mapping.handle);
}

FIXTURE_SETUP(make)
{
	CLIENT_SETUP();
	ASSERT_EQ(0, leave_dirt(self->fd));
	self->pages = PAGES(NR).handle;
	self->frames = FRAMES(NR).handle;
}

FIXTURE_TEARDOWN(make)
{
	CLIENT_TEARDOWN();
}

#define EXPECT_MAKE_REFUSED(error, pte_flags)						\
	EXPECT_REFUSED(error, variant->make(self, pte_flags, &handle), self->pages, self->frames)

TEST_F(make, gives_a_mapping_of_zeros)
{
	static unsigned char content[NR * PAGE], zero[NR * PAGE];
	struct theseus_mm_query query;
	__u32 handle;

	ASSERT_EQ(0, variant->make(self, THESEUS_MM_PTE_DATA, &handle));
	query = QUERY(handle);
	EXPECT_EQ(THESEUS_MM_KIND_MAPPING, query.kind);
	EXPECT_EQ(NR, query.nr_pages);
	EXPECT_EQ(THESEUS_MM_PTE_DATA | MADE, query.pte_flags);
	EXPECT_EQ(self->start.nr_mappings + 1, INFO().nr_mappings);
	memset(content, 0xff, sizeof(content));
	ASSERT_EQ(0, uapi_read(self->fd, handle, 0, content, sizeof(content)));
	EXPECT_EQ(0, memcmp(content, zero, sizeof(content)));
}

TEST_F(make, records_the_flags)
{
	const __u64 recorded = THESEUS_MM_PTE_USER_ACCESSIBLE | THESEUS_MM_PTE_GLOBAL |
			       THESEUS_MM_PTE_NOT_EXECUTABLE;
	struct theseus_mm_translate found;
	__u32 handle;

	ASSERT_EQ(0, variant->make(self, recorded, &handle));
	EXPECT_EQ(recorded | MADE, QUERY(handle).pte_flags);
	/* the hardware's entry has neither USER_ACCESSIBLE nor GLOBAL */
	ASSERT_EQ(0, uapi_translate(self->fd, QUERY(handle).start, &found));
	EXPECT_EQ(MADE | THESEUS_MM_PTE_NOT_EXECUTABLE, found.pte_flags);
}

TEST_F(make, may_be_executable_if_not_writable)
{
	struct theseus_mm_translate found;
	__u32 handle;

	ASSERT_EQ(0, variant->make(self, THESEUS_MM_PTE_ACCESSED, &handle));
	EXPECT_EQ(THESEUS_MM_PTE_ACCESSED | MADE, QUERY(handle).pte_flags);
	ASSERT_EQ(0, uapi_translate(self->fd, QUERY(handle).start, &found));
	EXPECT_NE(0, found.pte_flags & THESEUS_MM_PTE_NOT_EXECUTABLE);
}

TEST_F(make, refuses_each_flag_that_is_not_settable)
{
	struct snapshot before;
	__u32 handle;
	int bit;

	TAKE_SNAPSHOT(&before, self->pages, self->frames);
	for (bit = 0; bit < 64; bit++)
		if (!(THESEUS_MM_PTE_SETTABLE & 1ULL << bit))
			EXPECT_EQ(-EINVAL, variant->make(self, THESEUS_MM_PTE_DATA | 1ULL << bit,
							 &handle));
	EXPECT_UNCHANGED(&before, self->pages, self->frames);
}

TEST_F(make, refuses_writable_and_executable_at_once)
{
	__u32 handle;

	EXPECT_MAKE_REFUSED(EINVAL, THESEUS_MM_PTE_WRITABLE);
	EXPECT_MAKE_REFUSED(EINVAL, THESEUS_MM_PTE_WRITABLE | THESEUS_MM_PTE_ACCESSED);
}

TEST_F(make, refuses_a_memory_type_on_ram)
{
	__u32 handle;

	EXPECT_MAKE_REFUSED(EOPNOTSUPP, THESEUS_MM_PTE_DATA | THESEUS_MM_PTE_DEVICE_MEMORY);
}

/* --- create -------------------------------------------------------------------------- */

TEST_F(client, create_rounds_up_to_pages)
{
	struct theseus_mm_create_mapping mapping;
	unsigned char byte = 1;

	ASSERT_EQ(0, uapi_create_mapping(self->fd, PAGE + 1, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(2, mapping.nr_pages);
	EXPECT_EQ(0, uapi_write(self->fd, mapping.handle, 2 * PAGE - 1, &byte, 1));
	EXPECT_EQ(0, mapping.start % PAGE);
	EXPECT_EQ(QUERY(mapping.handle).start, mapping.start);
}

TEST_F(client, create_costs_what_it_says)
{
	struct theseus_mm_info info;
	__u32 handle = MAPPING(6).handle;

	info = INFO();
	EXPECT_EQ(1, info.client_handles);
	EXPECT_EQ(6, info.client_frames);
	EXPECT_EQ(self->start.pages_free - 6, info.pages_free);
	/* a new part of the address space needs one table for each level below the root */
	EXPECT_EQ(self->start.nr_tables + info.paging_levels - 1, info.nr_tables);
	EXPECT_EQ(self->start.frames_free - 6 - (info.paging_levels - 1), info.frames_free);
	ASSERT_EQ(0, uapi_drop(self->fd, handle));
	EXPECT_ALL_BACK();
}

TEST_F(client, create_contiguous_is_one_run)
{
	struct theseus_mm_create_mapping mapping;
	struct theseus_mm_translate found;
	__u64 page;

	ASSERT_EQ(0, uapi_create_contiguous_mapping(self->fd, 9 * PAGE, THESEUS_MM_PTE_DATA,
						    &mapping));
	EXPECT_EQ(1, QUERY(mapping.handle).nr_frame_ranges);
	for (page = 0; page < 9; page++) {
		ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + page * PAGE, &found));
		EXPECT_EQ(mapping.paddr + page * PAGE, found.paddr);
	}
}

TEST_F(client, create_does_not_tell_an_address_that_is_not_one)
{
	EXPECT_EQ(0, MAPPING(3).paddr);
}

TEST_F(client, create_refuses_nothing)
{
	struct theseus_mm_create_mapping mapping;

	EXPECT_REFUSED(EINVAL, uapi_create_mapping(self->fd, 0, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_REFUSED(EINVAL, uapi_create_contiguous_mapping(self->fd, 0, THESEUS_MM_PTE_DATA,
							      &mapping));
}

TEST_F(client, create_refuses_a_size_that_overflows)
{
	static const __u64 sizes[] = { ~0ULL, ~0ULL - PAGE + 2 };
	struct theseus_mm_create_mapping mapping;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_REFUSED(EOVERFLOW, uapi_create_mapping(self->fd, sizes[i],
							      THESEUS_MM_PTE_DATA, &mapping));
		EXPECT_REFUSED(EOVERFLOW,
			       uapi_create_contiguous_mapping(self->fd, sizes[i],
							      THESEUS_MM_PTE_DATA, &mapping));
	}
}

TEST_F(client, create_refuses_what_is_too_large)
{
	const __u64 sizes[] = {
		(self->start.frames_free + 1) * PAGE, ~0ULL - PAGE + 1, 1ULL << 63,
	};
	struct theseus_mm_create_mapping mapping;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* all sizes but the first are more pages than any client may have */
		EXPECT_REFUSED(i ? EDQUOT : ENOSPC,
			       uapi_create_mapping(self->fd, sizes[i], THESEUS_MM_PTE_DATA,
						   &mapping));
		EXPECT_REFUSED(ENOSPC,
			       uapi_create_contiguous_mapping(self->fd, sizes[i],
							      THESEUS_MM_PTE_DATA, &mapping));
	}
}

/* --- with little memory left ----------------------------------------------------------- */

TEST_F(client, create_uses_as_many_runs_as_it_needs)
{
	static unsigned char pattern[8 * PAGE], content[8 * PAGE];
	struct theseus_mm_create_mapping mapping;
	size_t i;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	ASSERT_EQ(0, uapi_create_mapping(self->fd, sizeof(pattern), THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(8, QUERY(mapping.handle).nr_frame_ranges);
	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = i / PAGE * 16 + i;
	ASSERT_EQ(0, uapi_write(self->fd, mapping.handle, 0, pattern, sizeof(pattern)));
	ASSERT_EQ(0, uapi_read(self->fd, mapping.handle, 0, content, sizeof(content)));
	EXPECT_EQ(0, memcmp(pattern, content, sizeof(pattern)));
}

TEST_F(client, create_contiguous_refuses_runs_that_are_too_short)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	EXPECT_REFUSED(ENOSPC, uapi_create_contiguous_mapping(self->fd, 2 * PAGE,
							      THESEUS_MM_PTE_DATA, &mapping));
}

TEST_F(client, create_refuses_one_page_too_many)
{
	struct theseus_mm_create_mapping mapping;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	EXPECT_REFUSED(ENOSPC, uapi_create_mapping(self->fd, 17 * PAGE, THESEUS_MM_PTE_DATA,
						   &mapping));
}

/* There are enough frames for the pages, but not for the tables: the call is undone. */
TEST_F(client, create_refuses_if_only_the_tables_do_not_fit)
{
	struct theseus_mm_create_mapping mapping;
	__u64 nr;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	for (nr = 16 - (self->start.paging_levels - 2); nr <= 16; nr++)
		EXPECT_REFUSED(ENOSPC, uapi_create_mapping(self->fd, nr * PAGE,
							   THESEUS_MM_PTE_DATA, &mapping));
	nr = 16 - (self->start.paging_levels - 1);
	EXPECT_EQ(0, uapi_create_mapping(self->fd, nr * PAGE, THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(0, INFO().frames_free);
}

TEST_F(client, map_refuses_if_the_frames_do_not_fit)
{
	struct theseus_mm_allocate pages = PAGES(17);
	struct theseus_mm_map mapping;

	ASSERT_EQ(0, leave_singles(self->fd, 16));
	EXPECT_REFUSED(ENOSPC, uapi_map_allocated_pages(self->fd, pages.handle,
							THESEUS_MM_PTE_DATA, &mapping),
		       pages.handle);
}

TEST_F(client, map_to_refuses_if_the_tables_do_not_fit)
{
	struct theseus_mm_allocate pages = PAGES(2), frames = FRAMES(2);
	struct theseus_mm_map mapping;

	ASSERT_EQ(0, leave_singles(self->fd, 1));
	EXPECT_REFUSED(ENOSPC, uapi_map_allocated_pages_to(self->fd, pages.handle, frames.handle,
							   THESEUS_MM_PTE_DATA, &mapping),
		       pages.handle, frames.handle);
}

/* --- map ------------------------------------------------------------------------------- */

TEST_F(client, map_uses_the_pages_and_consumes_them)
{
	struct theseus_mm_allocate pages = PAGES(5);
	struct theseus_mm_map mapping;

	ASSERT_EQ(0, uapi_map_allocated_pages(self->fd, pages.handle, THESEUS_MM_PTE_DATA,
					      &mapping));
	EXPECT_EQ(pages.start, mapping.start);
	EXPECT_EQ(5, mapping.nr_pages);
	EXPECT_GONE(pages.handle);
	EXPECT_EQ(1, INFO().client_handles);
}

TEST_F(client, map_to_uses_pages_and_frames_and_consumes_both)
{
	struct theseus_mm_allocate pages = PAGES(5), frames = FRAMES(5);
	struct theseus_mm_translate found;
	struct theseus_mm_map mapping;

	ASSERT_EQ(0, uapi_map_allocated_pages_to(self->fd, pages.handle, frames.handle,
						 THESEUS_MM_PTE_DATA, &mapping));
	EXPECT_EQ(pages.start, mapping.start);
	EXPECT_EQ(5, mapping.nr_pages);
	EXPECT_GONE(pages.handle);
	EXPECT_GONE(frames.handle);
	ASSERT_EQ(0, uapi_translate(self->fd, mapping.start + 4 * PAGE + 7, &found));
	EXPECT_EQ(frames.start + 4 * PAGE + 7, found.paddr);
	EXPECT_EQ(12, found.page_size_shift);
}

TEST_F(client, map_to_refuses_counts_that_differ)
{
	struct theseus_mm_allocate pages = PAGES(5), fewer = FRAMES(4), more = FRAMES(6);
	struct theseus_mm_map mapping;

	EXPECT_REFUSED(EINVAL, uapi_map_allocated_pages_to(self->fd, pages.handle, fewer.handle,
							   THESEUS_MM_PTE_DATA, &mapping),
		       pages.handle, fewer.handle);
	EXPECT_REFUSED(EINVAL, uapi_map_allocated_pages_to(self->fd, pages.handle, more.handle,
							   THESEUS_MM_PTE_DATA, &mapping),
		       pages.handle, more.handle);
}

TEST_HARNESS_MAIN
