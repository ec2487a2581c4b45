// SPDX-License-Identifier: GPL-2.0
/*
 * A driver allocates pages: each form of allocation returns the run that its arguments describe,
 * and changes nothing when it fails.
 */
#include "driver/driver_allocate.h"

/* A single page comes from the magazine of a CPU, which has any of the first pages. */
static void try_single(struct kunit *test, struct tmm_allocated_pages *pages, u64 first, u64 nr)
{
	struct tmm_page_range range;
	u64 page;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(pages), "error %ld", PTR_ERR(pages));
	range = tmm_allocated_pages_range(pages);
	page = tmm_page_range_start(&range).number;
	KUNIT_EXPECT_LT(test, page - first, nr);
	tmm_driver_try_pages(test, pages, page, 1);
}

static void pages_anywhere(struct kunit *test)
{
	u64 first = tmm_private_first_page();
	/* With 5 levels, the run of free pages is longer than any run that a search finds. */
	u64 most = min(tmm_private_nr_general_pages(), TMM_MAX_RUN);

	/* Empties the magazines. */
	tmm_driver_expect_pages_free(test, first, tmm_private_nr_general_pages());
	tmm_driver_try_pages(test, tmm_allocate_pages(most), first, most);
	tmm_driver_try_pages(test, tmm_allocate_pages(1000), first, 1000);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes(4097), first, 2);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes(SZ_1G), first, NR_1G);
	try_single(test, tmm_allocate_pages(1), first, most);
	try_single(test, tmm_allocate_pages_by_bytes(1), first, most);
	try_single(test, tmm_allocate_pages_by_bytes(4096), first, most);
}

/*
 * When no general page is free, a request gets pages that are kept for the kernel, and when these
 * are taken, pages of the lower half.
 */
static void pages_of_last_resort(struct kunit *test)
{
	u64 first = tmm_private_first_page(), nr = tmm_private_nr_general_pages();
	struct tmm_allocated_pages *general = tmm_allocate_pages_at(vaddr_of(first), nr);
	struct tmm_allocated_pages *kernel, *pages;
	struct tmm_page_range range;

	tmm_driver_expect_pages(test, general, first, nr);
	tmm_driver_try_pages(test, tmm_allocate_pages(1), first + nr, 1);
	kernel = tmm_allocate_pages_at(vaddr_of(first + nr), tmm_private_nr_pages() - nr);
	tmm_driver_expect_pages(test, kernel, first + nr, tmm_private_nr_pages() - nr);
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

	EXPECT_REFUSED(test, refused, entry->allocate(entry->nr),
		       tmm_driver_expect_frames_taken(test, 0));
}

