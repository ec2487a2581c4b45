// SPDX-License-Identifier: GPL-2.0
/*
 * One CPU is in windows or walks tables, while another one changes the tables. Most cases run
 * for a second, or longer on a busy machine. Every case needs a second CPU.
 */
#include "paging/translate.h"
#include "paging/window.h"
#include "paging/window_copy.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "paging/mapper.h"
#include "paging/tlb.h"

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#define WRITES_PER_WINDOW 1000
/* A slow walk stays at a table for this time, with interrupts off. */
#define STEP_USECS 20
/* A window for which others have to wait lasts this long. */
#define STAY_MSECS 20
/* Both sides of map_and_unmap_in_the_same_tables() must make at least this many rounds. */
#define MIN_ROUNDS 11

/* The state that the case and its thread share. */
struct race {
	struct tmm_page_table *pt;
	u64 page;		/* the page that both sides use */
	u64 frame;		/* the frame behind @page */
	u64 nr_done;		/* rounds of the thread */
	u64 nr_windows;		/* windows that the thread left (in stay_in_a_window(): entered) */
	u64 nr_refused;		/* windows that the thread could not enter */
	u64 nr_wrong;		/* wrong results that the thread saw */
};

static tmm_leaf_bits_t leaf_bits(bool is_writable)
{
	return tmm_pte_leaf_bits(is_writable ? TMM_TEST_WRITABLE : TMM_TEST_READ_ONLY, true);
}

static struct race *begin_race(struct kunit *test, struct tmm_allocated_frames **frames)
{
	struct race *race = tmm_test_kvzalloc(test, sizeof(*race));

	*frames = tmm_test_take_frames(test, 1);
	race->pt = tmm_test_root(test);
	race->page = tmm_private_first_page() + 511;
	race->frame = (*frames)->f.chunk.start;
	return race;
}

