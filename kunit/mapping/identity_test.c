// SPDX-License-Identifier: GPL-2.0
/* Identity mappings, whose virtual addresses equal the physical ones, in the lower half. */
#include "mapping/instance.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/account.h"
#include "mapping/borrow.h"
#include "mapping/create.h"
#include "mapping/create_identity.h"
#include "paging/mapper.h"
#include "paging/translate.h"

#include <linux/string.h>

#define MAX_ALLOCATIONS 60

/* The frame at 512 GiB, where no test machine has memory or devices. */
#define REGION		(1ULL << (39 - TMM_PAGE_SHIFT))
#define LEAF_2M		(1ULL << TMM_INDEX_BITS)
#define LEAF_1G		(LEAF_2M << TMM_INDEX_BITS)

static struct tmm_mapped_pages *create_identity(struct kunit *test,
						struct tmm_allocation_request req,
						tmm_pte_flags_t flags)
{
	return tmm_instance_create_identity_mapping(tmm_test_inst(test), tmm_test_root(test),
						    &req, flags, false);
}

/* Expects @mp to have @nr pages, each mapped to the frame with the page's number. */
static void expect_identity(struct kunit *test, struct tmm_mapped_pages *mp, u64 nr)
{
	struct tmm_page_range range;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	range = tmm_mapped_pages_range(mp);
	KUNIT_EXPECT_EQ(test, range.r.nr, nr);
	KUNIT_EXPECT_GT(test, (s64)tmm_page_range_start_address(&range).v, 0);
	tmm_test_expect_mapped(test, range.r.first, range.r.first, nr);
}

static u64 first_of(const struct tmm_mapped_pages *mp)
{
	return tmm_mapped_pages_range(mp).r.first;
}

/* Expects the request to fail with @err, and to change nothing. */
static void expect_refused(struct kunit *test, struct tmm_allocation_request req,
			   tmm_pte_flags_t flags, int err)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *mp = create_identity(test, req, flags);

	KUNIT_ASSERT_PTR_EQ(test, mp, ERR_PTR(err));
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void virtual_is_physical(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_identity(test, tmm_request_any(5), TMM_TEST_WRITABLE);
	struct tmm_translation found;
	u64 i;

	expect_identity(test, mp, 5);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	for (i = 0; i < 5 * TMM_PAGE_SIZE; i += 999) {
		const struct tmm_vaddr vaddr = { (first_of(mp) << TMM_PAGE_SHIFT) + i };

		KUNIT_EXPECT_EQ(test, tmm_mapper_translate(tmm_test_root(test), vaddr, &found), 0);
		KUNIT_EXPECT_EQ(test, found.paddr.v, vaddr.v);
	}
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void reads_and_writes(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_identity(test, tmm_request_any(3), TMM_TEST_WRITABLE);
	char *wrote = tmm_test_kvzalloc(test, 2 * TMM_PAGE_SIZE);
	char *seen = tmm_test_kvzalloc(test, 2 * TMM_PAGE_SIZE);
	struct tmm_borrow borrow;

	expect_identity(test, mp, 3);
	memset(wrote, 0x42, 2 * TMM_PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 3 * TMM_PAGE_SIZE, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrow, 100, wrote, 2 * TMM_PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 100, seen, 2 * TMM_PAGE_SIZE), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, memcmp(seen, wrote, 2 * TMM_PAGE_SIZE), 0);
	/* The bytes are in the frames with the numbers of the pages, and no byte is elsewhere. */
	KUNIT_EXPECT_EQ(test, memcmp(tmm_test_alias(first_of(mp)) + 100, wrote,
				     2 * TMM_PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_test_alias(first_of(mp)), 0xa5, 100), NULL);
	tmm_mapped_pages_drop(&mp);
}

/* Only the copying functions can use the addresses; Linux takes them for user addresses. */
static void use_in_place_is_refused(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_identity(test, tmm_request_any(1), TMM_TEST_WRITABLE);
	TMM_BORROW(u64) borrow;
	struct tmm_window window;

	expect_identity(test, mp, 1);
	KUNIT_ASSERT_EQ(test, tmm_as_type(mp, 8, &borrow), 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)tmm_borrow_enter(&borrow, &window),
			    ERR_PTR(-EOPNOTSUPP));
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	tmm_borrow_into_inner(&borrow);
	tmm_mapped_pages_drop(&mp);
}

