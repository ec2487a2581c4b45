// SPDX-License-Identifier: GPL-2.0
#include "core/address.h"

#include <kunit/test.h>
#include <linux/kernel.h>

/* The first address after the lower half, which depends on the paging levels. */
static u64 lower_end(void)
{
	return tmm_paging_levels() == 5 ? 0x0100000000000000ULL : 0x0000800000000000ULL;
}

static u64 upper_start(void)
{
	return tmm_paging_levels() == 5 ? 0xff00000000000000ULL : 0xffff800000000000ULL;
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

static struct kunit_case address_cases[] = {
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
	{}
};

static struct kunit_suite address_suite = {
	.name = "theseus_mm_address",
	.test_cases = address_cases,
};

kunit_test_suite(address_suite);
