// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings with large leaves. The frames belong to a made-up device region. There is nothing at
 * these addresses, so no case accesses them.
 */
#include "mapping/mapped_pages.h"

#include "mapping/instance_devices.h"
#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "alloc/frames.h"
#include "alloc/frames_split.h"
#include "alloc/pages.h"
#include "mapping/create.h"
#include "mapping/map.h"
#include "mapping/mapped_pages_split.h"
#include "paging/mapper.h"
#include "paging/translate.h"

/* The frame at 512 GiB, where no test machine has memory or devices. */
#define REGION		(1ULL << (39 - TMM_PAGE_SHIFT))
#define REGION_NR	(4ULL << TMM_INDEX_BITS << TMM_INDEX_BITS)
#define REGION_BYTES	(REGION_NR << TMM_PAGE_SHIFT)
#define LEAF_2M		(1ULL << TMM_INDEX_BITS)
#define LEAF_1G		(LEAF_2M << TMM_INDEX_BITS)

static const struct tmm_paddr region_start = { REGION << TMM_PAGE_SHIFT };

static void add_region(struct kunit *test, enum tmm_memory_type type)
{
	KUNIT_ASSERT_EQ(test, tmm_instance_add_reserved_region(tmm_test_inst(test), region_start,
							       REGION_BYTES, type), 0);
}

static int region_init(struct kunit *test)
{
	int err = tmm_test_instance_init(test);

	if (!err)
		add_region(test, TMM_UNCACHED);
	return err;
}

static void region_exit(struct kunit *test)
{
	if (test->priv)
		KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(tmm_test_inst(test),
									  region_start,
									  REGION_BYTES), 0);
	tmm_test_instance_exit(test);
}

#define base_page()	(tmm_private_first_page() + LEAF_1G)

static struct tmm_allocated_frames *take_at(struct kunit *test, u64 frame, u64 nr)
{
	const struct tmm_allocation_request req = tmm_request_at(frame, nr);
	struct tmm_allocated_frames *frames =
		tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	return frames;
}

static struct tmm_mapped_pages *map_run(struct kunit *test, u64 page, u64 frame, u64 nr)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, page, nr);
	struct tmm_allocated_frames *frames = take_at(test, frame, nr);
	struct tmm_mapped_pages *mp =
		tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &frames, TMM_MMIO_FLAGS);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_NULL(test, pages);
	KUNIT_EXPECT_NULL(test, frames);
	return mp;
}

struct leaves_param {
	const char *name;
	u64 page;		/* from base_page() on */
	u64 frame;		/* from REGION on */
	u64 nr;
	struct tmm_test_leaves leaves[6];
};

static const struct leaves_param leaves_params[] = {
	{ "a page", 0, 0, 1, { { TMM_4K, 1 } } },
	{ "just too short", 0, 0, LEAF_2M - 1, { { TMM_4K, LEAF_2M - 1 } } },
	{ "2 MiB", 0, 0, LEAF_2M, { { TMM_2M, 1 } } },
	{ "2 MiB, frames misaligned", 0, 1, LEAF_2M, { { TMM_4K, LEAF_2M } } },
	{ "2 MiB, pages misaligned", 1, 0, LEAF_2M, { { TMM_4K, LEAF_2M } } },
	{ "both misaligned alike", 510, 510, LEAF_2M + 4,
	  { { TMM_4K, 2 }, { TMM_2M, 1 }, { TMM_4K, 2 } } },
	{ "aligned to 2 MiB, not to 1 GiB", 0, LEAF_2M, LEAF_1G, { { TMM_2M, LEAF_2M } } },
	{ "1 GiB", 0, 0, LEAF_1G, { { TMM_1G, 1 } } },
	{ "all sizes", LEAF_1G - LEAF_2M - 1, LEAF_1G - LEAF_2M - 1, LEAF_1G + 2 * LEAF_2M + 2,
	  { { TMM_4K, 1 }, { TMM_2M, 1 }, { TMM_1G, 1 }, { TMM_2M, 1 }, { TMM_4K, 1 } } },
};

TMM_ARRAY_PARAM(leaves, leaves_params);

