// SPDX-License-Identifier: GPL-2.0
#include "alloc/range_request.h"

#include "support/range_fixture.h"

#define NO_ERROR 0

struct request_param {
	const char *name;
	struct tmm_allocation_request req;
	int err;
	u64 start;
};

#define ALIGNED_IN_OF(_align, _min, _max, _nr, _general_only)	\
	{ .nr = (_nr), .align = (_align), .min = (_min), .max = (_max),	\
	  .general_only = (_general_only) }
#define AT_OF(_at, _nr, _general_only)				\
	{ .nr = (_nr), .is_at = true, .at = (_at), .general_only = (_general_only) }
#define AT(at, nr) AT_OF(at, nr, false)
#define ALIGNED_IN(align, min, max, nr) ALIGNED_IN_OF(align, min, max, nr, false)
#define ANY(nr) ALIGNED_IN(1, 0, U64_MAX, nr)
#define ALIGNED(align, nr) ALIGNED_IN(align, 0, U64_MAX, nr)
#define IN(min, max, nr) ALIGNED_IN(1, min, max, nr)
#define BEHIND(_behind, _align, _nr)				\
	{ .nr = (_nr), .align = (_align), .behind = (_behind), .max = U64_MAX }
/* These requests accept general regions only. */
#define GENERAL_AT(at, nr) AT_OF(at, nr, true)
#define GENERAL_IN(min, max, nr) ALIGNED_IN_OF(1, min, max, nr, true)
#define GENERAL(nr) GENERAL_IN(0, U64_MAX, nr)

/*
 * The regions are general [100, 200), of which [110, 120) and [150, 160) are owned, reserved
 * [200, 300), and designated [500, 5000), of which 600 is owned.
 */
