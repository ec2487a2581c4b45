// SPDX-License-Identifier: GPL-2.0
#include "support/pages_fixture.h"

#include "support/invariants.h"

struct tmm_test_pages *tmm_test_pages_create(struct kunit *test)
{
	struct tmm_test_pages *tp = tmm_test_kvzalloc(test, sizeof(*tp));

	tmm_page_allocator_init(&tp->pa);
	return tp;
}

void tmm_test_pages_destroy(struct kunit *test, struct tmm_test_pages *tp)
{
	if (!tp)
		return;
	tmm_check_range_allocator(test, &tp->pa.ra);
	tmm_magazines_destroy(&tp->pa.ra);
	if (tmm_test_all_free(test, &tp->pa.ra))
		tmm_page_allocator_destroy(&tp->pa);
}

void tmm_test_pages_exit(struct kunit *test)
{
	tmm_test_pages_destroy(test, test->priv);
}

struct tmm_range_region *tmm_test_pages_add(struct kunit *test, struct tmm_test_pages *tp,
					    enum tmm_region_type type, u64 first, u64 nr)
{
	struct tmm_range_region *region;

	KUNIT_ASSERT_LT(test, tp->nr_regions, TMM_TEST_MAX_REGIONS);
	region = &tp->regions[tp->nr_regions];
	region->type = type;
	region->first = first;
	region->nr = nr;
	KUNIT_ASSERT_EQ(test, tmm_page_allocator_add(&tp->pa, region), 0);
	tp->nr_regions++;
	return region;
}

struct tmm_allocated_pages *tmm_test_pages_take(struct kunit *test, struct tmm_test_pages *tp,
						struct tmm_allocation_request req)
{
	struct tmm_allocated_pages *pages = tmm_page_allocator_allocate(&tp->pa, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), req.nr);
	return pages;
}

struct tmm_allocated_pages *tmm_test_pages_take_at(struct kunit *test, u64 number, u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_test_pages_take(test, test->priv,
								tmm_request_at(number, nr));

	KUNIT_EXPECT_EQ(test, pages->chunk.start, number);
	return pages;
}

struct tmm_allocated_pages *tmm_test_pages_take_any(struct kunit *test, u64 nr)
{
	return tmm_test_pages_take(test, test->priv, tmm_request_any(nr));
}

u64 tmm_test_pages_fingerprint(struct kunit *test)
{
	struct tmm_test_pages *tp = test->priv;

	tmm_check_range_allocator(test, &tp->pa.ra);
	return tmm_fingerprint_ranges(&tp->pa.ra);
}
