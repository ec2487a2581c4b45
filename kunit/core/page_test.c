// SPDX-License-Identifier: GPL-2.0
#include "core/page.h"

#include "support/fixture.h"

#include <kunit/test.h>

#define NR_2M 512ULL
#define NR_1G 262144ULL

/* The first address of the upper half, which depends on the paging levels. */
static u64 upper_start(void)
{
	return tmm_paging_levels() == 5 ? 0xff00000000000000ULL : 0xffff800000000000ULL;
}

static u64 nr_pages_of_space(void)
{
	return tmm_paging_levels() == 5 ? 1ULL << 45 : 1ULL << 36;
}

static const u64 nr_frames_of_space = 1ULL << 40;

static void page_size_values(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_page_size_4k_pages(TMM_4K), 1);
	KUNIT_EXPECT_EQ(test, tmm_page_size_4k_pages(TMM_2M), NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_page_size_4k_pages(TMM_1G), NR_1G);
	KUNIT_EXPECT_EQ(test, tmm_page_size_bytes(TMM_4K), 4096);
	KUNIT_EXPECT_EQ(test, tmm_page_size_bytes(TMM_2M), 0x200000);
	KUNIT_EXPECT_EQ(test, tmm_page_size_bytes(TMM_1G), 0x40000000);
}

struct containing_param {
	const char *name;
	enum tmm_page_size size;
	u64 addr;
	u64 number;
};

static const struct containing_param containing_params[] = {
	{ "4K at 0", TMM_4K, 0xfff, 0 },
	{ "4K second", TMM_4K, 0x1000, 1 },
	{ "2M at 2M", TMM_2M, 0x200000, NR_2M },
	{ "2M last byte", TMM_2M, 0x3fffff, NR_2M },
	{ "1G below", TMM_1G, 0x3fffffff, 0 },
	{ "1G inside", TMM_1G, 0x7fffffff, NR_1G },
};

TMM_ARRAY_PARAM(containing, containing_params);

static void containing_address_of_size(struct kunit *test)
{
	const struct containing_param *p = test->param_value;
	struct tmm_page page;
	struct tmm_frame frame;

	page = tmm_page_containing_address((struct tmm_vaddr){ p->addr }, p->size);
	frame = tmm_frame_containing_address((struct tmm_paddr){ p->addr }, p->size);
	KUNIT_EXPECT_EQ(test, page.number, p->number);
	KUNIT_EXPECT_EQ(test, page.size, p->size);
	KUNIT_EXPECT_EQ(test, frame.number, p->number);
	KUNIT_EXPECT_EQ(test, frame.size, p->size);
	KUNIT_EXPECT_EQ(test, tmm_page_start_address(page).v, p->number << 12);
	KUNIT_EXPECT_EQ(test, tmm_frame_start_address(frame).v, p->number << 12);
}

static void containing_address_in_upper_half(struct kunit *test)
{
	struct tmm_vaddr top = { U64_MAX };
	struct tmm_page page = tmm_page_containing_address(top, TMM_4K);

	KUNIT_EXPECT_EQ(test, page.number, nr_pages_of_space() - 1);
	KUNIT_EXPECT_EQ(test, tmm_page_start_address(page).v, 0xfffffffffffff000ULL);
	page = tmm_page_containing_address((struct tmm_vaddr){ upper_start() }, TMM_1G);
	KUNIT_EXPECT_EQ(test, page.number, nr_pages_of_space() / 2);
	KUNIT_EXPECT_EQ(test, tmm_page_start_address(page).v, upper_start());
}

struct align_up_param {
	const char *name;
	enum tmm_page_size size;
	u64 number;
	u64 nr_4k;
	int err;
	u64 result;
};

