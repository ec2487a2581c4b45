// SPDX-License-Identifier: GPL-2.0
#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"
#include "support/pages_fixture.h"

struct fixture {
	struct tmm_test_frames *tf;
	struct tmm_test_pages *tp;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	test->priv = f;
	f->tf = tmm_test_frames_create(test);
	f->tp = tmm_test_pages_create(test);
	tmm_test_frames_add(test, f->tf, TMM_REGION_GENERAL, 1000, 3000);
	tmm_test_pages_add(test, f->tp, TMM_REGION_GENERAL, 1000, 3000);
	return 0;
}

static void exit_case(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	tmm_test_frames_destroy(test, f->tf);
	tmm_test_pages_destroy(test, f->tp);
}

static struct tmm_allocated_frames *take_frames(struct kunit *test)
{
	struct fixture *f = test->priv;

	return tmm_test_frames_take(test, f->tf, tmm_request_at(1500, 1000));
}

static struct tmm_allocated_pages *take_pages(struct kunit *test)
{
	struct fixture *f = test->priv;

	return tmm_test_pages_take(test, f->tp, tmm_request_at(1500, 1000));
}

static u64 both_fingerprints(struct kunit *test)
{
	struct fixture *f = test->priv;

	return tmm_fingerprint_frames(&f->tf->fa) * 31 + tmm_fingerprint_ranges(&f->tp->pa.ra);
}

static void expect_run(struct kunit *test, const struct tmm_chunk *chunk, u64 start, u64 end)
{
	if (start == end) {
		KUNIT_EXPECT_PTR_EQ(test, (void *)chunk, NULL);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	KUNIT_EXPECT_EQ(test, chunk->start, start);
	KUNIT_EXPECT_EQ(test, tmm_chunk_end(chunk), end);
}

struct range_param {
	const char *name;
	struct tmm_range middle;
	int err;
};

/* Ranges to split off the run [1500, 2500). */
static const struct range_param range_params[] = {
	{ "in the middle", { 1700, 5, TMM_4K }, 0 },
	{ "at the beginning", { 1500, 1, TMM_4K }, 0 },
	{ "at the end", { 2499, 1, TMM_4K }, 0 },
	{ "all", { 1500, 1000, TMM_4K }, 0 },
	{ "all but both ends", { 1501, 998, TMM_4K }, 0 },
	{ "a huge one", { 1536, 1, TMM_2M }, 0 },
	{ "empty", { 1700, 0, TMM_4K }, -EINVAL },
	{ "before the beginning", { 1499, 2, TMM_4K }, -EINVAL },
	{ "past the end", { 2499, 2, TMM_4K }, -EINVAL },
	{ "around", { 1499, 1002, TMM_4K }, -EINVAL },
	{ "directly before", { 1400, 100, TMM_4K }, -EINVAL },
	{ "directly after", { 2500, 1, TMM_4K }, -EINVAL },
	{ "huge ones, past the end", { 1536, 2, TMM_2M }, -EINVAL },
	{ "a gigantic one", { 0, 1, TMM_1G }, -EINVAL },
	{ "as many as can be counted", { 1700, U64_MAX, TMM_4K }, -EINVAL },
	{ "wraps to the end", { 3000, 2500 - 3000ULL, TMM_4K }, -EINVAL },
	{ "count of huge ones wraps", { 1536, 1ULL << 55, TMM_2M }, -EINVAL },
	{ "count of gigantic ones wraps", { 1536, (1ULL << 46) + 1, TMM_1G }, -EINVAL },
	{ "at the last number", { U64_MAX, 1, TMM_4K }, -EINVAL },
};

TMM_ARRAY_PARAM(range, range_params);

static void split_range_of_frames(struct kunit *test)
{
	const struct range_param *p = test->param_value;
	struct tmm_allocated_frames *before = ERR_PTR(-1), *after = ERR_PTR(-1);
	struct tmm_allocated_frames *frames = take_frames(test);
	struct tmm_frame_range middle = { p->middle };
	u64 print = both_fingerprints(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_split_range(frames, middle, &before, &after),
			p->err);
	KUNIT_EXPECT_EQ(test, both_fingerprints(test), print);
	if (p->err) {
		KUNIT_EXPECT_PTR_EQ(test, before, (struct tmm_allocated_frames *)ERR_PTR(-1));
		KUNIT_EXPECT_PTR_EQ(test, after, (struct tmm_allocated_frames *)ERR_PTR(-1));
		expect_run(test, &frames->f.chunk, 1500, 2500);
	} else {
		expect_run(test, before ? &before->f.chunk : NULL, 1500, p->middle.first);
		expect_run(test, &frames->f.chunk, p->middle.first, tmm_range_end(&p->middle));
		expect_run(test, after ? &after->f.chunk : NULL, tmm_range_end(&p->middle), 2500);
	}
	tmm_allocated_frames_drop(&before);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_frames_drop(&after);
}

static void split_range_of_pages(struct kunit *test)
{
	const struct range_param *p = test->param_value;
	struct tmm_allocated_pages *before = ERR_PTR(-1), *after = ERR_PTR(-1);
	struct tmm_allocated_pages *pages = take_pages(test);
	struct tmm_page_range middle = { p->middle };
	u64 print = both_fingerprints(test);

	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_split_range(pages, middle, &before, &after),
			p->err);
	KUNIT_EXPECT_EQ(test, both_fingerprints(test), print);
	if (p->err) {
		KUNIT_EXPECT_PTR_EQ(test, before, (struct tmm_allocated_pages *)ERR_PTR(-1));
		KUNIT_EXPECT_PTR_EQ(test, after, (struct tmm_allocated_pages *)ERR_PTR(-1));
		expect_run(test, &pages->chunk, 1500, 2500);
	} else {
		expect_run(test, before ? &before->chunk : NULL, 1500, p->middle.first);
		expect_run(test, &pages->chunk, p->middle.first, tmm_range_end(&p->middle));
		expect_run(test, after ? &after->chunk : NULL, tmm_range_end(&p->middle), 2500);
	}
	tmm_allocated_pages_drop(&before);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_pages_drop(&after);
}

