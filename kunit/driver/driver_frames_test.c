// SPDX-License-Identifier: GPL-2.0
/*
 * A driver allocates frames: each form of allocation returns the run that its arguments describe,
 * and changes nothing when it fails.
 */
#include "driver/driver_allocate.h"

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/sched.h>

static bool is_in_one_of(const struct free_runs *runs, u64 number)
{
	unsigned int i;

	for (i = 0; i < runs->nr; i++)
		if (number >= runs->run[i].first && number < tmm_range_end(&runs->run[i]))
			return true;
	return false;
}

/* A single frame comes from the magazine of a CPU, which has any of the free frames. */
static void try_single(struct kunit *test, const struct free_runs *runs,
		       struct tmm_allocated_frames *frames)
{
	struct tmm_frame_range range;
	u64 number;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	number = tmm_frame_range_start(&range).number;
	KUNIT_EXPECT_TRUE_MSG(test, is_in_one_of(runs, number), "frame %#llx", number);
	tmm_driver_try_frames(test, frames, number, 1);
}

static void single_frames_anywhere(struct kunit *test)
{
	const struct free_runs *runs = tmm_driver_free_runs(test);
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
		try_single(test, runs, tmm_allocate_frames(1));
		try_single(test, runs, tmm_allocate_frames_by_bytes(1));
		try_single(test, runs, tmm_allocate_frames_by_bytes(4096));
	}
}

static void frames_anywhere(struct kunit *test)
{
	const struct {
		struct tmm_allocated_frames *(*allocate)(u64 nr);
		u64 argument;
		u64 nr;
	} wanted[] = {
		{ tmm_allocate_frames, 1000, 1000 },
		{ tmm_allocate_frames_by_bytes, 4097, 2 },
		{ tmm_allocate_frames_by_bytes, SZ_8M, SZ_8M / 4096 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		u64 start = tmm_driver_fit_any(test, wanted[i].nr);

		tmm_driver_try_frames(test, wanted[i].allocate(wanted[i].argument), start,
				      wanted[i].nr);
	}
}

static void frames_anywhere_refused(struct kunit *test)
{
	const struct {
		struct tmm_allocated_frames *(*allocate)(u64 nr);
		u64 nr;
		long err;
	} refused[] = {
		{ tmm_allocate_frames, 0, -EINVAL },
		{ tmm_allocate_frames, tmm_driver_largest_run(test).nr + 1, -ENOSPC },
		{ tmm_allocate_frames, U64_MAX - 1, -ENOSPC },
		{ tmm_allocate_frames, TMM_TOO_MANY, -EOVERFLOW },
		{ tmm_allocate_frames_by_bytes, 0, -EINVAL },
		{ tmm_allocate_frames_by_bytes,
		  (tmm_driver_largest_run(test).nr << TMM_PAGE_SHIFT) + 1, -ENOSPC },
		{ tmm_allocate_frames_by_bytes, U64_MAX, -EOVERFLOW },
	};

	EXPECT_REFUSED(test, refused, entry->allocate(entry->nr),
		       tmm_driver_expect_frames_taken(test, 0));
}

/*
 * A request for a number of frames begins at the frame that contains the address. A request for
 * bytes begins at the address itself, so its last byte can lie in a further frame.
 */
static void frames_at_an_address(struct kunit *test)
{
	u64 area = tmm_driver_fit_any(test, NR_AREA) + 10;
	struct tmm_paddr inside = { (area << TMM_PAGE_SHIFT) + 4000 };

	tmm_driver_try_frames(test, tmm_allocate_frames_at(paddr_of(area), 3), area, 3);
	tmm_driver_try_frames(test, tmm_allocate_frames_at(inside, 3), area, 3);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_bytes_at(paddr_of(area), 4096), area, 1);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_bytes_at(paddr_of(area), 4097), area, 2);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 96), area, 1);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 97), area, 2);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 97 + 3 * 4096), area,
			      5);
}

