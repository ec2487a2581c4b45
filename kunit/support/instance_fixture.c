// SPDX-License-Identifier: GPL-2.0
#include "support/instance_fixture.h"

#include "support/fixture.h"
#include "support/invariants.h"

#include "alloc/frames_split.h"
#include "mapping/map.h"
#include "paging/mapper.h"
#include "paging/translate.h"

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

struct tmm_memory tmm_test_memory_take(struct kunit *test)
{
	struct page *pages = alloc_pages(GFP_KERNEL, TMM_TEST_MEMORY_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	memset(page_address(pages), 0xa5, TMM_TEST_MEMORY_NR << TMM_PAGE_SHIFT);
	return (struct tmm_memory){ page_to_pfn(pages), TMM_TEST_MEMORY_NR, page_address(pages) };
}

void tmm_test_memory_give(struct tmm_memory *memory)
{
	if (memory->window)
		__free_pages(virt_to_page(memory->window), TMM_TEST_MEMORY_ORDER);
	memory->window = NULL;
}

u64 tmm_test_fingerprint(struct kunit *test)
{
	struct tmm_instance *inst = tmm_test_inst(test);

	tmm_check_frame_allocator(test, &inst->fa);
	return tmm_fingerprint_frames(&inst->fa) * 31 + tmm_fingerprint_ranges(&inst->pa.ra);
}

int tmm_test_instance_init(struct kunit *test)
{
	struct tmm_test_instance *ti = tmm_test_kvzalloc(test, sizeof(*ti));
	int err;

	INIT_LIST_HEAD(&ti->hogs);
	ti->memory = tmm_test_memory_take(test);
	err = tmm_instance_init(&ti->inst, &ti->memory, 1);
	if (err) {
		tmm_test_memory_give(&ti->memory);
		return err;
	}
	KUNIT_EXPECT_EQ(test, tmm_instance_move_to_heap(&ti->inst), 0);
	ti->frames_before = tmm_fingerprint_frames(&ti->inst.fa);
	ti->pages_before = tmm_fingerprint_ranges(&ti->inst.pa.ra);
	test->priv = ti;
	return 0;
}

/* If anything is lost, the case fails here, and the instance is not taken apart. */
void tmm_test_instance_exit(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;
	u64 nr_mappings, nr_tables;

	if (!ti)
		return;
	tmm_test_unhog_all(test);
	nr_mappings = tmm_page_table_nr_mappings(ti->inst.root);
	nr_tables = tmm_check_page_table(test, ti->inst.root);
	tmm_check_frame_allocator(test, &ti->inst.fa);
	KUNIT_EXPECT_EQ(test, nr_mappings, 0);
	KUNIT_EXPECT_EQ(test, nr_tables, 0);
	KUNIT_EXPECT_EQ(test, ti->inst.fa.nr_tables, 0);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_frames(&ti->inst.fa), ti->frames_before);
	KUNIT_EXPECT_EQ(test, tmm_fingerprint_ranges(&ti->inst.pa.ra), ti->pages_before);
	if (nr_mappings || nr_tables ||
	    tmm_fingerprint_frames(&ti->inst.fa) != ti->frames_before ||
	    tmm_fingerprint_ranges(&ti->inst.pa.ra) != ti->pages_before)
		return;
	tmm_instance_exit(&ti->inst);
	tmm_test_memory_give(&ti->memory);
}

struct tmm_vaddr tmm_test_vaddr(u64 page)
{
	return tmm_page_start_address((struct tmm_page){ page, TMM_4K });
}

u64 tmm_test_translate(struct tmm_page_table *pt, u64 page)
{
	struct tmm_frame frame;

	if (tmm_mapper_translate_page(pt, (struct tmm_page){ page, TMM_4K }, &frame))
		return TMM_TEST_UNMAPPED;
	return frame.number;
}

u64 tmm_test_entry(struct tmm_page_table *pt, u64 page, unsigned int level)
{
	struct tmm_pte_dump dump;

	tmm_translate_dump(pt, tmm_test_vaddr(page), &dump);
	return dump.nr_levels > pt->levels - level ? dump.entries[pt->levels - level] : 0;
}

void tmm_test_expect_mapped(struct kunit *test, u64 page, u64 frame, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		u64 found = tmm_test_translate(tmm_test_root(test), page + i);

		if (found == frame + i)
			continue;
		KUNIT_FAIL(test, "page %llu of %llu: frame %#llx, not %#llx", i, nr, found,
			   frame + i);
		return;
	}
}

