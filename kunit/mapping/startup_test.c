// SPDX-License-Identifier: GPL-2.0
#include "mapping/startup.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"
#include "support/invariants.h"

#include "include/linux/theseus_mm.h"
#include "mapping/borrow.h"
#include "mapping/create.h"
#include "mapping/mapped_pages.h"
#include "mapping/mmi.h"
#include "paging/page_table.h"

#include <linux/slab.h>
#include <linux/string.h>

#define MAX_ALLOCATIONS 120
#define NR_MEMORIES 2

/* An instance of the case, and the results of tmm_startup_init() and tmm_startup_post_heap(). */
struct startup {
	struct tmm_instance inst;
	struct tmm_memory memories[NR_MEMORIES];
	struct tmm_initial_memory_mappings initial;
	struct tmm_mmi *mmi;
};

static int startup_init(struct kunit *test)
{
	struct startup *s = tmm_test_kvzalloc(test, sizeof(*s));
	unsigned int i;

	for (i = 0; i < NR_MEMORIES; i++)
		s->memories[i] = tmm_test_memory_take(test);
	test->priv = s;
	return 0;
}

static void startup_exit(struct kunit *test)
{
	struct startup *s = test->priv;
	unsigned int i;

	if (!s)
		return;
	for (i = 0; i < NR_MEMORIES; i++)
		tmm_test_memory_give(&s->memories[i]);
}

static struct startup *begin_startup(struct kunit *test)
{
	struct startup *s = test->priv;

	KUNIT_ASSERT_EQ(test, tmm_startup_init(&s->inst, s->memories, NR_MEMORIES, &s->initial), 0);
	return s;
}

static void begin_and_finish(struct kunit *test, struct startup *s)
{
	KUNIT_ASSERT_EQ(test, tmm_startup_init(&s->inst, s->memories, NR_MEMORIES, &s->initial), 0);
	KUNIT_ASSERT_EQ(test, tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi), 0);
}

/* Nothing is mapped or owned any more, so the instance can be taken apart. */
static void end_startup(struct kunit *test, struct startup *s)
{
	KUNIT_EXPECT_EQ(test, tmm_page_table_nr_mappings(s->inst.root), 0);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, s->inst.root), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&s->inst.root->kref), 1);
	tmm_check_frame_allocator(test, &s->inst.fa);
	tmm_instance_exit(&s->inst);
}

static u64 nr_in_list(const struct list_head *list)
{
	const struct list_head *entry;
	u64 nr = 0;

	list_for_each(entry, list)
		nr++;
	return nr;
}

/*
 * Expects @mp to map the bookkeeping of @mem. A borrow of @mp must read the bytes that the kernel
 * sees at its own address of the bookkeeping.
 */
static void expect_metadata(struct kunit *test, struct tmm_mapped_pages *mp,
			    const struct tmm_instance_memory *mem)
{
	const struct tmm_range_region *region = &mem->metadata.range;
	const size_t nr_bytes = region->nr << TMM_PAGE_SHIFT;
	struct tmm_page_range range = tmm_mapped_pages_range(mp);
	struct tmm_borrow borrow;
	void *seen;
	u64 i;

	/* The mapping is an identity mapping. */
	KUNIT_EXPECT_EQ(test, range.r.first, region->first);
	KUNIT_EXPECT_EQ(test, range.r.nr, region->nr);
	for (i = 0; i < region->nr; i++) {
		KUNIT_EXPECT_EQ(test, tmm_test_translate(mp->pt, range.r.first + i),
				region->first + i);
		KUNIT_EXPECT_EQ(test, tmm_test_entry(mp->pt, range.r.first + i, 1) &
				TMM_ENTRY_WRITABLE, 0);
	}
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_flags(mp), TMM_PTE_DEFAULT | TMM_PTE_OURS);
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow), -EACCES);
	seen = tmm_test_kvzalloc(test, nr_bytes);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, nr_bytes, false, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrow, 0, seen, nr_bytes), 0);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, memcmp(seen, mem->metadata.window, nr_bytes), 0);
	KUNIT_EXPECT_PTR_NE(test, memchr_inv(seen, 0, nr_bytes), NULL);
}

