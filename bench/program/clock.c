// SPDX-License-Identifier: GPL-2.0
/*
 * Calibrates the clock, and measures the work that the kernel has put off.
 *
 * A program cannot call rcu_barrier(), and must not sleep to wait for RCU: while the only CPU of a
 * guest with -icount is idle, the counter jumps to the next timer. So the program spins, and
 * watches the counter. Every gap is work of the kernel: the interrupt of the timer, RCU callbacks,
 * kernel threads. All gaps together, less the cost of the timer interrupts of that time in a quiet
 * system, are deferred work. A gap may contain no timer interrupt, one, or several.
 */
#include "clock.h"

#include <stdlib.h>

/* the calibration's loop: ten instructions a turn, of which eight wait for each other */
#define TURN		10
#define NR_TURNS	100000
#define NR_TRIES	1000
#define NR_GAPS		32
/* iterations between two looks at the counter; two instructions each */
#define SLICE_LOOPS	1000
/* a gap that is longer than a slice by this is the kernel's */
#define GAP_MIN		500
/* ticks without deferred work after which the system is quiet, and the most ticks to wait */
#define QUIET_TICKS	8
#define MAX_TICKS	100
/* the deferred work of a quiet tick; timer interrupts differ by less */
#define TICK_NOISE	3000
/* Linux's HZ in Debian is 250: slices that take longer than a tick under -icount */
#define SLICES_PER_TICK	2000

static const char *unit = "cycles";
static uint64_t overhead;
static uint64_t slice_cost;
static uint64_t tick_cost;
static uint64_t tick_period;

/* Execute 2 * @nr instructions. */
static void spin_loops(unsigned long nr)
{
	__asm__ __volatile__("1: dec %0\n\tjnz 1b" : "+r"(nr) : : "cc");
}

static uint64_t time_known_loop(void)
{
	unsigned long turns = NR_TURNS, value = 3;
	uint64_t begun = clock_now();

	__asm__ __volatile__("1: imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1\n\t"
			     "imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1\n\t"
			     "dec %0; jnz 1b" : "+r"(turns), "+r"(value) : : "cc");
	return clock_now() - begun;
}

static int compare_costs(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

/* Spin for a slice. Return what the kernel took meanwhile, 0 if the kernel took nothing. */
static uint64_t spin_slice(void)
{
	uint64_t begun = clock_now(), cost;

	spin_loops(SLICE_LOOPS);
	cost = clock_now() - begun;
	return cost > slice_cost + GAP_MIN ? cost - slice_cost : 0;
}

static uint64_t median(uint64_t *values, unsigned int nr)
{
	qsort(values, nr, sizeof(values[0]), compare_costs);
	return nr ? values[nr / 2] : 0;
}

/*
 * The cost of a tick is the median of the gaps, and the period the median of the times between them.
 * A guest without a periodic tick has few gaps.
 */
static void measure_tick(void)
{
	uint64_t gaps[NR_GAPS], periods[NR_GAPS], before = clock_now(), now;
	unsigned int nr = 0;
	unsigned long i;

	for (i = 0; i < NR_GAPS * SLICES_PER_TICK * 4UL && nr < NR_GAPS; i++) {
		gaps[nr] = spin_slice();
		if (!gaps[nr])
			continue;
		now = clock_now();
		periods[nr++] = now - before;
		before = now;
	}
	tick_cost = median(gaps, nr);
	tick_period = median(periods, nr);
}

static uint64_t measure_least(unsigned long loops)
{
	uint64_t begun, cost, least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < NR_TRIES; i++) {
		begun = clock_now();
		if (loops)
			spin_loops(loops);
		cost = clock_now() - begun;
		if (cost < least)
			least = cost;
	}
	return least;
}

/**
 * clock_calibrate() - find out what the clock counts
 *
 * A loop of dependent multiplications takes as many ticks as it has instructions if the clock
 * counts those, and more than twice as many cycles.
 *
 * Return: ticks of the clock for an instruction of that loop
 */
double clock_calibrate(void)
{
	uint64_t cost, shortest = UINT64_MAX;
	unsigned int i;
	double ratio;

	for (i = 0; i < 10; i++) {
		cost = time_known_loop();
		if (cost < shortest)
			shortest = cost;
	}
	ratio = (double)shortest / (NR_TURNS * TURN);
	if (ratio >= 0.99 && ratio <= 1.01)
		unit = "instructions";
	overhead = measure_least(0);
	slice_cost = measure_least(SLICE_LOOPS);
	measure_tick();
	return ratio;
}

/**
 * clock_unit() - what the clock counts
 *
 * Return: "instructions" or "cycles"
 */
const char *clock_unit(void)
{
	return unit;
}

/**
 * clock_overhead() - the cost of reading the clock, which every single sample contains
 *
 * Return: the cost in units of the clock
 */
uint64_t clock_overhead(void)
{
	return overhead;
}

/**
 * struct watch - gaps of about one period of the tick
 * @begun: time of the begin
 * @nr_gaps: number of gaps
 * @sum: their cost
 * @excess: what single gaps cost above a tick
 */
struct watch {
	uint64_t begun;
	unsigned int nr_gaps;
	uint64_t sum;
	uint64_t excess;
};

static struct watch watch_gaps(void)
{
	struct watch watch = { .begun = clock_now() };
	unsigned int slices;
	uint64_t gap;

	for (slices = 0; slices < SLICES_PER_TICK; slices++) {
		gap = spin_slice();
		if (!gap)
			continue;
		watch.nr_gaps++;
		watch.sum += gap;
		watch.excess += gap > tick_cost ? gap - tick_cost : 0;
	}
	return watch;
}

/**
 * clock_work() - what the kernel has done beside its ticks
 * @gaps: the cost of all gaps
 * @nr_gaps: their number
 * @excess: what single gaps cost above a tick
 * @passed: the time in which the gaps were
 *
 * Return: the cost of the work; 0 if there are as many gaps as ticks and no gap is longer than a tick
 */
uint64_t clock_work(uint64_t gaps, unsigned int nr_gaps, uint64_t excess, uint64_t passed)
{
	double nr_ticks = tick_period ? (double)passed / tick_period : 0;
	double ticks = nr_ticks * tick_cost;

	if (excess <= TICK_NOISE && nr_gaps <= nr_ticks + 1)
		return 0;
	return gaps > ticks ? gaps - ticks : 0;
}

/**
 * clock_settle() - wait until the kernel has done its deferred work
 *
 * Return: the cost of that work in units of the clock
 */
uint64_t clock_settle(void)
{
	unsigned int quiet = 0, i;
	uint64_t work = 0, done;
	struct watch watch;

	for (i = 0; i < MAX_TICKS && quiet < QUIET_TICKS; i++) {
		watch = watch_gaps();
		done = clock_work(watch.sum, watch.nr_gaps, watch.excess,
				  clock_now() - watch.begun);
		work += done;
		quiet = done ? 0 : quiet + 1;
	}
	return work;
}

/**
 * clock_set_tick() - set what clock_calibrate() measures, for tests
 * @cost: cost of a timer interrupt
 * @period: time between two timer interrupts
 */
void clock_set_tick(uint64_t cost, uint64_t period)
{
	tick_cost = cost;
	tick_period = period;
}

/**
 * clock_wait_for_tick() - spin until a timer interrupt comes
 *
 * The function gives up if there are no ticks.
 */
void clock_wait_for_tick(void)
{
	unsigned long i;

	for (i = 0; i < SLICES_PER_TICK * 4UL && !spin_slice(); i++)
		;
}