void tmm_test_expect_unmapped(struct kunit *test, u64 page, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++) {
		u64 found = tmm_test_translate(tmm_test_root(test), page + i);

		if (found == TMM_TEST_UNMAPPED)
			continue;
		KUNIT_FAIL(test, "page %llu of %llu is mapped to %#llx", i, nr, found);
		return;
	}
}

/* A leaf is not frozen, is at most at level 3, and maps an aligned address. */
static void find_broken_leaf(u64 entry, unsigned int level, struct tmm_table_counts *counts,
			     struct tmm_finding *finding)
{
	u64 offset;

	if (!tmm_entry_is_present(entry) || level > 3) {
		tmm_finding_note(finding, "leaf %#llx of level %u", entry, level);
		return;
	}
	offset = tmm_page_size_bytes(tmm_entry_leaf_size(level)) - 1;
	/* In a large leaf, bit 12 is part of the memory type. */
	if (level > 1 && (entry & TMM_PTE_FRAME_MASK & offset & ~TMM_PAGE_SIZE))
		tmm_finding_note(finding, "leaf %#llx of level %u is not aligned", entry, level);
	counts->nr_pages += tmm_entry_nr_pages(level);
}

static void find_broken_table(struct tmm_page_table *pt, u64 entry, unsigned int level,
			      struct tmm_table_counts *counts, struct tmm_finding *finding)
{
	const u64 kind = TMM_ENTRY_PRESENT | TMM_ENTRY_WRITABLE | TMM_ENTRY_ACCESSED;
	const u64 *table = tmm_table_of_entry(pt, entry);
	unsigned int nr_used = 0;
	unsigned int i;

	counts->nr_tables++;
	for (i = 0; i < TMM_TABLE_ENTRIES; i++) {
		if (!table[i])
			continue;
		nr_used++;
		if (tmm_entry_is_leaf(table[i], level))
			find_broken_leaf(table[i], level, counts, finding);
		else
			find_broken_table(pt, table[i], level - 1, counts, finding);
	}
	if (tmm_entry_count(entry) != nr_used ||
	    (entry & ~(TMM_ENTRY_COUNT | TMM_PTE_FRAME_MASK)) != kind)
		tmm_finding_note(finding, "entry %#llx of a table of level %u with %u entries",
				 entry, level, nr_used);
}

void tmm_find_broken_tables(struct tmm_page_table *pt, struct tmm_table_counts *counts,
			    struct tmm_finding *finding)
{
	unsigned int slot;

	for (slot = 0; slot < TMM_FIRST_MIRROR_SLOT; slot++) {
		const bool is_low = slot < TMM_FIRST_PRIVATE_SLOT;
		u64 entry = is_low ? pt->low[slot] : pt->top[slot];

		/* An entry is in one of the two arrays, never in both. */
		if (is_low ? pt->top[slot] : pt->low[slot])
			tmm_finding_note(finding, "slot %u is used in the wrong half", slot);
		if (entry)
			find_broken_table(pt, entry, pt->levels - 1, counts, finding);
	}
}

u64 tmm_check_page_table(struct kunit *test, struct tmm_page_table *pt)
{
	struct tmm_table_counts counts = {};
	struct tmm_finding finding = {};

	tmm_find_broken_tables(pt, &counts, &finding);
	KUNIT_EXPECT_STREQ(test, finding.text, "");
	return counts.nr_tables;
}

void tmm_test_expect_sizes(struct kunit *test, u64 page, u64 frame,
			   const struct tmm_test_leaves *leaves)
{
	struct tmm_page_table *pt = tmm_test_root(test);
	u64 i;

	for (; leaves->nr; leaves++) {
		const u64 step = tmm_page_size_4k_pages(leaves->size);

		for (i = 0; i < leaves->nr; i++, page += step, frame += step) {
			u64 entry = tmm_test_entry(pt, page, tmm_entry_leaf_level(leaves->size));

			if (tmm_mapper_leaf_size(pt, tmm_page_4k(page)) == leaves->size &&
			    tmm_entry_is_leaf(entry, tmm_entry_leaf_level(leaves->size)) &&
			    tmm_test_translate(pt, page) == frame &&
			    tmm_test_translate(pt, page + step - 1) == frame + step - 1)
				continue;
			KUNIT_FAIL(test, "page %#llx, leaf %llu: size %u, not %u; entry %#llx",
				   page, i, tmm_mapper_leaf_size(pt, tmm_page_4k(page)),
				   leaves->size, entry);
			return;
		}
	}
}