static void read_only_cannot_be_written(struct kunit *test)
{
	struct tmm_mapped_pages *mp = create_identity(test, tmm_request_any(1), TMM_TEST_READ_ONLY);
	struct tmm_borrow borrow;

	expect_identity(test, mp, 1);
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow), -EACCES);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(tmm_test_root(test), first_of(mp), 1) &
			TMM_ENTRY_WRITABLE, 0);
	tmm_mapped_pages_drop(&mp);
}

/* In Theseus, the caller cannot choose the frames. */
static void request_chooses_the_frames(struct kunit *test)
{
	const struct tmm_range_region *general = &tmm_test_inst(test)->memories[0].general.range;
	const u64 somewhere = general->first + 77;
	struct tmm_mapped_pages *mp;

	mp = create_identity(test, tmm_request_at(somewhere, 3), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 3);
	KUNIT_EXPECT_EQ(test, first_of(mp), somewhere);
	tmm_mapped_pages_drop(&mp);

	mp = create_identity(test, tmm_request_aligned(64, 3), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 3);
	KUNIT_EXPECT_EQ(test, first_of(mp) % 64, 0);
	tmm_mapped_pages_drop(&mp);

	/* The request needs all frames of its range. */
	mp = create_identity(test, tmm_request_in_range(somewhere, somewhere + 2, 3),
			     TMM_TEST_WRITABLE);
	expect_identity(test, mp, 3);
	KUNIT_EXPECT_EQ(test, first_of(mp), somewhere);
	tmm_mapped_pages_drop(&mp);

	mp = create_identity(test, tmm_request_aligned_in_range(64, somewhere, somewhere + 127, 64),
			     TMM_TEST_WRITABLE);
	expect_identity(test, mp, 64);
	KUNIT_EXPECT_EQ(test, first_of(mp) % 64, 0);
	tmm_mapped_pages_drop(&mp);
}

/* Frames of reserved regions get the largest leaves that fit. No case accesses these frames. */
static void reserved_frames_by_large_leaves(struct kunit *test)
{
	static const struct tmm_test_leaves leaves[] = {
		{ TMM_2M, 1 }, { TMM_1G, 1 }, { TMM_2M, 1 }, { TMM_4K, 1 }, {},
	};
	const struct tmm_paddr start = { (REGION + LEAF_1G - LEAF_2M) << TMM_PAGE_SHIFT };
	const u64 nr = LEAF_1G + 2 * LEAF_2M + 1;
	const u64 first = start.v >> TMM_PAGE_SHIFT;
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_EQ(test, tmm_instance_add_reserved_region(inst, start, nr << TMM_PAGE_SHIFT,
							       TMM_UNCACHED), 0);
	expect_refused(test, tmm_request_at(first, nr), TMM_TEST_WRITABLE, -EOPNOTSUPP);
	mp = create_identity(test, tmm_request_at(first, nr), TMM_MMIO_FLAGS);
	expect_identity(test, mp, nr);
	tmm_test_expect_sizes(test, first, first, leaves);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(inst, start,
								  nr << TMM_PAGE_SHIFT), 0);
}

/* In Theseus, a free run of exactly the requested length is not used. */
static void run_that_fits_exactly(struct kunit *test)
{
	struct tmm_mapped_pages *mp;
	u64 start;

	tmm_test_hog(test);
	start = tmm_test_unhog(test, 7);
	tmm_test_unhog_for_tables(test);
	expect_refused(test, tmm_request_any(8), TMM_TEST_WRITABLE, -ENOSPC);
	mp = create_identity(test, tmm_request_any(7), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 7);
	KUNIT_EXPECT_EQ(test, first_of(mp), start);
	tmm_mapped_pages_drop(&mp);
}

/* Frames are skipped if somebody else owns the pages with the same numbers. */
static void frames_whose_pages_are_taken_are_passed_over(struct kunit *test)
{
	struct tmm_allocated_pages *taken;
	struct tmm_mapped_pages *mp;
	u64 runs[2], chosen, before;

	tmm_test_hog(test);
	runs[0] = tmm_test_unhog(test, 5);
	runs[1] = tmm_test_unhog(test, 5);
	tmm_test_unhog_for_tables(test);
	mp = create_identity(test, tmm_request_any(5), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 5);
	chosen = first_of(mp);
	tmm_mapped_pages_drop(&mp);

	/* If one page of the chosen run is owned, the other run is used. */
	taken = tmm_test_take_pages(test, chosen + 4, 1);
	before = tmm_test_fingerprint(test);
	mp = create_identity(test, tmm_request_any(5), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 5);
	KUNIT_EXPECT_EQ(test, first_of(mp), chosen == runs[0] ? runs[1] : runs[0]);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_allocated_pages_drop(&taken);
}