static const struct request_param request_params[] = {
	{ "any, lowest", ANY(5), NO_ERROR, 100 },
	{ "any, exact fit", ANY(10), NO_ERROR, 100 },
	{ "any, second range", ANY(11), NO_ERROR, 120 },
	{ "any, largest general", ANY(40), NO_ERROR, 160 },
	{ "any, designated as a last resort", ANY(41), NO_ERROR, 500 },
	{ "any, exactly the largest", ANY(4399), NO_ERROR, 601 },
	{ "any, one more than the largest", ANY(4400), -ENOSPC, 0 },
	{ "any, more than any search", ANY(TMM_MAX_RUN + 1), -ENOSPC, 0 },
	{ "any, as many as can be counted", ANY(U64_MAX - 1), -ENOSPC, 0 },
	{ "any, more than can be counted", ANY(TMM_TOO_MANY), -EOVERFLOW, 0 },
	{ "none", ANY(0), -EINVAL, 0 },
	{ "alignment 0 is anywhere", ALIGNED(0, 5), NO_ERROR, 100 },
	{ "aligned to 32", ALIGNED(32, 8), NO_ERROR, 128 },
	{ "aligned to 2 MiB, from the top", ALIGNED(512, 300), NO_ERROR, 4608 },
	{ "aligned, exact fit", ALIGNED(4, 10), NO_ERROR, 100 },
	{ "aligned to 2 MiB, exact fit", ALIGNED(512, 392), NO_ERROR, 4608 },
	{ "aligned to 2 MiB, one more", ALIGNED(512, 393 + 7 * 512), -ENOSPC, 0 },
	{ "aligned to 1 GiB", ALIGNED(262144, 1), -ENOSPC, 0 },
	{ "aligned to an odd number", ALIGNED(7, 5), NO_ERROR, 105 },
	{ "aligned, none", ALIGNED(32, 0), -EINVAL, 0 },
	{ "behind an alignment of 32", BEHIND(3, 32, 5), NO_ERROR, 131 },
	{ "behind, without an alignment", BEHIND(3, 1, 5), NO_ERROR, 103 },
	{ "behind, exact fit", BEHIND(3, 1, 7), NO_ERROR, 103 },
	{ "behind, one more", BEHIND(3, 1, 8), NO_ERROR, 123 },
	{ "at, free", AT(103, 3), NO_ERROR, 103 },
	{ "at, exactly a range", AT(100, 10), NO_ERROR, 100 },
	{ "at, exactly the end of a range", AT(109, 1), NO_ERROR, 109 },
	{ "at, exactly a region's rest", AT(160, 40), NO_ERROR, 160 },
	{ "at, reserved", AT(200, 100), NO_ERROR, 200 },
	{ "at, owned", AT(110, 1), -EADDRINUSE, 0 },
	{ "at, owned to the end", AT(119, 5), -EADDRINUSE, 0 },
	{ "at, free but not all", AT(105, 6), -EADDRNOTAVAIL, 0 },
	{ "at, across an owned run", AT(105, 30), -EADDRNOTAVAIL, 0 },
	{ "at, past the region", AT(290, 11), -EADDRNOTAVAIL, 0 },
	{ "at, across two regions", AT(190, 20), -EADDRNOTAVAIL, 0 },
	{ "at, before all regions", AT(99, 5), -ERANGE, 0 },
	{ "at, between regions", AT(300, 1), -ERANGE, 0 },
	{ "at, after all regions", AT(5000, 1), -ERANGE, 0 },
	{ "at, none", AT(100, 0), -EINVAL, 0 },
	{ "at, wraps", AT(100, U64_MAX - 50), -EOVERFLOW, 0 },
	{ "at the last number, wraps", AT(U64_MAX, 1), -EOVERFLOW, 0 },
	{ "in range, exactly it", IN(130, 139, 10), NO_ERROR, 130 },
	{ "in range, one more", IN(130, 139, 11), -ENOSPC, 0 },
	{ "in range, behind what is owned", IN(105, 160, 6), NO_ERROR, 120 },
	{ "in range, all owned", IN(110, 119, 1), -ENOSPC, 0 },
	{ "in range, one chunk", IN(109, 109, 1), NO_ERROR, 109 },
	{ "in range, designated", IN(600, 700, 5), NO_ERROR, 601 },
	{ "in range, general first", IN(0, U64_MAX - 1, 5), NO_ERROR, 100 },
	{ "in range, reserved only", IN(200, 299, 5), -ERANGE, 0 },
	{ "in range, a region begins inside", IN(50, 105, 7), -ENOSPC, 0 },
	{ "in range, fits where a region begins inside", IN(50, 105, 6), NO_ERROR, 100 },
	{ "in range, of no region", IN(300, 499, 1), -ERANGE, 0 },
	{ "in range, upside down", IN(120, 119, 1), -EINVAL, 0 },
	{ "in range, none", IN(120, 139, 0), -EINVAL, 0 },
	{ "aligned in range", ALIGNED_IN(8, 121, 149, 16), NO_ERROR, 128 },
	{ "aligned in range, exactly", ALIGNED_IN(8, 128, 143, 16), NO_ERROR, 128 },
	{ "aligned in range, exactly a range", ALIGNED_IN(10, 120, 149, 30), NO_ERROR, 120 },
	{ "aligned in range, no room", ALIGNED_IN(8, 129, 150, 15), -ENOSPC, 0 },
	{ "aligned to 2 MiB in range", ALIGNED_IN(512, 600, 2000, 400), NO_ERROR, 1536 },
	{ "general only, the largest", GENERAL(40), NO_ERROR, 160 },
	{ "general only, no last resort", GENERAL(41), -ENOSPC, 0 },
	{ "general only, at", GENERAL_AT(103, 3), NO_ERROR, 103 },
	{ "general only, at, owned", GENERAL_AT(110, 1), -EADDRINUSE, 0 },
	{ "general only, at, designated", GENERAL_AT(700, 1), -ERANGE, 0 },
	{ "general only, at, designated and owned", GENERAL_AT(600, 1), -ERANGE, 0 },
	{ "general only, at, reserved", GENERAL_AT(200, 1), -EOPNOTSUPP, 0 },
	{ "general only, at, of no region", GENERAL_AT(300, 1), -ERANGE, 0 },
	{ "general only, in range", GENERAL_IN(105, 700, 6), NO_ERROR, 120 },
	{ "general only, in range, no last resort", GENERAL_IN(105, 700, 41), -ENOSPC, 0 },
	{ "general only, in range, designated", GENERAL_IN(600, 700, 5), -ERANGE, 0 },
	{ "general only, in range, reserved", GENERAL_IN(200, 299, 5), -ERANGE, 0 },
};

TMM_ARRAY_PARAM(request, request_params);

static void allocate_requests(struct kunit *test)
{
	const struct request_param *p = test->param_value;
	struct tmm_chunk *owned[3], *chunk;
	unsigned int i;

	tmm_test_ranges_add(test, TMM_REGION_DESIGNATED, 500, 4500);
	tmm_test_ranges_add(test, TMM_REGION_RESERVED, 200, 100);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 100, 100);
	owned[0] = tmm_test_ranges_take(test, tmm_request_at(110, 10), 110);
	owned[1] = tmm_test_ranges_take(test, tmm_request_at(150, 10), 150);
	owned[2] = tmm_test_ranges_take(test, tmm_request_at(600, 1), 600);
	if (p->err) {
		tmm_test_ranges_refuse(test, p->req, p->err);
	} else {
		chunk = tmm_test_ranges_take(test, p->req, p->start);
		tmm_test_ranges_release(test, chunk);
	}
	for (i = 0; i < ARRAY_SIZE(owned); i++)
		tmm_test_ranges_release(test, owned[i]);
}

