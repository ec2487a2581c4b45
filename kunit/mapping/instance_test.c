// SPDX-License-Identifier: GPL-2.0
#include "mapping/create.h"
#include "mapping/instance.h"
#include "mapping/memory.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define UNTOUCHED 0x5a5a5a5aULL

static void create_mapping_rounds_up(struct kunit *test)
{
	const u64 sizes[][2] = { { 1, 1 }, { 4096, 1 }, { 4097, 2 }, { 100000, 25 } };
	struct tmm_instance *inst = tmm_test_inst(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct tmm_mapped_pages *mp;

		mp = tmm_instance_create_mapping(inst, inst->root, sizes[i][0], TMM_TEST_WRITABLE,
						 true);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_range(mp).r.nr, sizes[i][1]);
		KUNIT_EXPECT_GE(test, tmm_mapped_pages_range(mp).r.first, inst->pages.first);
		KUNIT_EXPECT_PTR_EQ(test, mp->pt, inst->root);
		tmm_mapped_pages_drop(&mp);
	}
}

struct refused_param {
	const char *name;
	u64 nr_bytes;
	tmm_pte_flags_t flags;
	int err;
};

static const struct refused_param refused_params[] = {
	{ "no bytes", 0, TMM_TEST_WRITABLE, -EINVAL },
	{ "bytes that overflow", U64_MAX, TMM_TEST_WRITABLE, -EOVERFLOW },
	{ "bytes that overflow when rounded up", U64_MAX - 4094, TMM_TEST_WRITABLE, -EOVERFLOW },
	{ "more than the pages", 1ULL << 53, TMM_TEST_WRITABLE, -ENOSPC },
	{ "more than the frames", 2 << 20, TMM_TEST_WRITABLE, -ENOSPC },
	{ "writable and executable", 4096, TMM_PTE_WRITABLE, -EINVAL },
	{ "device memory", 4096, TMM_MMIO_FLAGS, -EOPNOTSUPP },
};

static void refused_param_desc(const struct refused_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refused, refused_params, refused_param_desc);

static void create_refused_keeps_nothing(struct kunit *test)
{
	const struct refused_param *p = test->param_value;
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_paddr paddr = { UNTOUCHED };
	u64 before = tmm_test_fingerprint(test);
	struct tmm_mapped_pages *mp;

	mp = tmm_instance_create_mapping(inst, inst->root, p->nr_bytes, p->flags, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(mp), p->err);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	mp = tmm_instance_create_contiguous_mapping(inst, inst->root, p->nr_bytes, p->flags, true,
						    &paddr);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(mp), p->err);
	KUNIT_EXPECT_EQ(test, paddr.v, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
}

static void create_contiguous_tells_the_address(struct kunit *test)
{
	struct tmm_paddr paddr = { UNTOUCHED };
	struct tmm_mapped_pages *mp;
	u64 first;

	mp = tmm_instance_create_contiguous_mapping(tmm_test_inst(test), tmm_test_root(test),
						    7 * 4096,
						    TMM_TEST_WRITABLE, true, &paddr);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	first = tmm_mapped_pages_range(mp).r.first;
	tmm_test_expect_mapped(test, first, paddr.v >> 12, 7);
	KUNIT_EXPECT_EQ(test, paddr.v & 4095, 0);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 1);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(tmm_test_alias(paddr.v >> 12), 0, 7 * 4096), NULL);
	tmm_mapped_pages_drop(&mp);
}

static void create_contiguous_in_scattered_memory(struct kunit *test)
{
	struct tmm_paddr paddr = { UNTOUCHED };
	struct tmm_mapped_pages *mp;
	unsigned int i;
	u64 before;

	tmm_test_hog(test);
	for (i = 0; i < 10; i++)
		tmm_test_unhog(test, 2);
	before = tmm_test_fingerprint(test);
	mp = tmm_instance_create_contiguous_mapping(tmm_test_inst(test), tmm_test_root(test),
						    3 * 4096,
						    TMM_TEST_WRITABLE, true, &paddr);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(mp), -ENOSPC);
	KUNIT_EXPECT_EQ(test, paddr.v, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	/* A mapping that need not be contiguous succeeds. */
	mp = tmm_instance_create_mapping(tmm_test_inst(test), tmm_test_root(test), 3 * 4096,
					 TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, mp->nr_frame_ranges, 2);
	tmm_mapped_pages_drop(&mp);
}

