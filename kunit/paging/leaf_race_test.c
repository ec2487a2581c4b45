// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs use large leaves at once: one translates, maps or is in windows, the other one splits,
 * remaps and unmaps. Each case runs for a second, or longer on a busy machine, and needs a second
 * CPU.
 */
#include "paging/mapper.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/split_leaf.h"
#include "paging/translate.h"
#include "paging/window_copy.h"

#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#define NR_2M	512ULL
#define NR_1G	(512ULL * 512)
#define SOME_FRAME	(5 * NR_1G)
#define MIN_ROUNDS	20

/* The state that the case and its thread share. */
struct race {
	struct tmm_page_table *pt;
	u64 page;
	u64 frame;		/* the frame behind @page */
	u64 generation;		/* odd while @page is mapped; changes with each map and unmap */
	u64 nr_done;		/* rounds of the thread */
	u64 nr_seen;		/* rounds in which the expected result was certain */
	u64 nr_wrong;		/* rounds with a wrong result */
};

#define base_page()	(tmm_private_first_page() + 4 * NR_1G)

static tmm_leaf_bits_t leaf_bits(void)
{
	return tmm_pte_leaf_bits(TMM_TEST_WRITABLE, true);
}

/* A race runs for a second. If MIN_ROUNDS are not done by then, the race runs up to 30 seconds. */
static bool goes_on(unsigned long start, u64 nr_rounds)
{
	return time_before(jiffies, start + (nr_rounds < MIN_ROUNDS ? 30 * HZ : HZ));
}

static struct race *begin_race(struct kunit *test, u64 page, u64 frame)
{
	struct race *race = tmm_test_kvzalloc(test, sizeof(*race));

	tmm_test_need_second_cpu(test);
	race->pt = tmm_test_root(test);
	race->page = page;
	race->frame = frame;
	return race;
}

static bool is_right(struct race *race, int err, const struct tmm_translation *found)
{
	return !err && found->paddr.v == (race->frame << TMM_PAGE_SHIFT) + 5 &&
	       (found->flags & TMM_PTE_OURS) == TMM_PTE_OURS &&
	       (found->flags & TMM_PTE_WRITABLE);
}

/* A mapped page can be translated at every moment, also while its leaf changes. */
static int translate_all_the_time(void *context)
{
	struct race *race = context;

	while (!kthread_should_stop()) {
		struct tmm_vaddr vaddr = { tmm_test_vaddr(race->page).v + 5 };
		/* Pairs with the release in set_mapped(): earlier changes are visible. */
		u64 generation = smp_load_acquire(&race->generation);
		struct tmm_translation found = {};
		int err = tmm_mapper_translate(race->pt, vaddr, &found);
		struct tmm_page_range pages = tmm_test_pages(race->page, 1);
		tmm_pte_flags_t flags = tmm_translate_collect_flags(race->pt, pages);

		/* Pairs with the barrier in set_mapped(). */
		smp_rmb();
		if (generation & 1 && READ_ONCE(race->generation) == generation) {
			tmm_test_count(race->nr_seen);
			race->nr_wrong += !is_right(race, err, &found);
			race->nr_wrong += (flags & TMM_PTE_OURS) != TMM_PTE_OURS;
		}
		if (!(++race->nr_done % 256))
			cond_resched();
	}
	return 0;
}

static void set_mapped(struct race *race)
{
	/* Pairs with translate_all_the_time(): the change is visible before @generation. */
	smp_store_release(&race->generation, race->generation + 1);
	/* Pairs with translate_all_the_time(): @generation is visible before the next change. */
	smp_mb();
}

