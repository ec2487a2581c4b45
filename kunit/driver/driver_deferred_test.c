// SPDX-License-Identifier: GPL-2.0
/*
 * A driver makes deferred allocations: they work where nothing may sleep, and the rest of the
 * free range stays free for others.
 */
#include "driver/driver_allocate.h"
#include "support/fault.h"

/* Others can allocate the rest of the free range at once. An action may be finished twice. */
static void try_frames_deferred(struct kunit *test, const struct tmm_paddr *paddr, u64 nr,
				u64 nr_bytes, u64 start)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	u64 beside = start > run.first ? run.first : tmm_range_end(&run) - 1;

	frames = tmm_driver_frames_deferred(paddr, nr, nr_bytes, &action);
	tmm_driver_expect_frames(test, frames, start, nr);
	tmm_driver_expect_frames_taken(test, nr);
	tmm_driver_expect_frames_free(test, beside, 1);
	tmm_deferred_action_finish(&action);
	tmm_driver_expect_frames_taken(test, nr);
	tmm_deferred_action_finish(&action);
	tmm_driver_expect_frames_free(test, beside, 1);
	tmm_driver_try_frames(test, frames, start, nr);
}

static void frames_deferred_leave_the_rest(struct kunit *test)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	u64 middle = run.first + run.nr / 2;
	const struct tmm_paddr first = paddr_of(run.first), at = paddr_of(middle);
	const struct tmm_paddr inside = { at.v + 4000 };
	const struct tmm_paddr last = paddr_of(tmm_range_end(&run) - 1);

	/* Only the largest free run has room for these two requests. */
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

/* An allocation of a whole free run leaves nothing for the action to do. */
static void frames_deferred_without_rest(struct kunit *test)
{
	struct tmm_deferred_action action = {};
	struct tmm_range run = tmm_driver_largest_run(test);
	struct tmm_allocated_frames *frames;

	frames = tmm_driver_frames_deferred(NULL, run.nr, 0, &action);
	tmm_driver_expect_frames(test, frames, run.first, run.nr);
	tmm_driver_expect_frames_taken(test, run.nr);
	tmm_allocated_frames_drop(&frames);
	tmm_driver_expect_frames_taken(test, 0);
	tmm_deferred_action_finish(&action);
	tmm_driver_expect_frames_taken(test, 0);
}

/*
 * If the frames are dropped before the action is finished, only these frames become free. After
 * that the action can be used again.
 */
static void frames_deferred_dropped_early(struct kunit *test)
{
	struct tmm_range run = tmm_driver_largest_run(test);
	const struct tmm_paddr at = paddr_of(run.first + 100);
	struct tmm_deferred_action action = {};
	struct tmm_allocated_frames *frames;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		frames = tmm_driver_frames_deferred(&at, 10, 0, &action);
		tmm_driver_expect_frames(test, frames, run.first + 100, 10);
		tmm_allocated_frames_drop(&frames);
		tmm_driver_expect_frames_taken(test, 0);
		tmm_deferred_action_finish(&action);
		tmm_driver_expect_frames_taken(test, 0);
	}
}

/* A request by bytes has an @nr of 0. */
struct refused_deferred {
	const struct tmm_paddr *paddr;
	u64 nr;
	u64 nr_bytes;
	long err;
};

static void frames_deferred_refused(struct kunit *test)
{
	u64 area = tmm_driver_fit_any(test, NR_AREA), nr = tmm_driver_largest_run(test).nr;
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

	tmm_driver_expect_frames(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused,
		       tmm_driver_frames_deferred(entry->paddr, entry->nr, entry->nr_bytes,
						  &action),
		       tmm_driver_expect_unused(test, &action, 1));
	none = tmm_allocate_frames_by_bytes_deferred(&free, 0, &action);
	KUNIT_EXPECT_PTR_EQ(test, none, ERR_PTR(-EINVAL));
	tmm_allocated_frames_drop(&owned);
}

