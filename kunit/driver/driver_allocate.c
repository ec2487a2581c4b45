// SPDX-License-Identifier: GPL-2.0
#include "driver/driver_allocate.h"

#include <linux/math.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static bool note_run(const struct tmm_free_frames *frames, void *context,
		     struct tmm_allocation_request *req)
{
	struct free_runs *runs = context;

	if (runs->nr < ARRAY_SIZE(runs->run))
		runs->run[runs->nr] = tmm_frames_range(&frames->f).r;
	runs->nr++;
	return false;
}

struct free_runs *tmm_driver_free_runs(struct kunit *test)
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

struct tmm_range tmm_driver_largest_run(struct kunit *test)
{
	const struct free_runs *runs = tmm_driver_free_runs(test);
	struct tmm_range largest = {};
	unsigned int i;

	for (i = 0; i < runs->nr; i++)
		if (runs->run[i].nr > largest.nr)
			largest = runs->run[i];
	return largest;
}

u64 tmm_driver_fit_in(const struct tmm_range *run, const struct tmm_allocation_request *req)
{
	u64 align = req->align ?: 1;
	u64 start = max(run->first, req->min);
	u64 end = min(tmm_range_end(run), req->max == U64_MAX ? U64_MAX : req->max + 1);

	start = roundup(start, align);
	if (start >= end || end - start < req->nr)
		return U64_MAX;
	return align >= NR_2M ? rounddown(end - req->nr, align) : start;
}

u64 tmm_driver_fit(struct kunit *test, const struct tmm_allocation_request *req)
{
	const struct free_runs *runs = tmm_driver_free_runs(test);
	bool from_top = req->align >= NR_2M;
	unsigned int i;

	for (i = 0; i < runs->nr; i++) {
		u64 start = tmm_driver_fit_in(&runs->run[from_top ? runs->nr - 1 - i : i], req);

		if (start != U64_MAX)
			return start;
	}
	return U64_MAX;
}

u64 tmm_driver_fit_any(struct kunit *test, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_any(nr);

	return tmm_driver_fit(test, &req);
}

void tmm_driver_expect_frames_free(struct kunit *test, u64 start, u64 nr)
{
	struct tmm_allocated_frames *frames = tmm_allocate_frames_at(paddr_of(start), nr);

	KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	tmm_allocated_frames_drop(&frames);
}

void tmm_driver_expect_frames(struct kunit *test, const struct tmm_allocated_frames *frames,
			      u64 start, u64 nr)
{
	struct tmm_frame_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(frames), "error %ld", PTR_ERR(frames));
	range = tmm_frames_range(&frames->f);
	KUNIT_EXPECT_EQ(test, tmm_frame_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_frames_nr(&frames->f), nr);
}

void tmm_driver_expect_pages(struct kunit *test, const struct tmm_allocated_pages *pages, u64 start,
			     u64 nr)
{
	struct tmm_page_range range;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start(&range).number, start);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), nr);
}

void tmm_driver_try_frames(struct kunit *test, struct tmm_allocated_frames *frames, u64 start,
			   u64 nr)
{
	struct tmm_allocated_frames *again;

	tmm_driver_expect_frames(test, frames, start, nr);
	tmm_driver_expect_frames_taken(test, nr);
	again = tmm_allocate_frames_at(paddr_of(start + nr - 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, again, ERR_PTR(-EADDRINUSE));
	/* A case that fails must leave nothing to the programs that run after it. */
	tmm_allocated_frames_drop(&again);
	tmm_allocated_frames_drop(&frames);
	KUNIT_EXPECT_PTR_EQ(test, frames, NULL);
	tmm_driver_expect_frames_taken(test, 0);
}

void tmm_driver_try_pages(struct kunit *test, struct tmm_allocated_pages *pages, u64 start, u64 nr)
{
	struct tmm_allocated_pages *again;

	tmm_driver_expect_pages(test, pages, start, nr);
	again = tmm_allocate_pages_at(vaddr_of(start + nr - 1), 1);
	KUNIT_EXPECT_PTR_EQ(test, again, ERR_PTR(-EADDRINUSE));
	tmm_allocated_pages_drop(&again);
	tmm_allocated_pages_drop(&pages);
	KUNIT_EXPECT_PTR_EQ(test, pages, NULL);
	tmm_driver_expect_pages_free(test, start, nr);
}

static DEFINE_SPINLOCK(no_sleep);

struct tmm_allocated_pages *tmm_driver_pages_deferred(const struct tmm_allocation_request *req,
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

struct tmm_allocated_frames *tmm_driver_frames_deferred(const struct tmm_paddr *paddr, u64 nr,
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

void tmm_driver_expect_unused(struct kunit *test, const struct tmm_deferred_action *action,
			      u64 nr_frames)
{
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(action, 0, sizeof(*action)), NULL);
	tmm_driver_expect_frames_taken(test, nr_frames);
}