static void frames_at_an_address_refused(struct kunit *test)
{
	u64 area = tmm_driver_fit_any(test, NR_AREA);
	const struct free_runs *runs = tmm_driver_free_runs(test);
	u64 end = tmm_range_end(&runs->run[runs->nr - 1]);
	const struct {
		struct tmm_allocated_frames *(*allocate)(struct tmm_paddr paddr, u64 nr);
		struct tmm_paddr paddr;
		u64 nr;
		long err;
	} refused[] = {
		{ tmm_allocate_frames_at, paddr_of(area), 0, -EINVAL },
		{ tmm_allocate_frames_at, { 0 }, 1, -ERANGE },
		{ tmm_allocate_frames_at, paddr_of(end), 1, -ERANGE },
		{ tmm_allocate_frames_at, { U64_MAX }, 1, -ERANGE },
		{ tmm_allocate_frames_at, paddr_of(area + 5), 1, -EADDRINUSE },
		{ tmm_allocate_frames_at, paddr_of(area + 4), 2, -EADDRNOTAVAIL },
		{ tmm_allocate_frames_at, paddr_of(end - 1), 2, -EADDRNOTAVAIL },
		{ tmm_allocate_frames_at, paddr_of(area), U64_MAX - 1, -EOVERFLOW },
		{ tmm_allocate_frames_at, paddr_of(area), TMM_TOO_MANY, -EOVERFLOW },
		{ tmm_allocate_frames_by_bytes_at, paddr_of(area), 0, -EINVAL },
		{ tmm_allocate_frames_by_bytes_at, { 4095 }, 2, -ERANGE },
		{ tmm_allocate_frames_by_bytes_at, paddr_of(area + 5), 1, -EADDRINUSE },
		{ tmm_allocate_frames_by_bytes_at, { (area + 5) * 4096 - 1 }, 2, -EADDRNOTAVAIL },
		{ tmm_allocate_frames_by_bytes_at, paddr_of(area), U64_MAX, -EOVERFLOW },
	};
	struct tmm_allocated_frames *owned = tmm_allocate_frames_at(paddr_of(area + 5), 1);

	tmm_driver_expect_frames(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused, entry->allocate(entry->paddr, entry->nr),
		       tmm_driver_expect_frames_taken(test, 1));
	/* The frames before the owned one are free. */
	tmm_driver_expect_frames_free(test, area, 5);
	tmm_allocated_frames_drop(&owned);
}

static void frames_by_request(struct kunit *test)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	u64 middle = run.first + run.nr / 2 + 1;
	const struct tmm_allocation_request wanted[] = {
		tmm_request_any(7),
		tmm_request_aligned(8, 3),
		tmm_request_aligned(48, 3),
		tmm_request_aligned(NR_2M, 1),
		tmm_request_aligned(NR_2M, NR_2M + 1),
		tmm_request_aligned(NR_1G, NR_2M),
		tmm_request_in_range(middle, middle + 9, 10),
		tmm_request_in_range(middle, middle + 99, 10),
		tmm_request_in_range(0, middle, 10),
		tmm_request_aligned_in_range(16, middle, middle + 99, 10),
		tmm_request_aligned_in_range(NR_2M, middle, middle + 4 * NR_2M - 1, NR_2M),
		tmm_request_sized(TMM_4K, 9),
		tmm_request_sized(TMM_2M, 2),
		tmm_request_sized(TMM_1G, 1),
	};
	const struct tmm_allocation_request at = tmm_request_at(middle, 5);
	const struct tmm_allocation_request inside =
		tmm_request_at_paddr((struct tmm_paddr){ middle * 4096 + 4095 }, 5);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		u64 start = tmm_driver_fit(test, &wanted[i]);

		KUNIT_ASSERT_NE_MSG(test, start, U64_MAX, "entry %u", i);
		tmm_driver_try_frames(test, tmm_allocate_frames_by_request(&wanted[i]), start,
				      wanted[i].nr);
	}
	tmm_driver_try_frames(test, tmm_allocate_frames_by_request(&at), middle, 5);
	tmm_driver_try_frames(test, tmm_allocate_frames_by_request(&inside), middle, 5);
}

