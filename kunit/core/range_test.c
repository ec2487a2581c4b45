// SPDX-License-Identifier: GPL-2.0
#include "core/range.h"

#include "support/fixture.h"

#include <kunit/test.h>
#include <linux/limits.h>

#define NR_2M 512ULL
#define NR_1G 262144ULL

static struct tmm_page_range pages_of(u64 first, u64 nr, enum tmm_page_size size)
{
	return (struct tmm_page_range){ { first, nr, size } };
}

static struct tmm_frame_range frames_of(u64 first, u64 nr)
{
	return (struct tmm_frame_range){ { first, nr, TMM_4K } };
}

static struct tmm_frame frame_of(u64 number)
{
	return (struct tmm_frame){ number, TMM_4K };
}

#define EXPECT_RANGE(test, range, _first, _nr, _size)				\
do {										\
	KUNIT_EXPECT_EQ(test, (range).r.first, _first);				\
	KUNIT_EXPECT_EQ(test, (range).r.nr, _nr);				\
	KUNIT_EXPECT_EQ(test, (range).r.size, _size);				\
} while (0)

struct new_param {
	const char *name;
	struct tmm_frame first;
	u64 nr;
	int err;
};

/* x86-64 has at most 1 << 40 frames. */
static const struct new_param new_params[] = {
	{ "4K", { 7, TMM_4K }, 3, 0 },
	{ "2M", { NR_2M, TMM_2M }, 3, 0 },
	{ "empty", { 7, TMM_4K }, 0, 0 },
	{ "all there are", { 0, TMM_4K }, 1ULL << 40, 0 },
	{ "all there are in 1G", { 0, TMM_1G }, 1ULL << 22, 0 },
	{ "the last one", { (1ULL << 40) - 1, TMM_4K }, 1, 0 },
	{ "empty after the last", { 1ULL << 40, TMM_4K }, 0, 0 },
	{ "2M misaligned", { NR_2M + 1, TMM_2M }, 1, -EINVAL },
	{ "1G aligned for 2M", { NR_2M, TMM_1G }, 1, -EINVAL },
	{ "misaligned and empty", { 1, TMM_2M }, 0, -EINVAL },
	{ "one past the last", { (1ULL << 40) - 1, TMM_4K }, 2, -EOVERFLOW },
	{ "one more than all", { 0, TMM_4K }, (1ULL << 40) + 1, -EOVERFLOW },
	{ "sum wraps", { 8, TMM_4K }, U64_MAX - 4, -EOVERFLOW },
	{ "product wraps", { 0, TMM_2M }, 1ULL << 55, -EOVERFLOW },
	{ "product wraps to little", { 0, TMM_1G }, (1ULL << 46) + 1, -EOVERFLOW },
};

TMM_ARRAY_PARAM(new, new_params);

static void new_values(struct kunit *test)
{
	const struct new_param *p = test->param_value;
	struct tmm_frame_range range = frames_of(42, 43);

	KUNIT_EXPECT_EQ(test, tmm_frame_range_new(p->first, p->nr, &range), p->err);
	if (p->err)
		EXPECT_RANGE(test, range, 42, 43, TMM_4K);
	else
		EXPECT_RANGE(test, range, p->first.number, p->nr, p->first.size);
}

static void new_pages_up_to_the_last(struct kunit *test)
{
	u64 limit = tmm_paging_levels() == 5 ? 1ULL << 45 : 1ULL << 36;
	struct tmm_page_range range;

	KUNIT_EXPECT_EQ(test, tmm_page_range_new((struct tmm_page){ limit - 3, TMM_4K }, 3, &range),
			0);
	KUNIT_EXPECT_EQ(test, tmm_page_range_new((struct tmm_page){ limit - 3, TMM_4K }, 4, &range),
			-EOVERFLOW);
}

struct from_addr_param {
	const char *name;
	u64 addr;
	u64 nr_bytes;
	int err;
	u64 first;
	u64 nr;
};