struct page *tmm_test_large_take(struct kunit *test)
{
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, TMM_INDEX_BITS);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	return pages;
}

void tmm_test_large_give(struct page *pages)
{
	__free_pages(pages, TMM_INDEX_BITS);
}

void tmm_test_hog(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;
	struct tmm_range_totals totals;

	for (;;) {
		struct tmm_allocated_frames *frames;

		tmm_range_allocator_totals(&ti->inst.fa.ra, &totals);
		if (!totals.nr_free)
			return;
		frames = tmm_test_take_frames(test, totals.largest[TMM_4K]);
		list_add_tail(&frames->f.link, &ti->hogs);
	}
}

u64 tmm_test_unhog(struct kunit *test, u64 nr)
{
	struct tmm_test_instance *ti = test->priv;
	struct tmm_allocated_frames *frames, *rest, *second;
	u64 start;

	list_for_each_entry(frames, &ti->hogs, f.link)
		if (tmm_frames_nr(&frames->f) > nr + 1)
			break;
	KUNIT_ASSERT_FALSE(test, list_entry_is_head(frames, &ti->hogs, f.link));
	start = frames->f.chunk.start;
	/*
	 * The run [start, start + nr) is freed. The frame after the run stays taken, so that no
	 * other free run touches this one. Later calls use the rest of @frames.
	 */
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(frames, start + nr, &second), 0);
	KUNIT_ASSERT_EQ(test, tmm_allocated_frames_split_at(second, start + nr + 1, &rest), 0);
	list_replace(&frames->f.link, &rest->f.link);
	list_add_tail(&second->f.link, &ti->hogs);
	tmm_allocated_frames_drop(&frames);
	return start;
}

void tmm_test_unhog_for_tables(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < tmm_test_root(test)->levels; i++)
		tmm_test_unhog(test, 1);
}

void tmm_test_unhog_all(struct kunit *test)
{
	struct tmm_test_instance *ti = test->priv;

	tmm_test_drop_frames_list(&ti->hogs);
}

struct tmm_allocated_pages *tmm_test_take_pages(struct kunit *test, u64 page, u64 nr)
{
	struct tmm_allocation_request req = tmm_request_at(page, nr);
	struct tmm_allocated_pages *pages;

	pages = tmm_page_allocator_allocate(&tmm_test_inst(test)->pa, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	return pages;
}

struct tmm_allocated_frames *tmm_test_take_frames(struct kunit *test, u64 nr)
{
	struct tmm_allocation_request req = tmm_request_any(nr);
	struct tmm_allocated_frames *frames;

	frames = tmm_frame_allocator_allocate(&tmm_test_inst(test)->fa, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, frames);
	return frames;
}

void tmm_test_drop_frames_list(struct list_head *list)
{
	struct tmm_allocated_frames *frames, *next;

	list_for_each_entry_safe(frames, next, list, f.link) {
		list_del_init(&frames->f.link);
		tmm_allocated_frames_drop(&frames);
	}
}

struct tmm_mapped_pages *tmm_test_map(struct kunit *test, u64 page, u64 nr, tmm_pte_flags_t flags)
{
	struct tmm_allocated_pages *pages = tmm_test_take_pages(test, page, nr);
	struct tmm_mapped_pages *mp;

	mp = tmm_map_allocated_pages(tmm_test_root(test), &pages, flags, true);
	tmm_allocated_pages_drop(&pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mp);
	return mp;
}

void tmm_test_need_1g_leaves(struct kunit *test)
{
	if (tmm_mapper_largest_leaf() < TMM_1G)
		kunit_skip(test, "the CPU has no leaves of 1 GiB");
}

void tmm_test_need_second_cpu(struct kunit *test)
{
	if (num_online_cpus() < 2 ||
	    set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask))))
		kunit_skip(test, "needs a second CPU");
}

struct task_struct *tmm_test_thread_start(struct kunit *test, int (*fn)(void *context),
					  void *context)
{
	struct task_struct *task = kthread_create(fn, context, "tmm_test");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	return task;
}