static void split_range_without_memory(struct kunit *test)
{
	struct tmm_allocated_frames *frames_before = NULL, *frames_after = NULL;
	struct tmm_allocated_pages *pages_before = NULL, *pages_after = NULL;
	struct tmm_allocated_frames *frames = take_frames(test);
	struct tmm_allocated_pages *pages = take_pages(test);
	struct tmm_range middle = { 1700, 5, TMM_4K };
	unsigned int nth;
	int err;

	for (nth = 1; nth <= 2; nth++) {
		tmm_test_fail_alloc(test, nth);
		err = tmm_allocated_frames_split_range(frames, (struct tmm_frame_range){ middle },
						       &frames_before, &frames_after);
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		expect_run(test, &frames->f.chunk, 1500, 2500);
		tmm_test_fail_alloc(test, nth);
		err = tmm_allocated_pages_split_range(pages, (struct tmm_page_range){ middle },
						      &pages_before, &pages_after);
		KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		expect_run(test, &pages->chunk, 1500, 2500);
	}
	KUNIT_EXPECT_PTR_EQ(test, frames_before, NULL);
	KUNIT_EXPECT_PTR_EQ(test, frames_after, NULL);
	KUNIT_EXPECT_PTR_EQ(test, pages_before, NULL);
	KUNIT_EXPECT_PTR_EQ(test, pages_after, NULL);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

static void split_range_and_merge_again(struct kunit *test)
{
	struct tmm_allocated_frames *frames_before, *frames_after, *frames = take_frames(test);
	struct tmm_allocated_pages *pages_before, *pages_after, *pages = take_pages(test);
	struct tmm_range middle = { 1700, 5, TMM_4K };

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_range(frames,
							       (struct tmm_frame_range){ middle },
							       &frames_before, &frames_after), 0);
	KUNIT_EXPECT_EQ(test, frames_before->f.state, TMM_STATE_ALLOCATED);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &frames_after), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_merge(frames, &frames_before), 0);
	expect_run(test, &frames->f.chunk, 1500, 2500);
	KUNIT_ASSERT_EQ(test, tmm_allocated_pages_split_range(pages,
							      (struct tmm_page_range){ middle },
							      &pages_before, &pages_after), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &pages_before), 0);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_merge(pages, &pages_after), 0);
	expect_run(test, &pages->chunk, 1500, 2500);
	tmm_allocated_frames_drop(&frames);
	tmm_allocated_pages_drop(&pages);
}

static struct kunit_case split_range_cases[] = {
	KUNIT_CASE_PARAM(split_range_of_frames, range_gen_params),
	KUNIT_CASE_PARAM(split_range_of_pages, range_gen_params),
	KUNIT_CASE(split_range_without_memory),
	KUNIT_CASE(split_range_and_merge_again),
	{}
};

static struct kunit_suite split_range_suite = {
	.name = "theseus_mm_split_range",
	.init = init_case,
	.exit = exit_case,
	.test_cases = split_range_cases,
};

kunit_test_suite(split_range_suite);
