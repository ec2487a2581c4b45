// SPDX-License-Identifier: GPL-2.0
/*
 * Frames and pages as a driver takes them: where each form of allocation says, as
 * many as it says, and not at all where it refuses.
 *
 * What is free is read through the inspecting form, so that the place of every
 * run is known beforehand. The guard hole is free as a whole when a case begins.
 */
#include "driver/driver_fixture.h"
#include "support/fault.h"

#include <linux/math.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define NR_1G		(SZ_1G >> TMM_PAGE_SHIFT)
#define NR_2M		(SZ_2M >> TMM_PAGE_SHIFT)
/* Neighbours that are free, for cases about addresses. */
#define NR_AREA		64

/* All that is free: lowest first, neither overlapping nor touching. */
struct free_runs {
	unsigned int nr;
	struct tmm_range run[32];
};

static bool note_run(const struct tmm_free_frames *frames, void *context,
		     struct tmm_allocation_request *req)
{
	struct free_runs *runs = context;

	if (runs->nr < ARRAY_SIZE(runs->run))
		runs->run[runs->nr] = tmm_frames_range(&frames->f).r;
	runs->nr++;
	return false;
}

static struct free_runs *free_runs(struct kunit *test)
{
	struct free_runs *runs = kunit_kzalloc(test, sizeof(*runs), GFP_KERNEL);
	struct tmm_allocated_frames *none;

	KUNIT_ASSERT_NOT_NULL(test, runs);
	none = tmm_inspect_then_allocate_free_frames(note_run, runs);
	KUNIT_EXPECT_PTR_EQ(test, none, ERR_PTR(-ENOENT));
	KUNIT_ASSERT_GT(test, runs->nr, 0);
	KUNIT_ASSERT_LE(test, runs->nr, ARRAY_SIZE(runs->run));
	return runs;
}

static struct tmm_range largest_run(struct kunit *test)
{
	const struct free_runs *runs = free_runs(test);
	struct tmm_range largest = {};
	unsigned int i;

	for (i = 0; i < runs->nr; i++)
		if (runs->run[i].nr > largest.nr)
			largest = runs->run[i];
	return largest;
}

/* Where @req goes in @run, U64_MAX if nowhere: the top of it for large leaves. */
static u64 fit_in(const struct tmm_range *run, const struct tmm_allocation_request *req)
{
	u64 align = req->align ?: 1;
	u64 start = max(run->first, req->min);
	u64 end = min(tmm_range_end(run), req->max == U64_MAX ? U64_MAX : req->max + 1);

	start = roundup(start, align);
	if (start >= end || end - start < req->nr)
		return U64_MAX;
	return align >= NR_2M ? rounddown(end - req->nr, align) : start;
}

static u64 fit(struct kunit *test, const struct tmm_allocation_request *req)
{
	const struct free_runs *runs = free_runs(test);
	bool from_top = req->align >= NR_2M;
	unsigned int i;

	for (i = 0; i < runs->nr; i++) {
		u64 start = fit_in(&runs->run[from_top ? runs->nr - 1 - i : i], req);

		if (start != U64_MAX)
			return start;
	}
	return U64_MAX;
}

static u64 fit_any(struct kunit *test, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_any(nr);

	return fit(test, &req);
}

static struct tmm_paddr paddr_of(u64 frame)
{
	return (struct tmm_paddr){ frame << TMM_PAGE_SHIFT };
}

static struct tmm_vaddr vaddr_of(u64 page)
{
	return tmm_page_start_address((struct tmm_page){ page, TMM_4K });
}

/* @nr frames fewer are free than when the case began. */
static void expect_nr_taken(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free + nr,
			driver->before.frames_free);
}

static void expect_frames_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames_at(paddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	tmm_allocated_frames_drop(&frames);
}

static void expect_pages_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_allocate_pages_at(vaddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	tmm_allocated_pages_drop(&pages);
}

/* Expects the run that was asked for. */
static void expect_frames(struct kunit *test, const struct tmm_allocated_frames *frames,
			  u64 start, u64 nr)
{
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), nr);
}

static void expect_pages(struct kunit *test, const struct tmm_allocated_pages *pages, u64 start,
			 u64 nr)
{
	struct tmm_page_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), nr);
}

/* The same, and gives it back: nobody else has it, before and after. */
static void try_frames(struct kunit *test, struct tmm_allocated_frames *frames, u64 start, u64 nr)
{
	expect_frames(test, frames, start, nr);
	expect_nr_taken(test, nr);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_frames_at(paddr_of(start + nr - 1), 1),
			    ERR_PTR(-EADDRINUSE));
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	expect_nr_taken(test, 0);
}

static void try_pages(struct kunit *test, struct tmm_allocated_pages *pages, u64 start, u64 nr)
{
	expect_pages(test, pages, start, nr);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_pages_at(vaddr_of(start + nr - 1), 1),
			    ERR_PTR(-EADDRINUSE));
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	expect_pages_free(test, start, nr);
}

