// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"
#include "alloc/frames_split.h"

#include "support/frames_fixture.h"

/* The general region [1000, 1100) and the reserved region [1100, 1150) touch. */
static int init_case(struct kunit *test)
{
	tmm_test_frames_init(test);
	tmm_test_frames_add(test, test->priv, TMM_REGION_RESERVED, 1100, 50);
	return 0;
}

static void merge_other_after(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *other = tmm_test_frames_take_at(test, 1020, 5);
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &other), 0);
	KUNIT_EXPECT_PTR_EQ(test, other, NULL);
	TMM_EXPECT_FRAMES(test, frames, 1010, 15);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	tmm_allocated_frames_drop(&frames);
}

static void merge_other_before(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *other = tmm_test_frames_take_at(test, 1005, 5);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &other), 0);
	KUNIT_EXPECT_PTR_EQ(test, other, NULL);
	TMM_EXPECT_FRAMES(test, frames, 1005, 15);
	tmm_allocated_frames_drop(&frames);
}

static void merge_not_contiguous_keeps_both(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *after = tmm_test_frames_take_at(test, 1021, 5);
	struct tmm_allocated_frames *before = tmm_test_frames_take_at(test, 1004, 5);
	struct tmm_allocated_frames *self = frames;

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &after), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &before), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &self), -EDOM);
	KUNIT_EXPECT_PTR_EQ(test, self, frames);
	KUNIT_ASSERT_NOT_NULL(test, after);
	KUNIT_ASSERT_NOT_NULL(test, before);
	TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	TMM_EXPECT_FRAMES(test, after, 1021, 5);
	TMM_EXPECT_FRAMES(test, before, 1004, 5);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&after);
	tmm_allocated_frames_drop(&before);
}

/* In Theseus, general and reserved runs merge, and are freed to the wrong list. */
static void merge_across_region_types_keeps_both(struct kunit *test)
{
	struct tmm_allocated_frames *general = tmm_test_frames_take_at(test, 1090, 10);
	struct tmm_allocated_frames *reserved = tmm_test_frames_take_at(test, 1100, 10);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(general, &reserved), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, reserved);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(reserved, &general), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, general);
	TMM_EXPECT_FRAMES(test, general, 1090, 10);
	TMM_EXPECT_FRAMES(test, reserved, 1100, 10);
	tmm_allocated_frames_drop(&general);
	tmm_allocated_frames_drop(&reserved);
}

struct split_param {
	const char *name;
	u64 at;
	int err;
};

static const struct split_param split_params[] = {
	{ "before the beginning", 1009, -EINVAL },
	{ "at the beginning", 1010, 0 },
	{ "in the middle", 1013, 0 },
	{ "at the end", 1020, 0 },
	{ "after the end", 1021, -EINVAL },
};

TMM_ARRAY_PARAM(split, split_params);

static void split_at_situations(struct kunit *test)
{
	const struct split_param *p = test->param_value;
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *second = NULL;
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(frames, p->at, &second), p->err);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	if (p->err) {
		KUNIT_EXPECT_PTR_EQ(test, second, NULL);
		TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	} else {
		KUNIT_ASSERT_NOT_NULL(test, second);
		TMM_EXPECT_FRAMES(test, frames, 1010, p->at - 1010);
		TMM_EXPECT_FRAMES(test, second, p->at, 1020 - p->at);
		KUNIT_EXPECT_EQ(test, second->f.state, TMM_STATE_ALLOCATED);
	}
	/* Each half can be freed alone, even if it is empty. */
	tmm_allocated_frames_drop(&second);
	tmm_allocated_frames_drop(&frames);
}

static void split_at_and_merge_again(struct kunit *test)
{
	const u64 at[] = { 1010, 1015, 1020 };
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *second;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, at[i], &second), 0);
		KUNIT_ASSERT_EQ(test, tmm_allocated_frames_merge(frames, &second), 0);
		TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	}
	tmm_allocated_frames_drop(&frames);
}

static void split_at_of_an_empty_run(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *empty, *second = NULL;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, 1020, &empty), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_at(empty, 1020, &second), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	tmm_allocated_frames_drop(&empty);
	tmm_allocated_frames_drop(&frames);
}

static void split_at_without_memory(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_allocated_frames *second = NULL;
	int err;

	tmm_test_fail_alloc(test, 1);
	err = tmm_allocated_frames_split_at(frames, 1015, &second);
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_PTR_EQ(test, second, NULL);
	TMM_EXPECT_FRAMES(test, frames, 1010, 10);
	tmm_allocated_frames_drop(&frames);
}