static void allocate_without_any_region(struct kunit *test)
{
	tmm_test_ranges_refuse(test, tmm_request_any(1), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_aligned(512, 1), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_at(5, 1), -ERANGE);
	tmm_test_ranges_refuse(test, tmm_request_in_range(5, 9, 1), -ERANGE);
}

/* Theseus panics here, or returns pages that are not free. */
static void allocate_at_across_pieces_freed_one_by_one(struct kunit *test)
{
	struct tmm_chunk *piece[5];
	unsigned int i;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 10, 10);
	for (i = 0; i < 5; i++)
		piece[i] = tmm_test_ranges_take(test, tmm_request_any(2), 10 + 2 * i);
	for (i = 0; i < 4; i++)
		tmm_test_ranges_release(test, piece[i]);
	tmm_test_ranges_refuse(test, tmm_request_at(10, 9), -EADDRNOTAVAIL);
	tmm_test_ranges_probe(test, tmm_request_at(11, 6), 11);
	tmm_test_ranges_probe(test, tmm_request_at(10, 8), 10);
	tmm_test_ranges_release(test, piece[4]);
	tmm_test_ranges_probe(test, tmm_request_at(10, 10), 10);
}

/*
 * Chunks 10..13 and 14..20 were freed separately. In Theseus, a request for six pages at 10 takes
 * both ranges, and pages 16..20 are lost.
 */
static void allocate_at_across_adjacent_pieces_loses_nothing(struct kunit *test)
{
	struct tmm_chunk *low, *high, *run;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 10, 11);
	low = tmm_test_ranges_take(test, tmm_request_at(10, 4), 10);
	high = tmm_test_ranges_take(test, tmm_request_at(14, 7), 14);
	tmm_test_ranges_release(test, low);
	tmm_test_ranges_release(test, high);
	run = tmm_test_ranges_take(test, tmm_request_at(10, 6), 10);
	tmm_test_ranges_probe(test, tmm_request_at(16, 5), 16);
	tmm_test_ranges_refuse(test, tmm_request_at(16, 6), -EADDRNOTAVAIL);
	tmm_test_ranges_release(test, run);
}

/* Chunks 10..13 and 14..15 are free. In Theseus, a request for twelve pages at 10 succeeds. */
static void allocate_at_across_adjacent_pieces_gives_nothing_owned(struct kunit *test)
{
	struct tmm_chunk *low, *high, *owned;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 10, 20);
	low = tmm_test_ranges_take(test, tmm_request_at(10, 4), 10);
	high = tmm_test_ranges_take(test, tmm_request_at(14, 2), 14);
	owned = tmm_test_ranges_take(test, tmm_request_at(16, 14), 16);
	tmm_test_ranges_release(test, low);
	tmm_test_ranges_release(test, high);
	tmm_test_ranges_refuse(test, tmm_request_at(10, 12), -EADDRNOTAVAIL);
	tmm_test_ranges_refuse(test, tmm_request_at(10, 7), -EADDRNOTAVAIL);
	tmm_test_ranges_probe(test, tmm_request_at(10, 6), 10);
	tmm_test_ranges_release(test, owned);
}

/* In Theseus, the end of a request saturates, so the request becomes shorter and succeeds. */
static void allocate_past_the_last_number_is_no_shorter_run(struct kunit *test)
{
	const u64 first = TMM_NUMBER_LIMIT - 10;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, first, 10);
	tmm_test_ranges_refuse(test, tmm_request_any(11), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_at(first + 8, 3), -EADDRNOTAVAIL);
	tmm_test_ranges_refuse(test, tmm_request_at(first + 8, U64_MAX - 1 - first), -EOVERFLOW);
	tmm_test_ranges_refuse(test, tmm_request_at(first + 10, 1), -ERANGE);
	tmm_test_ranges_refuse(test, tmm_request_in_range(first + 6, U64_MAX, 5), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_in_range(first + 6, U64_MAX - 1, 5), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_in_range(first + 10, U64_MAX, 1), -ERANGE);
	tmm_test_ranges_refuse(test, tmm_request_aligned(1ULL << 63, 1), -ENOSPC);
	tmm_test_ranges_probe(test, tmm_request_in_range(first + 6, U64_MAX, 4), first + 6);
	tmm_test_ranges_probe(test, tmm_request_at(first + 9, 1), first + 9);
	tmm_test_ranges_probe(test, tmm_request_any(10), first);
}

#define LOW_HALF (1ULL << 44)

/*
 * A region may be longer than TMM_MAX_RUN, the longest length in the index. With 5 levels, the
 * lower half is such a region.
 */
