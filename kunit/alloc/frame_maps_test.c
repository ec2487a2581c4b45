// SPDX-License-Identifier: GPL-2.0
#include "alloc/frame_maps.h"

#include "support/frames_fixture.h"
#include "support/invariants.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>

#define NR_2M	512ULL
#define NR_1G	BIT_ULL(18)
#define MOST	6000

/* Maps, and a byte for each of their frames: 1 if the frame is free. */
struct fixture {
	struct tmm_frame_maps maps;
	u8 *bytes;
};

static int init_case(struct kunit *test)
{
	struct fixture *f = tmm_test_kvzalloc(test, sizeof(*f));

	f->bytes = tmm_test_kvzalloc(test, MOST);
	test->priv = f;
	return 0;
}

/* KASAN reports accesses past tmm_frame_maps_nr_bytes(). The memory has a pattern. */
static void make_maps(struct kunit *test, u64 first, u64 nr)
{
	struct fixture *f = test->priv;
	size_t nr_bytes = tmm_frame_maps_nr_bytes(first, nr);
	void *memory = tmm_test_kvzalloc(test, nr_bytes);

	memset(memory, 0x5a, nr_bytes);
	memset(f->bytes, 1, min_t(u64, nr, MOST));
	tmm_frame_maps_init(&f->maps, first, nr, memory);
	tmm_check_frame_maps(test, &f->maps);
}

/* Continues a search until it is finished. */
static int find_all(const struct tmm_frame_maps *maps, const struct tmm_fit_request *req,
		    u64 *start)
{
	struct tmm_fit_cursor cursor = {};
	int err;

	do {
		err = tmm_frame_maps_find(maps, req, &cursor, start);
	} while (err == -EAGAIN);
	return err;
}

static void blocks_follow_their_frames(struct kunit *test)
{
	const u64 first = NR_1G - 700;
	struct fixture *f = test->priv;
	struct tmm_frame_maps *maps = &f->maps;

	make_maps(test, first, 2 * NR_1G + 1000);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_4K), 2 * NR_1G + 1000);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_2M), 2 * NR_1G + NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_1G), 2 * NR_1G);
	tmm_frame_maps_take(maps, 2 * NR_1G - 1, 1);
	tmm_check_frame_maps(test, maps);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_2M), NR_1G);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_1G), NR_1G);
	tmm_frame_maps_take(maps, 2 * NR_1G, NR_1G);
	tmm_check_frame_maps(test, maps);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_2M), NR_1G);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_1G), 0);
	KUNIT_EXPECT_EQ(test, maps->nr_ranges, 2);
	tmm_frame_maps_give(maps, 2 * NR_1G - 1, 1);
	tmm_check_frame_maps(test, maps);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_1G), NR_1G);
	tmm_frame_maps_give(maps, 2 * NR_1G, NR_1G);
	tmm_check_frame_maps(test, maps);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(maps, TMM_1G), 2 * NR_1G);
	KUNIT_EXPECT_EQ(test, maps->nr_ranges, 1);
}

/* Blocks that the region has only in part are never free. */
static void region_without_a_whole_block(struct kunit *test)
{
	struct fixture *f = test->priv;

	make_maps(test, 10, NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(&f->maps, TMM_4K), NR_2M);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(&f->maps, TMM_2M), 0);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(&f->maps, TMM_1G), 0);
	make_maps(test, 10, 2 * NR_2M - 10);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_largest(&f->maps, TMM_2M), NR_2M);
}

/* Each run of 9 frames begins 1 after a multiple of 16, so an alignment of 16 fits none of them. */
static void make_misaligned(struct kunit *test, u64 nr)
{
	struct fixture *f = test->priv;
	u64 i;

	make_maps(test, 0, nr);
	for (i = 0; i < nr; i += 16) {
		tmm_frame_maps_take(&f->maps, i, 1);
		tmm_frame_maps_take(&f->maps, i + 10, 6);
	}
	tmm_check_frame_maps(test, &f->maps);
}