static void metadata_is_mapped_and_cannot_be_written(struct kunit *test)
{
	struct startup *s = begin_startup(test);
	struct tmm_mapped_pages *mp;
	unsigned int i = 0;

	KUNIT_EXPECT_PTR_EQ(test, s->initial.page_table, s->inst.root);
	KUNIT_ASSERT_EQ(test, nr_in_list(&s->initial.metadata), NR_MEMORIES);
	list_for_each_entry(mp, &s->initial.metadata, link) {
		const u64 first = tmm_mapped_pages_range(mp).r.first;

		/* The mapping is not under the shared root, so no window of that root shows it. */
		KUNIT_EXPECT_PTR_NE(test, mp->pt, s->inst.root);
		KUNIT_EXPECT_EQ(test, tmm_test_translate(s->inst.root, first), TMM_TEST_UNMAPPED);
		expect_metadata(test, mp, &s->inst.memories[i]);
		/* The mappings own the frames now. */
		KUNIT_EXPECT_NULL(test, s->inst.memories[i].metadata_frames);
		i++;
	}
	tmm_startup_abandon(&s->initial);
	end_startup(test, s);
}

static void early_identity_mapping_is_virtual_is_physical(struct kunit *test)
{
	struct startup *s = begin_startup(test);
	struct tmm_mapped_pages *mp = s->initial.identity.root;
	const struct tmm_paddr paddr = tmm_page_table_physical_address(s->inst.root);
	const u64 first = paddr.v >> TMM_PAGE_SHIFT;
	struct tmm_page_range range;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	range = tmm_mapped_pages_range(mp);
	KUNIT_EXPECT_EQ(test, tmm_page_range_start_address(&range).v, paddr.v);
	KUNIT_EXPECT_EQ(test, range.r.nr, 2);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(s->inst.root, first), first);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(s->inst.root, first + 1), first + 1);
	KUNIT_EXPECT_EQ(test, tmm_test_entry(s->inst.root, first, 1) & TMM_ENTRY_WRITABLE, 0);
	/* The root still owns its frames. */
	KUNIT_EXPECT_FALSE(test, tmm_pte_flags_is_exclusive(tmm_mapped_pages_flags(mp)));
	KUNIT_EXPECT_TRUE(test, tmm_allocated_frames_is_borrowed(s->inst.root->frames));

	KUNIT_ASSERT_EQ(test, tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi), 0);
	KUNIT_EXPECT_NULL(test, s->initial.identity.root);
	KUNIT_EXPECT_EQ(test, tmm_test_translate(s->inst.root, first), TMM_TEST_UNMAPPED);
	KUNIT_EXPECT_FALSE(test, tmm_allocated_frames_is_borrowed(s->inst.root->frames));
	tmm_mmi_put(s->mmi);
	end_startup(test, s);
}

static u64 nr_early_ranges(const struct tmm_range_allocator *ra)
{
	struct tmm_range_region *region;
	struct tmm_chunk *chunk;
	u64 nr = 0;

	list_for_each_entry(region, &ra->regions, link)
		for (chunk = tmm_free_ranges_first(&region->free.ranges); chunk;
		     chunk = tmm_free_ranges_next(chunk))
			nr += tmm_chunk_cache_is_early(&ra->objects, chunk);
	return nr;
}

static u64 nr_ranges(const struct tmm_range_allocator *ra)
{
	struct tmm_range_region *region;
	u64 nr = 0;

	list_for_each_entry(region, &ra->regions, link)
		nr += tmm_free_set_nr_ranges(&region->free);
	return nr;
}

/* Is the early memory of @ra a part of the first run's bookkeeping? */
static bool is_in_metadata(const struct startup *s, const struct tmm_range_allocator *ra)
{
	const struct tmm_instance_memory *mem = &s->inst.memories[0];

	return ra->objects.memory >= mem->memory.window && ra->objects.nr_bytes &&
	       ra->objects.memory + ra->objects.nr_bytes <= mem->general.window;
}

