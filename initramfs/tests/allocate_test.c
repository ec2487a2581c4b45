// SPDX-License-Identifier: GPL-2.0
/*
 * The properties that pages and frames share: every kind of request, every refusal, split and
 * merge. Each test runs for both.
 *
 * A test chooses addresses only in its arena: NR_ARENA chunks that were free before the test began.
 */
#include "client.h"

#define NR_ARENA	64

FIXTURE(allocate)
{
	int fd;
	struct theseus_mm_info start;
	__u64 arena;
};

FIXTURE_VARIANT(allocate)
{
	unsigned long request;
	__u32 kind;
};

FIXTURE_VARIANT_ADD(allocate, pages)
{
	.request = THESEUS_MM_IOC_ALLOCATE_PAGES,
	.kind = THESEUS_MM_KIND_PAGES,
};

FIXTURE_VARIANT_ADD(allocate, frames)
{
	.request = THESEUS_MM_IOC_ALLOCATE_FRAMES,
	.kind = THESEUS_MM_KIND_FRAMES,
};

FIXTURE_SETUP(allocate)
{
	struct theseus_mm_allocate call = { .size = NR_ARENA };

	CLIENT_SETUP();
	ASSERT_EQ(0, uapi_call(self->fd, variant->request, &call));
	self->arena = call.start;
	ASSERT_EQ(0, uapi_drop(self->fd, call.handle));
}

FIXTURE_TEARDOWN(allocate)
{
	CLIENT_TEARDOWN();
}

/* Address of a chunk of the arena. */
#define AT(nr)	(self->arena + (nr) * PAGE)

/* Make the call that the fields describe; @call then has the results. */
#define TRY(...)									\
	({										\
		call = (struct theseus_mm_allocate){ __VA_ARGS__ };			\
		uapi_call(self->fd, variant->request, &call);				\
	})

#define EXPECT_TAKEN(want_start, want_nr)						\
	do {										\
		EXPECT_NE(0, call.handle);						\
		EXPECT_EQ(want_start, call.start);					\
		EXPECT_EQ(want_nr, call.nr_pages);					\
	} while (0)

static __u64 nr_free(const struct theseus_mm_info *info, __u32 kind)
{
	return kind == THESEUS_MM_KIND_PAGES ? info->pages_free : info->frames_free;
}

TEST_F(allocate, any)
{
	struct theseus_mm_allocate call;
	struct theseus_mm_query query;
	struct theseus_mm_info info;

	ASSERT_EQ(0, TRY(.size = 5));
	EXPECT_NE(0, call.handle);
	EXPECT_EQ(0, call.start % PAGE);
	EXPECT_EQ(5, call.nr_pages);

	query = QUERY(call.handle);
	EXPECT_EQ(variant->kind, query.kind);
	EXPECT_EQ(call.start, query.start);
	EXPECT_EQ(5, query.nr_pages);
	EXPECT_EQ(0, query.pte_flags);
	if (variant->kind == THESEUS_MM_KIND_FRAMES)
		EXPECT_EQ(1, query.nr_frame_ranges);

	info = INFO();
	EXPECT_EQ(nr_free(&self->start, variant->kind) - 5, nr_free(&info, variant->kind));
	EXPECT_EQ(1, info.client_handles);
	EXPECT_EQ(variant->kind == THESEUS_MM_KIND_FRAMES ? 5 : 0, info.client_frames);
	EXPECT_EQ(0, uapi_drop(self->fd, call.handle));
	EXPECT_ALL_BACK();
}

TEST_F(allocate, two_never_overlap)
{
	struct theseus_mm_allocate call, first;

	ASSERT_EQ(0, TRY(.size = 3));
	first = call;
	ASSERT_EQ(0, TRY(.size = 3));
	EXPECT_NE(first.handle, call.handle);
	EXPECT_TRUE(call.start >= first.start + 3 * PAGE || first.start >= call.start + 3 * PAGE);
}

TEST_F(allocate, by_bytes_rounds_up)
{
	static const struct {
		__u64 size, nr;
	} cases[] = { { 1, 1 }, { PAGE - 1, 1 }, { PAGE, 1 }, { PAGE + 1, 2 }, { 5 * PAGE, 5 } };
	struct theseus_mm_allocate call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_BY_BYTES, .size = cases[i].size));
		EXPECT_EQ(cases[i].nr, call.nr_pages);
	}
}

