// SPDX-License-Identifier: GPL-2.0
#include "kernel/clock.h"

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/wait.h>

/* Turns of the spinner between two looks at the flag. A turn is two instructions. */
#define NR_TURNS		500000
#define NR_TRIES		20

/* Loops for the calibration: ten instructions each, of which eight wait for each other. */
#define CALIBRATION_TURN	10
#define NR_CALIBRATION_TURNS	100000

/*
 * A wait for deferred work would leave the CPU idle, and the counter runs on while the CPU is idle.
 * So a thread of low priority keeps the CPU busy during the wait, and counts the turns that it has
 * spent. Their cost is known beforehand: the time that passes while the thread spins also contains
 * the work that interrupts the thread.
 */
static struct {
	struct task_struct *thread;
	wait_queue_head_t wait;
	struct completion parked;
	bool is_asked;
	bool is_on;
	u64 spent;
} spinner;

static const char *unit = "cycles";
static u64 overhead;
static u64 spin_cost;
static u64 empty_wait;

static void spin_for(unsigned long nr_turns)
{
	asm volatile("1: dec %0; jnz 1b" : "+r" (nr_turns) : : "cc");
}

static int run_spinner(void *unused)
{
	while (!kthread_should_stop()) {
		wait_event_interruptible(spinner.wait,
					 READ_ONCE(spinner.is_asked) || kthread_should_stop());
		if (!READ_ONCE(spinner.is_asked))
			continue;
		WRITE_ONCE(spinner.is_asked, false);
		/* The wait may be over before this thread runs. */
		while (READ_ONCE(spinner.is_on)) {
			spin_for(NR_TURNS);
			spinner.spent += spin_cost;
			cond_resched();
		}
		complete(&spinner.parked);
	}
	return 0;
}

static void wait_for_nothing(void)
{
}

/* Wait for the work that others have deferred. Return: the cost of the work. */
static u64 wait_busily(void (*settle)(void))
{
	u64 begin = bench_now(), spent = spinner.spent;

	WRITE_ONCE(spinner.is_on, true);
	WRITE_ONCE(spinner.is_asked, true);
	wake_up(&spinner.wait);
	settle();
	rcu_barrier();
	WRITE_ONCE(spinner.is_on, false);
	wait_for_completion(&spinner.parked);
	return bench_now() - begin - (spinner.spent - spent);
}

/*
 * Let the work finish that operations have deferred, by @settle (or NULL) and by RCU. Return: the
 * cost of that work, beyond the cost of a wait for nothing.
 */
u64 bench_clock_settle(void (*settle)(void))
{
	u64 cost = wait_busily(settle ?: wait_for_nothing);

	return cost > empty_wait ? cost - empty_wait : 0;
}

/* The unit of the clock, for the results. */
const char *bench_clock_unit(void)
{
	return unit;
}

/* The cost of reading the clock twice, which each single sample contains. */
u64 bench_clock_overhead(void)
{
	return overhead;
}

/* The cost of NR_TURNS turns that nothing interrupts: the shortest of many tries. */
static u64 time_spin(void)
{
	u64 begin, shortest = U64_MAX;
	unsigned int i;

	for (i = 0; i < NR_TRIES; i++) {
		begin = bench_now();
		spin_for(NR_TURNS);
		shortest = min(shortest, bench_now() - begin);
		cond_resched();
	}
	return shortest - min(shortest, overhead);
}

static u64 time_known_loop(void)
{
	unsigned long turns = NR_CALIBRATION_TURNS, value = 3;
	u64 begin = bench_now();

	asm volatile("1: imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1\n\t"
		     "imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1\n\t"
		     "dec %0; jnz 1b" : "+r" (turns), "+r" (value) : : "cc");
	return bench_now() - begin;
}

/*
 * Find out what the clock counts. A loop of dependent multiplications takes as many ticks as it has
 * instructions if the clock counts those, and more than twice as many cycles.
 */
static void calibrate(void)
{
	u64 shortest = U64_MAX, thousandths;
	unsigned int i;

	overhead = U64_MAX;
	for (i = 0; i < 100; i++) {
		u64 begin = bench_now();

		overhead = min(overhead, bench_now() - begin);
	}
	for (i = 0; i < 10; i++)
		shortest = min(shortest, time_known_loop());
	thousandths = div64_u64(shortest * 1000, NR_CALIBRATION_TURNS * CALIBRATION_TURN);
	if (thousandths >= 990 && thousandths <= 1010)
		unit = "instructions";
	spin_cost = time_spin();
	empty_wait = 0;
	for (i = 0; i < 4; i++)
		empty_wait += wait_busily(wait_for_nothing) / 4;
	pr_info("tmm-bench: # kernel: %llu.%03llu ticks an instruction of a known loop: the unit is %s; %llu to read the clock twice, %llu to wait for nothing\n",
		thousandths / 1000, thousandths % 1000, unit, overhead, empty_wait);
}

int bench_clock_start(void)
{
	init_waitqueue_head(&spinner.wait);
	init_completion(&spinner.parked);
	spinner.thread = kthread_create(run_spinner, NULL, "tmm-bench-spin");
	if (IS_ERR(spinner.thread))
		return PTR_ERR(spinner.thread);
	set_user_nice(spinner.thread, MAX_NICE);
	wake_up_process(spinner.thread);
	calibrate();
	return 0;
}

void bench_clock_stop(void)
{
	kthread_stop(spinner.thread);
}