static void pages_at_an_address(struct kunit *test)
{
	u64 area = tmm_private_first_page() + 1000;
	u64 last = tmm_private_first_page() + tmm_private_nr_pages() - 1;
	struct tmm_vaddr inside = { vaddr_of(area).v + 4000 };

	tmm_driver_try_pages(test, tmm_allocate_pages_at(vaddr_of(area), 3), area, 3);
	tmm_driver_try_pages(test, tmm_allocate_pages_at(inside, 3), area, 3);
	tmm_driver_try_pages(test, tmm_allocate_pages_at(vaddr_of(last), 1), last, 1);
	tmm_driver_try_pages(test, tmm_allocate_pages_at(vaddr_of(1), 1), 1, 1);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_at(vaddr_of(area), 4096), area, 1);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_at(vaddr_of(area), 4097), area, 2);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 96), area, 1);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 97), area, 2);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_at(inside, 97 + 3 * 4096), area, 5);
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

	tmm_driver_expect_pages(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused, entry->allocate(entry->vaddr, entry->nr),
		       tmm_driver_expect_frames_taken(test, 0));
	tmm_driver_expect_pages_free(test, tmm_private_first_page(), 1005);
	tmm_driver_expect_pages_free(test, area + 6, tmm_private_nr_general_pages() - 1006);
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

	/* The whole range can be allocated, and any part of it. */
	tmm_driver_try_pages(test, tmm_allocate_pages_in_range(10, &range), area, 10);
	tmm_driver_try_pages(test, tmm_allocate_pages_in_range(3, &range), area, 3);
	tmm_driver_try_pages(test, tmm_allocate_pages_in_range(1, &one), area, 1);
	tmm_driver_try_pages(test, tmm_allocate_pages_in_range(2 * NR_2M, &large), large.r.first,
			     2 * NR_2M);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_in_range(10 * 4096, &range), area,
			     10);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_in_range(9 * 4096 + 1, &range), area,
			     10);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_in_range(2 * 4096, &range), area, 2);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_bytes_in_range(1, &one), area, 1);
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

	tmm_driver_expect_pages(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused, entry->allocate(entry->nr, entry->in),
		       tmm_driver_expect_frames_taken(test, 0));
	tmm_driver_expect_pages_free(test, area, 5);
	tmm_driver_expect_pages_free(test, area + 6, 4);
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
		u64 start = tmm_driver_fit_in(&hole, &wanted[i]);

		KUNIT_ASSERT_NE_MSG(test, start, U64_MAX, "entry %u", i);
		tmm_driver_try_pages(test, tmm_allocate_pages_by_request(&wanted[i]), start,
				     wanted[i].nr);
	}
	tmm_driver_try_pages(test, tmm_allocate_pages_by_request(&at), middle, 5);
	tmm_driver_try_pages(test, tmm_allocate_pages_by_request(&inside), middle, 5);
}

/* The immediate and the deferred form return the same error, and the action stays empty. */
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
	struct tmm_allocated_pages *owned = tmm_allocate_pages_at(vaddr_of(area + 5), 1);
	struct tmm_deferred_action action = {};

	tmm_driver_expect_pages(test, owned, area + 5, 1);
	EXPECT_REFUSED(test, refused, tmm_allocate_pages_by_request(&entry->req),
		       tmm_driver_expect_frames_taken(test, 0));
	EXPECT_REFUSED(test, refused, tmm_driver_pages_deferred(&entry->req, 0, &action),
		       tmm_driver_expect_unused(test, &action, 0));
	tmm_driver_expect_pages_free(test, tmm_private_first_page(), 1005);
	tmm_driver_expect_pages_free(test, area + 6, tmm_private_nr_general_pages() - 1006);
	tmm_allocated_pages_drop(&owned);
}

static void pages_without_heap(struct kunit *test)
{
	u64 first = tmm_private_first_page();
	const struct tmm_page_range range = pages_from(first, 10);
	const struct tmm_allocation_request req = tmm_request_aligned(8, 8);

	/* A single page may come from a magazine, with its object. */
	EXPECT_NO_HEAP(test, tmm_allocate_pages(2));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes(4097));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_at(vaddr_of(first), 1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes_at(vaddr_of(first), 1));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_in_range(1, &range));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_bytes_in_range(1, &range));
	EXPECT_NO_HEAP(test, tmm_allocate_pages_by_request(&req));
	tmm_driver_expect_pages_free(test, first, tmm_private_nr_general_pages());
}

static struct kunit_case driver_pages_cases[] = {
	KUNIT_CASE(pages_anywhere),
	KUNIT_CASE(pages_of_last_resort),
	KUNIT_CASE(pages_anywhere_refused),
	KUNIT_CASE(pages_at_an_address),
	KUNIT_CASE(pages_at_an_address_refused),
	KUNIT_CASE(pages_in_a_range),
	KUNIT_CASE(pages_in_a_range_refused),
	KUNIT_CASE(pages_by_request),
	KUNIT_CASE(pages_by_request_refused),
	KUNIT_CASE(pages_without_heap),
	{}
};

static struct kunit_suite driver_pages_suite = {
	.name = "theseus_mm_driver_pages",
	.init = tmm_driver_init,
	.exit = tmm_driver_exit_with_hole,
	.test_cases = driver_pages_cases,
};

kunit_test_suite(driver_pages_suite);