TEST_F(allocate, at_an_address)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(10), .size = 4));
	EXPECT_TAKEN(AT(10), 4);
}

TEST_F(allocate, at_takes_the_chunk_that_contains_the_address)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(10) + 0xabc, .size = 4));
	EXPECT_TAKEN(AT(10), 4);
}

TEST_F(allocate, by_bytes_at_counts_from_the_offset_in_the_chunk)
{
	const __u32 flags = THESEUS_MM_ALLOCATE_AT | THESEUS_MM_ALLOCATE_BY_BYTES;
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = flags, .at = AT(10) + PAGE - 1, .size = 2));
	EXPECT_TAKEN(AT(10), 2);
	ASSERT_EQ(0, TRY(.flags = flags, .at = AT(20) + 1, .size = PAGE - 1));
	EXPECT_TAKEN(AT(20), 1);
}

TEST_F(allocate, in_a_range_that_just_fits)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(30),
			 .max = AT(34) - 1, .size = 4));
	EXPECT_TAKEN(AT(30), 4);
}

TEST_F(allocate, in_a_range_skips_what_is_taken)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(32), .size = 1));
	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(30),
			 .max = AT(37) - 1, .size = 4));
	EXPECT_TAKEN(AT(33), 4);
}

TEST_F(allocate, in_a_range_uses_whole_chunks_only)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(30) + 1,
			 .max = AT(33) + PAGE - 1, .size = 3));
	EXPECT_TAKEN(AT(31), 3);
	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(40),
				   .max = AT(44) - 2, .size = 4));
	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(40) + 1,
				   .max = AT(44) - 1, .size = 4));
}

TEST_F(allocate, aligned)
{
	static const __u64 alignments[] = { PAGE, 2 * PAGE, 64 * PAGE, 2ULL << 20, 1ULL << 27 };
	struct theseus_mm_allocate call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alignments); i++) {
		ASSERT_EQ(0, TRY(.align = alignments[i], .size = 3));
		EXPECT_EQ(0, call.start % alignments[i]);
		EXPECT_EQ(3, call.nr_pages);
	}
}

TEST_F(allocate, aligned_in_a_range)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(1),
			 .max = AT(NR_ARENA) - 1, .align = 16 * PAGE, .size = 2));
	EXPECT_EQ(0, call.start % (16 * PAGE));
	EXPECT_GE(call.start, AT(1));
	EXPECT_LE(call.start, AT(NR_ARENA - 2));
}

TEST_F(allocate, dropped_neighbours_become_one_run)
{
	struct theseus_mm_allocate call;
	__u32 handles[3];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(4 * i), .size = 4));
		handles[i] = call.handle;
	}
	ASSERT_EQ(0, uapi_drop(self->fd, handles[0]));
	ASSERT_EQ(0, uapi_drop(self->fd, handles[2]));
	ASSERT_EQ(0, uapi_drop(self->fd, handles[1]));
	EXPECT_ALL_BACK();
	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0), .size = 12));
}

/* --- refusals, one error a test ---------------------------------------------------- */

TEST_F(allocate, refuses_nothing)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.size = 0));
	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_BY_BYTES));
	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0)));
}

TEST_F(allocate, refuses_at_together_with_a_range)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_AT | THESEUS_MM_ALLOCATE_IN_RANGE,
				   .at = AT(0), .min = AT(0), .max = AT(9), .size = 1));
}

TEST_F(allocate, refuses_at_together_with_an_alignment)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0), .align = PAGE,
				   .size = 1));
}

TEST_F(allocate, refuses_fields_that_no_flag_asks_for)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.at = AT(0), .size = 1));
	EXPECT_REFUSED(EINVAL, TRY(.min = AT(0), .size = 1));
	EXPECT_REFUSED(EINVAL, TRY(.max = AT(1), .size = 1));
	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0), .min = 1,
				   .size = 1));
	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .at = 1, .min = AT(0),
				   .max = AT(9), .size = 1));
}

TEST_F(allocate, refuses_an_alignment_that_is_no_multiple_of_a_page)
{
	static const __u64 alignments[] = { 1, 8, PAGE - 1, PAGE + 1, PAGE / 2, ~0ULL };
	struct theseus_mm_allocate call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(alignments); i++)
		EXPECT_REFUSED(EINVAL, TRY(.align = alignments[i], .size = 1));
}