static const struct from_addr_param from_addr_params[] = {
	{ "one byte", 0x1000, 1, 0, 1, 1 },
	{ "one chunk", 0x1000, 0x1000, 0, 1, 1 },
	{ "one byte more", 0x1000, 0x1001, 0, 1, 2 },
	{ "last byte of a chunk", 0x1fff, 1, 0, 1, 1 },
	{ "two bytes across", 0x1fff, 2, 0, 1, 2 },
	{ "a chunk's length across", 0x1800, 0x1000, 0, 1, 2 },
	{ "no bytes", 0x1800, 0, 0, 1, 0 },
	{ "up to the last byte", (1ULL << 52) - 8, 8, 0, (1ULL << 40) - 1, 1 },
	{ "past the last byte", (1ULL << 52) - 8, 9, -EOVERFLOW, 0, 0 },
	{ "wraps", 0x2000, U64_MAX, -EOVERFLOW, 0, 0 },
	{ "all of 64 bits", 0, U64_MAX, -EOVERFLOW, 0, 0 },
};

TMM_ARRAY_PARAM(from_addr, from_addr_params);

static void from_addr_covers_each_chunk_touched(struct kunit *test)
{
	const struct from_addr_param *p = test->param_value;
	struct tmm_frame_range range = frames_of(42, 43);
	struct tmm_paddr addr = { p->addr };

	KUNIT_EXPECT_EQ(test, tmm_frame_range_from_addr(addr, p->nr_bytes, &range), p->err);
	if (p->err)
		EXPECT_RANGE(test, range, 42, 43, TMM_4K);
	else
		EXPECT_RANGE(test, range, p->first, p->nr, TMM_4K);
}

static void from_addr_in_upper_half(struct kunit *test)
{
	struct tmm_vaddr addr = { 0xfffffffffffff800ULL };
	struct tmm_page_range range;

	KUNIT_ASSERT_EQ(test, tmm_page_range_from_addr(addr, 0x800, &range), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_range_size_in_pages(&range), 1);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start_address(&range).v, 0xfffffffffffff000ULL);
	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains_address(&range, addr));
	KUNIT_EXPECT_EQ(test, tmm_page_range_from_addr(addr, 0x801, &range), -EOVERFLOW);
}

static void size_in_chunks_and_bytes(struct kunit *test)
{
	struct tmm_page_range big = pages_of(NR_1G, 3, TMM_1G);
	struct tmm_frame_range small = frames_of(5, 3);

	KUNIT_EXPECT_EQ(test, tmm_page_range_size_in_pages(&big), 3);
	KUNIT_EXPECT_EQ(test, tmm_page_range_size_in_bytes(&big), 3ULL << 30);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_size_in_frames(&small), 3);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_size_in_bytes(&small), 3 << 12);
}

static void last_is_inclusive(struct kunit *test)
{
	struct tmm_page_range range = pages_of(NR_2M, 3, TMM_2M);
	struct tmm_page last;

	KUNIT_ASSERT_TRUE(test, tmm_page_range_last(&range, &last));
	KUNIT_EXPECT_EQ(test, last.number, 3 * NR_2M);
	KUNIT_EXPECT_EQ(test, last.size, TMM_2M);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start(&range).number, NR_2M);
}

static void empty_has_nothing(struct kunit *test)
{
	struct tmm_frame_range all = frames_of(0, 100);
	struct tmm_frame_range empty = frames_of(5, 0);
	struct tmm_frame_range none = tmm_frame_range_empty();
	struct tmm_frame last = { 42, TMM_4K };
	struct tmm_frame_range out;

	KUNIT_EXPECT_TRUE(test, tmm_frame_range_is_empty(&empty));
	KUNIT_EXPECT_TRUE(test, tmm_frame_range_is_empty(&none));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_is_empty(&all));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_last(&none, &last));
	KUNIT_EXPECT_EQ(test, last.number, 42);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_size_in_bytes(&empty), 0);
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_contains_range(&all, &empty));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_contains_range(&empty, &empty));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_contains_range(&empty, &all));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_contains(&empty, frame_of(5)));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_overlap(&all, &empty, &out));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_overlap(&empty, &all, &out));
}