static void map_to_takes_the_largest_leaves(struct kunit *test)
{
	const struct leaves_param *p = test->param_value;
	struct tmm_mapped_pages *mp =
		map_run(test, base_page() + p->page, REGION + p->frame, p->nr);

	tmm_test_expect_sizes(test, base_page() + p->page, REGION + p->frame, p->leaves);
	tmm_check_page_table(test, tmm_test_root(test));
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

struct sized_param {
	const char *name;
	u64 page;
	u64 frame;
	u64 nr;
	enum tmm_page_size size;
	int err;
};

static const struct sized_param sized_params[] = {
	{ "4 KiB where 2 MiB fit", 0, 0, LEAF_2M, TMM_4K, 0 },
	{ "2 MiB where 1 GiB fits", 0, 0, LEAF_1G, TMM_2M, 0 },
	{ "2 MiB", LEAF_2M, 0, 2 * LEAF_2M, TMM_2M, 0 },
	{ "1 GiB", 0, LEAF_1G, LEAF_1G, TMM_1G, 0 },
	{ "count", 0, 0, LEAF_2M + 1, TMM_2M, -EINVAL },
	{ "page", 1, 0, LEAF_2M, TMM_2M, -EINVAL },
	{ "frame", 0, 1, LEAF_2M, TMM_2M, -EINVAL },
	{ "1 GiB of 2 MiB alignment", LEAF_2M, LEAF_2M, LEAF_1G, TMM_1G, -EINVAL },
	{ "no such size", 0, 0, LEAF_2M, TMM_NR_PAGE_SIZES, -EINVAL },
};

TMM_ARRAY_PARAM(sized, sized_params);

static void map_to_sized_takes_that_size_or_refuses(struct kunit *test)
{
	const struct sized_param *p = test->param_value;
	struct tmm_allocated_pages *pages =
		tmm_test_take_pages(test, base_page() + p->page, p->nr);
	struct tmm_allocated_frames *frames = take_at(test, REGION + p->frame, p->nr);
	struct tmm_test_leaves leaves[] = {
		{ p->size, p->nr >> tmm_page_size_order(p->size % TMM_NR_PAGE_SIZES) }, {}
	};
	struct tmm_mapped_pages *mp;

	mp = tmm_map_allocated_pages_to_sized(tmm_test_root(test), &pages, &frames,
					      TMM_MMIO_FLAGS, p->size);
	if (p->err) {
		KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(p->err));
		KUNIT_EXPECT_NOT_NULL(test, pages);
		KUNIT_EXPECT_NOT_NULL(test, frames);
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
		tmm_allocated_pages_drop(&pages);
		tmm_allocated_frames_drop(&frames);
		return;
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	tmm_test_expect_sizes(test, base_page() + p->page, REGION + p->frame, leaves);
	tmm_mapped_pages_drop(&mp);
}

static void split_inside_a_leaf_breaks_that_leaf_only(struct kunit *test)
{
	static const struct tmm_test_leaves before[] = { { TMM_1G, 2 }, {} };
	static const struct tmm_test_leaves after[] = {
		{ TMM_2M, 3 }, { TMM_4K, LEAF_2M }, { TMM_2M, LEAF_2M - 4 }, { TMM_1G, 1 }, {}
	};
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, 2 * LEAF_1G);
	struct tmm_mapped_pages *second;
	u64 at = base_page() + 3 * LEAF_2M + 7;

	tmm_test_expect_sizes(test, base_page(), REGION, before);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, at, &second), 0);
	tmm_test_expect_sizes(test, base_page(), REGION, after);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp),
			(3 * LEAF_2M + 7) << TMM_PAGE_SHIFT);
	tmm_check_page_table(test, tmm_test_root(test));

	/* After a merge, small leaves stay small. */
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	tmm_test_expect_sizes(test, base_page(), REGION, after);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void split_between_leaves_breaks_none(struct kunit *test)
{
	static const struct tmm_test_leaves leaves[] = { { TMM_2M, 2 }, {} };
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, 2 * LEAF_2M);
	struct tmm_mapped_pages *second;
	u64 tables = tmm_test_nr_tables(test);
	u64 ends[] = { 0, LEAF_2M, 2 * LEAF_2M };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + ends[i], &second),
				0);
		tmm_test_expect_sizes(test, base_page(), REGION, leaves);
		KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), tables);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	}
	tmm_mapped_pages_drop(&mp);
}