TEST_F(allocate, refuses_a_range_without_a_whole_chunk)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(9) + 1,
				   .max = AT(9) + PAGE - 1, .size = 1));
	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(9),
				   .max = AT(9), .size = 1));
}

TEST_F(allocate, refuses_a_range_that_ends_before_it_starts)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(9),
				   .max = AT(3), .size = 1));
	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(9), .max = 0,
				   .size = 1));
}

TEST_F(allocate, refuses_an_address_that_is_not_canonical)
{
	/* a non-canonical virtual address, or a physical address of more than 52 bits */
	const __u64 hole = variant->kind == THESEUS_MM_KIND_PAGES ? 1ULL << 60 : 1ULL << 52;
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EINVAL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = hole, .size = 1));
}

TEST_F(allocate, refuses_a_size_that_overflows)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EOVERFLOW, TRY(.size = ~0ULL));
	EXPECT_REFUSED(EOVERFLOW, TRY(.size = 1ULL << 52));
	EXPECT_REFUSED(EOVERFLOW, TRY(.size = (1ULL << 52) + 1));
	EXPECT_REFUSED(EOVERFLOW, TRY(.size = 1ULL << 63));
	EXPECT_REFUSED(EOVERFLOW, TRY(.flags = THESEUS_MM_ALLOCATE_BY_BYTES, .size = ~0ULL));
	EXPECT_REFUSED(EOVERFLOW, TRY(.flags = THESEUS_MM_ALLOCATE_BY_BYTES,
				      .size = ~0ULL - PAGE + 2));
}

TEST_F(allocate, refuses_an_end_that_overflows)
{
	const __u32 flags = THESEUS_MM_ALLOCATE_AT | THESEUS_MM_ALLOCATE_BY_BYTES;
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(EOVERFLOW, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0),
				      .size = (1ULL << 52) - 1));
	EXPECT_REFUSED(EOVERFLOW, TRY(.flags = flags, .at = AT(0) + 1, .size = ~0ULL));
	EXPECT_REFUSED(EOVERFLOW, TRY(.flags = flags, .at = AT(0),
				      .size = ~0ULL - self->arena + 2));
}

TEST_F(allocate, refuses_what_is_too_large)
{
	const __u64 free_now = nr_free(&self->start, variant->kind);
	/* no client may have all pages, even if all are free */
	const int error = variant->kind == THESEUS_MM_KIND_PAGES ? EDQUOT : ENOSPC;
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(error, TRY(.size = free_now + 1));
	EXPECT_REFUSED(error, TRY(.size = (1ULL << 52) - 1));
	EXPECT_REFUSED(error, TRY(.flags = THESEUS_MM_ALLOCATE_BY_BYTES,
				  .size = free_now * PAGE + 1));
}

TEST_F(allocate, refuses_what_does_not_fit_the_range)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(0),
				   .max = AT(4) - 1, .size = 5));
	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(2), .size = 1));
	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = AT(0),
				   .max = AT(5) - 1, .size = 3));
}

TEST_F(allocate, refuses_an_alignment_that_nothing_has)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(ENOSPC, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE,
				   .min = AT(0) / (1ULL << 30) * (1ULL << 30) + PAGE,
				   .max = AT(0) / (1ULL << 30) * (1ULL << 30) + (1ULL << 30) - 1,
				   .align = 1ULL << 30, .size = 1));
}

TEST_F(allocate, refuses_an_address_that_is_owned)
{
	struct theseus_mm_allocate call;
	__u32 owned;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(10), .size = 4));
	owned = call.handle;
	EXPECT_REFUSED(EADDRINUSE, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(10), .size = 1),
		       owned);
	EXPECT_REFUSED(EADDRINUSE, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(13) + 99,
				       .size = 9), owned);
}

TEST_F(allocate, refuses_an_address_before_something_owned)
{
	struct theseus_mm_allocate call;
	__u32 owned;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(10), .size = 4));
	owned = call.handle;
	EXPECT_REFUSED(EADDRNOTAVAIL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(9),
					  .size = 2), owned);
	EXPECT_REFUSED(EADDRNOTAVAIL, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(0),
					  .size = NR_ARENA), owned);
}

TEST_F(allocate, refuses_an_address_outside_of_every_region)
{
	struct theseus_mm_allocate call;

	EXPECT_REFUSED(ERANGE, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = 0, .size = 1));
	EXPECT_REFUSED(ERANGE, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = PAGE, .size = 2));
	EXPECT_REFUSED(ERANGE, TRY(.flags = THESEUS_MM_ALLOCATE_IN_RANGE, .min = 0,
				   .max = 16 * PAGE - 1, .size = 1));
}

