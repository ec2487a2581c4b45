// SPDX-License-Identifier: GPL-2.0
#include "alloc/cleaner_thread.h"

#include "alloc/cleaner.h"
#include "alloc/frames.h"
#include "core/number.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/time64.h>
#include <linux/wait.h>

/*
 * After frames have come back, the thread waits for others that come soon. So a program that
 * allocates and frees all the time wakes the thread a few times in a second.
 */
#define SETTLE		(HZ / 10)

/* With a rate, the thread sleeps when it is this far ahead. */
#define MAX_AHEAD_US	10000

/*
 * Searches without a dirty frame before the thread sleeps for a jiffy. So a client that makes very
 * many free runs can neither keep a CPU busy with searches nor hold up the allocator's lock.
 */
#define MAX_LOOKS	64

bool tmm_cleaner_is_on = !IS_ENABLED(CONFIG_PREEMPT_RT);
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_is_on);
unsigned int tmm_cleaner_rate;

static int set_switch(const char *text, const struct kernel_param *param)
{
	int err = tmm_param_ops_switch.set(text, param);

	if (!err)
		wake_up_all(&tmm_cleaner_sleepers);
	return err;
}

const struct kernel_param_ops tmm_cleaner_switch_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_switch,
	.get = param_get_bool,
};

static bool is_to_stop(void)
{
	return kthread_should_stop() || !READ_ONCE(tmm_cleaner_is_on);
}

static void sleep_for(unsigned long nr_jiffies)
{
	wait_event_freezable_timeout(tmm_cleaner_sleepers, is_to_stop(), nr_jiffies);
}

/*
 * Note that @nr frames were cleared, and sleep if that is more than the rate allows. @ahead_us is
 * the time that these frames and earlier ones should have taken, since the thread last slept.
 */
static void keep_rate(u64 nr, u64 *ahead_us)
{
	const unsigned int rate = READ_ONCE(tmm_cleaner_rate);

	if (!rate)
		return;
	*ahead_us += div_u64(nr * TMM_PAGE_SIZE * USEC_PER_SEC, rate) >> 20;
	if (*ahead_us < MAX_AHEAD_US)
		return;
	sleep_for(usecs_to_jiffies(*ahead_us));
	*ahead_us = 0;
}

/* Clear the piece, at @cursor, which moves on. Return: the number of frames that were cleared. */
static u64 clear_piece(struct tmm_frame_allocator *fa, u64 *cursor)
{
	u64 nr = 0;

	for (; tmm_cleaner_clear_one(fa, cursor); nr++)
		cond_resched();
	return nr;
}

/* Clear all free frames that are dirty. Return: false if the thread is to stop before that. */
static bool make_pass(struct tmm_frame_allocator *fa)
{
	enum tmm_cleaner_found found;
	u64 cursor = 0, ahead_us = 0;
	unsigned int nr_looks = 0;

	do {
		if (is_to_stop())
			return false;
		try_to_freeze();
		found = tmm_cleaner_take(fa, &cursor);
		if (found == TMM_CLEANER_PIECE)
			keep_rate(clear_piece(fa, &cursor), &ahead_us);
		else if (found == TMM_CLEANER_BUSY || !(++nr_looks % MAX_LOOKS))
			sleep_for(1);
		cond_resched();
	} while (found != TMM_CLEANER_NOTHING);
	return true;
}

/* The pass did not reach its end, so frames may be dirty that nobody will note again. */
static void note_rest(struct tmm_frame_allocator *fa)
{
	spin_lock(&fa->ra.lock);
	WRITE_ONCE(fa->cleaner.has_work, true);
	spin_unlock(&fa->ra.lock);
}

static bool is_wanted(const struct tmm_frame_allocator *fa)
{
	return READ_ONCE(tmm_cleaner_is_on) && READ_ONCE(fa->cleaner.has_work);
}

static int clean_ahead(void *data)
{
	struct tmm_frame_allocator *fa = data;

	set_freezable();
	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		wait_event_freezable(tmm_cleaner_sleepers, kthread_should_stop() || is_wanted(fa));
		sleep_for(SETTLE);
		if (!make_pass(fa))
			note_rest(fa);
	}
	return 0;
}

/* Start the thread of an allocator that has magazines. May sleep. Return: 0, -ENOMEM or -EINTR. */
int tmm_cleaner_start(struct tmm_frame_allocator *fa)
{
	struct task_struct *task = kthread_run(clean_ahead, fa, "tmm-clean");

	if (IS_ERR(task))
		return PTR_ERR(task);
	fa->cleaner.task = task;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_start);

/*
 * Stop the thread, if there is one, before the allocator loses its magazines. The thread has no
 * piece any more. May sleep.
 */
void tmm_cleaner_stop(struct tmm_frame_allocator *fa)
{
	if (!fa->cleaner.task)
		return;
	kthread_stop(fa->cleaner.task);
	fa->cleaner.task = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(tmm_cleaner_stop);
