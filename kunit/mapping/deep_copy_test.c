// SPDX-License-Identifier: GPL-2.0
#include "mapping/mapped_pages.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/large_fixture.h"

#include "alloc/frames.h"
#include "alloc/frames_clear.h"
#include "alloc/pages.h"
#include "mapping/borrow.h"
#include "mapping/create.h"
#include "mapping/deep_copy.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"
#include "paging/mapper.h"
#include "paging/translate.h"
#include "paging/window_copy.h"

#include <linux/sched/signal.h>
#include <linux/string.h>

#define MAX_ALLOCATIONS 60
#define LEAF_2M		(1ULL << TMM_INDEX_BITS)

/* The frame at 512 GiB, where no test machine has memory or devices. */
#define REGION		(1ULL << (39 - TMM_PAGE_SHIFT))
#define base_page()	(tmm_private_first_page() + LEAF_2M)

/* Writes a different number at the start of each page. */
static void write_numbers(struct kunit *test, struct tmm_mapped_pages *mp, u64 first)
{
	const u64 nr = tmm_mapped_pages_range(mp).r.nr;
	struct tmm_borrow borrow;
	u64 i;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, nr << TMM_PAGE_SHIFT, true, &borrow), 0);
	for (i = 0; i < nr; i++) {
		u64 number = first + i;

		if (tmm_borrow_write(&borrow, i << TMM_PAGE_SHIFT, &number, sizeof(number))) {
			KUNIT_FAIL(test, "page %llu cannot be written", i);
			break;
		}
	}
	tmm_borrow_end(&borrow);
}

static void expect_numbers(struct kunit *test, struct tmm_mapped_pages *mp, u64 first)
{
	const u64 nr = tmm_mapped_pages_range(mp).r.nr;
	struct tmm_borrow borrow;
	u64 i, number;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, nr << TMM_PAGE_SHIFT, false, &borrow), 0);
	for (i = 0; i < nr; i++) {
		if (!tmm_borrow_read(&borrow, i << TMM_PAGE_SHIFT, &number, sizeof(number)) &&
		    number == first + i)
			continue;
		KUNIT_FAIL(test, "page %llu begins with %#llx, not %#llx", i, number, first + i);
		break;
	}
	tmm_borrow_end(&borrow);
}

/* Compares the frames byte by byte, also if the leaves differ in size. */
static void expect_same_bytes(struct kunit *test, struct tmm_mapped_pages *mp,
			      struct tmm_mapped_pages *copy)
{
	const u64 first = tmm_mapped_pages_range(mp).r.first;
	const u64 to = tmm_mapped_pages_range(copy).r.first;
	u64 i;

	for (i = 0; i < tmm_mapped_pages_range(mp).r.nr; i++) {
		u64 frame = tmm_test_translate(tmm_test_root(test), first + i);
		u64 other = tmm_test_translate(tmm_test_root(test), to + i);

		if (frame != TMM_TEST_UNMAPPED && other != TMM_TEST_UNMAPPED && frame != other &&
		    !memcmp(tmm_test_alias(frame), tmm_test_alias(other), TMM_PAGE_SIZE))
			continue;
		KUNIT_FAIL(test, "page %llu: frame %#llx, copied to %#llx", i, frame, other);
		return;
	}
}

static struct tmm_mapped_pages *copy_of(struct kunit *test, struct tmm_mapped_pages *mp,
					const tmm_pte_flags_t *flags)
{
	struct tmm_mapped_pages *copy = tmm_mapped_pages_deep_copy(mp, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(copy).r.nr, tmm_mapped_pages_range(mp).r.nr);
	KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(copy), tmm_mapped_pages_root(mp));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(copy));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	return copy;
}

/* Expects the copy to fail with @err, and to change nothing. */
static void expect_refused(struct kunit *test, struct tmm_mapped_pages *mp,
			   const tmm_pte_flags_t *flags, int err)
{
	s64 nr_mappings = tmm_page_table_nr_mappings(tmm_test_root(test));
	u64 before = tmm_test_fingerprint(test);
	int users = atomic_read(&mp->users);
	struct tmm_mapped_pages *copy = tmm_mapped_pages_deep_copy(mp, flags);

	KUNIT_ASSERT_PTR_EQ(test, copy, ERR_PTR(err));
	KUNIT_EXPECT_EQ(test, atomic_read(&mp->users), users);
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(tmm_test_root(test)), nr_mappings);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void copy_is_equal_and_independent(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 9, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *copy;

	write_numbers(test, mp, 100);
	copy = copy_of(test, mp, NULL);
	expect_numbers(test, copy, 100);
	expect_same_bytes(test, mp, copy);
	write_numbers(test, copy, 200);
	expect_numbers(test, mp, 100);
	write_numbers(test, mp, 300);
	expect_numbers(test, copy, 200);
	tmm_mapped_pages_drop(&mp);
	expect_numbers(test, copy, 200);
	tmm_mapped_pages_drop(&copy);
}