/* All of the guard hole came back. */
static void exit_case(struct kunit *test)
{
	expect_pages_free(test, tmm_private_first_page(), tmm_private_nr_general_pages());
	tmm_driver_exit(test);
}

static void frames_anywhere(struct kunit *test)
{
	try_frames(test, tmm_allocate_frames(1), fit_any(test, 1), 1);
	try_frames(test, tmm_allocate_frames(1000), fit_any(test, 1000), 1000);
	try_frames(test, tmm_allocate_frames_by_bytes(1), fit_any(test, 1), 1);
	try_frames(test, tmm_allocate_frames_by_bytes(4096), fit_any(test, 1), 1);
	try_frames(test, tmm_allocate_frames_by_bytes(4097), fit_any(test, 2), 2);
	try_frames(test, tmm_allocate_frames_by_bytes(SZ_8M), fit_any(test, SZ_8M / 4096),
		   SZ_8M / 4096);
}

static void frames_anywhere_refused(struct kunit *test)
{
	const struct {
		struct tmm_allocated_frames *(*allocate)(u64 nr);
		u64 nr;
		long err;
	} refused[] = {
		{ tmm_allocate_frames, 0, -EINVAL },
		{ tmm_allocate_frames, largest_run(test).nr + 1, -ENOSPC },
		{ tmm_allocate_frames, U64_MAX - 1, -ENOSPC },
		{ tmm_allocate_frames, TMM_TOO_MANY, -EOVERFLOW },
		{ tmm_allocate_frames_by_bytes, 0, -EINVAL },
		{ tmm_allocate_frames_by_bytes, (largest_run(test).nr << TMM_PAGE_SHIFT) + 1,
		  -ENOSPC },
		{ tmm_allocate_frames_by_bytes, U64_MAX, -EOVERFLOW },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_frames *none = refused[i].allocate(refused[i].nr);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		expect_nr_taken(test, 0);
	}
}

/* Frames count from the one with the address, bytes from the address. */
static void frames_at_an_address(struct kunit *test)
{
	u64 area = fit_any(test, NR_AREA) + 10;
	struct tmm_paddr inside = { (area << TMM_PAGE_SHIFT) + 4000 };

	try_frames(test, tmm_allocate_frames_at(paddr_of(area), 3), area, 3);
	try_frames(test, tmm_allocate_frames_at(inside, 3), area, 3);
	try_frames(test, tmm_allocate_frames_by_bytes_at(paddr_of(area), 4096), area, 1);
	try_frames(test, tmm_allocate_frames_by_bytes_at(paddr_of(area), 4097), area, 2);
	try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 96), area, 1);
	try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 97), area, 2);
	try_frames(test, tmm_allocate_frames_by_bytes_at(inside, 97 + 3 * 4096), area, 5);
}

static void frames_at_an_address_refused(struct kunit *test)
{
	u64 area = fit_any(test, NR_AREA);
	const struct free_runs *runs = free_runs(test);
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
	unsigned int i;

	expect_frames(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_frames *none =
			refused[i].allocate(refused[i].paddr, refused[i].nr);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		expect_nr_taken(test, 1);
	}
	/* Right up to it there is room. */
	expect_frames_free(test, area, 5);
	tmm_allocated_frames_drop(&owned);
}

static void frames_by_request(struct kunit *test)
{
	struct tmm_range run = largest_run(test);
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
		u64 start = fit(test, &wanted[i]);

		KUNIT_ASSERT_NE_MSG(test, start, U64_MAX, "entry %u", i);
		try_frames(test, tmm_allocate_frames_by_request(&wanted[i]), start, wanted[i].nr);
	}
	try_frames(test, tmm_allocate_frames_by_request(&at), middle, 5);
	try_frames(test, tmm_allocate_frames_by_request(&inside), middle, 5);
}

static void frames_by_request_refused(struct kunit *test)
{
	u64 area = fit_any(test, NR_AREA);
	u64 nr = largest_run(test).nr;
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
	unsigned int i;

	expect_frames(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_frames *none =
			tmm_allocate_frames_by_request(&refused[i].req);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		expect_nr_taken(test, 1);
	}
	tmm_allocated_frames_drop(&owned);
}

static DEFINE_SPINLOCK(no_sleep);

/* Frames if @nr_bytes is 0, else bytes; where nothing may sleep. */
static struct tmm_allocated_frames *frames_deferred(const struct tmm_paddr *paddr, u64 nr,
						    u64 nr_bytes,
						    struct tmm_deferred_action *action)
{
	struct tmm_allocated_frames *frames;

	spin_lock(&no_sleep);
	if (nr_bytes)
		frames = tmm_allocate_frames_by_bytes_deferred(paddr, nr_bytes, action);
	else
		frames = tmm_allocate_frames_deferred(paddr, nr, action);
	spin_unlock(&no_sleep);
	return frames;
}