static struct tmm_mapped_pages *create_charged(struct kunit *test,
					       struct tmm_allocation_request req,
					       struct tmm_account *account)
{
	req.account = account;
	return create_identity(test, req, TMM_TEST_WRITABLE);
}

/* The account is charged for the frames of the mapping, not for those that were skipped. */
static void frames_that_are_passed_over_are_not_charged(struct kunit *test)
{
	struct tmm_account *account = tmm_account_create(NULL, NULL);
	struct tmm_allocated_pages *taken[2];
	struct tmm_mapped_pages *mp;
	u64 runs[2], first, other, nr;

	KUNIT_ASSERT_NOT_NULL(test, account);
	tmm_test_hog(test);
	runs[0] = tmm_test_unhog(test, 5);
	runs[1] = tmm_test_unhog(test, 5);
	tmm_test_unhog_for_tables(test);
	mp = create_charged(test, tmm_request_any(5), account);
	expect_identity(test, mp, 5);
	first = first_of(mp);
	tmm_mapped_pages_drop(&mp);
	other = first == runs[0] ? runs[1] : runs[0];
	mp = create_charged(test, tmm_request_at(other, 5), account);
	expect_identity(test, mp, 5);
	nr = tmm_account_count(account, TMM_RESOURCE_FRAMES);
	tmm_mapped_pages_drop(&mp);

	/* Five frames are skipped, and the limit allows only five frames and their tables. */
	tmm_account_set_max(account, TMM_RESOURCE_FRAMES, nr);
	taken[0] = tmm_test_take_pages(test, first, 5);
	mp = create_charged(test, tmm_request_any(5), account);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(mp), 0);
	if (!IS_ERR(mp)) {
		expect_identity(test, mp, 5);
		KUNIT_EXPECT_EQ(test, first_of(mp), other);
		KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_FRAMES), nr);
	}
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_FRAMES), 0);

	/* If all frames are skipped, the error is ENOSPC and not EDQUOT. */
	taken[1] = tmm_test_take_pages(test, other + 2, 1);
	mp = create_charged(test, tmm_request_any(5), account);
	KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_EQ(test, tmm_account_count(account, TMM_RESOURCE_FRAMES), 0);
	tmm_allocated_pages_drop(&taken[1]);
	tmm_allocated_pages_drop(&taken[0]);
	tmm_account_put(account);
}

/* The free run has just enough frames before or after the taken page. */
static void frames_beside_a_taken_page_are_found(struct kunit *test)
{
	unsigned int at;
	u64 start;

	tmm_test_hog(test);
	start = tmm_test_unhog(test, 9);
	tmm_test_unhog_for_tables(test);
	for (at = 0; at < 9; at++) {
		struct tmm_allocated_pages *taken = tmm_test_take_pages(test, start + at, 1);
		u64 nr = max(at, 8 - at);
		struct tmm_mapped_pages *mp = create_identity(test, tmm_request_any(nr),
							      TMM_TEST_WRITABLE);

		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(mp), 0, "page %u", at);
		if (!IS_ERR(mp)) {
			expect_identity(test, mp, nr);
			KUNIT_EXPECT_GE(test, first_of(mp), start);
			KUNIT_EXPECT_LE(test, first_of(mp) + nr, start + 9);
		}
		tmm_mapped_pages_drop(&mp);
		/* A run with one more frame fits on neither side of the taken page. */
		expect_refused(test, tmm_request_any(nr + 1), TMM_TEST_WRITABLE, -ENOSPC);
		tmm_allocated_pages_drop(&taken);
	}
}

static void taken_pages_refuse_a_request_at(struct kunit *test)
{
	const u64 first = tmm_test_inst(test)->memories[0].general.range.first + 50;
	struct tmm_allocated_pages *taken = tmm_test_take_pages(test, first + 2, 1);
	struct tmm_allocated_frames *frames;
	struct tmm_mapped_pages *mp;

	expect_refused(test, tmm_request_at(first + 2, 3), TMM_TEST_WRITABLE, -EADDRINUSE);
	expect_refused(test, tmm_request_at(first, 3), TMM_TEST_WRITABLE, -EADDRNOTAVAIL);
	tmm_allocated_pages_drop(&taken);
	mp = create_identity(test, tmm_request_at(first, 3), TMM_TEST_WRITABLE);
	expect_identity(test, mp, 3);
	tmm_mapped_pages_drop(&mp);

	/* A taken frame is refused in the same way. */
	frames = tmm_test_take_frames(test, 1);
	expect_refused(test, tmm_request_at(frames->f.chunk.start, 1), TMM_TEST_WRITABLE,
		       -EADDRINUSE);
	tmm_allocated_frames_drop(&frames);
}