static void copy_has_the_flags_of_its_source(struct kunit *test)
{
	static const tmm_pte_flags_t kinds[] = {
		TMM_TEST_READ_ONLY, TMM_TEST_WRITABLE, TMM_PTE_ACCESSED,
		TMM_TEST_WRITABLE | TMM_PTE_USER_ACCESSIBLE | TMM_PTE_GLOBAL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, kinds[i]);
		struct tmm_mapped_pages *copy = copy_of(test, mp, NULL);

		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(copy), kinds[i] | TMM_PTE_OURS);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), kinds[i] | TMM_PTE_OURS);
		expect_same_bytes(test, mp, copy);
		tmm_mapped_pages_drop(&copy);
		tmm_mapped_pages_drop(&mp);
	}
}

/* The copy was writable while it was filled. Afterwards no CPU can write the copy any more. */
static void read_only_copy_cannot_be_written(struct kunit *test)
{
	const tmm_pte_flags_t read_only = TMM_TEST_READ_ONLY;
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), LEAF_2M + 3,
						   TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *copy;
	struct tmm_borrow borrow;
	u64 i, first, value = 0;

	write_numbers(test, mp, 100);
	copy = copy_of(test, mp, &read_only);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(copy), read_only | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(copy, 0, 8, true, &borrow), -EACCES);
	first = tmm_mapped_pages_range(copy).r.first;
	for (i = 0; i < LEAF_2M + 3; i++) {
		struct tmm_translation found;

		if (!tmm_mapper_translate(tmm_test_root(test), tmm_test_vaddr(first + i),
					  &found) && !tmm_pte_flags_is_writable(found.flags))
			continue;
		KUNIT_FAIL(test, "page %llu can be written", i);
		break;
	}
	for (i = 0; i < 2; i++) {
		size_t left = 0;

		KUNIT_EXPECT_EQ(test, tmm_window_write(tmm_test_root(test),
						       tmm_test_vaddr(first + i * LEAF_2M),
						       &value, 8, &left), 0);
		KUNIT_EXPECT_EQ(test, left, 8);
	}
	expect_numbers(test, copy, 100);
	write_numbers(test, mp, 200);
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

static void writable_copy_of_what_is_read_only(struct kunit *test)
{
	const tmm_pte_flags_t writable = TMM_TEST_WRITABLE;
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *copy;

	write_numbers(test, mp, 100);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), 0);
	copy = copy_of(test, mp, &writable);
	expect_numbers(test, copy, 100);
	write_numbers(test, copy, 200);
	expect_numbers(test, mp, 100);
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

struct sizes_param {
	const char *name;
	u64 page;		/* from base_page() on */
	u64 nr;
	u64 demoted;		/* the leaf around this page is broken; U64_MAX for none */
	struct tmm_test_leaves leaves[6];
};

static const struct sizes_param sizes_params[] = {
	{ "pages", 0, 5, U64_MAX, { { TMM_4K, 5 } } },
	{ "one large leaf", 0, LEAF_2M, U64_MAX, { { TMM_2M, 1 } } },
	{ "both sizes", LEAF_2M - 2, LEAF_2M + 5, U64_MAX,
	  { { TMM_4K, 2 }, { TMM_2M, 1 }, { TMM_4K, 3 } } },
	{ "a broken leaf", 0, LEAF_2M, 7, { { TMM_4K, LEAF_2M } } },
	{ "a large and a broken leaf", 0, 2 * LEAF_2M, LEAF_2M + 1,
	  { { TMM_2M, 1 }, { TMM_4K, LEAF_2M } } },
};

TMM_ARRAY_PARAM(sizes, sizes_params);

static void expect_leaves(struct kunit *test, struct tmm_mapped_pages *mp,
			  const struct tmm_test_leaves *leaves)
{
	u64 page = tmm_mapped_pages_range(mp).r.first;

	for (; leaves->nr; leaves++) {
		u64 i;

		for (i = 0; i < leaves->nr; i++, page += tmm_page_size_4k_pages(leaves->size)) {
			enum tmm_page_size size = tmm_mapper_leaf_size(tmm_test_root(test),
								       tmm_page_4k(page));

			if (size == leaves->size)
				continue;
			KUNIT_FAIL(test, "leaf %llu of page %#llx is of size %u", i, page, size);
			return;
		}
	}
}

