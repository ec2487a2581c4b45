// SPDX-License-Identifier: GPL-2.0
#include "core/types.h"

#include "support/fixture.h"

#include <kunit/test.h>

#define NR_2M 512ULL
#define NR_1G 262144ULL

/* First value past the lower half, the first of the upper half, for this machine. */
static u64 lower_end(void)
{
	return tmm_paging_levels() == 5 ? 0x0100000000000000ULL : 0x0000800000000000ULL;
}

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

static void vaddr_bits_match_levels(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_vaddr_bits(), tmm_paging_levels() == 5 ? 57 : 48);
}

static void vaddr_new_canonical_value(struct kunit *test)
{
	const u64 good[] = { 0, 1, lower_end() - 1, upper_start(), U64_MAX };
	struct tmm_vaddr addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		addr.v = 42;
		KUNIT_EXPECT_EQ_MSG(test, tmm_vaddr_new(good[i], &addr), 0, "%#llx", good[i]);
		KUNIT_EXPECT_EQ(test, addr.v, good[i]);
		KUNIT_EXPECT_TRUE(test, tmm_vaddr_is_canonical(good[i]));
	}
}

static void vaddr_new_non_canonical_value(struct kunit *test)
{
	const u64 bad[] = { lower_end(), upper_start() - 1, 1ULL << 63, upper_start() << 1 };
	struct tmm_vaddr addr = { 42 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, tmm_vaddr_new(bad[i], &addr), -EINVAL, "%#llx", bad[i]);
		KUNIT_EXPECT_EQ(test, addr.v, 42);
		KUNIT_EXPECT_FALSE(test, tmm_vaddr_is_canonical(bad[i]));
	}
}

/* Bit 47 is the sign in 4-level paging and an ordinary bit in 5-level paging. */
static void vaddr_new_between_4_and_5_levels(struct kunit *test)
{
	struct tmm_vaddr addr;
	bool five = tmm_paging_levels() == 5;

	KUNIT_EXPECT_EQ(test, tmm_vaddr_new(0x0000800000000000ULL, &addr), five ? 0 : -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new(0xff00000000000000ULL, &addr), five ? 0 : -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new(0xffff800000000000ULL, &addr), 0);
}

static void vaddr_new_canonical_forces_upper_bits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new_canonical(lower_end()).v, upper_start());
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new_canonical(upper_start() - 1).v, lower_end() - 1);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new_canonical(1ULL << 63 | 0x1234).v, 0x1234);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_new_canonical(U64_MAX).v, U64_MAX);
}

static void vaddr_add_saturates_then_canonicalises(struct kunit *test)
{
	struct tmm_vaddr top = { U64_MAX - 1 };
	struct tmm_vaddr lower_last = { lower_end() - 1 };

	KUNIT_EXPECT_EQ(test, tmm_vaddr_add((struct tmm_vaddr){ 0x1000 }, 0x234).v, 0x1234);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_add(top, 5).v, U64_MAX);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_add(lower_last, 1).v, upper_start());
}

static void vaddr_sub_saturates_then_canonicalises(struct kunit *test)
{
	struct tmm_vaddr upper = { upper_start() };

	KUNIT_EXPECT_EQ(test, tmm_vaddr_sub((struct tmm_vaddr){ 0x1234 }, 0x234).v, 0x1000);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_sub((struct tmm_vaddr){ 5 }, 6).v, 0);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_sub(upper, 1).v, lower_end() - 1);
}

static void paddr_new_values(struct kunit *test)
{
	struct tmm_paddr addr = { 42 };

	KUNIT_EXPECT_EQ(test, tmm_paddr_new(1ULL << 52, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, tmm_paddr_new(U64_MAX, &addr), -EINVAL);
	KUNIT_EXPECT_EQ(test, addr.v, 42);
	KUNIT_EXPECT_EQ(test, tmm_paddr_new((1ULL << 52) - 1, &addr), 0);
	KUNIT_EXPECT_EQ(test, addr.v, (1ULL << 52) - 1);
	KUNIT_EXPECT_TRUE(test, tmm_paddr_is_canonical((1ULL << 52) - 1));
	KUNIT_EXPECT_FALSE(test, tmm_paddr_is_canonical(1ULL << 52));
	KUNIT_EXPECT_EQ(test, tmm_paddr_new_canonical(U64_MAX).v, (1ULL << 52) - 1);
}

static void paddr_add_and_sub_saturate(struct kunit *test)
{
	const u64 max = (1ULL << 52) - 1;

	KUNIT_EXPECT_EQ(test, tmm_paddr_add((struct tmm_paddr){ 0x1000 }, 0x234).v, 0x1234);
	KUNIT_EXPECT_EQ(test, tmm_paddr_add((struct tmm_paddr){ max }, U64_MAX).v, max);
	KUNIT_EXPECT_EQ(test, tmm_paddr_add((struct tmm_paddr){ max }, 1).v, 0);
	KUNIT_EXPECT_EQ(test, tmm_paddr_sub((struct tmm_paddr){ 5 }, 6).v, 0);
	KUNIT_EXPECT_EQ(test, tmm_paddr_sub((struct tmm_paddr){ max }, max - 7).v, 7);
}

static void addr_offset_is_low_12_bits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tmm_vaddr_page_offset((struct tmm_vaddr){ U64_MAX }), 0xfff);
	KUNIT_EXPECT_EQ(test, tmm_vaddr_page_offset((struct tmm_vaddr){ 0x1000 }), 0);
	KUNIT_EXPECT_EQ(test, tmm_paddr_frame_offset((struct tmm_paddr){ 0xabcdef }), 0xdef);
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

/* The original saturates here, so a request too long at the top shrinks. */
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

static struct kunit_case types_cases[] = {
	KUNIT_CASE(page_size_values),
	KUNIT_CASE(vaddr_bits_match_levels),
	KUNIT_CASE(vaddr_new_canonical_value),
	KUNIT_CASE(vaddr_new_non_canonical_value),
	KUNIT_CASE(vaddr_new_between_4_and_5_levels),
	KUNIT_CASE(vaddr_new_canonical_forces_upper_bits),
	KUNIT_CASE(vaddr_add_saturates_then_canonicalises),
	KUNIT_CASE(vaddr_sub_saturates_then_canonicalises),
	KUNIT_CASE(paddr_new_values),
	KUNIT_CASE(paddr_add_and_sub_saturate),
	KUNIT_CASE(addr_offset_is_low_12_bits),
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

static struct kunit_suite types_suite = {
	.name = "theseus_mm_types",
	.test_cases = types_cases,
};

kunit_test_suite(types_suite);