static void frames_by_request_refused(struct kunit *test)
{
	u64 area = tmm_driver_fit_any(test, NR_AREA);
	u64 nr = tmm_driver_largest_run(test).nr;
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_at(area, 0), -EINVAL },
		{ tmm_request_in_range(area + 1, area, 1), -EINVAL },
		{ tmm_request_aligned(8, nr + 1), -ENOSPC },
		{ tmm_request_in_range(area, area + 8, 10), -ENOSPC },
		{ tmm_request_in_range(area + 5, area + 5, 1), -ENOSPC },
		{ tmm_request_aligned_in_range(NR_2M, area, area + 8, 10), -ENOSPC },
		{ tmm_request_sized(TMM_1G, 2), -ENOSPC },
		{ tmm_request_in_range(0, 255, 1), -ERANGE },
		{ tmm_request_aligned_in_range(16, 0, 255, 1), -ERANGE },
		{ tmm_request_at(0, 1), -ERANGE },
		{ tmm_request_at(area + 5, 1), -EADDRINUSE },
		{ tmm_request_at_paddr(paddr_of(area + 5), 1), -EADDRINUSE },
		{ tmm_request_at(area + 4, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(U64_MAX, 1), -EOVERFLOW },
		{ tmm_request_sized(TMM_2M, U64_MAX / 2), -EOVERFLOW },
		{ tmm_request_sized(TMM_1G, U64_MAX), -EOVERFLOW },
	};
	struct tmm_allocated_frames *owned = tmm_allocate_frames_at(paddr_of(area + 5), 1);

	tmm_driver_expect_frames(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused, tmm_allocate_frames_by_request(&entry->req),
		       tmm_driver_expect_frames_taken(test, 1));
	tmm_allocated_frames_drop(&owned);
}

/* choose_run() returns @req at the first free run of at least @nr_at_least frames. */
struct choice {
	u64 nr_at_least;
	struct tmm_allocation_request req;
	unsigned int nr_seen_after;
	bool is_chosen;
};

static bool choose_run(const struct tmm_free_frames *frames, void *context,
		       struct tmm_allocation_request *req)
{
	struct choice *choice = context;

	if (choice->is_chosen)
		choice->nr_seen_after++;
	if (tmm_frames_nr(&frames->f) < choice->nr_at_least)
		return false;
	choice->is_chosen = true;
	*req = choice->req;
	return true;
}

static void inspection_shows_what_is_free(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;
	const struct free_runs *runs = tmm_driver_free_runs(test);
	u64 nr = 0, largest = 0;
	unsigned int i;

	for (i = 0; i < runs->nr; i++) {
		KUNIT_EXPECT_EQ(test, runs->run[i].size, TMM_4K);
		if (i)
			KUNIT_EXPECT_GT(test, runs->run[i].first,
					tmm_range_end(&runs->run[i - 1]));
		nr += runs->run[i].nr;
		largest = max(largest, runs->run[i].nr);
	}
	KUNIT_EXPECT_EQ(test, nr, driver->before.frames_free);
	KUNIT_EXPECT_EQ(test, largest, driver->before.frames_largest_free);
	tmm_driver_expect_frames_taken(test, 0);
}

static void inspection_takes_what_is_chosen(struct kunit *test)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	const struct tmm_allocation_request choices[] = {
		tmm_request_at(run.first, 1),
		tmm_request_at(run.first + 123, 45),
		tmm_request_at(tmm_range_end(&run) - 1, 1),
		tmm_request_at(run.first, run.nr),
		tmm_request_at_paddr((struct tmm_paddr){ (run.first + 3) * 4096 + 5 }, 2),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(choices); i++) {
		struct choice choice = { .nr_at_least = run.nr, .req = choices[i] };

		tmm_driver_try_frames(test,
				      tmm_inspect_then_allocate_free_frames(choose_run, &choice),
				      choices[i].at, choices[i].nr);
		KUNIT_EXPECT_EQ(test, choice.nr_seen_after, 0);
	}
}