static void search_is_unfinished_after_a_few_runs(struct kunit *test)
{
	const u64 nr_runs = 64 * TMM_FIT_TRIES;
	struct fixture *f = test->priv;
	struct tmm_fit_request req = { .nr = 4, .align = 16, .end = U64_MAX };
	struct tmm_fit_cursor cursor = {};
	unsigned int nr_calls = 0;
	u64 start = 42;
	int err;

	make_misaligned(test, 16 * nr_runs);
	do {
		err = tmm_frame_maps_find(&f->maps, &req, &cursor, &start);
		nr_calls++;
	} while (err == -EAGAIN);
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, nr_calls, 65);
	KUNIT_EXPECT_EQ(test, start, 42);
	/* In the last run the request fits: the search reaches the run, from both sides. */
	tmm_frame_maps_give(&f->maps, 16 * (nr_runs - 1), 1);
	KUNIT_EXPECT_EQ(test, find_all(&f->maps, &req, &start), 0);
	KUNIT_EXPECT_EQ(test, start, 16 * (nr_runs - 1));
	tmm_frame_maps_take(&f->maps, 16 * (nr_runs - 1), 1);
	tmm_frame_maps_give(&f->maps, 0, 1);
	req.from_top = true;
	KUNIT_EXPECT_EQ(test, find_all(&f->maps, &req, &start), 0);
	KUNIT_EXPECT_EQ(test, start, 0);
}

/* A run in which every alignment fits ends a search that has tried a few runs. */
static void long_run_ends_a_search(struct kunit *test)
{
	const u64 nr = 16 * 64 * TMM_FIT_TRIES;
	const struct tmm_fit_request req = { .nr = 4, .align = 16, .end = U64_MAX };
	struct fixture *f = test->priv;
	struct tmm_fit_cursor cursor = {};
	u64 start;

	make_misaligned(test, nr);
	tmm_frame_maps_give(&f->maps, nr - 22, 6);
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_find(&f->maps, &req, &cursor, &start), -EAGAIN);
	tmm_frame_maps_give(&f->maps, nr - 16, 1);
	cursor = (struct tmm_fit_cursor){};
	KUNIT_EXPECT_EQ(test, tmm_frame_maps_find(&f->maps, &req, &cursor, &start), 0);
	KUNIT_EXPECT_EQ(test, start, nr - 16);
}

/* Is the request free at @start? */
static bool suits(const struct fixture *f, const struct tmm_fit_request *req, u64 start)
{
	const u64 first = max(req->min, f->maps.first);
	const u64 end = min(req->end, f->maps.first + f->maps.nr);

	return start % req->align == 0 && start >= first && start <= end &&
	       end - start >= req->nr &&
	       !memchr_inv(f->bytes + start - f->maps.first, 1, req->nr);
}

/*
 * The place of a request by trying each run, and in @nr_tried the number of runs up to that place
 * that are long enough. Returns U64_MAX if the request does not fit.
 */
static u64 naive_find(const struct fixture *f, const struct tmm_fit_request *req,
		      unsigned int *nr_tried)
{
	const u64 first = max(req->min, f->maps.first);
	const u64 end = min(req->end, f->maps.first + f->maps.nr);
	const u64 nr = end > first ? end - first : 0;
	u64 i, run = 0;

	*nr_tried = 0;
	for (i = 0; i < nr; i++) {
		const u64 at = req->from_top ? end - 1 - i : first + i;
		const u64 start = req->from_top ? at : at + 1 - req->nr;

		run = f->bytes[at - f->maps.first] ? run + 1 : 0;
		*nr_tried += run == req->nr;
		if (run >= req->nr && start % req->align == 0)
			return start;
	}
	return U64_MAX;
}