/* In Theseus, allocators start with arrays of 32 regions, and panic on one more. */
static void allocators_start_in_the_memory_and_move_to_the_heap(struct kunit *test)
{
	struct startup *s = begin_startup(test);
	struct tmm_range_allocator *fa = &s->inst.fa.ra;
	struct tmm_range_allocator *pa = &s->inst.pa.ra;
	u64 fingerprint;

	KUNIT_EXPECT_TRUE(test, is_in_metadata(s, fa));
	KUNIT_EXPECT_TRUE(test, is_in_metadata(s, pa));
	KUNIT_EXPECT_TRUE(test, fa->objects.is_early);
	KUNIT_EXPECT_TRUE(test, pa->objects.is_early);
	/* Free frames have no objects. */
	KUNIT_EXPECT_EQ(test, nr_early_ranges(fa), 0);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(pa), nr_ranges(pa));
	KUNIT_EXPECT_GT(test, nr_ranges(fa), 0);
	KUNIT_EXPECT_GT(test, nr_ranges(pa), 0);

	fingerprint = tmm_fingerprint_ranges(fa);
	KUNIT_ASSERT_EQ(test, tmm_instance_move_to_heap(&s->inst), 0);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_ranges(fa), fingerprint);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(fa), 0);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(pa), 0);
	KUNIT_EXPECT_FALSE(test, fa->objects.is_early);
	KUNIT_EXPECT_FALSE(test, pa->objects.is_early);
	tmm_check_frame_allocator(test, &s->inst.fa);

	/* The call succeeds again, although the move to the heap is done already. */
	KUNIT_ASSERT_EQ(test, tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi), 0);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(fa), 0);
	KUNIT_EXPECT_EQ(test, nr_early_ranges(pa), 0);
	tmm_mmi_put(s->mmi);
	end_startup(test, s);
}

/* The early memory suffices for many small runs. */
static void start_with_many_runs(struct kunit *test)
{
	struct startup *s = test->priv;
	struct tmm_memory parts[16];
	const u64 nr = TMM_TEST_MEMORY_NR / ARRAY_SIZE(parts);
	struct tmm_mapped_pages *mp;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		parts[i].first = s->memories[0].first + i * nr;
		parts[i].nr = nr;
		parts[i].window = s->memories[0].window + (i * nr << TMM_PAGE_SHIFT);
	}
	KUNIT_ASSERT_EQ(test, tmm_startup_init(&s->inst, parts, ARRAY_SIZE(parts), &s->initial), 0);
	KUNIT_EXPECT_EQ(test, nr_in_list(&s->initial.metadata), ARRAY_SIZE(parts));
	KUNIT_ASSERT_EQ(test, tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi), 0);
	mp = tmm_instance_create_mapping(&s->inst, s->inst.root, 2 * nr << TMM_PAGE_SHIFT,
					 TMM_TEST_WRITABLE, true);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, mp);
	tmm_mapped_pages_drop(&mp);
	tmm_mmi_put(s->mmi);
	end_startup(test, s);
}

/* Is the frame owned? */
static bool is_taken(struct startup *s, u64 frame)
{
	const struct tmm_allocation_request req = tmm_request_at(frame, 1);
	struct tmm_allocated_frames *frames = tmm_frame_allocator_allocate(&s->inst.fa, &req);
	bool taken = frames == ERR_PTR(-EADDRINUSE);

	tmm_allocated_frames_drop(&frames);
	return taken;
}

static void context_owns_the_metadata(struct kunit *test)
{
	struct startup *s = test->priv;
	struct tmm_page_table *active;
	struct tmm_mapped_pages *mp;
	unsigned int i = 0;

	begin_and_finish(test, s);
	KUNIT_EXPECT_TRUE(test, list_empty(&s->initial.metadata));
	KUNIT_EXPECT_NULL(test, s->initial.page_table);
	active = tmm_mmi_page_table(s->mmi);
	KUNIT_EXPECT_PTR_EQ(test, active, s->inst.root);
	tmm_page_table_put(active);
	KUNIT_ASSERT_EQ(test, nr_in_list(&s->mmi->extra_mappings), NR_MEMORIES);
	list_for_each_entry(mp, &s->mmi->extra_mappings, link)
		expect_metadata(test, mp, &s->inst.memories[i++]);
	for (i = 0; i < NR_MEMORIES; i++)
		KUNIT_EXPECT_TRUE(test, is_taken(s, s->inst.memories[i].metadata.range.first));
	/* The bookkeeping's mappings end with the context. */
	tmm_mmi_put(s->mmi);
	for (i = 0; i < NR_MEMORIES; i++)
		KUNIT_EXPECT_FALSE(test, is_taken(s, s->inst.memories[i].metadata.range.first));
	end_startup(test, s);
}

