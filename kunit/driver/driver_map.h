/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The suites of a driver that maps share this: pages of its choice, and the counts that a
 * case expects.
 */
#ifndef TMM_KUNIT_DRIVER_MAP_H
#define TMM_KUNIT_DRIVER_MAP_H

#include "driver/driver_fixture.h"

#include <linux/math.h>

#define NR_1G		(SZ_1G >> TMM_PAGE_SHIFT)
#define NR_2M		(SZ_2M >> TMM_PAGE_SHIFT)

/* Pages aligned to any leaf; where those that a driver maps are expected. */
static inline u64 area(void)
{
	return round_up(tmm_private_first_page(), NR_1G) + 8 * NR_1G;
}

static inline struct tmm_allocated_pages *pages_at(struct kunit *test, u64 first, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_at(first, nr);
	struct tmm_allocated_pages *pages = tmm_allocate_pages_by_request(&req);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	return pages;
}

static inline void expect_pages_free(struct kunit *test, u64 first, u64 nr)
{
	struct tmm_allocated_pages *pages = pages_at(test, first, nr);

	tmm_allocated_pages_drop(&pages);
}

static inline void expect_nr_frames_taken(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).frames_free + nr,
			driver->before.frames_free);
}

static inline void expect_nr_mappings_made(struct kunit *test, u64 nr)
{
	struct tmm_driver *driver = test->priv;

	KUNIT_EXPECT_EQ(test, tmm_driver_totals(test).mappings, driver->before.mappings + nr);
}

/* All of the guard hole came back. */
static inline void exit_case(struct kunit *test)
{
	struct tmm_driver *driver = test->priv;

	tmm_mapped_pages_drop(&driver->mp);
	expect_pages_free(test, tmm_private_first_page(), tmm_private_nr_general_pages());
	tmm_driver_exit(test);
}

/* Expects @pages to be refused, and to be what they were. */
static inline void expect_not_mapped(struct kunit *test, struct tmm_allocated_pages **pages,
				     tmm_pte_flags_t flags, enum tmm_page_size size, long err)
{
	struct tmm_allocated_pages *same = *pages;
	const struct tmm_page_range before = tmm_allocated_pages_range(same);
	const struct tmm_driver_totals totals = tmm_driver_totals(test);
	struct tmm_driver_totals now;
	struct tmm_page_range range;
	struct tmm_mapped_pages *none;

	none = tmm_map_allocated_pages_sized(tmm_driver_kernel_root(test), pages, flags, false,
					     size);
	KUNIT_ASSERT_EQ(test, PTR_ERR_OR_ZERO(none), err);
	KUNIT_ASSERT_PTR_EQ(test, *pages, same);
	range = tmm_allocated_pages_range(same);
	KUNIT_EXPECT_EQ(test, range.r.first, before.r.first);
	KUNIT_EXPECT_EQ(test, range.r.nr, before.r.nr);
	now = tmm_driver_totals(test);
	KUNIT_EXPECT_EQ(test, now.frames_free, totals.frames_free);
	KUNIT_EXPECT_EQ(test, now.frames_largest_free, totals.frames_largest_free);
	KUNIT_EXPECT_EQ(test, now.mappings, totals.mappings);
	KUNIT_EXPECT_EQ(test, now.tables, totals.tables);
}

#endif /* TMM_KUNIT_DRIVER_MAP_H */