/* --- split and merge ------------------------------------------------------------------ */

TEST_F(allocate, split_makes_two)
{
	struct theseus_mm_allocate call;
	struct theseus_mm_query one, two;
	struct theseus_mm_info before;
	char text[SNAPSHOT_TEXT];
	__u32 first, second;

	ASSERT_EQ(0, TRY(.size = 8));
	before = INFO();
	ASSERT_EQ(0, uapi_split(self->fd, call.handle, 3 * PAGE, &first, &second));
	EXPECT_NE(first, second);
	one = QUERY(first);
	two = QUERY(second);
	EXPECT_EQ(variant->kind, one.kind);
	EXPECT_EQ(variant->kind, two.kind);
	EXPECT_EQ(call.start, one.start);
	EXPECT_EQ(3, one.nr_pages);
	EXPECT_EQ(call.start + 3 * PAGE, two.start);
	EXPECT_EQ(5, two.nr_pages);
	before.client_handles++;
	{
		struct theseus_mm_info after = INFO();

		EXPECT_STREQ("", info_difference(&before, &after, text));
	}
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_EQ(5, QUERY(second).nr_pages);
}

TEST_F(allocate, split_refuses_an_offset_that_leaves_nothing)
{
	struct theseus_mm_allocate call;
	__u32 first, second;

	ASSERT_EQ(0, TRY(.size = 8));
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, 0, &first, &second), call.handle);
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, 8 * PAGE, &first, &second),
		       call.handle);
}

TEST_F(allocate, split_refuses_an_offset_outside)
{
	struct theseus_mm_allocate call;
	__u32 first, second;

	ASSERT_EQ(0, TRY(.size = 8));
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, 9 * PAGE, &first, &second),
		       call.handle);
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, ~0ULL - PAGE + 1, &first, &second),
		       call.handle);
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, -call.start, &first, &second),
		       call.handle);
}

TEST_F(allocate, split_refuses_an_offset_within_a_page)
{
	struct theseus_mm_allocate call;
	__u32 first, second;

	ASSERT_EQ(0, TRY(.size = 8));
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, 1, &first, &second), call.handle);
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, 3 * PAGE - 1, &first, &second),
		       call.handle);
	EXPECT_REFUSED(EINVAL, uapi_split(self->fd, call.handle, ~0ULL, &first, &second),
		       call.handle);
}

TEST_F(allocate, merge_undoes_split)
{
	struct theseus_mm_allocate call;
	__u32 first, second;

	ASSERT_EQ(0, TRY(.size = 8));
	ASSERT_EQ(0, uapi_split(self->fd, call.handle, 3 * PAGE, &first, &second));
	ASSERT_EQ(0, uapi_merge(self->fd, first, second));
	EXPECT_GONE(second);
	EXPECT_EQ(call.start, QUERY(first).start);
	EXPECT_EQ(8, QUERY(first).nr_pages);
	EXPECT_EQ(1, INFO().client_handles);
	ASSERT_EQ(0, uapi_drop(self->fd, first));
	EXPECT_ALL_BACK();
}

TEST_F(allocate, merge_joins_what_was_allocated_apart)
{
	struct theseus_mm_allocate call;
	__u32 first;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(4), .size = 4));
	first = call.handle;
	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(8), .size = 2));
	ASSERT_EQ(0, uapi_merge(self->fd, first, call.handle));
	EXPECT_EQ(AT(4), QUERY(first).start);
	EXPECT_EQ(6, QUERY(first).nr_pages);
}

TEST_F(allocate, merge_refuses_a_gap)
{
	struct theseus_mm_allocate call;
	__u32 first;

	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(4), .size = 4));
	first = call.handle;
	ASSERT_EQ(0, TRY(.flags = THESEUS_MM_ALLOCATE_AT, .at = AT(9), .size = 2));
	EXPECT_REFUSED(EDOM, uapi_merge(self->fd, first, call.handle), first, call.handle);
}

TEST_F(allocate, merge_refuses_the_same_twice)
{
	struct theseus_mm_allocate call;

	ASSERT_EQ(0, TRY(.size = 4));
	EXPECT_REFUSED(EINVAL, uapi_merge(self->fd, call.handle, call.handle), call.handle);
}

TEST_HARNESS_MAIN