/* In Theseus, a copy always has 4 KiB pages. */
static void copy_has_leaves_like_its_source(struct kunit *test)
{
	const struct sizes_param *p = test->param_value;
	struct tmm_mapped_pages *second, *copy;
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page() + p->page, p->nr,
						   TMM_TEST_WRITABLE);

	if (p->demoted != U64_MAX) {
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + p->demoted,
							     &second), 0);
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	}
	expect_leaves(test, mp, p->leaves);
	write_numbers(test, mp, 100);
	copy = copy_of(test, mp, NULL);
	expect_leaves(test, copy, p->leaves);
	expect_leaves(test, mp, p->leaves);
	expect_same_bytes(test, mp, copy);
	tmm_check_page_table(test, tmm_test_root(test));
	/* The copy can be split like any mapping. */
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(copy, tmm_mapped_pages_range(copy).r.first +
						     3, &second), 0);
	tmm_mapped_pages_drop(&copy);
	expect_numbers(test, second, 103);
	tmm_mapped_pages_drop(&second);
	tmm_mapped_pages_drop(&mp);
}

/* A source on one run of frames is copied to several runs, and back to one run. */
static void copy_to_scattered_frames_and_back(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 6, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *copy, *back;
	unsigned int i;

	write_numbers(test, mp, 100);
	tmm_test_hog(test);
	for (i = 0; i < 3; i++)
		tmm_test_unhog(test, 2);
	tmm_test_unhog_for_tables(test);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	copy = copy_of(test, mp, NULL);
	KUNIT_EXPECT_GT(test, copy->nr_frame_ranges, 2);
	expect_numbers(test, copy, 100);
	tmm_test_unhog_all(test);
	back = copy_of(test, copy, NULL);
	KUNIT_EXPECT_EQ(test, back->nr_frame_ranges, 1);
	expect_numbers(test, back, 100);
	tmm_mapped_pages_drop(&back);
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

/* A copy of lent frames has frames of its own. */
static void copy_of_lent_frames_is_exclusive(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 3);
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 3);
	struct tmm_mapped_pages *mp, *copy;

	mp = tmm_map_to_non_exclusive(tmm_test_root(test), &pages, frames, TMM_TEST_WRITABLE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	write_numbers(test, mp, 100);
	copy = copy_of(test, mp, NULL);
	KUNIT_EXPECT_TRUE(test, tmm_pte_flags_is_exclusive(tmm_mapped_pages_flags(copy)));
	KUNIT_EXPECT_FALSE(test, tmm_pte_flags_is_exclusive(tmm_mapped_pages_flags(mp)));
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(frames));
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_zero(frames), 0);
	expect_numbers(test, copy, 100);
	tmm_mapped_pages_drop(&copy);
	tmm_allocated_frames_drop(&frames);
}

/* A source with an immutable borrow can be copied, one with a mutable borrow cannot. */
static void copy_of_a_borrowed_source(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *copy;
	struct tmm_borrow borrow;

	write_numbers(test, mp, 100);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, true, &borrow), 0);
	expect_refused(test, mp, NULL, -EBUSY);
	tmm_borrow_end(&borrow);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 8, false, &borrow), 0);
	copy = tmm_mapped_pages_deep_copy(mp, NULL);
	tmm_borrow_end(&borrow);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	expect_numbers(test, copy, 100);
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

static void refused_changes_nothing(struct kunit *test)
{
	static const struct {
		tmm_pte_flags_t flags;
		int err;
	} bad_flags[] = {
		{ TMM_PTE_WRITABLE, -EINVAL },
		{ TMM_TEST_WRITABLE | (__force tmm_pte_flags_t)BIT_ULL(12), -EINVAL },
		{ TMM_MMIO_FLAGS, -EOPNOTSUPP },
	};
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);
	struct tmm_mapped_pages *empty;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_flags); i++)
		expect_refused(test, mp, &bad_flags[i].flags, bad_flags[i].err);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 3, &empty), 0);
	expect_refused(test, empty, NULL, -EINVAL);
	tmm_mapped_pages_drop(&empty);
	tmm_mapped_pages_drop(&mp);
}

/* The copy would be RAM, for which the flags of device memory are not allowed. */
static void copy_of_device_memory_needs_flags_for_ram(struct kunit *test)
{
	const struct tmm_paddr start = { REGION << TMM_PAGE_SHIFT };
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_EQ(test, tmm_instance_add_reserved_region(inst, start, 3 * TMM_PAGE_SIZE,
							       TMM_UNCACHED), 0);
	mp = tmm_instance_map_frame_range(inst, inst->root, start, 3 * TMM_PAGE_SIZE,
					  TMM_MMIO_FLAGS);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	expect_refused(test, mp, NULL, -EOPNOTSUPP);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(inst, start,
								  3 * TMM_PAGE_SIZE), 0);
}