/* The rest of the free range is free at once; finishing an action twice is allowed. */
static void try_frames_deferred(struct kunit *test, const struct tmm_paddr *paddr, u64 nr,
				u64 nr_bytes, u64 start)
{
	struct tmm_range run = largest_run(test);
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	u64 beside = start > run.first ? run.first : tmm_range_end(&run) - 1;

	frames = frames_deferred(paddr, nr, nr_bytes, &action);
	expect_frames(test, frames, start, nr);
	expect_nr_taken(test, nr);
	expect_frames_free(test, beside, 1);
	tmm_deferred_action_finish(&action);
	expect_nr_taken(test, nr);
	tmm_deferred_action_finish(&action);
	expect_frames_free(test, beside, 1);
	try_frames(test, frames, start, nr);
}

static void frames_deferred_leave_the_rest(struct kunit *test)
{
	struct tmm_range run = largest_run(test);
	u64 middle = run.first + run.nr / 2;
	const struct tmm_paddr first = paddr_of(run.first), at = paddr_of(middle);
	const struct tmm_paddr inside = { at.v + 4000 };
	const struct tmm_paddr last = paddr_of(tmm_range_end(&run) - 1);

	/* One that fits in no other run. */
	try_frames_deferred(test, NULL, run.nr - 1, 0, run.first);
	try_frames_deferred(test, NULL, run.nr - 1, ((run.nr - 2) << TMM_PAGE_SHIFT) + 1,
			    run.first);
	try_frames_deferred(test, &first, 3, 0, run.first);
	try_frames_deferred(test, &at, 3, 0, middle);
	try_frames_deferred(test, &inside, 3, 0, middle);
	try_frames_deferred(test, &last, 1, 0, tmm_range_end(&run) - 1);
	try_frames_deferred(test, &at, 1, 4096, middle);
	try_frames_deferred(test, &inside, 1, 96, middle);
	try_frames_deferred(test, &inside, 2, 97, middle);
}

/* All of a run leaves nothing to do. */
static void frames_deferred_without_rest(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_range run = largest_run(test);
	struct tmm_allocated_frames *frames;

	frames = frames_deferred(NULL, run.nr, 0, &action);
	expect_frames(test, frames, run.first, run.nr);
	expect_nr_taken(test, run.nr);
	tmm_allocated_frames_drop(&frames);
	expect_nr_taken(test, 0);
	tmm_deferred_action_finish(&action);
	expect_nr_taken(test, 0);
}

/* What is dropped before comes back alone; the action can be used again. */
static void frames_deferred_dropped_early(struct kunit *test)
{
	struct tmm_range run = largest_run(test);
	const struct tmm_paddr at = paddr_of(run.first + 100);
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		frames = frames_deferred(&at, 10, 0, &action);
		expect_frames(test, frames, run.first + 100, 10);
		tmm_allocated_frames_drop(&frames);
		expect_nr_taken(test, 0);
		tmm_deferred_action_finish(&action);
		expect_nr_taken(test, 0);
	}
}

/* Bytes with @nr of 0. */
struct refused_deferred {
	const struct tmm_paddr *paddr;
	u64 nr;
	u64 nr_bytes;
	long err;
};

static void frames_deferred_refused(struct kunit *test)
{
	u64 area = fit_any(test, NR_AREA), nr = largest_run(test).nr;
	const struct tmm_paddr free = paddr_of(area), taken = paddr_of(area + 5);
	const struct tmm_paddr before = { taken.v - 1 }, nowhere = { 0 };
	const struct refused_deferred refused[] = {
		{ NULL, 0, 0, -EINVAL },
		{ NULL, nr + 1, 0, -ENOSPC },
		{ NULL, 0, (nr << TMM_PAGE_SHIFT) + 1, -ENOSPC },
		{ NULL, 0, U64_MAX, -EOVERFLOW },
		{ &nowhere, 1, 0, -ERANGE },
		{ &nowhere, 0, 1, -ERANGE },
		{ &taken, 1, 0, -EADDRINUSE },
		{ &taken, 0, 1, -EADDRINUSE },
		{ &before, 2, 0, -EADDRNOTAVAIL },
		{ &before, 0, 2, -EADDRNOTAVAIL },
		{ &free, U64_MAX - 1, 0, -EOVERFLOW },
		{ &free, 0, U64_MAX, -EOVERFLOW },
	};
	struct tmm_allocated_frames *owned = tmm_allocate_frames_at(taken, 1), *none;
	struct tmm_deferred_action action = {};
	unsigned int i;

	expect_frames(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		none = frames_deferred(refused[i].paddr, refused[i].nr, refused[i].nr_bytes,
				       &action);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&action, 0, sizeof(action)), NULL);
		expect_nr_taken(test, 1);
	}
	none = tmm_allocate_frames_by_bytes_deferred(&free, 0, &action);
	KUNIT_EXPECT_PTR_EQ(test, none, ERR_PTR(-EINVAL));
	tmm_allocated_frames_drop(&owned);
}

