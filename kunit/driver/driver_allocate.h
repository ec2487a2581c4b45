/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The suites of a driver that takes frames and pages share this: the free runs as the
 * inspecting form shows them, so that the place of every run is known beforehand. The guard
 * hole is free as a whole when a case begins.
 */
#ifndef TMM_KUNIT_DRIVER_ALLOCATE_H
#define TMM_KUNIT_DRIVER_ALLOCATE_H

#include "driver/driver_fixture.h"
#include "support/fault.h"

#include <linux/math.h>
#include <linux/spinlock.h>

#define NR_1G		(SZ_1G >> TMM_PAGE_SHIFT)
#define NR_2M		(SZ_2M >> TMM_PAGE_SHIFT)
/* Neighbours that are free, for cases about addresses. */
#define NR_AREA		64

/* All that is free: lowest first, neither overlapping nor touching. */
struct free_runs {
	unsigned int nr;
	struct tmm_range run[32];
};

static inline bool note_run(const struct tmm_free_frames *frames, void *context,
			    struct tmm_allocation_request *req)
{
	struct free_runs *runs = context;

	if (runs->nr < ARRAY_SIZE(runs->run))
		runs->run[runs->nr] = tmm_frames_range(&frames->f).r;
	runs->nr++;
	return false;
}

/* Not inline, since each expectation takes room on the stack. */
static noinline_for_stack __maybe_unused struct free_runs *free_runs(struct kunit *test)
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

static inline struct tmm_range largest_run(struct kunit *test)
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
static inline u64 fit_in(const struct tmm_range *run, const struct tmm_allocation_request *req)
{
	u64 align = req->align ?: 1;
	u64 start = max(run->first, req->min);
	u64 end = min(tmm_range_end(run), req->max == U64_MAX ? U64_MAX : req->max + 1);

	start = roundup(start, align);
	if (start >= end || end - start < req->nr)
		return U64_MAX;
	return align >= NR_2M ? rounddown(end - req->nr, align) : start;
}

static inline u64 fit(struct kunit *test, const struct tmm_allocation_request *req)
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

static inline u64 fit_any(struct kunit *test, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_any(nr);

	return fit(test, &req);
}

static inline struct tmm_paddr paddr_of(u64 frame)
{
	return (struct tmm_paddr){ frame << TMM_PAGE_SHIFT };
}

static inline struct tmm_vaddr vaddr_of(u64 page)
{
	return tmm_page_start_address((struct tmm_page){ page, TMM_4K });
}

/* @nr frames fewer are free than when the case began. */
static inline void expect_nr_taken(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free + nr,
			driver->before.frames_free);
}

static noinline_for_stack __maybe_unused
void expect_frames_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames_at(paddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	tmm_allocated_frames_drop(&frames);
}

static inline void expect_pages_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_allocate_pages_at(vaddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	tmm_allocated_pages_drop(&pages);
}

/* Expects the run that was asked for. */
static noinline_for_stack __maybe_unused
void expect_frames(struct kunit *test, const struct tmm_allocated_frames *frames, u64 start, u64 nr)
{
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), nr);
}

static inline void expect_pages(struct kunit *test, const struct tmm_allocated_pages *pages,
				u64 start, u64 nr)
{
	struct tmm_page_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), nr);
}

/* The same, and gives it back: nobody else has it, before and after. */
static inline void try_frames(struct kunit *test, struct tmm_allocated_frames *frames,
			      u64 start, u64 nr)
{
	expect_frames(test, frames, start, nr);
	expect_nr_taken(test, nr);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_frames_at(paddr_of(start + nr - 1), 1),
			    ERR_PTR(-EADDRINUSE));
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	expect_nr_taken(test, 0);
}

static inline void try_pages(struct kunit *test, struct tmm_allocated_pages *pages, u64 start,
			     u64 nr)
{
	expect_pages(test, pages, start, nr);
	KUNIT_EXPECT_PTR_EQ(test, tmm_allocate_pages_at(vaddr_of(start + nr - 1), 1),
			    ERR_PTR(-EADDRINUSE));
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	expect_pages_free(test, start, nr);
}

/* All of the guard hole came back. */
static inline void exit_case(struct kunit *test)
{
	expect_pages_free(test, tmm_private_first_page(), tmm_private_nr_general_pages());
	tmm_driver_exit(test);
}

static DEFINE_SPINLOCK(no_sleep);

/* Pages if @nr_bytes is 0, else bytes; where nothing may sleep. */
static inline struct tmm_allocated_pages *pages_deferred(const struct tmm_allocation_request *req,
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

/* Expects @allocate to fail for want of memory, and only for that. */
#define EXPECT_NO_HEAP(test, allocate) do {						\
	long _err;									\
											\
	tmm_test_fail_alloc(test, 1);							\
	_err = PTR_ERR_OR_ZERO(allocate);						\
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());				\
	KUNIT_EXPECT_EQ_MSG(test, _err, -ENOMEM, #allocate);				\
} while (0)

#endif /* TMM_KUNIT_DRIVER_ALLOCATE_H */
