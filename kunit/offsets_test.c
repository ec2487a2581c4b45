// SPDX-License-Identifier: GPL-2.0
#include "device/offsets.h"

#include "fixture.h"

#include <linux/err.h>
#include <linux/kernel.h>

static struct tmm_offsets *create(struct kunit *test)
{
	struct tmm_offsets *offsets = tmm_test_kvzalloc(test, sizeof(*offsets));

	KUNIT_ASSERT_EQ(test, tmm_offsets_init(offsets), 0);
	return offsets;
}

static struct tmm_offset *allocate(struct kunit *test, struct tmm_offsets *offsets, u64 nr,
				   bool is_low)
{
	struct tmm_offset *offset = tmm_offset_allocate(offsets, nr, is_low);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(offset), "error %ld", PTR_ERR_OR_ZERO(offset));
	return offset;
}

/* 64-bit programs go on where 32-bit ones have to give up. */
static void low_ones_run_out_first(struct kunit *test)
{
	struct tmm_offsets *offsets = create(test);
	struct tmm_offset *low[16], *high[2];
	unsigned int i;

	/* With the page behind each, the last but one of 2^32. */
	for (i = 0; i < ARRAY_SIZE(low); i++) {
		low[i] = allocate(test, offsets, (1ULL << 28) - 2, true);
		KUNIT_EXPECT_LE(test, tmm_chunk_end(&low[i]->chunk), TMM_OFFSETS_LOW_END);
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_offset_allocate(offsets, 1ULL << 28, true)),
			-EOVERFLOW);
	for (i = 0; i < ARRAY_SIZE(high); i++) {
		high[i] = allocate(test, offsets, 1ULL << 28, false);
		KUNIT_EXPECT_GE(test, high[i]->chunk.start, TMM_OFFSETS_LOW_END);
		KUNIT_EXPECT_LE(test, tmm_chunk_end(&high[i]->chunk), TMM_OFFSETS_END);
	}
	/* What comes back is low again, for all. */
	tmm_offset_free(offsets, low[3]);
	low[3] = allocate(test, offsets, 1 << 20, false);
	KUNIT_EXPECT_LT(test, low[3]->chunk.start, TMM_OFFSETS_LOW_END);
	for (i = 0; i < ARRAY_SIZE(low); i++)
		tmm_offset_free(offsets, low[i]);
	for (i = 0; i < ARRAY_SIZE(high); i++)
		tmm_offset_free(offsets, high[i]);
	tmm_offset_free(offsets, NULL);
	tmm_offsets_destroy(offsets);
}

static void each_page_is_found(struct kunit *test)
{
	struct tmm_offsets *offsets = create(test);
	struct tmm_offset *known[100];
	unsigned int i;
	u64 page;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		known[i] = allocate(test, offsets, 1 + i % 5, i & 1);
		tmm_offsets_insert(offsets, known[i], (struct tmm_object *)&known[i]);
	}
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		for (page = known[i]->chunk.start; page < tmm_chunk_end(&known[i]->chunk); page++)
			KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, page), known[i]);
		KUNIT_EXPECT_EQ(test, known[i]->chunk.nr, 2 + i % 5);
	}
	KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, 0), NULL);
	KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, TMM_OFFSETS_END), NULL);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		page = known[i]->chunk.start;
		tmm_offsets_remove(offsets, known[i]);
		KUNIT_EXPECT_PTR_EQ(test, tmm_offsets_find(offsets, page), NULL);
		tmm_offset_free(offsets, known[i]);
	}
	tmm_offsets_destroy(offsets);
}

static void without_memory(struct kunit *test)
{
	struct tmm_offsets *offsets = create(test);
	struct tmm_offset *offset;
	bool hit;

	tmm_test_fail_alloc(test, 1);
	offset = tmm_offset_allocate(offsets, 1, false);
	hit = tmm_test_fail_alloc_end();
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(offset), -ENOMEM);
	tmm_offsets_destroy(offsets);
}

static struct kunit_case offsets_cases[] = {
	KUNIT_CASE(low_ones_run_out_first),
	KUNIT_CASE(each_page_is_found),
	KUNIT_CASE(without_memory),
	{}
};

static struct kunit_suite offsets_suite = {
	.name = "theseus_mm_offsets",
	.test_cases = offsets_cases,
};

kunit_test_suite(offsets_suite);