static void race_translate(struct kunit *test, enum tmm_page_size size)
{
	struct race *race = begin_race(test, base_page() + 3, SOME_FRAME + 3);
	const u64 nr = tmm_page_size_4k_pages(size);
	unsigned long start = jiffies;
	struct task_struct *task;
	u64 nr_rounds = 0;

	task = tmm_test_thread_start(test, translate_all_the_time, race);
	while (goes_on(start, nr_rounds)) {
		u64 seen = READ_ONCE(race->nr_seen);

		if (tmm_mapper_map(race->pt, tmm_test_pages(base_page(), nr),
				   tmm_frame_4k(SOME_FRAME), leaf_bits(), size))
			break;
		set_mapped(race);
		while (READ_ONCE(race->nr_seen) == seen && goes_on(start, nr_rounds))
			cpu_relax();
		if (tmm_split_leaf_at(race->pt, tmm_page_4k(base_page() + 1)))
			break;
		set_mapped(race);
		tmm_mapper_unmap(race->pt, tmm_test_pages(base_page(), nr));
		nr_rounds++;
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ_MSG(test, race->nr_wrong, 0, "of %llu in %llu rounds", race->nr_seen,
			    nr_rounds);
	KUNIT_EXPECT_GE(test, nr_rounds, MIN_ROUNDS);
	KUNIT_EXPECT_GE(test, race->nr_seen + 1, nr_rounds);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static void translate_while_2m_leaf_is_split(struct kunit *test)
{
	race_translate(test, TMM_2M);
}

static void translate_while_1g_leaf_is_split(struct kunit *test)
{
	tmm_test_need_1g_leaves(test);
	race_translate(test, TMM_1G);
}

/* Makes one write, in a window of its own, for each round that the case begins. */
static int write_when_told(void *context)
{
	struct race *race = context;

	while (!kthread_should_stop()) {
		struct tmm_vaddr vaddr = tmm_test_vaddr(race->page);
		/* Pairs with the case's release: this thread sees the entry as the case left it. */
		u64 round = smp_load_acquire(&race->generation);
		size_t left;

		if (round == race->nr_done) {
			cpu_relax();
			cond_resched();
			continue;
		}
		if (tmm_window_write(race->pt, vaddr, &round, sizeof(round), &left) || left)
			race->nr_wrong++;
		/* Pairs with the case's acquire: the write is done. */
		smp_store_release(&race->nr_done, round);
	}
	return 0;
}

/* Bits that the hardware sets while an entry is changed are not lost. */
static void remap_during_writes_loses_no_dirty_bit(struct kunit *test)
{
	const u64 noted = TMM_ENTRY_ACCESSED | TMM_ENTRY_DIRTY;
	struct race *race = begin_race(test, base_page() + 100, 0);
	struct page *memory = tmm_test_large_take(test);
	unsigned long start = jiffies;
	struct tmm_table_path path;
	u64 nr_lost = 0, round = 0, done;
	struct task_struct *task;
	u64 *entry;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(race->pt, tmm_test_pages(base_page(), NR_2M),
					     tmm_frame_4k(page_to_pfn(memory)), leaf_bits(),
					     TMM_2M), 0);
	entry = tmm_table_find(race->pt, tmm_page_4k(base_page()), &path);
	KUNIT_ASSERT_EQ(test, path.level, 2);
	entry += tmm_entry_table_index(tmm_page_4k(base_page()), 2);
	task = tmm_test_thread_start(test, write_when_told, race);
	while (goes_on(start, round)) {
		WRITE_ONCE(*entry, READ_ONCE(*entry) & ~noted);
		/* Pairs with write_when_told(): the entry is visible before the round. */
		smp_store_release(&race->generation, ++round);
		do {
			tmm_mapper_remap(race->pt, tmm_test_pages(base_page(), NR_2M), true);
			/* Pairs with write_when_told(): its write has set the bits of the entry. */
			done = smp_load_acquire(&race->nr_done);
		} while (done != round && goes_on(start, round));
		if (done == round)
			nr_lost += (READ_ONCE(*entry) & noted) != noted;
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ_MSG(test, nr_lost, 0, "of %llu rounds", round);
	KUNIT_EXPECT_EQ(test, race->nr_wrong, 0);
	KUNIT_EXPECT_GE(test, round, MIN_ROUNDS);
	tmm_mapper_unmap(race->pt, tmm_test_pages(base_page(), NR_2M));
	tmm_test_large_give(memory);
}

/* Writes to a page in one window after the other. Each write must write all its bytes. */
static int write_all_the_time(void *context)
{
	struct race *race = context;

	while (!kthread_should_stop()) {
		size_t left;

		if (tmm_window_write(race->pt, tmm_test_vaddr(race->page), &race->nr_done, 8,
				     &left) || left)
			race->nr_wrong++;
		tmm_test_count(race->nr_done);
		cond_resched();
	}
	return 0;
}

/* A neighbouring leaf in the same table belongs to another mapping, and stays usable. */
static void split_during_windows_of_a_neighbour(struct kunit *test)
{
	struct race *race = begin_race(test, base_page() + NR_2M + 9, 0);
	struct page *memory = tmm_test_large_take(test);
	unsigned long start = jiffies;
	struct task_struct *task;
	u64 nr_rounds = 0;
	int err = 0;

	KUNIT_ASSERT_EQ(test, tmm_mapper_map(race->pt, tmm_test_pages(base_page() + NR_2M, NR_2M),
					     tmm_frame_4k(page_to_pfn(memory)), leaf_bits(),
					     TMM_2M), 0);
	task = tmm_test_thread_start(test, write_all_the_time, race);
	while (goes_on(start, min(nr_rounds, READ_ONCE(race->nr_done))) && !err) {
		err = tmm_mapper_map(race->pt, tmm_test_pages(base_page(), NR_2M),
				     tmm_frame_4k(SOME_FRAME), leaf_bits(), TMM_2M);
		if (err)
			break;
		err = tmm_split_leaf_at(race->pt, tmm_page_4k(base_page() + 1));
		tmm_mapper_unmap(race->pt, tmm_test_pages(base_page(), NR_2M));
		nr_rounds++;
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ_MSG(test, race->nr_wrong, 0, "of %llu windows", race->nr_done);
	KUNIT_EXPECT_GE(test, race->nr_done, MIN_ROUNDS);
	KUNIT_EXPECT_GE(test, nr_rounds, MIN_ROUNDS);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, race->pt), race->pt->levels - 2);
	tmm_mapper_unmap(race->pt, tmm_test_pages(base_page() + NR_2M, NR_2M));
	tmm_test_large_give(memory);
}

/* A run of pages: the 2 MiB block in which the run begins, its length, and where it is split. */
static const struct part {
	s64 slot;
	u64 nr;
	u64 at;
} parts[] = {
	{ 0, NR_2M, 3 }, { 0, 1, 0 }, { -2, NR_2M, 0 }, { 2, NR_2M, NR_2M - 1 },
	{ 4, 3, 2 }, { -4, NR_2M, 1 }, { 6, NR_2M - 1, 5 },
};

/* Uses the slots of one parity, on both sides of a boundary between tables of level 2. */
static void map_split_unmap(struct race *race, unsigned int parity)
{
	const struct part *part = &parts[race->nr_done % ARRAY_SIZE(parts)];
	u64 page = base_page() + (part->slot + parity) * NR_2M;
	u64 frame = race->frame + page % NR_1G;
	u64 at = page + part->at;
	u64 nr = part->nr;

	tmm_test_count(race->nr_done);
	if (tmm_mapper_map(race->pt, tmm_test_pages(page, nr), tmm_frame_4k(frame), leaf_bits(),
			   TMM_1G) ||
	    tmm_split_leaf_at(race->pt, tmm_page_4k(at))) {
		race->nr_wrong++;
		return;
	}
	race->nr_wrong += tmm_test_translate(race->pt, page) != frame;
	race->nr_wrong += tmm_test_translate(race->pt, page + nr - 1) != frame + nr - 1;
	/* Unmaps the parts one by one, as two owners would. */
	tmm_mapper_unmap(race->pt, tmm_test_pages(page, at - page));
	race->nr_wrong += tmm_test_translate(race->pt, at) != frame + (at - page);
	tmm_mapper_unmap(race->pt, tmm_test_pages(at, nr - (at - page)));
	race->nr_wrong += tmm_test_translate(race->pt, at) != TMM_TEST_UNMAPPED;
}

static int map_split_unmap_odd(void *race)
{
	while (!kthread_should_stop()) {
		map_split_unmap(race, 1);
		cond_resched();
	}
	return 0;
}

static void map_split_unmap_in_the_same_tables(struct kunit *test)
{
	struct race *odd = begin_race(test, 0, 2 * SOME_FRAME);
	struct race even = { .pt = odd->pt, .frame = SOME_FRAME };
	unsigned long start = jiffies;
	struct task_struct *task;

	task = tmm_test_thread_start(test, map_split_unmap_odd, odd);
	while (goes_on(start, min(even.nr_done, READ_ONCE(odd->nr_done)))) {
		map_split_unmap(&even, 0);
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, even.nr_wrong + odd->nr_wrong, 0);
	KUNIT_EXPECT_GE(test, even.nr_done, MIN_ROUNDS);
	KUNIT_EXPECT_GE(test, odd->nr_done, MIN_ROUNDS);
	KUNIT_EXPECT_EQ(test, tmm_check_page_table(test, odd->pt), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

static struct kunit_case leaf_race_cases[] = {
	KUNIT_CASE(translate_while_2m_leaf_is_split),
	KUNIT_CASE(translate_while_1g_leaf_is_split),
	KUNIT_CASE(remap_during_writes_loses_no_dirty_bit),
	KUNIT_CASE(split_during_windows_of_a_neighbour),
	KUNIT_CASE(map_split_unmap_in_the_same_tables),
	{}
};

static struct kunit_suite leaf_race_suite = {
	.name = "theseus_mm_leaf_race",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = leaf_race_cases,
};

kunit_test_suite(leaf_race_suite);
