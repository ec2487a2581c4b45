// SPDX-License-Identifier: GPL-2.0
/*
 * Properties that pages have and frames lack: the address space has a first and a last page, and
 * many addresses are outside it.
 */
#include "client.h"
#include "limits.h"

static int pages_at(int fd, __u64 at, __u64 nr)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_AT,
		.at = at,
		.size = nr,
	};

	return uapi_allocate_pages(fd, &call);
}

static int pages_in_range(int fd, __u64 min, __u64 max, __u64 nr)
{
	struct theseus_mm_allocate call = {
		.flags = THESEUS_MM_ALLOCATE_IN_RANGE,
		.min = min,
		.max = max,
		.size = nr,
	};

	return uapi_allocate_pages(fd, &call);
}

/* The address after the last page. */
#define END	(self->start.pages_start + self->start.pages_total * PAGE)

TEST_F(client, the_first_page_can_be_had)
{
	EXPECT_EQ(0, pages_at(self->fd, self->start.pages_start, 1));
}

TEST_F(client, the_last_page_can_be_had)
{
	EXPECT_EQ(0, pages_at(self->fd, END - 1, 1));
}

/*
 * Lift the limits, since the default limits leave room for others. The request names an address,
 * because the allocator finds a run of more than 16 TiB only at a given address.
 */
TEST_F(client, all_pages_can_be_had)
{
	struct theseus_mm_allocate call = { .size = 1 };
	char saved[32];

	ASSERT_EQ(0, read_parameter("max_user_pages", saved));
	ASSERT_EQ(0, write_parameter("max_user_pages", "unlimited"));
	ASSERT_EQ(0, uapi_set_limit(self->fd, THESEUS_MM_SET_PAGES, THESEUS_MM_NO_LIMIT));
	EXPECT_EQ(0, pages_at(self->fd, self->start.pages_start, self->start.pages_total));
	EXPECT_EQ(0, INFO().pages_free);
	EXPECT_REFUSED(ENOSPC, uapi_allocate_pages(self->fd, &call));
	EXPECT_EQ(0, write_parameter("max_user_pages", saved));
}

/* Pages have 8 TiB with 4 levels, 4 PiB with 5; the last sixteenth is the kernel region. */
TEST_F(client, pages_are_as_many_as_the_levels_give)
{
	EXPECT_EQ(15ULL << (self->start.paging_levels * 9 - 9), self->start.pages_total);
}

TEST_F(client, a_range_may_be_the_whole_address_space)
{
	EXPECT_EQ(0, pages_in_range(self->fd, 0, ~0ULL, 1));
}

TEST_F(client, refuses_a_run_past_the_last_page)
{
	EXPECT_REFUSED(EADDRNOTAVAIL, pages_at(self->fd, END - PAGE, 2));
}

TEST_F(client, refuses_the_page_after_the_last)
{
	EXPECT_REFUSED(ERANGE, pages_at(self->fd, END, 1));
	EXPECT_REFUSED(ERANGE, pages_at(self->fd, ~0ULL, 1));
}

TEST_F(client, refuses_the_page_before_the_first)
{
	EXPECT_REFUSED(self->start.pages_start == ~0ULL << (self->start.paging_levels * 9 + 11) ?
		       EINVAL : ERANGE, pages_at(self->fd, self->start.pages_start - 1, 1));
}

TEST_F(client, refuses_the_kernels_own_addresses)
{
	EXPECT_REFUSED(ERANGE, pages_at(self->fd, 0xffffffff81000000ULL, 1));
	EXPECT_REFUSED(ERANGE, pages_in_range(self->fd, 0xffffffff80000000ULL, ~0ULL, 1));
}

TEST_F(client, refuses_the_lower_half)
{
	EXPECT_REFUSED(ERANGE, pages_at(self->fd, 0x400000, 1));
	EXPECT_REFUSED(ERANGE, pages_in_range(self->fd, 0, 1ULL << 46, 1));
}

TEST_F(client, refuses_addresses_that_are_not_canonical)
{
	const __u64 first_bad = 1ULL << (self->start.paging_levels * 9 + 11);

	EXPECT_REFUSED(EINVAL, pages_at(self->fd, first_bad, 1));
	EXPECT_REFUSED(EINVAL, pages_in_range(self->fd, first_bad, ~0ULL, 1));
	EXPECT_REFUSED(EINVAL, pages_in_range(self->fd, 0, first_bad, 1));
	EXPECT_REFUSED(EINVAL, pages_at(self->fd, 1ULL << 63, 1));
}

TEST_F(client, pages_take_no_frames)
{
	PAGES(1 << 20);
	EXPECT_EQ(self->start.frames_free, INFO().frames_free);
	EXPECT_EQ(self->start.nr_tables, INFO().nr_tables);
}

TEST_F(client, merge_takes_the_one_before)
{
	struct theseus_mm_allocate pages = PAGES(8);
	struct theseus_mm_query query;
	__u32 first, second;

	ASSERT_EQ(0, uapi_split(self->fd, pages.handle, 3 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, second, first));
	ASSERT_EQ(0, uapi_query(self->fd, second, &query));
	EXPECT_EQ(pages.start, query.start);
	EXPECT_EQ(8, query.nr_pages);
	EXPECT_EQ(1, INFO().client_handles);
}

TEST_F(client, merge_refuses_what_does_not_touch)
{
	struct theseus_mm_allocate pages = PAGES(8);
	__u32 first, middle, last, rest;

	ASSERT_EQ(0, uapi_split(self->fd, pages.handle, 3 * PAGE, &first, &rest));
	ASSERT_EQ(0, uapi_split(self->fd, rest, PAGE, &middle, &last));
	EXPECT_REFUSED(EDOM, uapi_merge(self->fd, first, last), first, last);
	EXPECT_REFUSED(EDOM, uapi_merge(self->fd, last, first), first, last);
}

TEST_HARNESS_MAIN
