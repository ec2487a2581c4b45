// SPDX-License-Identifier: GPL-2.0
/* The parts that GET_OCCUPANCY reports for very large regions. */
#include "device/call/occupancy.h"

#include "support/fixture.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/kernel.h>
#include <linux/log2.h>

static u64 nr_parts(u64 nr_frames)
{
	return DIV_ROUND_UP_ULL(nr_frames, 1ULL << tmm_occupancy_shift(nr_frames));
}

static void smallest_parts_are_2m(struct kunit *test)
{
	static const u64 sizes[] = { 1, 511, 512, 513, 1 << 20, 512 * THESEUS_MM_MAX_BUCKETS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ(test, 1ULL << tmm_occupancy_shift(sizes[i]),
				THESEUS_MM_MIN_BUCKET_FRAMES);
}

/* Tries regions from 8 GiB up to the whole physical address space. */
static void parts_grow_with_the_region(struct kunit *test)
{
	unsigned int order;
	u64 nr_frames;

	for (order = 21; order <= 40; order++) {
		nr_frames = 1ULL << order;
		KUNIT_EXPECT_EQ(test, nr_parts(nr_frames), THESEUS_MM_MAX_BUCKETS);
		KUNIT_EXPECT_EQ(test, nr_parts(nr_frames - 1), THESEUS_MM_MAX_BUCKETS);
		/* with one frame more, the parts are twice as large */
		KUNIT_EXPECT_EQ(test, nr_parts(nr_frames + 1), THESEUS_MM_MAX_BUCKETS / 2 + 1);
	}
}

static struct kunit_case occupancy_cases[] = {
	KUNIT_CASE(smallest_parts_are_2m),
	KUNIT_CASE(parts_grow_with_the_region),
	{}
};

static struct kunit_suite occupancy_suite = {
	.name = "theseus_mm_occupancy",
	.test_cases = occupancy_cases,
};

kunit_test_suite(occupancy_suite);