struct overlap_param {
	const char *name;
	struct tmm_range a;
	struct tmm_range b;
	u64 first;
	u64 nr;
};

static const struct overlap_param overlap_params[] = {
	{ "apart", { 10, 5, TMM_4K }, { 20, 5, TMM_4K }, 0, 0 },
	{ "touching", { 10, 5, TMM_4K }, { 15, 5, TMM_4K }, 0, 0 },
	{ "by one", { 10, 6, TMM_4K }, { 15, 5, TMM_4K }, 15, 1 },
	{ "starts inside the query only", { 0, 20, TMM_4K }, { 10, 100, TMM_4K }, 10, 10 },
	{ "nested", { 10, 10, TMM_4K }, { 12, 2, TMM_4K }, 12, 2 },
	{ "equal", { 10, 10, TMM_4K }, { 10, 10, TMM_4K }, 10, 10 },
	{ "4K in 2M", { NR_2M, 2, TMM_2M }, { 2 * NR_2M - 1, 2, TMM_4K }, 2 * NR_2M - 1, 2 },
	{ "2M ends before", { NR_2M, 1, TMM_2M }, { 2 * NR_2M, 1, TMM_4K }, 0, 0 },
};

TMM_ARRAY_PARAM(overlap, overlap_params);

static void overlap_of_two(struct kunit *test)
{
	const struct overlap_param *p = test->param_value;
	struct tmm_page_range a = { p->a };
	struct tmm_page_range b = { p->b };
	struct tmm_page_range out = pages_of(42, 43, TMM_4K);

	KUNIT_EXPECT_EQ(test, tmm_page_range_overlap(&a, &b, &out), p->nr > 0);
	EXPECT_RANGE(test, out, p->nr ? p->first : 42, p->nr ?: 43, TMM_4K);
	out = pages_of(42, 43, TMM_4K);
	KUNIT_EXPECT_EQ(test, tmm_page_range_overlap(&b, &a, &out), p->nr > 0);
	EXPECT_RANGE(test, out, p->nr ? p->first : 42, p->nr ?: 43, TMM_4K);
}

static void contains_address_at_the_ends(struct kunit *test)
{
	struct tmm_page_range range = pages_of(NR_2M, 1, TMM_2M);
	struct tmm_page_range inner = pages_of(NR_2M, NR_2M, TMM_4K);
	struct tmm_page_range more = pages_of(NR_2M, NR_2M + 1, TMM_4K);
	struct tmm_page page = { NR_2M, TMM_2M };
	struct tmm_vaddr addr = { 0x200000 };

	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains_address(&range, addr));
	addr.v = 0x3fffff;
	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains_address(&range, addr));
	addr.v = 0x400000;
	KUNIT_EXPECT_FALSE(test, tmm_page_range_contains_address(&range, addr));
	addr.v = 0x1fffff;
	KUNIT_EXPECT_FALSE(test, tmm_page_range_contains_address(&range, addr));
	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains_range(&range, &inner));
	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains_range(&inner, &range));
	KUNIT_EXPECT_FALSE(test, tmm_page_range_contains_range(&range, &more));
	KUNIT_EXPECT_TRUE(test, tmm_page_range_contains(&range, page));
	page = (struct tmm_page){ 0, TMM_1G };
	KUNIT_EXPECT_FALSE(test, tmm_page_range_contains(&range, page));
}

static void offset_and_address_are_inverse(struct kunit *test)
{
	struct tmm_frame_range range = frames_of(2, 2);
	struct tmm_paddr addr = { 42 };
	u64 offset = 43;

	KUNIT_EXPECT_TRUE(test, tmm_frame_range_address_at_offset(&range, 0x1fff, &addr));
	KUNIT_EXPECT_EQ(test, addr.v, 0x3fff);
	KUNIT_EXPECT_TRUE(test, tmm_frame_range_offset_of_address(&range, addr, &offset));
	KUNIT_EXPECT_EQ(test, offset, 0x1fff);
}