/* Counts frames of zeros, which shows whether a call cleared frames. */
static unsigned int nr_clear_frames(struct kunit *test)
{
	const struct tmm_memory *memory = &tmm_test_inst(test)->memories[0].memory;
	unsigned int i, nr = 0;

	for (i = 0; i < memory->nr; i++)
		nr += !memchr_inv(tmm_test_alias(memory->first + i), 0, TMM_PAGE_SIZE);
	return nr;
}

static void create_is_refused_before_anything_is_cleared(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);
	struct tmm_mapping_request req = {
		.nr = 100,
		.flags = TMM_TEST_WRITABLE,
		.zero = true,
		.general_only = true,
	};
	struct tmm_allocated_pages *pages =
		tmm_test_take_pages(test, inst->pages.first, inst->pages.nr);
	unsigned int nr_clear = nr_clear_frames(test);
	u64 before = tmm_test_fingerprint(test);

	for (req.frames = TMM_FRAMES_ANY; req.frames <= TMM_FRAMES_CONTIGUOUS; req.frames++)
		KUNIT_EXPECT_PTR_EQ(test, tmm_instance_create(inst, inst->root, &req),
				    ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_EQ(test, nr_clear_frames(test), nr_clear);
	KUNIT_EXPECT_EQ(test, tmm_test_fingerprint(test), before);
	tmm_allocated_pages_drop(&pages);
}

static const struct {
	struct tmm_mapping_request req;
	int err;
} checked_requests[] = {
	{ { .nr = 1, .flags = TMM_TEST_WRITABLE }, 0 },
	{ { .nr = 0, .flags = TMM_TEST_WRITABLE }, -EINVAL },
	/* The flags are malformed: both writable and executable. */
	{ { .nr = 1, .flags = TMM_PTE_WRITABLE }, -EINVAL },
	{ { .nr = 1, .flags = TMM_PTE_WRITABLE, .frames = TMM_FRAMES_AT }, -EINVAL },
	/*
	 * Flags for device memory are refused for RAM. For frames at an address, the kind of memory
	 * is not known yet.
	 */
	{ { .nr = 1, .flags = TMM_MMIO_FLAGS }, -EOPNOTSUPP },
	{ { .nr = 1, .flags = TMM_MMIO_FLAGS, .frames = TMM_FRAMES_CONTIGUOUS }, -EOPNOTSUPP },
	{ { .nr = 1, .flags = TMM_MMIO_FLAGS, .frames = TMM_FRAMES_IDENTITY }, -EOPNOTSUPP },
	{ { .nr = 1, .flags = TMM_MMIO_FLAGS, .frames = TMM_FRAMES_AT }, 0 },
	{ { .nr = 512, .flags = TMM_TEST_WRITABLE, .is_sized = true, .leaf = TMM_2M }, 0 },
	{ { .nr = 511, .flags = TMM_TEST_WRITABLE, .is_sized = true, .leaf = TMM_2M }, -EINVAL },
};

static void request_is_checked(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checked_requests); i++)
		KUNIT_EXPECT_EQ_MSG(test, tmm_mapping_request_check(&checked_requests[i].req),
				    checked_requests[i].err, "request %zu", i);
}

static void count_of_everything(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);
	u64 nr_metadata = inst->memories[0].metadata.range.nr;
	u64 counts[TMM_NR_COUNTS] = { 1, 1, 1, 1, 1, 1 };
	struct tmm_mapped_pages *mp;

	mp = tmm_instance_create_mapping(inst, inst->root, 9 * 4096, TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	KUNIT_EXPECT_EQ(test, tmm_instance_count(inst, 0, 0, TMM_TEST_MEMORY_NR, counts), 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_COUNT_METADATA], nr_metadata);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_MAPPED], 9);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_TABLE], inst->root->levels - 1);
	/* The root has two frames. */
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_ALLOCATED], 2);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_UNMAPPED], 0);
	KUNIT_EXPECT_EQ(test, counts[TMM_MARK_FREE], TMM_TEST_MEMORY_NR - nr_metadata - 9 -
			(inst->root->levels - 1) - 2);
	tmm_mapped_pages_drop(&mp);
}

static u64 count_owned(struct kunit *test, u64 start, u64 nr)
{
	u64 counts[TMM_NR_COUNTS];
	unsigned int mark;
	u64 sum = 0;

	KUNIT_EXPECT_EQ(test, tmm_instance_count(tmm_test_inst(test), 0, start, nr, counts), 0);
	for (mark = 0; mark < TMM_NR_COUNTS; mark++)
		sum += counts[mark];
	return sum;
}