static struct tmm_allocated_pages *pages_deferred(const struct tmm_allocation_request *req,
						  u64 nr_bytes,
						  struct tmm_deferred_action *action)
{
	struct tmm_allocated_pages *pages;

	spin_lock(&no_sleep);
	if (nr_bytes)
		pages = tmm_allocate_pages_by_bytes_deferred(req, nr_bytes, action);
	else
		pages = tmm_allocate_pages_deferred(req, action);
	spin_unlock(&no_sleep);
	return pages;
}

/* One action, one allocation: in whichever form, and of frames and pages alike. */
static void unfinished_action_is_busy(struct kunit *test)
{
	const struct tmm_allocation_request req = tmm_request_any(1);
	struct tmm_deferred_action action = {}, same;
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;

	frames = frames_deferred(NULL, largest_run(test).nr - 1, 0, &action);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	same = action;
	KUNIT_EXPECT_PTR_EQ(test, frames_deferred(NULL, 1, 0, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, frames_deferred(NULL, 0, 1, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, pages_deferred(&req, 0, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, pages_deferred(&req, 1, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_EQ(test, memcmp(&action, &same, sizeof(same)), 0);
	expect_pages_free(test, tmm_private_first_page(), tmm_private_nr_general_pages());
	tmm_deferred_action_finish(&action);
	tmm_allocated_frames_drop(&frames);
	/* Finished, it serves the other kind. */
	pages = pages_deferred(&req, 0, &action);
	expect_pages(test, pages, tmm_private_first_page(), 1);
	tmm_deferred_action_finish(&action);
	tmm_allocated_pages_drop(&pages);
}

/* What to choose once a run is large enough. */
struct choice {
	u64 nr_at_least;
	struct tmm_allocation_request req;
	unsigned int nr_seen_after;
	bool is_chosen;
};

static bool choose(const struct tmm_free_frames *frames, void *context,
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
	const struct free_runs *runs = free_runs(test);
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
	expect_nr_taken(test, 0);
}

static void inspection_takes_what_is_chosen(struct kunit *test)
{
	struct tmm_range run = largest_run(test);
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

		try_frames(test, tmm_inspect_then_allocate_free_frames(choose, &choice),
			   choices[i].at, choices[i].nr);
		KUNIT_EXPECT_EQ(test, choice.nr_seen_after, 0);
	}
}

static void inspection_refuses_a_bad_choice(struct kunit *test)
{
	struct tmm_range run = largest_run(test);
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

		frames = tmm_inspect_then_allocate_free_frames(choose, &choice);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(frames), -EINVAL, "entry %u", i);
		expect_nr_taken(test, 0);
	}
	frames = tmm_inspect_then_allocate_free_frames(choose, &none);
	KUNIT_EXPECT_PTR_EQ(test, frames, ERR_PTR(-ENOENT));
	expect_nr_taken(test, 0);
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
	expect_nr_taken(test, 55);
	tmm_allocated_frames_drop_list(&list);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	expect_nr_taken(test, 0);
}

static void pages_anywhere(struct kunit *test)
{
	u64 first = tmm_private_first_page();
	/* With 5 levels there are more than a search finds in one run. */
	u64 most = min(tmm_private_nr_general_pages(), TMM_MAX_RUN);

	try_pages(test, tmm_allocate_pages(1), first, 1);
	try_pages(test, tmm_allocate_pages(1000), first, 1000);
	try_pages(test, tmm_allocate_pages(most), first, most);
	try_pages(test, tmm_allocate_pages_by_bytes(1), first, 1);
	try_pages(test, tmm_allocate_pages_by_bytes(4096), first, 1);
	try_pages(test, tmm_allocate_pages_by_bytes(4097), first, 2);
	try_pages(test, tmm_allocate_pages_by_bytes(SZ_1G), first, NR_1G);
}

/* Last resorts: first the pages that clients cannot have, then the lower half. */
static void pages_of_last_resort(struct kunit *test)
{
	u64 first = tmm_private_first_page(), nr = tmm_private_nr_general_pages();
	struct tmm_allocated_pages *general = tmm_allocate_pages_at(vaddr_of(first), nr);
	struct tmm_allocated_pages *kernel, *pages;
	struct tmm_page_range range;

	expect_pages(test, general, first, nr);
	try_pages(test, tmm_allocate_pages(1), first + nr, 1);
	kernel = tmm_allocate_pages_at(vaddr_of(first + nr), tmm_private_nr_pages() - nr);
	expect_pages(test, kernel, first + nr, tmm_private_nr_pages() - nr);
	pages = tmm_allocate_pages(1);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	KUNIT_EXPECT_GE(test, range.r.first, 1);
	KUNIT_EXPECT_LE(test, tmm_range_end(&range.r), tmm_page_number_limit() / 2);
	tmm_allocated_pages_drop(&pages);
	tmm_allocated_pages_drop(&kernel);
	tmm_allocated_pages_drop(&general);
}

static void pages_anywhere_refused(struct kunit *test)
{
	const struct {
		struct tmm_allocated_pages *(*allocate)(u64 nr);
		u64 nr;
		long err;
	} refused[] = {
		{ tmm_allocate_pages, 0, -EINVAL },
		{ tmm_allocate_pages, tmm_page_number_limit() / 2, -ENOSPC },
		{ tmm_allocate_pages, U64_MAX - 1, -ENOSPC },
		{ tmm_allocate_pages, TMM_TOO_MANY, -EOVERFLOW },
		{ tmm_allocate_pages_by_bytes, 0, -EINVAL },
		{ tmm_allocate_pages_by_bytes, tmm_page_number_limit() / 2 << TMM_PAGE_SHIFT,
		  -ENOSPC },
		{ tmm_allocate_pages_by_bytes, U64_MAX, -EOVERFLOW },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_pages *none = refused[i].allocate(refused[i].nr);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
	}
}

static void pages_at_an_address(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	u64 last = tmm_private_first_page() + tmm_private_nr_pages() - 1;
	struct tmm_vaddr inside = { vaddr_of(area).v + 4000 };

	try_pages(test, tmm_allocate_pages_at(vaddr_of(area), 3), area, 3);
	try_pages(test, tmm_allocate_pages_at(inside, 3), area, 3);
	try_pages(test, tmm_allocate_pages_at(vaddr_of(last), 1), last, 1);
	try_pages(test, tmm_allocate_pages_at(vaddr_of(1), 1), 1, 1);
	try_pages(test, tmm_allocate_pages_by_bytes_at(vaddr_of(area), 4096), area, 1);
	try_pages(test, tmm_allocate_pages_by_bytes_at(vaddr_of(area), 4097), area, 2);
	try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 96), area, 1);
	try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 97), area, 2);
	try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 97 + 3 * 4096), area, 5);
}