static void unmap_and_drop(struct tmm_mapped_frames **mapped)
{
	struct tmm_unmapped_frames *unmapped = tmm_frames_into_unmapped(mapped);
	struct tmm_allocated_frames *frames = tmm_frames_into_allocated(&unmapped);

	tmm_allocated_frames_drop(&frames);
}

static void split_at_of_mapped_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_mapped_frames *mapped = tmm_frames_into_mapped(&frames);
	struct tmm_mapped_frames *second = NULL;
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_split_at(mapped, 1021, &second), -EINVAL);
	TMM_EXPECT_FRAMES(test, mapped, 1010, 10);
	KUNIT_ASSERT_EQ(test, tmm_mapped_frames_split_at(mapped, 1013, &second), 0);
	TMM_EXPECT_FRAMES(test, mapped, 1010, 3);
	TMM_EXPECT_FRAMES(test, second, 1013, 7);
	KUNIT_EXPECT_EQ(test, second->f.state, TMM_STATE_MAPPED);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	unmap_and_drop(&second);
	unmap_and_drop(&mapped);
}

static void append_mapped_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_mapped_frames *mapped = tmm_frames_into_mapped(&frames);
	struct tmm_mapped_frames *middle, *last;
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_ASSERT_EQ(test, tmm_mapped_frames_split_at(mapped, 1013, &middle), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_frames_split_at(middle, 1016, &last), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(mapped, &last), -EDOM);
	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(last, &middle), -EDOM);
	TMM_EXPECT_FRAMES(test, mapped, 1010, 3);
	TMM_EXPECT_FRAMES(test, middle, 1013, 3);
	TMM_EXPECT_FRAMES(test, last, 1016, 4);
	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(mapped, &middle), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(mapped, &last), 0);
	KUNIT_EXPECT_PTR_EQ(test, last, NULL);
	TMM_EXPECT_FRAMES(test, mapped, 1010, 10);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	unmap_and_drop(&mapped);
}

static void append_mapped_frames_of_another_region(struct kunit *test)
{
	struct tmm_allocated_frames *general = tmm_test_frames_take_at(test, 1090, 10);
	struct tmm_allocated_frames *reserved = tmm_test_frames_take_at(test, 1100, 10);
	struct tmm_mapped_frames *first = tmm_frames_into_mapped(&general);
	struct tmm_mapped_frames *second = tmm_frames_into_mapped(&reserved);

	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(first, &second), -EMEDIUMTYPE);
	KUNIT_ASSERT_NOT_NULL(test, second);
	TMM_EXPECT_FRAMES(test, first, 1090, 10);
	TMM_EXPECT_FRAMES(test, second, 1100, 10);
	unmap_and_drop(&first);
	unmap_and_drop(&second);
}

/* By its numbers, an empty run follows itself. Appending it to itself is refused nevertheless. */
static void append_mapped_frames_to_themselves(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_frames_take_at(test, 1010, 10);
	struct tmm_mapped_frames *mapped = tmm_frames_into_mapped(&frames);
	struct tmm_mapped_frames *empty, *self;

	KUNIT_ASSERT_EQ(test, tmm_mapped_frames_split_at(mapped, 1020, &empty), 0);
	self = empty;
	KUNIT_EXPECT_EQ(test, tmm_mapped_frames_append(empty, &self), -EDOM);
	KUNIT_EXPECT_PTR_EQ(test, self, empty);
	unmap_and_drop(&empty);
	unmap_and_drop(&mapped);
}

static struct kunit_case frames_ownership_cases[] = {
	KUNIT_CASE(merge_other_after),
	KUNIT_CASE(merge_other_before),
	KUNIT_CASE(merge_not_contiguous_keeps_both),
	KUNIT_CASE(merge_across_region_types_keeps_both),
	KUNIT_CASE_PARAM(split_at_situations, split_gen_params),
	KUNIT_CASE(split_at_and_merge_again),
	KUNIT_CASE(split_at_of_an_empty_run),
	KUNIT_CASE(split_at_without_memory),
	KUNIT_CASE(split_at_of_mapped_frames),
	KUNIT_CASE(append_mapped_frames),
	KUNIT_CASE(append_mapped_frames_of_another_region),
	KUNIT_CASE(append_mapped_frames_to_themselves),
	{}
};

static struct kunit_suite frames_ownership_suite = {
	.name = "theseus_mm_frames_ownership",
	.init = init_case,
	.exit = tmm_test_frames_exit,
	.test_cases = frames_ownership_cases,
};

kunit_test_suite(frames_ownership_suite);