static void memory_that_is_named_twice_is_there_once(struct kunit *test)
{
	struct startup *s = test->priv;
	struct tmm_memory twice[] = { s->memories[0], s->memories[0] };

	KUNIT_ASSERT_EQ(test, tmm_startup_init(&s->inst, twice, 2, &s->initial), 0);
	KUNIT_EXPECT_EQ(test, nr_in_list(&s->initial.metadata), 1);
	KUNIT_ASSERT_EQ(test, tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi), 0);
	tmm_mmi_put(s->mmi);
	end_startup(test, s);
}

static void init_refused_sets_nothing(struct kunit *test)
{
	struct startup *s = test->priv;
	struct tmm_memory tiny = s->memories[0];
	struct tmm_memory one_is_tiny[] = { s->memories[0], s->memories[1] };
	struct tmm_initial_memory_mappings untouched;

	tiny.nr = 1;
	one_is_tiny[1].nr = 1;
	memset(&untouched, 0x5a, sizeof(untouched));
	s->initial = untouched;
	KUNIT_EXPECT_EQ(test, tmm_startup_init(&s->inst, &tiny, 1, &s->initial), -EINVAL);
	KUNIT_EXPECT_EQ(test, memcmp(&s->initial, &untouched, sizeof(untouched)), 0);
	KUNIT_EXPECT_EQ(test, tmm_startup_init(&s->inst, one_is_tiny, 2, &s->initial), -EINVAL);
	KUNIT_EXPECT_EQ(test, memcmp(&s->initial, &untouched, sizeof(untouched)), 0);
}

static void failed_allocation_leaves_nothing_of_init(struct kunit *test)
{
	struct tmm_initial_memory_mappings untouched;
	struct startup *s = test->priv;
	unsigned int nth;
	int err = -1;

	memset(&untouched, 0x5a, sizeof(untouched));
	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		s->initial = untouched;
		tmm_test_fail_alloc(test, nth);
		err = tmm_startup_init(&s->inst, s->memories, NR_MEMORIES, &s->initial);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(&s->initial, &untouched, sizeof(untouched)), 0,
				    "allocation %u", nth);
	}
	KUNIT_ASSERT_EQ(test, err, 0);
	/* The allocations: the list of runs, a root, three mappings, the self-test of the root. */
	KUNIT_EXPECT_GE(test, nth, 6);
	tmm_startup_abandon(&s->initial);
	end_startup(test, s);
}

static void failed_allocation_leaves_post_heap_to_be_tried_again(struct kunit *test)
{
	struct startup *s = begin_startup(test);
	struct tmm_mapped_pages *identity = s->initial.identity.root;
	unsigned int nth;
	int err = -1;

	for (nth = 1; nth <= MAX_ALLOCATIONS; nth++) {
		u64 before = tmm_fingerprint_frames(&s->inst.fa);

		s->mmi = NULL;
		tmm_test_fail_alloc(test, nth);
		err = tmm_startup_post_heap(&s->inst, &s->initial, &s->mmi);
		if (!tmm_test_fail_alloc_end())
			break;
		KUNIT_ASSERT_EQ_MSG(test, err, -ENOMEM, "allocation %u", nth);
		KUNIT_EXPECT_NULL(test, s->mmi);
		KUNIT_EXPECT_PTR_EQ(test, s->initial.page_table, s->inst.root);
		KUNIT_EXPECT_PTR_EQ(test, s->initial.identity.root, identity);
		KUNIT_EXPECT_EQ(test, nr_in_list(&s->initial.metadata), NR_MEMORIES);
		KUNIT_EXPECT_EQ(test, tmm_fingerprint_frames(&s->inst.fa), before);
		tmm_check_frame_allocator(test, &s->inst.fa);
	}
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, 1);
	tmm_mmi_put(s->mmi);
	end_startup(test, s);
}