static void inspection_refuses_a_bad_choice(struct kunit *test)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	const struct tmm_allocation_request bad[] = {
		{},
		tmm_request_any(1),
		tmm_request_at(run.first, 0),
		tmm_request_at(run.first - 1, 2),
		tmm_request_at(run.first, run.nr + 1),
		tmm_request_at(tmm_range_end(&run), 1),
		tmm_request_at(run.first + 1, U64_MAX),
	};
	struct choice none = { .nr_at_least = run.nr + 1, .req = tmm_request_at(run.first, 1) };
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct choice choice = { .nr_at_least = run.nr, .req = bad[i] };

		frames = tmm_inspect_then_allocate_free_frames(choose_run, &choice);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(frames), -EINVAL, "entry %u", i);
		tmm_driver_expect_frames_taken(test, 0);
	}
	frames = tmm_inspect_then_allocate_free_frames(choose_run, &none);
	KUNIT_EXPECT_PTR_EQ(test, frames, ERR_PTR(-ENOENT));
	tmm_driver_expect_frames_taken(test, 0);
}

static void frames_dropped_as_a_list(struct kunit *test)
{
	struct tmm_allocated_frames *frames;
	LIST_HEAD(list);
	unsigned int i;

	tmm_allocated_frames_drop_list(&list);
	for (i = 1; i <= 10; i++) {
		frames = tmm_allocate_frames(i);
		KUNIT_EXPECT_FALSE(test, IS_ERR(frames));
		if (!IS_ERR(frames))
			list_add(&frames->f.link, &list);
	}
	tmm_driver_expect_frames_taken(test, 55);
	tmm_allocated_frames_drop_list(&list);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	tmm_driver_expect_frames_taken(test, 0);
}

static void frames_without_heap(struct kunit *test)
{
	u64 area = tmm_driver_fit_any(test, NR_AREA);
	const struct tmm_allocation_request req = tmm_request_aligned(8, 8);
	struct choice choice = { .nr_at_least = NR_AREA, .req = tmm_request_at(area, 1) };
	const struct tmm_paddr at = paddr_of(area + 5);

	/* A single frame may come from a magazine, with its object. */
	EXPECT_NO_HEAP(test, tmm_allocate_frames(2));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_bytes(4097));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_at(at, 1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_bytes_at(at, 1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_request(&req));
	EXPECT_NO_HEAP(test, tmm_inspect_then_allocate_free_frames(choose_run, &choice));
	KUNIT_EXPECT_FALSE(test, choice.is_chosen);
	tmm_driver_expect_frames_taken(test, 0);
}

static struct kunit_case driver_frames_cases[] = {
	KUNIT_CASE(single_frames_anywhere),
	KUNIT_CASE(frames_anywhere),
	KUNIT_CASE(frames_anywhere_refused),
	KUNIT_CASE(frames_at_an_address),
	KUNIT_CASE(frames_at_an_address_refused),
	KUNIT_CASE(frames_by_request),
	KUNIT_CASE(frames_by_request_refused),
	KUNIT_CASE(inspection_shows_what_is_free),
	KUNIT_CASE(inspection_takes_what_is_chosen),
	KUNIT_CASE(inspection_refuses_a_bad_choice),
	KUNIT_CASE(frames_dropped_as_a_list),
	KUNIT_CASE(frames_without_heap),
	{}
};

static struct kunit_suite driver_frames_suite = {
	.name = "theseus_mm_driver_frames",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit_with_hole,
	.test_cases = driver_frames_cases,
};

kunit_test_suite(driver_frames_suite);
