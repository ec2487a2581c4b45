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

/* Neighbours that are free, for cases about addresses. */
#define NR_AREA		64

/* All that is free: lowest first, neither overlapping nor touching. */
struct free_runs {
	unsigned int nr;
	struct tmm_range run[32];
};

struct free_runs *tmm_driver_free_runs(struct kunit *test);
struct tmm_range tmm_driver_largest_run(struct kunit *test);
/* Where @req goes in @run, U64_MAX if nowhere: the top of it for large leaves. */
u64 tmm_driver_fit_in(const struct tmm_range *run, const struct tmm_allocation_request *req);
u64 tmm_driver_fit(struct kunit *test, const struct tmm_allocation_request *req);
u64 tmm_driver_fit_any(struct kunit *test, u64 nr);
void tmm_driver_expect_frames_free(struct kunit *test, u64 start, u64 nr);
/* Expects the run that was asked for. */
void tmm_driver_expect_frames(struct kunit *test, const struct tmm_allocated_frames *frames,
			      u64 start, u64 nr);
void tmm_driver_expect_pages(struct kunit *test, const struct tmm_allocated_pages *pages, u64 start,
			     u64 nr);
/* The same, and gives it back: nobody else has it, before and after. */
void tmm_driver_try_frames(struct kunit *test, struct tmm_allocated_frames *frames, u64 start,
			   u64 nr);
void tmm_driver_try_pages(struct kunit *test, struct tmm_allocated_pages *pages, u64 start, u64 nr);
/* Pages or frames if @nr_bytes is 0, else bytes; where nothing may sleep. */
struct tmm_allocated_pages *tmm_driver_pages_deferred(const struct tmm_allocation_request *req,
						      u64 nr_bytes,
						      struct tmm_deferred_action *action);
struct tmm_allocated_frames *tmm_driver_frames_deferred(const struct tmm_paddr *paddr, u64 nr,
							u64 nr_bytes,
							struct tmm_deferred_action *action);

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