static const struct align_up_param align_up_params[] = {
	{ "aligned stays", TMM_4K, 8, 4, 0, 8 },
	{ "one past", TMM_4K, 9, 4, 0, 12 },
	{ "to 1", TMM_4K, 9, 1, 0, 9 },
	{ "not a power of two", TMM_4K, 10, 3, 0, 12 },
	{ "2M to 1G", TMM_2M, NR_2M, NR_1G, 0, NR_1G },
	{ "2M to 3", TMM_2M, NR_2M, 3, -EINVAL, 0 },
	{ "to 0", TMM_4K, 9, 0, -EINVAL, 0 },
	{ "past all addresses", TMM_4K, 9, U64_MAX, -EOVERFLOW, 0 },
	{ "wraps", TMM_4K, U64_MAX - 1, 4, -EOVERFLOW, 0 },
};

TMM_ARRAY_PARAM(align_up, align_up_params);

static void align_up_values(struct kunit *test)
{
	const struct align_up_param *p = test->param_value;
	struct tmm_page page = { 42, TMM_1G };
	struct tmm_frame frame = { 42, TMM_1G };
	int err;

	err = tmm_page_align_up((struct tmm_page){ p->number, p->size }, p->nr_4k, &page);
	KUNIT_EXPECT_EQ(test, err, p->err);
	KUNIT_EXPECT_EQ(test, page.number, p->err ? 42 : p->result);
	KUNIT_EXPECT_EQ(test, page.size, p->err ? TMM_1G : p->size);
	err = tmm_frame_align_up((struct tmm_frame){ p->number, p->size }, p->nr_4k, &frame);
	KUNIT_EXPECT_EQ(test, err, p->err);
	KUNIT_EXPECT_EQ(test, frame.number, p->err ? 42 : p->result);
	KUNIT_EXPECT_EQ(test, frame.size, p->err ? TMM_1G : p->size);
}

static void align_up_at_the_last_chunk(struct kunit *test)
{
	struct tmm_page page = { nr_pages_of_space() - 1, TMM_4K };
	struct tmm_frame frame = { nr_frames_of_space - 1, TMM_4K };

	KUNIT_EXPECT_EQ(test, tmm_page_align_up(page, 1, &page), 0);
	KUNIT_EXPECT_EQ(test, tmm_page_align_up(page, 2, &page), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, tmm_frame_align_up(frame, 1, &frame), 0);
	KUNIT_EXPECT_EQ(test, tmm_frame_align_up(frame, 2, &frame), -EOVERFLOW);
}

struct convert_param {
	const char *name;
	enum tmm_page_size from;
	enum tmm_page_size to;
	u64 number;
	int err;
};

static const struct convert_param convert_params[] = {
	{ "4K to 2M aligned", TMM_4K, TMM_2M, 3 * NR_2M, 0 },
	{ "4K to 2M misaligned", TMM_4K, TMM_2M, NR_2M + 1, -EINVAL },
	{ "4K to 1G aligned", TMM_4K, TMM_1G, NR_1G, 0 },
	{ "4K to 1G aligned for 2M only", TMM_4K, TMM_1G, NR_2M, -EINVAL },
	{ "2M to 1G misaligned", TMM_2M, TMM_1G, NR_1G + NR_2M, -EINVAL },
	{ "2M to 4K", TMM_2M, TMM_4K, NR_2M, 0 },
	{ "1G to 4K", TMM_1G, TMM_4K, NR_1G, 0 },
	{ "1G to 2M", TMM_1G, TMM_2M, NR_1G, 0 },
	{ "0 to 1G", TMM_4K, TMM_1G, 0, 0 },
};

TMM_ARRAY_PARAM(convert, convert_params);

static void convert_sizes(struct kunit *test)
{
	const struct convert_param *p = test->param_value;
	struct tmm_page page = { 42, p->from };
	struct tmm_frame frame = { 42, p->from };
	int err;

	err = tmm_page_convert((struct tmm_page){ p->number, p->from }, p->to, &page);
	KUNIT_EXPECT_EQ(test, err, p->err);
	KUNIT_EXPECT_EQ(test, page.number, p->err ? 42 : p->number);
	KUNIT_EXPECT_EQ(test, page.size, p->err ? p->from : p->to);
	err = tmm_frame_convert((struct tmm_frame){ p->number, p->from }, p->to, &frame);
	KUNIT_EXPECT_EQ(test, err, p->err);
	KUNIT_EXPECT_EQ(test, frame.number, p->err ? 42 : p->number);
	KUNIT_EXPECT_EQ(test, frame.size, p->err ? p->from : p->to);
}