static void count_of_parts(struct kunit *test)
{
	u64 counts[TMM_NR_COUNTS] = { UNTOUCHED };
	u64 start, sum = 0;

	for (start = 0; start < TMM_TEST_MEMORY_NR; start += 100)
		sum += count_owned(test, start, 100);
	KUNIT_EXPECT_EQ(test, sum, TMM_TEST_MEMORY_NR);
	KUNIT_EXPECT_EQ(test, count_owned(test, 3, 0), 0);
	KUNIT_EXPECT_EQ(test, count_owned(test, TMM_TEST_MEMORY_NR, 1), 0);
	KUNIT_EXPECT_EQ(test, count_owned(test, TMM_TEST_MEMORY_NR - 1, 5), 1);
	KUNIT_EXPECT_EQ(test, count_owned(test, 0, U64_MAX), TMM_TEST_MEMORY_NR);
	KUNIT_EXPECT_EQ(test, count_owned(test, U64_MAX - 10, 5), 0);
	KUNIT_EXPECT_EQ(test, count_owned(test, U64_MAX - 10, U64_MAX), 0);
	KUNIT_EXPECT_EQ(test, tmm_instance_count(tmm_test_inst(test), 1, 0, 1, counts), -ERANGE);
	KUNIT_EXPECT_EQ(test, counts[0], UNTOUCHED);
}

static void two_memories_are_one_supply(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
	struct tmm_memory memories[] = { tmm_test_memory_take(test), tmm_test_memory_take(test) };
	const u64 nr = TMM_TEST_MEMORY_NR + 100;
	u64 counts[2][TMM_NR_COUNTS];
	struct tmm_mapped_pages *mp;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, tmm_instance_init(inst, memories, 2), 0);
	KUNIT_EXPECT_EQ(test, inst->nr_memories, 2);
	mp = tmm_instance_create_mapping(inst, inst->root, nr * 4096, TMM_TEST_WRITABLE, false);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, tmm_instance_count(inst, i, 0, U64_MAX, counts[i]), 0);
		KUNIT_EXPECT_EQ(test, counts[i][TMM_COUNT_METADATA],
				inst->memories[i].metadata.range.nr);
		KUNIT_EXPECT_GT(test, counts[i][TMM_MARK_MAPPED], 0);
	}
	KUNIT_EXPECT_EQ(test, counts[0][TMM_MARK_MAPPED] + counts[1][TMM_MARK_MAPPED], nr);
	tmm_check_page_table(test, inst->root);
	tmm_check_frame_allocator(test, &inst->fa);
	tmm_mapped_pages_drop(&mp);
	tmm_instance_exit(inst);
	tmm_test_memory_give(&memories[0]);
	tmm_test_memory_give(&memories[1]);
}

static void init_of_runs_of_any_place(struct kunit *test)
{
	struct tmm_memory memory = tmm_test_memory_take(test);
	unsigned int skip;

	for (skip = 0; skip < 9; skip++) {
		struct tmm_memory part = {
			memory.first + skip, memory.nr - 2 * skip, memory.window + skip * 4096,
		};
		struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
		u64 bytes;

		KUNIT_ASSERT_EQ(test, tmm_instance_init(inst, &part, 1), 0);
		bytes = tmm_frame_regions_nr_bytes(inst->memories[0].metadata.range.first,
						   inst->memories[0].metadata.range.nr) +
			tmm_frame_regions_nr_bytes(inst->memories[0].general.range.first,
						   inst->memories[0].general.range.nr);
		KUNIT_EXPECT_LE(test, bytes, inst->memories[0].metadata.range.nr * 4096);
		/* The root has an even frame number, since entry code needs bit 12 of CR3 clear. */
		KUNIT_EXPECT_EQ(test, inst->root->paddr % 8192, 0);
		tmm_check_frame_allocator(test, &inst->fa);
		tmm_instance_exit(inst);
	}
	tmm_test_memory_give(&memory);
}