/* Breaking a leaf of 1 GiB needs two tables. If frames for them are missing, nothing changes. */
static void split_without_frames_for_tables_changes_nothing(struct kunit *test)
{
	static const struct tmm_test_leaves leaves[] = { { TMM_1G, 1 }, {} };
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, LEAF_1G);
	struct tmm_mapped_pages *second = NULL;
	unsigned int nr;

	tmm_test_hog(test);
	for (nr = 0; nr < 2; nr++) {
		u64 before = tmm_test_fingerprint(test);

		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 5, &second),
				-ENOSPC);
		KUNIT_EXPECT_NULL(test, second);
		KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_bytes(mp), LEAF_1G << TMM_PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
		tmm_test_expect_sizes(test, base_page(), REGION, leaves);
		tmm_test_unhog(test, 1);
	}
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 5, &second), 0);
	tmm_mapped_pages_drop(&second);
	tmm_mapped_pages_drop(&mp);
}

static void split_that_fails_to_allocate_changes_nothing(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, 3 * LEAF_2M);
	struct tmm_mapped_pages *second = NULL;
	unsigned int nth;

	for (nth = 1;; nth++) {
		u64 before = tmm_test_fingerprint(test);
		bool failed;
		int err;

		tmm_test_fail_alloc(test, nth);
		err = tmm_mapped_pages_split(mp, base_page() + LEAF_2M + 1, &second);
		failed = tmm_test_fail_alloc_end();
		if (!failed) {
			KUNIT_EXPECT_EQ(test, err, 0);
			break;
		}
		KUNIT_ASSERT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
		KUNIT_EXPECT_EQ_MSG(test, tmm_test_fingerprint(test), before, "allocation %u",
				    nth);
		KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	}
	/* The allocations are for the part, its pages and its frames. */
	KUNIT_EXPECT_EQ(test, nth, 4);
	tmm_mapped_pages_drop(&second);
	tmm_mapped_pages_drop(&mp);
}

/* Only the part gets the new flags, and all leaves stay as large as possible. */
static void remap_of_a_part_leaves_the_rest_alone(struct kunit *test)
{
	static const struct tmm_test_leaves leaves[] = { { TMM_2M, 4 }, {} };
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, 4 * LEAF_2M);
	struct tmm_mapped_pages *middle, *last;
	const tmm_pte_flags_t read_only = TMM_PTE_DEFAULT | TMM_PTE_DEVICE_MEMORY;
	struct tmm_translation found;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + LEAF_2M, &middle), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(middle, base_page() + 3 * LEAF_2M, &last), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(middle, read_only), 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, tmm_mapper_translate(tmm_test_root(test),
							   tmm_test_vaddr(base_page() +
									  i * LEAF_2M + 511),
							   &found), 0);
		KUNIT_EXPECT_EQ_MSG(test, tmm_pte_flags_is_writable(found.flags), i == 0 || i == 3,
				    "leaf %u", i);
		KUNIT_EXPECT_EQ(test, found.size, TMM_2M);
	}
	tmm_test_expect_sizes(test, base_page(), REGION, leaves);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &middle), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(middle, TMM_MMIO_FLAGS), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &middle), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &last), 0);
	tmm_mapped_pages_drop(&mp);
}

static void unmap_into_parts_gives_all_of_a_broken_leaf(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION, LEAF_1G);
	struct tmm_allocated_pages *pages = NULL;
	struct tmm_mapped_pages *second;
	struct tmm_allocated_frames *run;
	LIST_HEAD(frames);

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, base_page() + 9, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_unmap_into_parts(&mp, &pages, &frames), 0);
	KUNIT_EXPECT_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_allocated_pages_nr(pages), LEAF_1G);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&frames));
	run = list_first_entry(&frames, struct tmm_allocated_frames, f.link);
	KUNIT_EXPECT_EQ(test, run->f.chunk.start, REGION);
	KUNIT_EXPECT_EQ(test, run->f.chunk.nr, LEAF_1G);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
	tmm_test_drop_frames_list(&frames);
	tmm_allocated_pages_drop(&pages);
}