/* Writes increasing values in one long window after the other. */
static int write_in_windows(void *context)
{
	void *to = (void *)tmm_test_vaddr(((struct race *)context)->page).v;
	struct race *race = context;
	unsigned int i;

	while (!kthread_should_stop()) {
		struct tmm_window window;

		if (tmm_window_enter(race->pt, &window)) {
			tmm_test_count(race->nr_refused);
			break;
		}
		for (i = 0; i < WRITES_PER_WINDOW; i++) {
			u64 value = race->nr_done + 1;

			if (tmm_window_copy(to, &value, sizeof(value)))
				break;
			WRITE_ONCE(race->nr_done, value);
		}
		tmm_window_leave(&window);
		tmm_test_count(race->nr_windows);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Waits until the thread changes the count. */
static void wait_for_count(struct race *race, const u64 *count, u64 from)
{
	unsigned long deadline = jiffies + 20 * HZ;

	while (READ_ONCE(*count) == from) {
		if (READ_ONCE(race->nr_refused) || time_after(jiffies, deadline)) {
			race->nr_wrong++;
			return;
		}
		cpu_relax();
	}
}

/* Does the frame change before the thread leaves the window that the thread may be in? */
static bool has_late_write(struct race *race)
{
	const u64 *alias = tmm_test_alias(race->frame);
	u64 windows = READ_ONCE(race->nr_windows);
	u64 value = READ_ONCE(*alias);

	wait_for_count(race, &race->nr_windows, windows);
	return READ_ONCE(*alias) != value;
}

static void change_by_remap(struct race *race, bool usable)
{
	tmm_mapper_remap(race->pt, tmm_test_pages(race->page, 1), usable);
}

static void change_by_unmap(struct race *race, bool usable)
{
	if (!usable)
		tmm_mapper_unmap(race->pt, tmm_test_pages(race->page, 1));
	else if (tmm_mapper_map(race->pt, tmm_test_pages(race->page, 1), tmm_frame_4k(race->frame),
				leaf_bits(true), TMM_4K))
		tmm_test_count(race->nr_refused);
}

static struct race *begin_writes(struct kunit *test, struct tmm_allocated_frames **frames)
{
	struct race *race = begin_race(test, frames);

	memset(tmm_test_alias(race->frame), 0, TMM_PAGE_SIZE);
	/* A neighbour keeps the tables in use, since freeing tables would take time. */
	KUNIT_ASSERT_EQ(test, tmm_mapper_map(race->pt, tmm_test_pages(race->page - 1, 1),
					     tmm_frame_4k(race->frame), leaf_bits(false), TMM_4K),
			0);
	change_by_unmap(race, true);
	return race;
}

/* Makes the page unusable and usable again, many times, and watches the frame for late writes. */
static void race_against_writes(struct kunit *test, void (*change)(struct race *race, bool usable))
{
	unsigned long end = jiffies + HZ;
	struct tmm_allocated_frames *frames;
	u64 nr_late = 0, nr_rounds = 0;
	struct task_struct *task;
	struct race *race;

	tmm_test_need_second_cpu(test);
	race = begin_writes(test, &frames);
	task = tmm_test_thread_start(test, write_in_windows, race);
	do {
		/* The change must come in the middle of a window. */
		wait_for_count(race, &race->nr_done, READ_ONCE(race->nr_done));
		change(race, false);
		nr_late += has_late_write(race);
		change(race, true);
		nr_rounds++;
	} while (time_before(jiffies, end) && !race->nr_wrong);
	kthread_stop(task);
	KUNIT_EXPECT_EQ_MSG(test, nr_late, 0, "of %llu rounds", nr_rounds);
	KUNIT_EXPECT_EQ(test, race->nr_wrong + race->nr_refused, 0);
	KUNIT_EXPECT_GE(test, race->nr_done, nr_rounds);
	tmm_mapper_unmap(race->pt, tmm_test_pages(race->page - 1, 2));
	tmm_allocated_frames_drop(&frames);
}

static void remap_stops_writes_on_another_cpu(struct kunit *test)
{
	race_against_writes(test, change_by_remap);
}

/* In Theseus, some frames are free before other CPUs have flushed their TLBs. */
static void unmap_stops_writes_on_another_cpu(struct kunit *test)
{
	race_against_writes(test, change_by_unmap);
}

/*
 * Walks so slowly that the tables are unlinked during the walk. Nobody may reuse the tables before
 * the walk ends.
 */
static void walk_slowly(struct race *race)
{
	const u64 *table = race->pt->top;
	struct tmm_walk walk;
	unsigned int level;

	tmm_tlb_walk_begin(&walk);
	for (level = race->pt->levels; level >= 1; level--) {
		u64 entry = READ_ONCE(table[tmm_entry_table_index(tmm_page_4k(race->page), level)]);

		if (!tmm_entry_is_present(entry))
			break;
		if (level == 1)
			race->nr_wrong += tmm_entry_paddr(entry) != race->frame << TMM_PAGE_SHIFT;
		else
			table = tmm_table_of_entry(race->pt, entry);
		udelay(STEP_USECS);
	}
	tmm_tlb_walk_end(&walk);
}

/* The page is either mapped to its frame or not mapped. Any other result is wrong. */
static int walk_tables(void *context)
{
	struct race *race = context;

	while (!kthread_should_stop()) {
		struct tmm_vaddr vaddr = tmm_test_vaddr(race->page);
		struct tmm_translation found;
		struct tmm_pte_dump dump;
		int err = tmm_mapper_translate(race->pt, vaddr, &found);

		if (err ? err != -ENOENT :
		    found.paddr.v != race->frame << TMM_PAGE_SHIFT || found.size != TMM_4K)
			race->nr_wrong++;
		tmm_translate_dump(race->pt, vaddr, &dump);
		if (dump.nr_levels == race->pt->levels &&
		    dump.entries[dump.nr_levels - 1] &&
		    dump.entries[dump.nr_levels - 1] >> 12 << 12 != (BIT_ULL(63) | BIT_ULL(55) |
								    race->frame << 12))
			race->nr_wrong++;
		walk_slowly(race);
		if (!err)
			tmm_test_count(race->nr_done);
		cond_resched();
	}
	return 0;
}

/* Fills the frames of freed tables with entries that point to no memory. */
static void poison_free_frames(struct kunit *test)
{
	struct tmm_allocated_frames *frames = tmm_test_take_frames(test, 8);
	u64 *entries = tmm_test_alias(frames->f.chunk.start);
	unsigned int i;

	for (i = 0; i < 8 * TMM_TABLE_ENTRIES; i++)
		WRITE_ONCE(entries[i], TMM_ENTRY_PRESENT | frames->f.chunk.start << 12);
	tmm_allocated_frames_drop(&frames);
}

static void walk_while_tables_are_freed(struct kunit *test)
{
	unsigned long end = jiffies + HZ;
	struct tmm_allocated_frames *frames;
	struct task_struct *task;
	u64 nr_rounds = 0;
	struct race *race;

	tmm_test_need_second_cpu(test);
	race = begin_race(test, &frames);
	task = tmm_test_thread_start(test, walk_tables, race);
	while (time_before(jiffies, end)) {
		u64 before = READ_ONCE(race->nr_done);

		change_by_unmap(race, true);
		while (READ_ONCE(race->nr_done) == before && time_before(jiffies, end))
			cpu_relax();
		/* The unmap comes at a different moment of each walk. */
		udelay(nr_rounds % 80);
		change_by_unmap(race, false);
		poison_free_frames(test);
		nr_rounds++;
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ_MSG(test, race->nr_wrong, 0, "of %llu rounds", nr_rounds);
	KUNIT_EXPECT_EQ(test, race->nr_refused, 0);
	KUNIT_EXPECT_GE(test, race->nr_done + 1, nr_rounds);
	tmm_allocated_frames_drop(&frames);
}

/* Maps and unmaps some pages of one parity, around a boundary between tables of level 2. */
static void map_and_unmap(struct race *race, unsigned int parity)
{
	u64 base = tmm_private_first_page() + (1 << 18) - 4 + parity;
	unsigned int first = race->nr_done % 4;
	unsigned int last = first + race->nr_done / 4 % (4 - first);
	unsigned int i;

	for (i = first; i <= last; i++)
		if (tmm_mapper_map(race->pt, tmm_test_pages(base + 2 * i, 1),
				   tmm_frame_4k(race->frame + i), leaf_bits(true), TMM_4K))
			tmm_test_count(race->nr_refused);
	for (i = 0; i < 4; i++) {
		bool want = i >= first && i <= last;
		u64 found = tmm_test_translate(race->pt, base + 2 * i);

		race->nr_wrong += found != (want ? race->frame + i : TMM_TEST_UNMAPPED);
	}
	for (i = first; i <= last; i++)
		tmm_mapper_unmap(race->pt, tmm_test_pages(base + 2 * i, 1));
	tmm_test_count(race->nr_done);
}

static int map_and_unmap_odd(void *race)
{
	while (!kthread_should_stop()) {
		map_and_unmap(race, 1);
		cond_resched();
	}
	return 0;
}

/* On a busy machine a second may be too short for MIN_ROUNDS. */
static bool is_behind(const struct race *even, const struct race *odd)
{
	return min(even->nr_done, READ_ONCE(odd->nr_done)) < MIN_ROUNDS;
}

static void map_and_unmap_in_the_same_tables(struct kunit *test)
{
	struct race even = { .pt = tmm_test_root(test), .frame = 1000 };
	struct race *odd = tmm_test_kvzalloc(test, sizeof(*odd));
	unsigned long start = jiffies;
	struct task_struct *task;

	tmm_test_need_second_cpu(test);
	odd->pt = even.pt;
	odd->frame = 2000;
	task = tmm_test_thread_start(test, map_and_unmap_odd, odd);
	while (time_before(jiffies, start + HZ) ||
	       (is_behind(&even, odd) && time_before(jiffies, start + 30 * HZ))) {
		map_and_unmap(&even, 0);
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, even.nr_wrong + odd->nr_wrong, 0);
	KUNIT_EXPECT_EQ(test, even.nr_refused + odd->nr_refused, 0);
	KUNIT_EXPECT_GE(test, even.nr_done, MIN_ROUNDS);
	KUNIT_EXPECT_GE(test, odd->nr_done, MIN_ROUNDS);
	KUNIT_EXPECT_EQ(test, tmm_test_nr_tables(test), 0);
}

/*
 * Stays in one long window. Sets nr_windows at the beginning of the window, and nr_done just before
 * its end.
 */
static int stay_in_a_window(void *context)
{
	struct race *race = context;
	struct tmm_window window;

	if (tmm_window_enter(race->pt, &window)) {
		tmm_test_count(race->nr_refused);
	} else {
		WRITE_ONCE(race->nr_windows, 1);
		mdelay(STAY_MSECS);
		WRITE_ONCE(race->nr_done, 1);
		tmm_window_leave(&window);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* In Theseus, a root can be freed while a CPU has the root loaded. */
static void drop_of_a_root_waits_for_its_windows(struct kunit *test)
{
	struct race *race = tmm_test_kvzalloc(test, sizeof(*race));
	struct task_struct *task;

	tmm_test_need_second_cpu(test);
	race->pt = tmm_page_table_create(&tmm_test_inst(test)->fa);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, race->pt);
	task = tmm_test_thread_start(test, stay_in_a_window, race);
	wait_for_count(race, &race->nr_windows, 0);
	KUNIT_EXPECT_EQ(test, tmm_page_table_drop(&race->pt), 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(race->nr_done), 1);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, race->nr_wrong + race->nr_refused, 0);
}

static struct kunit_case window_race_cases[] = {
	KUNIT_CASE(remap_stops_writes_on_another_cpu),
	KUNIT_CASE(unmap_stops_writes_on_another_cpu),
	KUNIT_CASE(walk_while_tables_are_freed),
	KUNIT_CASE(map_and_unmap_in_the_same_tables),
	KUNIT_CASE(drop_of_a_root_waits_for_its_windows),
	{}
};

static struct kunit_suite window_race_suite = {
	.name = "theseus_mm_window_race",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = window_race_cases,
};

kunit_test_suite(window_race_suite);
