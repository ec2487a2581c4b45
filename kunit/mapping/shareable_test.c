// SPDX-License-Identifier: GPL-2.0
/* Mappings with many mutable borrows at a time. */
#include "mapping/mapped_pages.h"

#include "support/fixture.h"
#include "support/instance_fixture.h"

#include "mapping/borrow.h"
#include "mapping/deep_copy.h"
#include "mapping/mapped_pages_borrow.h"
#include "mapping/mapped_pages_split.h"

#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>

#define NR_PAGES	3

static struct tmm_mapped_pages *map_shareable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = tmm_test_map(test, tmm_private_first_page() + 511, NR_PAGES,
						   TMM_TEST_WRITABLE);

	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_shareable(mp));
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_set_shareable(mp, true), 0);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_shareable(mp));
	return mp;
}

static void many_mutable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test);
	struct tmm_borrow borrows[3];
	unsigned int i;
	char byte = 0;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 9, i < 2, &borrows[i]), 0);
		KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mp), i + 1);
	}
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrows[0], 3, "a", 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrows[1], 3, "b", 1), 0);
	KUNIT_EXPECT_EQ(test, tmm_borrow_read(&borrows[2], 3, &byte, 1), 0);
	KUNIT_EXPECT_EQ(test, byte, 'b');
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_borrowed(mp));
		tmm_borrow_end(&borrows[i]);
	}
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_borrowed(mp));
	tmm_mapped_pages_drop(&mp);
}

static void borrowed_cannot_change(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test), *second = NULL;
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_set_shareable(mp, false), -EBUSY);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_shareable(mp));
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), -EBUSY);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_split(mp, tmm_private_first_page() + 512, &second),
			-EBUSY);
	tmm_borrow_end(&borrow);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_set_shareable(mp, false), 0);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mp), 1);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_set_shareable(mp, true), -EBUSY);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_shareable(mp));
	tmm_borrow_end(&borrow);
	tmm_mapped_pages_drop(&mp);
}

/* A dropped mapping exists until the last of its borrows ends. */
static void dropped_while_borrowed(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test);
	struct tmm_borrow borrows[2];
	char byte = 1;

	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrows[0]), 0);
	KUNIT_ASSERT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrows[1]), 0);
	tmm_mapped_pages_drop(&mp);
	tmm_borrow_end(&borrows[0]);
	KUNIT_EXPECT_EQ(test, tmm_borrow_write(&borrows[1], 0, &byte, 1), 0);
	tmm_borrow_end(&borrows[1]);
}

static void parts_are_alike(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test), *second = NULL;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_split(mp, tmm_private_first_page() + 512, &second),
			0);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_shareable(second));
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_set_shareable(second, false), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), -EMEDIUMTYPE);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mp), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(second), 0);
	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_set_shareable(second, true), 0);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_merge(mp, &second), 0);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_shareable(mp));
	tmm_mapped_pages_drop(&mp);
}

static void copy_is_not_shareable(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test);
	struct tmm_mapped_pages *copy = tmm_mapped_pages_deep_copy(mp, NULL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_EXPECT_FALSE(test, tmm_mapped_pages_is_shareable(copy));
	tmm_mapped_pages_drop(&copy);
	tmm_mapped_pages_drop(&mp);
}

static void read_only_is_not_written(struct kunit *test)
{
	struct tmm_mapped_pages *mp = map_shareable(test);
	struct tmm_borrow borrow;

	KUNIT_ASSERT_EQ(test, tmm_mapped_pages_remap(mp, TMM_TEST_READ_ONLY), 0);
	KUNIT_EXPECT_TRUE(test, tmm_mapped_pages_is_shareable(mp));
	KUNIT_EXPECT_EQ(test, tmm_borrow_begin(mp, 0, 1, true, &borrow), -EACCES);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(mp), 0);
	tmm_mapped_pages_drop(&mp);
}

struct toggler {
	struct tmm_mapped_pages *mp;
	unsigned long nr_changes;
};

static int toggle_often(void *context)
{
	struct toggler *toggler = context;
	bool is_shareable = false;

	while (!kthread_should_stop()) {
		if (!tmm_mapped_pages_set_shareable(toggler->mp, is_shareable)) {
			is_shareable = !is_shareable;
			toggler->nr_changes++;
		}
		cond_resched();
	}
	return 0;
}

/*
 * The end of a borrow subtracts what its begin has added to the count, even if another thread
 * changes the mapping while the borrow begins.
 */
static void borrow_while_it_is_toggled(struct kunit *test)
{
	struct toggler *toggler = tmm_test_kvzalloc(test, sizeof(*toggler));
	unsigned long nr[2] = { 0 }, start = jiffies;
	struct task_struct *thread;
	struct tmm_borrow borrow;
	unsigned int i;

	tmm_test_need_second_cpu(test);
	toggler->mp = map_shareable(test);
	thread = tmm_test_thread_start(test, toggle_often, toggler);
	/* On a busy machine, more rounds may be needed until the thread has run. */
	for (i = 0; i < 100000 || ((!nr[false] || !nr[true]) &&
				   time_before(jiffies, start + 30 * HZ)); i++) {
		if (!tmm_borrow_begin(toggler->mp, 0, 8, true, &borrow)) {
			nr[tmm_mapped_pages_is_shareable(toggler->mp)]++;
			tmm_borrow_end(&borrow);
		}
		cond_resched();
	}
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, tmm_mapped_pages_nr_borrows(toggler->mp), 0);
	KUNIT_EXPECT_GT(test, toggler->nr_changes, 0);
	KUNIT_EXPECT_GT(test, nr[false], 0);
	KUNIT_EXPECT_GT(test, nr[true], 0);
	tmm_mapped_pages_drop(&toggler->mp);
}

static struct kunit_case shareable_cases[] = {
	KUNIT_CASE(many_mutable),
	KUNIT_CASE(borrowed_cannot_change),
	KUNIT_CASE(dropped_while_borrowed),
	KUNIT_CASE(parts_are_alike),
	KUNIT_CASE(copy_is_not_shareable),
	KUNIT_CASE(read_only_is_not_written),
	KUNIT_CASE(borrow_while_it_is_toggled),
	{}
};

static struct kunit_suite shareable_suite = {
	.name = "theseus_mm_shareable",
	.init = tmm_test_instance_init,
	.exit = tmm_test_instance_exit,
	.test_cases = shareable_cases,
};

kunit_test_suite(shareable_suite);