static void init_refused(struct kunit *test)
{
	struct tmm_memory memory = tmm_test_memory_take(test);
	struct tmm_memory runs[1] = { memory };
	struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
	u64 nr, nr_bookkeeping = 0;
	int err;

	/* First there are too few frames for bookkeeping, then for the root's two aligned ones. */
	for (nr = 0;; nr++) {
		runs[0].nr = nr;
		err = tmm_instance_init(inst, runs, 1);
		if (!err)
			break;
		if (err == -ENOSPC && !nr_bookkeeping)
			nr_bookkeeping = nr - 1;
		KUNIT_ASSERT_EQ_MSG(test, err, nr_bookkeeping ? -ENOSPC : -EINVAL, "%llu frames",
				    nr);
	}
	KUNIT_EXPECT_GE(test, nr_bookkeeping, 1);
	KUNIT_EXPECT_LE(test, nr_bookkeeping, 4);
	KUNIT_EXPECT_GE(test, nr, nr_bookkeeping + 2);
	KUNIT_EXPECT_LE(test, nr, nr_bookkeeping + 3);
	KUNIT_EXPECT_EQ(test, nr_bookkeeping, inst->memories[0].metadata.range.nr);
	tmm_instance_exit(inst);
	tmm_test_memory_give(&memory);
}

static struct page *page_of_window(void *window)
{
	return is_vmalloc_addr(window) ? vmalloc_to_page(window) : virt_to_page(window);
}

/* Expects the instance to have each frame of @memory once, in @nr runs. */
static void expect_merged(struct kunit *test, const struct tmm_memory *runs, unsigned int nr_runs,
			  const struct tmm_memory *memory, unsigned int nr)
{
	struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
	u64 next = memory->first;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, tmm_instance_init(inst, runs, nr_runs), 0);
	KUNIT_EXPECT_EQ(test, inst->nr_memories, nr);
	for (i = 0; i < inst->nr_memories; i++) {
		const struct tmm_memory *run = &inst->memories[i].memory;

		KUNIT_EXPECT_EQ(test, run->first, next);
		KUNIT_EXPECT_PTR_EQ(test, page_of_window(run->window),
				    pfn_to_page(run->first));
		next += run->nr;
	}
	KUNIT_EXPECT_EQ(test, next, memory->first + memory->nr);
	tmm_check_frame_allocator(test, &inst->fa);
	tmm_instance_exit(inst);
}

static void overlapping_memories_are_merged(struct kunit *test)
{
	struct tmm_memory memory = tmm_test_memory_take(test);
	struct tmm_memory runs[3] = { memory, memory, memory };
	struct page **pages = tmm_test_kvzalloc(test, TMM_TEST_MEMORY_NR * sizeof(*pages));
	unsigned int i;

	expect_merged(test, runs, 3, &memory, 1);
	/*
	 * Run 0 is the upper part of @memory. Run 1 is the lower part, and overlaps run 0 by one
	 * frame. Run 2 lies within run 1.
	 */
	runs[0].first += 99;
	runs[0].window += 99 << TMM_PAGE_SHIFT;
	runs[0].nr -= 99;
	runs[1].nr = 100;
	runs[2].first += 20;
	runs[2].window += 20 << TMM_PAGE_SHIFT;
	runs[2].nr = 10;
	expect_merged(test, runs, 3, &memory, 1);
	/*
	 * If two runs have different aliases in the kernel (@window), they are not merged, and the
	 * upper run loses the frame that both have.
	 */
	for (i = 0; i < TMM_TEST_MEMORY_NR; i++)
		pages[i] = pfn_to_page(memory.first + i);
	runs[0].window = vmap(pages + 99, TMM_TEST_MEMORY_NR - 99, VM_MAP, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs[0].window);
	expect_merged(test, runs, 3, &memory, 2);
	vunmap(runs[0].window);
	tmm_test_memory_give(&memory);
}

struct end_param {
	const char *name;
	u64 first;
	u64 nr;
	bool is_end;
};

#define LEAF_2M		512ULL
#define LEAF_1G		(LEAF_2M * 512)

/* The bookkeeping takes 100 frames. */
static const struct end_param end_params[] = {
	{ "both ends at 1 GiB", 4 * LEAF_1G, 2 * LEAF_1G, false },
	{ "start at 1 GiB", 4 * LEAF_1G, 2 * LEAF_1G + 3 * LEAF_2M, true },
	{ "end at 1 GiB", 4 * LEAF_1G - 3 * LEAF_2M, 2 * LEAF_1G + 3 * LEAF_2M, false },
	{ "start at 2 MiB", 4 * LEAF_1G + LEAF_2M, 2 * LEAF_2M + 300, true },
	{ "end at 2 MiB", 4 * LEAF_1G + 3, 3 * LEAF_2M - 3, false },
	{ "neither at 2 MiB", 4 * LEAF_1G + 3, 3 * LEAF_2M, false },
	{ "too little behind 1 GiB", 4 * LEAF_1G, LEAF_1G + 99, false },
	{ "just enough behind 1 GiB", 4 * LEAF_1G, LEAF_1G + 100, true },
	{ "not even 2 MiB", 4 * LEAF_1G, 300, false },
};