static void pages_at_an_address_refused(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	u64 end = tmm_private_first_page() + tmm_private_nr_pages();
	const u64 upper = vaddr_of(area).v, not_canonical = upper & GENMASK_ULL(62, 0);
	const struct {
		struct tmm_allocated_pages *(*allocate)(struct tmm_vaddr vaddr, u64 nr);
		struct tmm_vaddr vaddr;
		u64 nr;
		long err;
	} refused[] = {
		{ tmm_allocate_pages_at, { upper }, 0, -EINVAL },
		{ tmm_allocate_pages_at, { not_canonical }, 1, -EINVAL },
		{ tmm_allocate_pages_at, { 0 }, 1, -ERANGE },
		{ tmm_allocate_pages_at, vaddr_of(end), 1, -ERANGE },
		{ tmm_allocate_pages_at, { PAGE_OFFSET }, 1, -ERANGE },
		{ tmm_allocate_pages_at, { U64_MAX }, 1, -ERANGE },
		{ tmm_allocate_pages_at, vaddr_of(area + 5), 1, -EADDRINUSE },
		{ tmm_allocate_pages_at, vaddr_of(area + 4), 2, -EADDRNOTAVAIL },
		{ tmm_allocate_pages_at, vaddr_of(end - 1), 2, -EADDRNOTAVAIL },
		{ tmm_allocate_pages_at, { upper }, U64_MAX - 1, -EOVERFLOW },
		{ tmm_allocate_pages_by_bytes_at, { upper }, 0, -EINVAL },
		{ tmm_allocate_pages_by_bytes_at, { not_canonical }, 1, -EINVAL },
		{ tmm_allocate_pages_by_bytes_at, { 4095 }, 2, -ERANGE },
		{ tmm_allocate_pages_by_bytes_at, vaddr_of(area + 5), 1, -EADDRINUSE },
		{ tmm_allocate_pages_by_bytes_at, { upper + 5 * 4096 - 1 }, 2, -EADDRNOTAVAIL },
		{ tmm_allocate_pages_by_bytes_at, { upper }, U64_MAX, -EOVERFLOW },
	};
	struct tmm_allocated_pages *owned = tmm_allocate_pages_at(vaddr_of(area + 5), 1);
	unsigned int i;

	expect_pages(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_pages *none =
			refused[i].allocate(refused[i].vaddr, refused[i].nr);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
	}
	expect_pages_free(test, tmm_private_first_page(), 1005);
	expect_pages_free(test, area + 6, tmm_private_nr_general_pages() - 1006);
	tmm_allocated_pages_drop(&owned);
}

static struct tmm_page_range pages_from(u64 first, u64 nr)
{
	return (struct tmm_page_range){ { first, nr, TMM_4K } };
}