/* The module has initialised its own instance, so the public functions refuse to do it again. */
static void public_init_is_done_once(struct kunit *test)
{
	struct tmm_initial_memory_mappings initial, untouched;
	struct startup *s = test->priv;
	struct tmm_mmi *mmi;

	memset(&untouched, 0x5a, sizeof(untouched));
	initial = untouched;
	KUNIT_EXPECT_EQ(test, tmm_init(s->memories, NR_MEMORIES, &initial), -EBUSY);
	KUNIT_EXPECT_EQ(test, memcmp(&initial, &untouched, sizeof(initial)), 0);
	KUNIT_EXPECT_EQ(test, tmm_init_post_heap(&initial), -EBUSY);
	KUNIT_EXPECT_EQ(test, memcmp(&initial, &untouched, sizeof(initial)), 0);
	mmi = tmm_get_kernel_mmi_ref();
	KUNIT_EXPECT_NOT_NULL(test, mmi);
	tmm_mmi_put(mmi);
}

static void kernel_context_has_the_root_that_is_mapped_under(struct kunit *test)
{
	struct tmm_mmi *mmi = tmm_get_kernel_mmi_ref();
	struct tmm_mmi *again = tmm_get_kernel_mmi_ref();
	struct tmm_page_table *active;
	struct tmm_mapped_pages *mp;
	unsigned int refs;

	KUNIT_ASSERT_NOT_NULL(test, mmi);
	KUNIT_EXPECT_PTR_EQ(test, mmi, again);
	refs = kref_read(&mmi->kref);
	tmm_mmi_put(again);
	KUNIT_EXPECT_EQ(test, kref_read(&mmi->kref), refs - 1);
	active = tmm_mmi_page_table(mmi);
	mp = tmm_create_mapping(1, TMM_DMA_FLAGS);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, mp);
	if (!IS_ERR_OR_NULL(mp))
		KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(mp), active);
	tmm_mapped_pages_drop(&mp);
	/* The context owns read-only mappings of the bookkeeping of all claimed memory. */
	KUNIT_EXPECT_FALSE(test, list_empty(&mmi->extra_mappings));
	list_for_each_entry(mp, &mmi->extra_mappings, link) {
		KUNIT_EXPECT_PTR_NE(test, mp->pt, active);
		KUNIT_EXPECT_FALSE(test, tmm_pte_flags_is_writable(tmm_mapped_pages_flags(mp)));
		KUNIT_EXPECT_GT(test, tmm_mapped_pages_nr_bytes(mp), 0);
	}
	tmm_page_table_put(active);
	tmm_mmi_put(mmi);
}

/* A module may switch the context for kernel code to another root. */
static void kernel_functions_map_under_the_active_root(struct kunit *test)
{
	struct tmm_mmi *mmi = tmm_get_kernel_mmi_ref();
	struct tmm_page_table *usual = tmm_mmi_page_table(mmi);
	struct tmm_page_table *other = tmm_page_table_new_table(usual, NULL);
	struct tmm_mapped_pages *mp;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, other), 0);
	mp = tmm_create_mapping(1, TMM_DMA_FLAGS);
	KUNIT_EXPECT_EQ(test, tmm_page_table_switch(mmi, usual), 0);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, mp);
	if (!IS_ERR_OR_NULL(mp))
		KUNIT_EXPECT_PTR_EQ(test, tmm_mapped_pages_root(mp), other);
	tmm_mapped_pages_drop(&mp);
	/* The drop succeeds only if the mapping and the context have no reference to the root. */
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&other), 0);
	tmm_page_table_put(usual);
	tmm_mmi_put(mmi);
}

static struct kunit_case startup_cases[] = {
	KUNIT_CASE(metadata_is_mapped_and_cannot_be_written),
	KUNIT_CASE(early_identity_mapping_is_virtual_is_physical),
	KUNIT_CASE(allocators_start_in_the_memory_and_move_to_the_heap),
	KUNIT_CASE(start_with_many_runs),
	KUNIT_CASE(context_owns_the_metadata),
	KUNIT_CASE(memory_that_is_named_twice_is_there_once),
	KUNIT_CASE(init_refused_sets_nothing),
	KUNIT_CASE(failed_allocation_leaves_nothing_of_init),
	KUNIT_CASE(failed_allocation_leaves_post_heap_to_be_tried_again),
	KUNIT_CASE(public_init_is_done_once),
	KUNIT_CASE(kernel_context_has_the_root_that_is_mapped_under),
	KUNIT_CASE(kernel_functions_map_under_the_active_root),
	{}
};

static struct kunit_suite startup_suite = {
	.name = "theseus_mm_startup",
	.init = startup_init,
	.exit = startup_exit,
	.test_cases = startup_cases,
};

kunit_test_suite(startup_suite);
