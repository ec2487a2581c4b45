// SPDX-License-Identifier: GPL-2.0
#include "driver/driver_map.h"

struct tmm_allocated_pages *tmm_driver_pages_at(struct kunit *test, u64 first, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_at(first, nr);
	struct tmm_allocated_pages *pages = tmm_allocate_pages_by_request(&req);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	return pages;
}

void tmm_driver_expect_not_mapped(struct kunit *test, struct tmm_allocated_pages **pages,
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