static void allocate_in_a_region_of_any_length(struct kunit *test)
{
	struct tmm_chunk *middle;

	tmm_test_ranges_add(test, TMM_REGION_DESIGNATED, 0, LOW_HALF);
	tmm_test_ranges_refuse(test, tmm_request_any(TMM_MAX_RUN + 1), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_at(1, LOW_HALF), -EADDRNOTAVAIL);
	tmm_test_ranges_probe(test, tmm_request_at(0, LOW_HALF), 0);
	tmm_test_ranges_probe(test, tmm_request_any(TMM_MAX_RUN), 0);
	tmm_test_ranges_probe(test, tmm_request_in_range(LOW_HALF - 9, LOW_HALF - 1, 9),
			      LOW_HALF - 9);
	tmm_test_ranges_refuse(test, tmm_request_in_range(LOW_HALF - 9, LOW_HALF - 1, 10), -ENOSPC);
	tmm_test_ranges_probe(test, tmm_request_sized(TMM_1G, 3), LOW_HALF - 3 * 262144);
	middle = tmm_test_ranges_take(test, tmm_request_at(LOW_HALF / 2, 1), LOW_HALF / 2);
	tmm_test_ranges_probe(test, tmm_request_any(TMM_MAX_RUN), 0);
	tmm_test_ranges_probe(test, tmm_request_in_range(LOW_HALF / 2 - 1, LOW_HALF, TMM_MAX_RUN),
			      LOW_HALF / 2 + 1);
	tmm_test_ranges_probe(test, tmm_request_at(0, LOW_HALF / 2), 0);
	tmm_test_ranges_release(test, middle);
}

/* Searches in regions that are one chunk shorter and one chunk longer than TMM_MAX_RUN. */
static void allocate_as_long_as_a_search(struct kunit *test)
{
	struct tmm_test_ranges *tr = test->priv;

	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 5, TMM_MAX_RUN - 1);
	tmm_test_ranges_refuse(test, tmm_request_any(TMM_MAX_RUN), -ENOSPC);
	tmm_test_ranges_probe(test, tmm_request_any(TMM_MAX_RUN - 1), 5);
	KUNIT_EXPECT_EQ(test, tmm_free_set_largest(&tr->regions[0].free, TMM_4K), TMM_MAX_RUN - 1);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 1ULL << 40, TMM_MAX_RUN + 1);
	tmm_test_ranges_probe(test, tmm_request_any(TMM_MAX_RUN), 1ULL << 40);
	KUNIT_EXPECT_EQ(test, tmm_free_set_largest(&tr->regions[1].free, TMM_4K), TMM_MAX_RUN);
}

static void requests_of_a_size(struct kunit *test)
{
	struct tmm_allocation_request req = tmm_request_sized(TMM_2M, 3);

	KUNIT_EXPECT_EQ(test, req.nr, 1536);
	KUNIT_EXPECT_EQ(test, req.align, 512);
	KUNIT_EXPECT_FALSE(test, req.is_at);
	KUNIT_EXPECT_EQ(test, req.max, U64_MAX);
	tmm_test_ranges_add(test, TMM_REGION_GENERAL, 1, 5000);
	tmm_test_ranges_probe(test, req, 3072);
	tmm_test_ranges_probe(test, tmm_request_sized(TMM_4K, 5000), 1);
	tmm_test_ranges_refuse(test, tmm_request_sized(TMM_1G, 1), -ENOSPC);
	tmm_test_ranges_refuse(test, tmm_request_sized(TMM_2M, 0), -EINVAL);
	tmm_test_ranges_refuse(test, tmm_request_sized(TMM_1G, 1ULL << 46), -EOVERFLOW);
	tmm_test_ranges_refuse(test, tmm_request_sized(TMM_2M, 1ULL << 55), -EOVERFLOW);
	tmm_test_ranges_refuse(test, tmm_request_sized(TMM_1G, (1ULL << 46) - 1), -ENOSPC);
	tmm_test_ranges_probe(test, tmm_request_aligned_in_range(64, 100, 400, 200), 128);
}

static struct kunit_case range_request_cases[] = {
	KUNIT_CASE_PARAM(allocate_requests, request_gen_params),
	KUNIT_CASE(allocate_without_any_region),
	KUNIT_CASE(allocate_at_across_pieces_freed_one_by_one),
	KUNIT_CASE(allocate_at_across_adjacent_pieces_loses_nothing),
	KUNIT_CASE(allocate_at_across_adjacent_pieces_gives_nothing_owned),
	KUNIT_CASE(allocate_past_the_last_number_is_no_shorter_run),
	KUNIT_CASE(allocate_in_a_region_of_any_length),
	KUNIT_CASE(allocate_as_long_as_a_search),
	KUNIT_CASE(requests_of_a_size),
	{}
};

static struct kunit_suite range_request_suite = {
	.name = "theseus_mm_range_request",
	.init = tmm_test_ranges_init,
	.exit = tmm_test_ranges_exit,
	.test_cases = range_request_cases,
};

kunit_test_suite(range_request_suite);
