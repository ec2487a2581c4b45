/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the suites that allocate frames and pages as a driver. tmm_driver_free_runs() lists
 * the free frames, so a case can compute where a run must be allocated. When a case begins, all
 * general pages of the guard hole are free.
 */
#ifndef TMM_KUNIT_DRIVER_ALLOCATE_H
#define TMM_KUNIT_DRIVER_ALLOCATE_H

#include "driver/driver_fixture.h"
#include "support/fault.h"

/* Length of a run of free frames that cases about addresses use. */
#define NR_AREA		64

/* All free runs of frames, by address. The runs neither overlap nor touch. */
struct free_runs {
	unsigned int nr;
	struct tmm_range run[32];
};

struct free_runs *tmm_driver_free_runs(struct kunit *test);
struct tmm_range tmm_driver_largest_run(struct kunit *test);
/*
 * The first chunk of @run that @req must get, or U64_MAX if @req does not fit. A request aligned
 * to 2 MiB or more gets the top of the run.
 */
u64 tmm_driver_fit_in(const struct tmm_range *run, const struct tmm_allocation_request *req);
u64 tmm_driver_fit(struct kunit *test, const struct tmm_allocation_request *req);
u64 tmm_driver_fit_any(struct kunit *test, u64 nr);
void tmm_driver_expect_frames_free(struct kunit *test, u64 start, u64 nr);
/* Expects the run [@start, @start + @nr). */
void tmm_driver_expect_frames(struct kunit *test, const struct tmm_allocated_frames *frames,
			      u64 start, u64 nr);
void tmm_driver_expect_pages(struct kunit *test, const struct tmm_allocated_pages *pages, u64 start,
			     u64 nr);
/*
 * Like tmm_driver_expect_frames() and tmm_driver_expect_pages(), but these functions then drop the
 * run. Nobody else must be able to allocate the run's last chunk before the drop, and the run must
 * be free afterwards.
 */
void tmm_driver_try_frames(struct kunit *test, struct tmm_allocated_frames *frames, u64 start,
			   u64 nr);
void tmm_driver_try_pages(struct kunit *test, struct tmm_allocated_pages *pages, u64 start, u64 nr);
/*
 * Allocate under a spinlock, where nothing may sleep: @nr_bytes bytes, or, if @nr_bytes is 0, as
 * many pages or frames as the request says.
 */
struct tmm_allocated_pages *tmm_driver_pages_deferred(const struct tmm_allocation_request *req,
						      u64 nr_bytes,
						      struct tmm_deferred_action *action);
struct tmm_allocated_frames *tmm_driver_frames_deferred(const struct tmm_paddr *paddr, u64 nr,
							u64 nr_bytes,
							struct tmm_deferred_action *action);

/* Expects @allocate to return -ENOMEM when its first allocation from Linux's heap fails. */
#define EXPECT_NO_HEAP(test, allocate) do {						\
	long _err;									\
											\
	tmm_test_fail_alloc(test, 1);							\
	_err = PTR_ERR_OR_ZERO(allocate);						\
	KUNIT_EXPECT_TRUE(test, tmm_test_fail_alloc_end());				\
	KUNIT_EXPECT_EQ_MSG(test, _err, -ENOMEM, #allocate);				\
} while (0)

/* Expects no allocation to use @action, and the case to have taken @nr_frames frames. */
void tmm_driver_expect_unused(struct kunit *test, const struct tmm_deferred_action *action,
			      u64 nr_frames);

/*
 * For each entry of the array @refused: expects @allocate, which uses the pointer "entry", to fail
 * with the entry's error, and then carries out @check.
 */
#define EXPECT_REFUSED(test, refused, allocate, check) do {				\
	typeof(&(refused)[0]) entry;							\
											\
	for (entry = refused; entry < refused + ARRAY_SIZE(refused); entry++) {		\
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(allocate), entry->err,	\
				    "entry %td", entry - refused);			\
		check;									\
	}										\
} while (0)

#endif /* TMM_KUNIT_DRIVER_ALLOCATE_H */