TMM_ARRAY_PARAM(end, end_params);

static void bookkeeping_takes_the_cheaper_end(struct kunit *test)
{
	const struct end_param *p = test->param_value;
	const struct tmm_memory memory = { .first = p->first, .nr = p->nr };

	KUNIT_EXPECT_EQ(test, tmm_memory_end_is_better(&memory, 100), p->is_end);
}

/*
 * A run is aligned to 2 MiB, and is 100 frames longer than 2 MiB. Bookkeeping, tables and small
 * pages take frames at the end of the run, so that the rest can back a large leaf.
 */
static void bookkeeping_at_the_end(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_kvzalloc(test, sizeof(*inst));
	struct page *pages = alloc_pages(GFP_KERNEL, TMM_TEST_MEMORY_ORDER + 1);
	struct tmm_memory memory = { .nr = LEAF_2M + 100 };
	const struct tmm_instance_memory *mem;
	struct tmm_range_totals totals;
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	memory.first = page_to_pfn(pages);
	memory.window = page_address(pages);
	KUNIT_ASSERT_EQ(test, tmm_instance_init(inst, &memory, 1), 0);
	mem = &inst->memories[0];
	KUNIT_EXPECT_EQ(test, mem->general.range.first, memory.first);
	KUNIT_EXPECT_EQ(test, mem->metadata.range.first,
			memory.first + memory.nr - mem->metadata.range.nr);
	mp = tmm_instance_create_mapping(inst, inst->root, 9 * 4096, TMM_TEST_WRITABLE, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	tmm_check_page_table(test, inst->root);
	tmm_check_frame_allocator(test, &inst->fa);
	tmm_range_allocator_totals(&inst->fa.ra, &totals);
	KUNIT_EXPECT_GE(test, totals.largest[TMM_2M], LEAF_2M);
	tmm_mapped_pages_drop(&mp);
	tmm_instance_exit(inst);
	__free_pages(pages, TMM_TEST_MEMORY_ORDER + 1);
}

static void chunks_of_bytes(struct kunit *test)
{
	const struct {
		u64 offset;
		u64 nr_bytes;
		int err;
		u64 nr;
	} cases[] = {
		{ 0, 1, 0, 1 }, { 0, 4096, 0, 1 }, { 0, 4097, 0, 2 }, { 4095, 1, 0, 1 },
		{ 4095, 2, 0, 2 }, { 1, 4096, 0, 2 }, { 0, U64_MAX - 4095, 0, U64_MAX / 4096 },
		{ 0, 0, -EINVAL, UNTOUCHED }, { 5, 0, -EINVAL, UNTOUCHED },
		{ 0, U64_MAX, -EOVERFLOW, UNTOUCHED }, { 4095, U64_MAX, -EOVERFLOW, UNTOUCHED },
		{ 1, U64_MAX - 4095, -EOVERFLOW, UNTOUCHED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 nr = UNTOUCHED;

		KUNIT_EXPECT_EQ_MSG(test, tmm_chunks_of_bytes(cases[i].offset, cases[i].nr_bytes,
							      &nr), cases[i].err, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, nr, cases[i].nr, "case %u", i);
	}
}

static struct kunit_case instance_cases[] = {
	KUNIT_CASE(create_mapping_rounds_up),
	KUNIT_CASE_PARAM(create_refused_keeps_nothing, refused_gen_params),
	KUNIT_CASE(create_contiguous_tells_the_address),
	KUNIT_CASE(create_contiguous_in_scattered_memory),
	KUNIT_CASE(create_is_refused_before_anything_is_cleared),
	KUNIT_CASE(request_is_checked),
	KUNIT_CASE(count_of_everything),
	KUNIT_CASE(count_of_parts),
	KUNIT_CASE(two_memories_are_one_supply),
	KUNIT_CASE(init_of_runs_of_any_place),
	KUNIT_CASE(init_refused),
	KUNIT_CASE(overlapping_memories_are_merged),
	KUNIT_CASE_PARAM(bookkeeping_takes_the_cheaper_end, end_gen_params),
	KUNIT_CASE(bookkeeping_at_the_end),
	KUNIT_CASE(chunks_of_bytes),
	{}
};

static struct kunit_suite instance_suite = {
	.name = "theseus_mm_instance",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = instance_cases,
};

kunit_test_suite(instance_suite);