static void pages_in_a_range(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	const struct tmm_page_range range = pages_from(area, 10), one = pages_from(area, 1);
	const struct tmm_page_range large = { { area & ~(NR_2M - 1), 2, TMM_2M } };

	/* All of it may be taken. */
	try_pages(test, tmm_allocate_pages_in_range(10, &range), area, 10);
	try_pages(test, tmm_allocate_pages_in_range(3, &range), area, 3);
	try_pages(test, tmm_allocate_pages_in_range(1, &one), area, 1);
	try_pages(test, tmm_allocate_pages_in_range(2 * NR_2M, &large), large.r.first, 2 * NR_2M);
	try_pages(test, tmm_allocate_pages_by_bytes_in_range(10 * 4096, &range), area, 10);
	try_pages(test, tmm_allocate_pages_by_bytes_in_range(9 * 4096 + 1, &range), area, 10);
	try_pages(test, tmm_allocate_pages_by_bytes_in_range(2 * 4096, &range), area, 2);
	try_pages(test, tmm_allocate_pages_by_bytes_in_range(1, &one), area, 1);
}

static void pages_in_a_range_refused(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	const struct tmm_page_range range = pages_from(area, 10), taken = pages_from(area + 5, 1);
	const struct tmm_page_range empty = pages_from(area, 0), null = pages_from(0, 1);
	const struct tmm_page_range upper = pages_from(tmm_page_number_limit() - NR_1G, NR_1G);
	const struct {
		struct tmm_allocated_pages *(*allocate)(u64 nr, const struct tmm_page_range *in);
		u64 nr;
		const struct tmm_page_range *in;
		long err;
	} refused[] = {
		{ tmm_allocate_pages_in_range, 1, &empty, -EINVAL },
		{ tmm_allocate_pages_in_range, 0, &range, -EINVAL },
		{ tmm_allocate_pages_in_range, 1, &null, -ERANGE },
		{ tmm_allocate_pages_in_range, 1, &upper, -ERANGE },
		{ tmm_allocate_pages_in_range, 6, &range, -ENOSPC },
		{ tmm_allocate_pages_in_range, 11, &range, -ENOSPC },
		{ tmm_allocate_pages_in_range, 1, &taken, -ENOSPC },
		{ tmm_allocate_pages_in_range, TMM_TOO_MANY, &range, -EOVERFLOW },
		{ tmm_allocate_pages_by_bytes_in_range, 1, &empty, -EINVAL },
		{ tmm_allocate_pages_by_bytes_in_range, 0, &range, -EINVAL },
		{ tmm_allocate_pages_by_bytes_in_range, 1, &null, -ERANGE },
		{ tmm_allocate_pages_by_bytes_in_range, 5 * 4096 + 1, &range, -ENOSPC },
		{ tmm_allocate_pages_by_bytes_in_range, U64_MAX, &range, -EOVERFLOW },
	};
	struct tmm_allocated_pages *owned = tmm_allocate_pages_at(vaddr_of(area + 5), 1);
	unsigned int i;

	expect_pages(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct tmm_allocated_pages *none =
			refused[i].allocate(refused[i].nr, refused[i].in);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
	}
	expect_pages_free(test, area, 5);
	expect_pages_free(test, area + 6, 4);
	tmm_allocated_pages_drop(&owned);
}

static void pages_by_request(struct kunit *test)
{
	const struct tmm_range hole = {
		tmm_private_first_page(), tmm_private_nr_general_pages(), TMM_4K
	};
	u64 middle = hole.first + hole.nr / 2 + 1;
	const struct tmm_allocation_request wanted[] = {
		tmm_request_any(7),
		tmm_request_aligned(8, 3),
		tmm_request_aligned(NR_2M, NR_2M + 1),
		tmm_request_aligned(NR_1G, 1),
		tmm_request_in_range(middle, middle + 9, 10),
		tmm_request_in_range(middle, middle + 99, 10),
		tmm_request_aligned_in_range(16, middle, middle + 99, 10),
		tmm_request_aligned_in_range(NR_2M, middle, middle + 4 * NR_2M - 1, NR_2M),
		tmm_request_sized(TMM_4K, 9),
		tmm_request_sized(TMM_2M, 2),
		tmm_request_sized(TMM_1G, 3),
	};
	const struct tmm_allocation_request at = tmm_request_at(middle, 5);
	const struct tmm_allocation_request inside =
		tmm_request_at_vaddr((struct tmm_vaddr){ vaddr_of(middle).v + 4095 }, 5);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		u64 start = fit_in(&hole, &wanted[i]);

		KUNIT_ASSERT_NE_MSG(test, start, U64_MAX, "entry %u", i);
		try_pages(test, tmm_allocate_pages_by_request(&wanted[i]), start, wanted[i].nr);
	}
	try_pages(test, tmm_allocate_pages_by_request(&at), middle, 5);
	try_pages(test, tmm_allocate_pages_by_request(&inside), middle, 5);
}