static void add_counts_in_own_size(struct kunit *test)
{
	struct tmm_page page = { NR_2M, TMM_2M };
	struct tmm_frame frame = { 0, TMM_1G };

	KUNIT_EXPECT_EQ(test, tmm_page_add(page, 1, &page), 0);
	KUNIT_EXPECT_EQ(test, page.number, 2 * NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_frame_add(frame, 3, &frame), 0);
	KUNIT_EXPECT_EQ(test, frame.number, 3 * NR_1G);
}

/* Theseus saturates here, so that a request that is too long at the top becomes shorter. */
static void add_past_the_last_chunk_fails(struct kunit *test)
{
	struct tmm_page page = { nr_pages_of_space() - 2, TMM_4K };
	struct tmm_frame frame = { nr_frames_of_space - 2, TMM_4K };

	KUNIT_EXPECT_EQ(test, tmm_page_add(page, 2, &page), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, tmm_page_add(page, U64_MAX, &page), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, page.number, nr_pages_of_space() - 2);
	KUNIT_EXPECT_EQ(test, tmm_page_add(page, 1, &page), 0);
	KUNIT_EXPECT_EQ(test, tmm_frame_add(frame, 2, &frame), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, frame.number, nr_frames_of_space - 2);
	KUNIT_EXPECT_EQ(test, tmm_frame_add(frame, 1, &frame), 0);
}

static void add_that_wraps_fails(struct kunit *test)
{
	struct tmm_page page = { 0, TMM_1G };
	struct tmm_frame frame = { 0, TMM_2M };

	KUNIT_EXPECT_EQ(test, tmm_page_add(page, 1ULL << 46, &page), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, tmm_frame_add(frame, 1ULL << 55, &frame), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, page.number, 0);
	KUNIT_EXPECT_EQ(test, frame.number, 0);
}

static void page_index_of_each_level(struct kunit *test)
{
	u64 number = 511ULL << 27 | 3ULL << 18 | 2ULL << 9 | 1;
	struct tmm_page page = { number, TMM_4K };

	KUNIT_EXPECT_EQ(test, tmm_page_p1_index(page), 1);
	KUNIT_EXPECT_EQ(test, tmm_page_p2_index(page), 2);
	KUNIT_EXPECT_EQ(test, tmm_page_p3_index(page), 3);
	KUNIT_EXPECT_EQ(test, tmm_page_p4_index(page), 511);
	page.number |= 5ULL << 36;
	KUNIT_EXPECT_EQ(test, tmm_page_index(page, 5), 5);
	KUNIT_EXPECT_EQ(test, tmm_page_p4_index(page), 511);
}

static struct kunit_case page_cases[] = {
	KUNIT_CASE(page_size_values),
	KUNIT_CASE_PARAM(containing_address_of_size, containing_gen_params),
	KUNIT_CASE(containing_address_in_upper_half),
	KUNIT_CASE_PARAM(align_up_values, align_up_gen_params),
	KUNIT_CASE(align_up_at_the_last_chunk),
	KUNIT_CASE_PARAM(convert_sizes, convert_gen_params),
	KUNIT_CASE(add_counts_in_own_size),
	KUNIT_CASE(add_past_the_last_chunk_fails),
	KUNIT_CASE(add_that_wraps_fails),
	KUNIT_CASE(page_index_of_each_level),
	{}
};

static struct kunit_suite page_suite = {
	.name = "theseus_mm_page",
	.test_cases = page_cases,
};

kunit_test_suite(page_suite);