static void offset_and_address_outside(struct kunit *test)
{
	struct tmm_frame_range range = frames_of(2, 2);
	struct tmm_frame_range empty = frames_of(2, 0);
	struct tmm_paddr addr = { 0x1fff };
	u64 offset = 43;

	KUNIT_EXPECT_FALSE(test, tmm_frame_range_offset_of_address(&range, addr, &offset));
	addr.v = 0x4000;
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_offset_of_address(&range, addr, &offset));
	KUNIT_EXPECT_EQ(test, offset, 43);
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_address_at_offset(&range, 0x2000, &addr));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_address_at_offset(&range, U64_MAX, &addr));
	KUNIT_EXPECT_FALSE(test, tmm_frame_range_address_at_offset(&empty, 0, &addr));
	KUNIT_EXPECT_EQ(test, addr.v, 0x4000);
}

/* The pages on both sides of the hole have consecutive numbers, but not consecutive addresses. */
static void addresses_across_the_canonical_hole(struct kunit *test)
{
	const u64 middle = tmm_page_number_limit() / 2;
	struct tmm_page_range range = pages_of(middle - 1, 2, TMM_4K);
	u64 offset;

	for (offset = 0; offset < 2 * TMM_PAGE_SIZE; offset++) {
		struct tmm_vaddr addr = { 42 };
		u64 back = 43;

		KUNIT_ASSERT_TRUE(test, tmm_page_range_address_at_offset(&range, offset, &addr));
		KUNIT_ASSERT_TRUE(test, tmm_vaddr_is_canonical(addr.v));
		KUNIT_ASSERT_TRUE(test, tmm_page_range_offset_of_address(&range, addr, &back));
		KUNIT_ASSERT_EQ(test, back, offset);
	}
}

static void to_extended_either_side(struct kunit *test)
{
	struct tmm_frame_range range = frames_of(10, 5);
	struct tmm_frame_range empty = frames_of(3, 0);
	struct tmm_frame_range out;

	KUNIT_EXPECT_EQ(test, tmm_frame_range_to_extended(&range, frame_of(7), &out), 0);
	EXPECT_RANGE(test, out, 7, 8, TMM_4K);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_to_extended(&range, frame_of(20), &out), 0);
	EXPECT_RANGE(test, out, 10, 11, TMM_4K);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_to_extended(&range, frame_of(12), &out), 0);
	EXPECT_RANGE(test, out, 10, 5, TMM_4K);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_to_extended(&empty, frame_of(20), &out), 0);
	EXPECT_RANGE(test, out, 20, 1, TMM_4K);
}

static void to_extended_huge(struct kunit *test)
{
	struct tmm_page_range range = pages_of(NR_2M, 1, TMM_2M);
	struct tmm_page_range out = pages_of(42, 43, TMM_4K);
	struct tmm_page page = { 2 * NR_2M + 1, TMM_2M };

	KUNIT_EXPECT_EQ(test, tmm_page_range_to_extended(&range, page, &out), -EINVAL);
	EXPECT_RANGE(test, out, 42, 43, TMM_4K);
	page.number = 3 * NR_2M;
	KUNIT_EXPECT_EQ(test, tmm_page_range_to_extended(&range, page, &out), 0);
	EXPECT_RANGE(test, out, NR_2M, 3, TMM_2M);
}

static void to_extended_by_a_chunk_of_another_size(struct kunit *test)
{
	struct tmm_page_range range = pages_of(0, 1, TMM_4K);
	struct tmm_page_range out = pages_of(42, 43, TMM_4K);
	struct tmm_page page = { NR_2M, TMM_2M };

	KUNIT_EXPECT_EQ(test, tmm_page_range_to_extended(&range, page, &out), -EINVAL);
	EXPECT_RANGE(test, out, 42, 43, TMM_4K);
}

struct convert_param {
	const char *name;
	struct tmm_range from;
	enum tmm_page_size size;
	int err;
	u64 nr;
};