/* Refused now and later alike: an action that has nothing to do stays so. */
static void pages_by_request_refused(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	const struct {
		struct tmm_allocation_request req;
		long err;
	} refused[] = {
		{ tmm_request_any(0), -EINVAL },
		{ tmm_request_at(area, 0), -EINVAL },
		{ tmm_request_in_range(area + 1, area, 1), -EINVAL },
		{ tmm_request_any(TMM_MAX_RUN + 1), -ENOSPC },
		{ tmm_request_in_range(area, area + 8, 10), -ENOSPC },
		{ tmm_request_in_range(area + 5, area + 5, 1), -ENOSPC },
		{ tmm_request_aligned_in_range(NR_2M, area, area + 8, 9), -ENOSPC },
		{ tmm_request_in_range(0, 0, 1), -ERANGE },
		{ tmm_request_at(0, 1), -ERANGE },
		{ tmm_request_at_vaddr((struct tmm_vaddr){ PAGE_OFFSET }, 1), -ERANGE },
		{ tmm_request_at(area + 5, 1), -EADDRINUSE },
		{ tmm_request_at(area + 4, 2), -EADDRNOTAVAIL },
		{ tmm_request_at(U64_MAX, 1), -EOVERFLOW },
		{ tmm_request_sized(TMM_1G, U64_MAX), -EOVERFLOW },
	};
	struct tmm_allocated_pages *owned = tmm_allocate_pages_at(vaddr_of(area + 5), 1), *none;
	struct tmm_deferred_action action = {};
	unsigned int i;

	expect_pages(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		none = tmm_allocate_pages_by_request(&refused[i].req);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		none = pages_deferred(&refused[i].req, 0, &action);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&action, 0, sizeof(action)), NULL);
	}
	expect_pages_free(test, tmm_private_first_page(), 1005);
	expect_pages_free(test, area + 6, tmm_private_nr_general_pages() - 1006);
	tmm_allocated_pages_drop(&owned);
}

/* The rest of the guard hole is free before the action is finished. */
static void try_pages_deferred(struct kunit *test, struct tmm_allocation_request req,
			       u64 nr_bytes, u64 start, u64 nr)
{
	u64 first = tmm_private_first_page(), end = first + tmm_private_nr_general_pages();
	struct tmm_deferred_action action = {};
	struct tmm_allocated_pages *pages = pages_deferred(&req, nr_bytes, &action);

	expect_pages(test, pages, start, nr);
	if (start > first)
		expect_pages_free(test, first, start - first);
	expect_pages_free(test, start + nr, end - start - nr);
	tmm_deferred_action_finish(&action);
	tmm_deferred_action_finish(&action);
	try_pages(test, pages, start, nr);
}

static void pages_deferred_leave_the_rest(struct kunit *test)
{
	u64 first = tmm_private_first_page();
	u64 middle = first + tmm_private_nr_general_pages() / 2 + 1;
	struct tmm_vaddr inside = { vaddr_of(middle).v + 4000 };

	try_pages_deferred(test, tmm_request_any(3), 0, first, 3);
	try_pages_deferred(test, tmm_request_at(middle, 3), 0, middle, 3);
	try_pages_deferred(test, tmm_request_at_vaddr(inside, 3), 0, middle, 3);
	try_pages_deferred(test, tmm_request_in_range(middle, middle + 2, 3), 0, middle, 3);
	try_pages_deferred(test, tmm_request_aligned_in_range(16, middle, middle + 40, 3), 0,
			   round_up(middle, 16), 3);
	/* The count of the request does not matter, its offset does. */
	try_pages_deferred(test, tmm_request_any(0), 4097, first, 2);
	try_pages_deferred(test, tmm_request_at(middle, 100), 4096, middle, 1);
	try_pages_deferred(test, tmm_request_at_vaddr(inside, 0), 96, middle, 1);
	try_pages_deferred(test, tmm_request_at_vaddr(inside, 0), 97, middle, 2);
	try_pages_deferred(test, tmm_request_in_range(middle, middle + 1, 0), 8192, middle, 2);
}

static void pages_by_bytes_deferred_refused(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	struct tmm_vaddr before = { vaddr_of(area + 5).v - 1 };
	const struct {
		struct tmm_allocation_request req;
		u64 nr_bytes;
		long err;
	} refused[] = {
		{ tmm_request_any(1), U64_MAX, -EOVERFLOW },
		{ tmm_request_any(1), (TMM_MAX_RUN + 1) << TMM_PAGE_SHIFT, -ENOSPC },
		{ tmm_request_in_range(area, area + 1, 1), 8193, -ENOSPC },
		{ tmm_request_in_range(area + 1, area, 1), 1, -EINVAL },
		{ tmm_request_in_range(0, 0, 1), 1, -ERANGE },
		{ tmm_request_at(area + 5, 1), 1, -EADDRINUSE },
		{ tmm_request_at_vaddr(before, 1), 2, -EADDRNOTAVAIL },
	};
	struct tmm_allocated_pages *owned = tmm_allocate_pages_at(vaddr_of(area + 5), 1), *none;
	struct tmm_deferred_action action = {};
	unsigned int i;

	expect_pages(test, owned, area + 5, 1);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		none = pages_deferred(&refused[i].req, refused[i].nr_bytes, &action);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(none), refused[i].err, "entry %u", i);
		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(&action, 0, sizeof(action)), NULL);
	}
	none = tmm_allocate_pages_by_bytes_deferred(&refused[0].req, 0, &action);
	KUNIT_EXPECT_PTR_EQ(test, none, ERR_PTR(-EINVAL));
	expect_pages_free(test, tmm_private_first_page(), 1005);
	tmm_allocated_pages_drop(&owned);
}

