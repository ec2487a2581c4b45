/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page allocators on made-up regions. Functions without a parameter for the allocator use the
 * case's own, in the struct tmm_test_pages at test->priv.
 */
#ifndef TMM_KUNIT_PAGES_FIXTURE_H
#define TMM_KUNIT_PAGES_FIXTURE_H

#include "alloc/pages.h"
#include "support/range_fixture.h"

#define TMM_EXPECT_PAGES(test, pages, start, nr)	\
	TMM_EXPECT_CHUNK(test, &(pages)->chunk, start, nr)

/* A page allocator and its regions, of which the first @nr_regions are in use. */
struct tmm_test_pages {
	struct tmm_page_allocator pa;
	struct tmm_range_region regions[TMM_TEST_MAX_REGIONS];
	unsigned int nr_regions;
};

/* The exit function of a suite. */
void tmm_test_pages_exit(struct kunit *test);
struct tmm_test_pages *tmm_test_pages_create(struct kunit *test);
void tmm_test_pages_destroy(struct kunit *test, struct tmm_test_pages *tp);
struct tmm_range_region *tmm_test_pages_add(struct kunit *test, struct tmm_test_pages *tp,
					    enum tmm_region_type type, u64 first, u64 nr);
struct tmm_allocated_pages *tmm_test_pages_take(struct kunit *test, struct tmm_test_pages *tp,
						struct tmm_allocation_request req);
/* Allocate from the case's own allocator; the case ends if that fails. */
struct tmm_allocated_pages *tmm_test_pages_take_at(struct kunit *test, u64 number, u64 nr);
struct tmm_allocated_pages *tmm_test_pages_take_any(struct kunit *test, u64 nr);
/* The fingerprint also checks the allocator. */
u64 tmm_test_pages_fingerprint(struct kunit *test);

#endif /* TMM_KUNIT_PAGES_FIXTURE_H */