/* An action serves one allocation at a time, in every form, of frames or of pages. */
static void unfinished_action_is_busy(struct kunit *test)
{
	const struct tmm_allocation_request req = tmm_request_any(1);
	struct tmm_deferred_action action = {}, same;
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;

	frames = tmm_driver_frames_deferred(NULL, tmm_driver_largest_run(test).nr - 1, 0, &action);
	KUNIT_ASSERT_FALSE(test, IS_ERR(frames));
	same = action;
	KUNIT_EXPECT_PTR_EQ(test, tmm_driver_frames_deferred(NULL, 1, 0, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, tmm_driver_frames_deferred(NULL, 0, 1, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, tmm_driver_pages_deferred(&req, 0, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_PTR_EQ(test, tmm_driver_pages_deferred(&req, 1, &action), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_EQ(test, memcmp(&action, &same, sizeof(same)), 0);
	tmm_driver_expect_pages_free(test, tmm_private_first_page(),
				     tmm_private_nr_general_pages());
	tmm_deferred_action_finish(&action);
	tmm_allocated_frames_drop(&frames);
	/* A finished action can serve an allocation of the other kind. */
	pages = tmm_driver_pages_deferred(&req, 0, &action);
	tmm_driver_expect_pages(test, pages, tmm_private_first_page(), 1);
	tmm_deferred_action_finish(&action);
	tmm_allocated_pages_drop(&pages);
}

/* Others can allocate the rest of the guard hole before the action is finished. */
static void try_pages_deferred(struct kunit *test, struct tmm_allocation_request req,
			       u64 nr_bytes, u64 start, u64 nr)
{
	u64 first = tmm_private_first_page(), end = first + tmm_private_nr_general_pages();
	struct tmm_deferred_action action = {};
	struct tmm_allocated_pages *pages = tmm_driver_pages_deferred(&req, nr_bytes, &action);

	tmm_driver_expect_pages(test, pages, start, nr);
	if (start > first)
		tmm_driver_expect_pages_free(test, first, start - first);
	tmm_driver_expect_pages_free(test, start + nr, end - start - nr);
	tmm_deferred_action_finish(&action);
	tmm_deferred_action_finish(&action);
	tmm_driver_try_pages(test, pages, start, nr);
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
	/* An allocation by bytes ignores the request's count, but not its offset. */
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

	tmm_driver_expect_pages(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused,
		       tmm_driver_pages_deferred(&entry->req, entry->nr_bytes, &action),
		       tmm_driver_expect_unused(test, &action, 0));
	none = tmm_allocate_pages_by_bytes_deferred(&refused[0].req, 0, &action);
	KUNIT_EXPECT_PTR_EQ(test, none, ERR_PTR(-EINVAL));
	tmm_driver_expect_pages_free(test, tmm_private_first_page(), 1005);
	tmm_allocated_pages_drop(&owned);
}

/* Neither a deferred allocation nor finishing its action allocates from Linux's heap. */
static void deferred_forms_need_no_heap(struct kunit *test)
{
	u64 middle = tmm_private_first_page() + 1000;
	const struct tmm_allocation_request req = tmm_request_at(middle, 1);
	const struct tmm_paddr at = paddr_of(tmm_driver_fit_any(test, NR_AREA) + 5);
	struct tmm_deferred_action action = {}, another = {};
	struct tmm_allocated_frames *frames;
	struct tmm_allocated_pages *pages;

	tmm_test_fail_alloc(test, 1);
	frames = tmm_allocate_frames_deferred(&at, 1, &action);
	pages = tmm_allocate_pages_deferred(&req, &another);
	tmm_deferred_action_finish(&action);
	tmm_deferred_action_finish(&another);
	KUNIT_EXPECT_FALSE(test, tmm_test_fail_alloc_end());
	tmm_driver_expect_pages(test, pages, middle, 1);
	tmm_allocated_pages_drop(&pages);
	tmm_driver_try_frames(test, frames, at.v >> TMM_PAGE_SHIFT, 1);
}

static struct kunit_case driver_deferred_cases[] = {
	KUNIT_CASE(frames_deferred_leave_the_rest),
	KUNIT_CASE(frames_deferred_without_rest),
	KUNIT_CASE(frames_deferred_dropped_early),
	KUNIT_CASE(frames_deferred_refused),
	KUNIT_CASE(unfinished_action_is_busy),
	KUNIT_CASE(pages_deferred_leave_the_rest),
	KUNIT_CASE(pages_by_bytes_deferred_refused),
	KUNIT_CASE(deferred_forms_need_no_heap),
	{}
};

static struct kunit_suite driver_deferred_suite = {
	.name = "theseus_mm_driver_deferred",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit_with_hole,
	.test_cases = driver_deferred_cases,
};

kunit_test_suite(driver_deferred_suite);