/* Expects @allocate to fail for want of memory, and only for that. */
#define EXPECT_NO_HEAP(test, allocate) do {						\
	long _err;									\
											\
	tmm_test_fail_alloc(test, 1);							\
	_err = PTR_ERR_OR_ZERO(allocate);						\
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());				\
	KUNIT_EXPECT_EQ_MSG(test, _err, -ENOMEM, #allocate);				\
} while (0)

static void frames_without_heap(struct kunit *test)
{
	u64 area = fit_any(test, NR_AREA);
	const struct tmm_allocation_request req = tmm_request_aligned(8, 8);
	struct choice choice = { .nr_at_least = NR_AREA, .req = tmm_request_at(area, 1) };
	const struct tmm_paddr at = paddr_of(area + 5);

	EXPECT_NO_HEAP(test, tmm_allocate_frames(1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_bytes(1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_at(at, 1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_bytes_at(at, 1));
	EXPECT_NO_HEAP(test, tmm_allocate_frames_by_request(&req));
	EXPECT_NO_HEAP(test, tmm_inspect_then_allocate_free_frames(choose, &choice));
	KUNIT_EXPECT_FALSE(test, choice.is_chosen);
	expect_nr_taken(test, 0);
}

static void pages_without_heap(struct kunit *test)
{
	u64 first = tmm_private_first_page();
	const struct tmm_page_range range = pages_from(first, 10);
	const struct tmm_allocation_request req = tmm_request_aligned(8, 8);

	EXPECT_NO_HEAP(test, tmm_allocate_pages(1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes(1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_at(vaddr_of(first), 1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes_at(vaddr_of(first), 1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_in_range(1, &range));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes_in_range(1, &range));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_request(&req));
	expect_pages_free(test, first, tmm_private_nr_general_pages());
}

/* Which the deferred forms do not need, nor what is left to do. */
static void deferred_forms_need_no_heap(struct kunit *test)
{
	u64 middle = tmm_private_first_page() + 1000;
	const struct tmm_allocation_request req = tmm_request_at(middle, 1);
	const struct tmm_paddr at = paddr_of(fit_any(test, NR_AREA) + 5);
	struct tmm_deferred_action action = {}, another = {};
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;

	tmm_test_fail_alloc(test, 1);
	frames = tmm_allocate_frames_deferred(&at, 1, &action);
	pages = tmm_allocate_pages_deferred(&req, &another);
	tmm_deferred_action_finish(&action);
	tmm_deferred_action_finish(&another);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	expect_pages(test, pages, middle, 1);
	tmm_allocated_pages_drop(&pages);
	try_frames(test, frames, at.v >> TMM_PAGE_SHIFT, 1);
}

static struct kunit_case driver_allocate_cases[] = {
	KUNIT_CASE(frames_anywhere),
	KUNIT_CASE(frames_anywhere_refused),
	KUNIT_CASE(frames_at_an_address),
	KUNIT_CASE(frames_at_an_address_refused),
	KUNIT_CASE(frames_by_request),
	KUNIT_CASE(frames_by_request_refused),
	KUNIT_CASE(frames_deferred_leave_the_rest),
	KUNIT_CASE(frames_deferred_without_rest),
	KUNIT_CASE(frames_deferred_dropped_early),
	KUNIT_CASE(frames_deferred_refused),
	KUNIT_CASE(unfinished_action_is_busy),
	KUNIT_CASE(inspection_shows_what_is_free),
	KUNIT_CASE(inspection_takes_what_is_chosen),
	KUNIT_CASE(inspection_refuses_a_bad_choice),
	KUNIT_CASE(frames_dropped_as_a_list),
	KUNIT_CASE(pages_anywhere),
	KUNIT_CASE(pages_of_last_resort),
	KUNIT_CASE(pages_anywhere_refused),
	KUNIT_CASE(pages_at_an_address),
	KUNIT_CASE(pages_at_an_address_refused),
	KUNIT_CASE(pages_in_a_range),
	KUNIT_CASE(pages_in_a_range_refused),
	KUNIT_CASE(pages_by_request),
	KUNIT_CASE(pages_by_request_refused),
	KUNIT_CASE(pages_deferred_leave_the_rest),
	KUNIT_CASE(pages_by_bytes_deferred_refused),
	KUNIT_CASE(frames_without_heap),
	KUNIT_CASE(pages_without_heap),
	KUNIT_CASE(deferred_forms_need_no_heap),
	{}
};

static struct kunit_suite driver_allocate_suite = {
	.name = "theseus_mm_driver_allocate",
	.init = tmm_driver_init,
	.exit = exit_case,
	.test_cases = driver_allocate_cases,
};

kunit_test_suite(driver_allocate_suite);