/* The entries of each leaf size have the memory type of the region. */
static void memory_type_of_the_region_at_every_size(struct kunit *test)
{
	static const u64 sizes[] = { 1, LEAF_2M, LEAF_1G };
	enum tmm_memory_type type;
	unsigned int i;

	for (type = TMM_WRITE_BACK; type < TMM_NR_MEMORY_TYPES; type++) {
		const tmm_pte_flags_t right = type == TMM_WRITE_BACK ? TMM_DMA_FLAGS :
								       TMM_MMIO_FLAGS;

		KUNIT_ASSERT_EQ(test, tmm_instance_remove_reserved_region(tmm_test_inst(test),
									  region_start,
									  REGION_BYTES), 0);
		add_region(test, type);
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct tmm_mapped_pages *mp;
			u64 entry;

			mp = tmm_instance_map_frame_range(tmm_test_inst(test), tmm_test_root(test),
							  region_start,
							  sizes[i] << TMM_PAGE_SHIFT,
							  right ^ TMM_PTE_DEVICE_MEMORY);
			KUNIT_EXPECT_PTR_EQ(test, mp, ERR_PTR(-EOPNOTSUPP));
			mp = tmm_instance_map_frame_range(tmm_test_inst(test), tmm_test_root(test),
							  region_start,
							  sizes[i] << TMM_PAGE_SHIFT, right);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
			entry = tmm_test_entry(tmm_test_root(test),
					       tmm_mapped_pages_range(mp).r.first,
					       tmm_entry_leaf_level(i));
			KUNIT_EXPECT_EQ_MSG(test, tmm_pte_memory_type_of_leaf(entry, i), type,
					    "size %u", i);
			KUNIT_EXPECT_EQ(test, !!(entry & TMM_ENTRY_HUGE), i != TMM_4K);
			/* A remap cannot change the kind of memory. */
			KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, right ^
								     TMM_PTE_DEVICE_MEMORY),
					-EOPNOTSUPP);
			tmm_mapped_pages_drop(&mp);
		}
	}
}

static void region_in_use_is_not_removed(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapped_pages *mp = map_run(test, base_page(), REGION + 3, 2);
	const struct tmm_paddr other = { region_start.v + TMM_PAGE_SIZE };

	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(inst, region_start,
								  REGION_BYTES), -EBUSY);
	tmm_mapped_pages_drop(&mp);
	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(inst, other, REGION_BYTES),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_instance_remove_reserved_region(inst, region_start,
								  TMM_PAGE_SIZE), -ERANGE);
	KUNIT_EXPECT_EQ(test, tmm_instance_add_reserved_region(inst, other, TMM_PAGE_SIZE,
							       TMM_UNCACHED), -EADDRINUSE);
}

/* An empty run does not prevent the removal of its region. */
static void empty_run_of_a_removed_region_is_refused(struct kunit *test)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, base_page(), 1);
	struct tmm_allocated_frames *empty = take_at(test, REGION, 1);
	struct tmm_allocated_frames *rest;

	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(empty, REGION, &rest), 0);
	tmm_allocated_frames_drop(&rest);
	KUNIT_ASSERT_EQ(test, tmm_instance_remove_reserved_region(tmm_test_inst(test), region_start,
								  REGION_BYTES), 0);
	KUNIT_EXPECT_PTR_EQ(test, tmm_map_allocated_pages_to(tmm_test_root(test), &pages, &empty,
							     TMM_MMIO_FLAGS), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_PTR_EQ(test, tmm_map_to_non_exclusive(tmm_test_root(test), &pages, empty,
							   TMM_MMIO_FLAGS), ERR_PTR(-EINVAL));
	KUNIT_EXPECT_NOT_NULL(test, pages);
	tmm_allocated_frames_drop(&empty);
	tmm_allocated_pages_drop(&pages);
	add_region(test, TMM_UNCACHED);
}

static struct kunit_case huge_mapping_cases[] = {
	KUNIT_CASE_PARAM(map_to_takes_the_largest_leaves, leaves_gen_params),
	KUNIT_CASE_PARAM(map_to_sized_takes_that_size_or_refuses, sized_gen_params),
	KUNIT_CASE(split_inside_a_leaf_breaks_that_leaf_only),
	KUNIT_CASE(split_between_leaves_breaks_none),
	KUNIT_CASE(split_without_frames_for_tables_changes_nothing),
	KUNIT_CASE(split_that_fails_to_allocate_changes_nothing),
	KUNIT_CASE(remap_of_a_part_leaves_the_rest_alone),
	KUNIT_CASE(unmap_into_parts_gives_all_of_a_broken_leaf),
	KUNIT_CASE(memory_type_of_the_region_at_every_size),
	KUNIT_CASE(region_in_use_is_not_removed),
	KUNIT_CASE(empty_run_of_a_removed_region_is_refused),
	{}
};

static struct kunit_suite huge_mapping_suite = {
	.name = "theseus_mm_huge_mapping",
	.init = region_init,
	.exit = region_exit,
	.test_cases = huge_mapping_cases,
};

kunit_test_suite(huge_mapping_suite);