/* In Theseus an empty 2M range converts to 511 pages of 4K. */
static const struct convert_param convert_params[] = {
	{ "2M to 4K", { NR_2M, 2, TMM_2M }, TMM_4K, 0, 2 * NR_2M },
	{ "1G to 2M", { NR_1G, 1, TMM_1G }, TMM_2M, 0, NR_2M },
	{ "4K to 2M", { NR_2M, NR_2M, TMM_4K }, TMM_2M, 0, 1 },
	{ "4K to 1G", { 0, NR_1G, TMM_4K }, TMM_1G, 0, 1 },
	{ "4K to 2M, start misaligned", { NR_2M + 1, 2 * NR_2M - 1, TMM_4K }, TMM_2M, -EINVAL, 0 },
	{ "4K to 2M, end misaligned", { NR_2M, NR_2M + 1, TMM_4K }, TMM_2M, -EINVAL, 0 },
	{ "2M to 1G, end misaligned", { NR_1G, 511, TMM_2M }, TMM_1G, -EINVAL, 0 },
	{ "empty 2M to 4K stays empty", { NR_2M, 0, TMM_2M }, TMM_4K, 0, 0 },
	{ "empty 1G to 4K stays empty", { 0, 0, TMM_1G }, TMM_4K, 0, 0 },
	{ "empty 4K to 2M stays empty", { NR_2M, 0, TMM_4K }, TMM_2M, 0, 0 },
	{ "empty 4K to 2M, misaligned", { 1, 0, TMM_4K }, TMM_2M, -EINVAL, 0 },
};

TMM_ARRAY_PARAM(convert, convert_params);

static void convert_sizes(struct kunit *test)
{
	const struct convert_param *p = test->param_value;
	struct tmm_page_range from = { p->from };
	struct tmm_page_range out = pages_of(42, 43, TMM_4K);
	struct tmm_page page;
	u64 visited = 0;

	KUNIT_EXPECT_EQ(test, tmm_page_range_convert(&from, p->size, &out), p->err);
	if (p->err) {
		EXPECT_RANGE(test, out, 42, 43, TMM_4K);
		return;
	}
	EXPECT_RANGE(test, out, p->from.first, p->nr, p->size);
	tmm_page_range_for_each(page, &out)
		visited++;
	KUNIT_EXPECT_EQ(test, visited, p->nr);
}

static void iterate_in_own_size(struct kunit *test)
{
	struct tmm_frame_range range = { { NR_2M, 3, TMM_2M } };
	struct tmm_frame each;
	u64 expected = NR_2M;

	tmm_frame_range_for_each(each, &range) {
		KUNIT_EXPECT_EQ(test, each.number, expected);
		KUNIT_EXPECT_EQ(test, each.size, TMM_2M);
		expected += NR_2M;
	}
	KUNIT_EXPECT_EQ(test, expected, 4 * NR_2M);
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(new_values, new_gen_params),
	KUNIT_CASE(new_pages_up_to_the_last),
	KUNIT_CASE_PARAM(from_addr_covers_each_chunk_touched, from_addr_gen_params),
	KUNIT_CASE(from_addr_in_upper_half),
	KUNIT_CASE(size_in_chunks_and_bytes),
	KUNIT_CASE(last_is_inclusive),
	KUNIT_CASE(empty_has_nothing),
	KUNIT_CASE_PARAM(overlap_of_two, overlap_gen_params),
	KUNIT_CASE(contains_address_at_the_ends),
	KUNIT_CASE(offset_and_address_are_inverse),
	KUNIT_CASE(offset_and_address_outside),
	KUNIT_CASE(addresses_across_the_canonical_hole),
	KUNIT_CASE(to_extended_either_side),
	KUNIT_CASE(to_extended_huge),
	KUNIT_CASE(to_extended_by_a_chunk_of_another_size),
	KUNIT_CASE_PARAM(convert_sizes, convert_gen_params),
	KUNIT_CASE(iterate_in_own_size),
	{}
};

static struct kunit_suite range_suite = {
	.name = "theseus_mm_range",
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
