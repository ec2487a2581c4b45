// SPDX-License-Identifier: GPL-2.0
/* Regions of frames are added and removed while the allocator is in use. */
#include "alloc/frames.h"
#include "alloc/table_frames.h"

#include "support/frames_fixture.h"

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#define NR_ROUNDS	20
/* The region that is added and removed. */
#define FIRST		5000
#define NR		1000

static void remove_forgets_a_region(struct kunit *test)
{
	struct tmm_frame_range range = { { FIRST, 1, TMM_4K } };
	struct tmm_allocation_request req = tmm_request_at(FIRST, 1);
	struct tmm_frame_allocator *fa = tmm_test_fa(test);
	u64 counts[TMM_NR_MARKS] = {};
	u64 before = tmm_test_frames_fingerprint(test);
	struct tmm_frame_region *region;

	region = tmm_test_frames_add_backed(test, test->priv, TMM_REGION_RESERVED, FIRST, 10);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(fa, FIRST), region->window);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(fa, region), 0);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	KUNIT_EXPECT_PTR_EQ(test, tmm_frame_regions_ptr(fa, FIRST), NULL);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_count(fa, &range, counts), -ERANGE);
	KUNIT_EXPECT_EQ(test, PTR_ERR(tmm_frame_allocator_allocate(fa, &req)), -ERANGE);
}

static void remove_with_owned_mapped_or_borrowed_frames(struct kunit *test)
{
	struct tmm_frame_region *region = tmm_test_frames_add(test, test->priv,
							      TMM_REGION_RESERVED, FIRST, 10);
	struct tmm_allocated_frames *frames = tmm_test_frames_take(test, test->priv,
								   tmm_request_at(FIRST + 5, 1));
	struct tmm_allocated_frames *owner;
	struct tmm_unmapped_frames *unmapped;
	struct tmm_mapped_frames *mapped;
	u64 before = tmm_test_frames_fingerprint(test);

	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(tmm_test_fa(test), region), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	mapped = tmm_frames_into_mapped(&frames);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(tmm_test_fa(test), region), -EBUSY);
	unmapped = tmm_frames_into_unmapped(&mapped);
	frames = tmm_frames_into_allocated(&unmapped);
	KUNIT_EXPECT_EQ(test, tmm_allocated_frames_borrow(frames), 0);
	owner = frames;
	tmm_allocated_frames_drop(&owner);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(tmm_test_fa(test), region), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_test_frames_fingerprint(test), before);
	tmm_allocated_frames_unborrow(frames);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(tmm_test_fa(test), region), 0);
}

static void remove_of_a_region_with_a_table(struct kunit *test)
{
	struct tmm_test_frames *tf = test->priv;
	u64 number;

	KUNIT_ASSERT_EQ(test, tmm_table_frames_take(&tf->fa, &number), 0);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(&tf->fa, &tf->regions[0]), -EBUSY);
	tmm_table_frames_give(&tf->fa, number);
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(&tf->fa, &tf->regions[0]), 0);
}

/* Reads the regions all the time. The results do not matter, only that each access is safe. */
static int read_regions(void *context)
{
	struct tmm_frame_range range = { { FIRST, NR, TMM_4K } };
	struct tmm_frame_allocator *fa = context;
	u64 counts[TMM_NR_MARKS];

	while (!kthread_should_stop()) {
		tmm_frame_regions_ptr(fa, FIRST + 5);
		tmm_frame_regions_ptr(fa, 1000);
		memset(counts, 0, sizeof(counts));
		if (!tmm_frame_regions_count(fa, &range, counts) &&
		    counts[TMM_MARK_FREE] + counts[TMM_MARK_ALLOCATED] != NR)
			return -EIO;
		cond_resched();
	}
	return 0;
}

static int add_and_remove(struct tmm_frame_allocator *fa)
{
	struct tmm_frame_region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	void *table = kvzalloc(tmm_frame_regions_nr_bytes(FIRST, NR), GFP_KERNEL);
	int err = -ENOMEM;

	if (region && table) {
		region->range.type = TMM_REGION_RESERVED;
		region->range.first = FIRST;
		region->range.nr = NR;
		/* @window can have any value but NULL, since nobody dereferences this address. */
		region->window = region;
		err = tmm_frame_regions_add(fa, region, table);
		cond_resched();
		if (!err)
			err = tmm_frame_regions_remove(fa, region);
	}
	kvfree(table);
	kfree(region);
	return err;
}