/* The lower half has no pages with the numbers of these frames. */
static void frames_past_the_lower_half(struct kunit *test)
{
	const u64 limit = tmm_page_number_limit() / 2;
	struct tmm_frame_allocator *fa = &tmm_test_inst(test)->fa;
	struct tmm_frame_region *region = tmm_test_kvzalloc(test, sizeof(*region));
	void *table;

	region->range.type = TMM_REGION_RESERVED;
	region->range.first = limit - 2;
	region->range.nr = 6;
	table = tmm_test_kvzalloc(test, tmm_frame_regions_nr_bytes(limit - 2, 6));
	KUNIT_ASSERT_EQ(test, tmm_frame_regions_add(fa, region, table), 0);
	expect_refused(test, tmm_request_at(limit, 1), TMM_TEST_WRITABLE, -ERANGE);
	expect_refused(test, tmm_request_at(limit - 1, 2), TMM_TEST_WRITABLE, -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(fa, region), 0);
}

static void refused_changes_nothing(struct kunit *test)
{
	expect_refused(test, tmm_request_any(0), TMM_TEST_WRITABLE, -EINVAL);
	expect_refused(test, tmm_request_any(TMM_TOO_MANY), TMM_TEST_WRITABLE, -EOVERFLOW);
	expect_refused(test, tmm_request_any(TMM_TEST_MEMORY_NR), TMM_TEST_WRITABLE, -ENOSPC);
	expect_refused(test, tmm_request_at(REGION, 1), TMM_TEST_WRITABLE, -ERANGE);
	expect_refused(test, tmm_request_any(1), TMM_PTE_WRITABLE, -EINVAL);
	expect_refused(test, tmm_request_any(1), TMM_MMIO_FLAGS, -EOPNOTSUPP);
}

static void no_frames_for_tables(struct kunit *test)
{
	unsigned int nr;

	tmm_test_hog(test);
	tmm_test_unhog(test, 4);
	for (nr = 0; nr < tmm_test_root(test)->levels - 1; nr++) {
		expect_refused(test, tmm_request_any(4), TMM_TEST_WRITABLE, -ENOSPC);
		tmm_test_unhog(test, 1);
	}
}

static void failed_allocation_changes_nothing(struct kunit *test)
{
	struct tmm_allocated_pages *taken[2];
	struct tmm_mapped_pages *mp = NULL;
	u64 runs[2], before;
	unsigned int nth;

	/* One of the two runs is skipped, or both. */
	tmm_test_hog(test);
	runs[0] = tmm_test_unhog(test, 9);
	runs[1] = tmm_test_unhog(test, 9);
	tmm_test_unhog_for_tables(test);
	taken[0] = tmm_test_take_pages(test, runs[0] + 3, 1);
	taken[1] = tmm_test_take_pages(test, runs[1] + 3, 1);
	before = tmm_test_fingerprint(test);
	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		mp = create_identity(test, tmm_request_any(5), TMM_TEST_WRITABLE);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_PTR_EQ(test, mp, ERR_PTR(-ENOMEM));
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u",
				    nth);
	}
	expect_identity(test, mp, 5);
	KUNIT_EXPECT_GT(test, nth, 7);
	tmm_mapped_pages_drop(&mp);
	tmm_allocated_pages_drop(&taken[1]);
	tmm_allocated_pages_drop(&taken[0]);
}

static struct kunit_case identity_cases[] = {
	KUNIT_CASE(virtual_is_physical),
	KUNIT_CASE(reads_and_writes),
	KUNIT_CASE(use_in_place_is_refused),
	KUNIT_CASE(read_only_cannot_be_written),
	KUNIT_CASE(request_chooses_the_frames),
	KUNIT_CASE(reserved_frames_by_large_leaves),
	KUNIT_CASE(run_that_fits_exactly),
	KUNIT_CASE(frames_whose_pages_are_taken_are_passed_over),
	KUNIT_CASE(frames_that_are_passed_over_are_not_charged),
	KUNIT_CASE(frames_beside_a_taken_page_are_found),
	KUNIT_CASE(taken_pages_refuse_a_request_at),
	KUNIT_CASE(frames_past_the_lower_half),
	KUNIT_CASE(refused_changes_nothing),
	KUNIT_CASE(no_frames_for_tables),
	KUNIT_CASE(failed_allocation_changes_nothing),
	{}
};

static struct kunit_suite identity_suite = {
	.name = "theseus_mm_identity",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = identity_cases,
};

kunit_test_suite(identity_suite);