static void change_randomly(struct kunit *test, struct rnd_state *rnd)
{
	struct fixture *f = test->priv;
	const u64 nr = f->maps.nr;
	u64 most = 1 + tmm_test_random_below(rnd, tmm_test_random_below(rnd, 3) ? 20 : nr);
	u64 start = tmm_test_random_below(rnd, nr);
	bool was_free = f->bytes[start];
	u64 end = start;

	while (end < nr && end - start < most && f->bytes[end] == was_free)
		end++;
	memset(f->bytes + start, !was_free, end - start);
	if (was_free)
		tmm_frame_maps_take(&f->maps, f->maps.first + start, end - start);
	else
		tmm_frame_maps_give(&f->maps, f->maps.first + start, end - start);
}

static void expect_find(struct kunit *test, const struct tmm_fit_request *req)
{
	struct fixture *f = test->priv;
	unsigned int nr_tried;
	u64 want = naive_find(f, req, &nr_tried);
	u64 start = U64_MAX;
	int err = find_all(&f->maps, req, &start);

	KUNIT_ASSERT_EQ_MSG(test, err, want == U64_MAX ? -ENOSPC : 0,
			    TMM_SEED_FMT "%llu at %llu in [%llu, %llu), top %d", tmm_test_seed(),
			    req->nr, req->align, req->min, req->end, req->from_top);
	if (nr_tried <= TMM_FIT_TRIES || req->align == 1 ||
	    (req->align == NR_2M && req->nr % NR_2M == 0))
		KUNIT_ASSERT_EQ_MSG(test, start, want,
				    TMM_SEED_FMT "%llu at %llu in [%llu, %llu), top %d",
				    tmm_test_seed(), req->nr, req->align, req->min, req->end,
				    req->from_top);
	else if (!err)
		KUNIT_ASSERT_TRUE(test, suits(f, req, start));
}

static void random_maps(struct kunit *test)
{
	static const u64 aligns[] = { 1, 2, 8, 64, 256, 512, 512, 1024, 3, 100, 1536, 1 << 18 };
	struct fixture *f = test->priv;
	struct rnd_state rnd;
	unsigned int i, k;

	tmm_test_random_start(test, &rnd, 0);
	for (i = 0; i < 30 * tmm_test_times(); i++) {
		make_maps(test, tmm_test_random_below(&rnd, i % 3 ? 3000 : 2 * NR_1G),
			  1 + tmm_test_random_below(&rnd, MOST));
		for (k = 0; k < 100; k++) {
			struct tmm_fit_request req = {
				.nr = 1 + tmm_test_random_below(&rnd, k % 4 ? 20 : 1500),
				.align = aligns[tmm_test_random_below(&rnd, ARRAY_SIZE(aligns))],
				.end = U64_MAX,
				.from_top = k & 1,
			};

			change_randomly(test, &rnd);
			tmm_check_frame_maps(test, &f->maps);
			expect_find(test, &req);
			req.nr = 512 * (1 + tmm_test_random_below(&rnd, 3));
			expect_find(test, &req);
			req.nr = 1 + tmm_test_random_below(&rnd, 20);
			req.min = f->maps.first + tmm_test_random_below(&rnd, f->maps.nr);
			req.end = req.min + tmm_test_random_below(&rnd, f->maps.nr);
			expect_find(test, &req);
		}
		cond_resched();
	}
}

static struct kunit_case frame_maps_cases[] = {
	KUNIT_CASE(blocks_follow_their_frames),
	KUNIT_CASE(region_without_a_whole_block),
	KUNIT_CASE(search_is_unfinished_after_a_few_runs),
	KUNIT_CASE(long_run_ends_a_search),
	KUNIT_CASE(random_maps),
	{}
};

static struct kunit_suite frame_maps_suite = {
	.name = "theseus_mm_frame_maps",
	.init = init_case,
	.test_cases = frame_maps_cases,
};

kunit_test_suite(frame_maps_suite);