/* KASAN reports a reader that accesses a removed region. */
static void remove_while_others_read(struct kunit *test)
{
	struct task_struct *threads[2];
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = kthread_run(read_regions, tmm_test_fa(test), "tmm_reader%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, threads[i]);
		get_task_struct(threads[i]);
	}
	for (i = 0; i < NR_ROUNDS && !err; i++)
		err = add_and_remove(tmm_test_fa(test));
	KUNIT_EXPECT_EQ(test, err, 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		KUNIT_EXPECT_EQ(test, kthread_stop(threads[i]), 0);
		put_task_struct(threads[i]);
	}
}

/* Each frame is counted once, also while its mark changes. */
static int count_marks(void *context)
{
	struct tmm_frame_allocator *fa = context;
	struct tmm_frame_range range = { { FIRST, NR, TMM_4K } };
	u64 counts[TMM_NR_MARKS], sum;
	unsigned int mark;

	while (!kthread_should_stop()) {
		memset(counts, 0, sizeof(counts));
		if (tmm_frame_regions_count(fa, &range, counts))
			return -ERANGE;
		for (sum = 0, mark = 0; mark < TMM_NR_MARKS; mark++)
			sum += counts[mark];
		if (sum != NR)
			return -EIO;
		cond_resched();
	}
	return 0;
}

/*
 * Marks of whole blocks and of parts of blocks change, so marks move between the two arrays of the
 * table while other threads count the marks.
 */
static void count_while_marks_change(struct kunit *test)
{
	struct task_struct *threads[2];
	struct tmm_frame_region *region;
	unsigned int i;

	region = tmm_test_frames_add(test, test->priv, TMM_REGION_RESERVED, FIRST, NR);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = kthread_run(count_marks, tmm_test_fa(test), "tmm_counter%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, threads[i]);
		get_task_struct(threads[i]);
	}
	for (i = 0; i < 10 * NR_ROUNDS; i++) {
		u64 at = FIRST + i * 37 % (NR / 2), nr = i % 3 ? 1 + i * 11 % (NR / 2) : 1;
		struct tmm_allocated_frames *frames;

		frames = tmm_test_frames_take(test, test->priv, tmm_request_at(at, nr));
		tmm_allocated_frames_drop(&frames);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		KUNIT_EXPECT_EQ(test, kthread_stop(threads[i]), 0);
		put_task_struct(threads[i]);
	}
	KUNIT_EXPECT_EQ(test, tmm_frame_regions_remove(tmm_test_fa(test), region), 0);
}

/* Another thread removes @region. */
struct removal {
	struct tmm_frame_allocator *fa;
	struct tmm_frame_region *region;
	bool is_there;	/* the thread runs */
	bool go;	/* the thread may begin */
	bool done;	/* the removal has returned */
};

static int remove_region(void *context)
{
	struct removal *removal = context;
	int err;

	WRITE_ONCE(removal->is_there, true);
	while (!READ_ONCE(removal->go) && !kthread_should_stop())
		cond_resched();
	err = tmm_frame_regions_remove(removal->fa, removal->region);
	WRITE_ONCE(removal->done, true);
	return err;
}

static void remove_waits_for_readers(struct kunit *test)
{
	struct removal *removal = tmm_test_kvzalloc(test, sizeof(*removal));
	struct task_struct *thread;
	bool early;

	removal->fa = tmm_test_fa(test);
	removal->region = tmm_test_frames_add(test, test->priv, TMM_REGION_RESERVED, FIRST, 10);
	thread = kthread_run(remove_region, removal, "tmm_remover");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	get_task_struct(thread);
	/* kthread_stop() returns an error if the thread has never run. */
	while (!READ_ONCE(removal->is_there))
		schedule_timeout_uninterruptible(1);
	/* This read-side section stands for a CPU in the middle of tmm_frame_regions_ptr(). */
	rcu_read_lock();
	WRITE_ONCE(removal->go, true);
	mdelay(200);
	early = READ_ONCE(removal->done);
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, early);
	KUNIT_EXPECT_EQ(test, kthread_stop(thread), 0);
	put_task_struct(thread);
}

static struct kunit_case frames_region_cases[] = {
	KUNIT_CASE(remove_forgets_a_region),
	KUNIT_CASE(remove_with_owned_mapped_or_borrowed_frames),
	KUNIT_CASE(remove_of_a_region_with_a_table),
	KUNIT_CASE(remove_while_others_read),
	KUNIT_CASE(remove_waits_for_readers),
	KUNIT_CASE(count_while_marks_change),
	{}
};

static struct kunit_suite frames_region_suite = {
	.name = "theseus_mm_frames_region",
	.init = tmm_test_frames_init,
	.exit = tmm_test_frames_exit,
	.test_cases = frames_region_cases,
};

kunit_test_suite(frames_region_suite);