static void too_few_frames(struct kunit *test)
{
	struct tmm_mapped_pages *copy, *mp;
	unsigned int nr;

	/* The copy's pages will be next to these, so that the copy needs no new table. */
	mp = tmm_test_map(test, tmm_private_first_page() + 9, 3, TMM_TEST_WRITABLE);
	write_numbers(test, mp, 100);
	tmm_test_hog(test);
	for (nr = 0; nr < 3; nr++) {
		expect_refused(test, mp, NULL, -ENOSPC);
		tmm_test_unhog(test, 1);
	}
	copy = copy_of(test, mp, NULL);
	expect_numbers(test, copy, 100);
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

/* There are enough frames for the content, but none for the tables of the copy's pages. */
static void too_few_frames_for_tables(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 3, TMM_TEST_WRITABLE);

	tmm_test_hog(test);
	tmm_test_unhog(test, 3);
	expect_refused(test, mp, NULL, -ENOSPC);
	tmm_mapped_pages_drop(&mp);
}

/* There are enough frames, but none that a large leaf could map. */
static void too_few_large_frames(struct kunit *test)
{
	struct tmm_allocated_frames *blocks[TMM_TEST_NR_LARGE];
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), LEAF_2M + 2,
						   TMM_TEST_WRITABLE);
	const struct tmm_allocation_request req = tmm_request_aligned(LEAF_2M, LEAF_2M);
	unsigned int i, nr = 0;

	for (i = 0; i < TMM_TEST_NR_LARGE; i++) {
		blocks[nr] = tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);
		if (IS_ERR(blocks[nr]))
			break;
		nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, TMM_TEST_NR_LARGE - 1);
	expect_refused(test, mp, NULL, -ENOSPC);
	while (nr)
		tmm_allocated_frames_drop(&blocks[--nr]);
	tmm_mapped_pages_drop(&mp);
}

static void fail_each_allocation(struct kunit *test, struct tmm_mapped_pages *mp,
				 unsigned int min_allocations)
{
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *copy = NULL;
	unsigned int nth;

	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		tmm_test_fail_alloc(test, nth);
		copy = tmm_mapped_pages_deep_copy(mp, NULL);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_PTR_EQ_MSG(test, copy, ERR_PTR(-ENOMEM), "allocation %u", nth);
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u",
				    nth);
		KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	expect_numbers(test, copy, 100);
	KUNIT_EXPECT_GT(test, nth, min_allocations);
	tmm_mapped_pages_drop(&copy);
}

static void failed_allocation_changes_nothing(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), LEAF_2M + 6,
						   TMM_TEST_WRITABLE);
	unsigned int i;

	write_numbers(test, mp, 100);
	/* The allocations are for pages, the mapping, and frames for leaves of both sizes. */
	fail_each_allocation(test, mp, 5);
	tmm_mapped_pages_drop(&mp);

	mp = tmm_test_map(test, base_page(), 6, TMM_TEST_WRITABLE);
	write_numbers(test, mp, 100);
	tmm_test_hog(test);
	for (i = 0; i < 3; i++)
		tmm_test_unhog(test, 2);
	tmm_test_unhog_for_tables(test);
	/* The frames are allocated page by page. */
	fail_each_allocation(test, mp, 2 + 6);
	tmm_mapped_pages_drop(&mp);
}

static void copy_ends_when_the_task_is_killed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, base_page(), 6, TMM_TEST_WRITABLE);
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *copy;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	copy = tmm_mapped_pages_deep_copy(mp, NULL);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_ASSERT_PTR_EQ(test, copy, ERR_PTR(-EINTR));
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_mapped_pages_drop(&mp);
}

static struct kunit_case deep_copy_cases[] = {
	KUNIT_CASE(copy_is_equal_and_independent),
	KUNIT_CASE(copy_has_the_flags_of_its_source),
	KUNIT_CASE(read_only_copy_cannot_be_written),
	KUNIT_CASE(writable_copy_of_what_is_read_only),
	KUNIT_CASE_PARAM(copy_has_leaves_like_its_source, sizes_gen_params),
	KUNIT_CASE(copy_to_scattered_frames_and_back),
	KUNIT_CASE(copy_of_lent_frames_is_exclusive),
	KUNIT_CASE(copy_of_a_borrowed_source),
	KUNIT_CASE(refused_changes_nothing),
	KUNIT_CASE(copy_of_device_memory_needs_flags_for_ram),
	KUNIT_CASE(too_few_frames),
	KUNIT_CASE(too_few_frames_for_tables),
	KUNIT_CASE(too_few_large_frames),
	KUNIT_CASE(failed_allocation_changes_nothing),
	KUNIT_CASE(copy_ends_when_the_task_is_killed),
	{}
};

static struct kunit_suite deep_copy_suite = {
	.name = "theseus_mm_deep_copy",
	.init = tmm_test_large_init,
	.exit = tmm_test_large_exit,
	.test_cases = deep_copy_cases,
};

kunit_test_suite(deep_copy_suite);
