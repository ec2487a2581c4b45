// SPDX-License-Identifier: GPL-2.0
/*
 * Calibrates the clock, and measures the work that the kernel has put off.
 *
 * A program cannot call rcu_barrier(), and must not sleep to wait for RCU: while the only CPU of a
 * guest with -icount is idle, the counter jumps to the next timer. So the program spins, and
 * watches the counter. Every gap is work of the kernel: the interrupt of the timer, RCU callbacks,
 * kernel threads. A gap's cost above that of a timer interrupt in a quiet system is deferred work.
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

/* The cost of a tick is the median of the gaps. A guest without a periodic tick has few gaps. */
static uint64_t measure_tick(void)
{
	uint64_t gaps[NR_GAPS];
	unsigned int nr = 0;
	unsigned long i;

	for (i = 0; i < NR_GAPS * SLICES_PER_TICK * 4UL && nr < NR_GAPS; i++) {
		gaps[nr] = spin_slice();
		if (gaps[nr])
			nr++;
	}
	if (!nr)
		return 0;
	qsort(gaps, nr, sizeof(gaps[0]), compare_costs);
	return gaps[nr / 2];
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
	tick_cost = measure_tick();
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
 * clock_settle() - wait until the kernel has done its deferred work
 *
 * Return: the cost of that work in units of the clock
 */
uint64_t clock_settle(void)
{
	unsigned int slices = 0, quiet = 0, ticks;
	uint64_t work = 0, excess, in_tick = 0;

	for (ticks = 0; ticks < MAX_TICKS && quiet < QUIET_TICKS; slices++) {
		excess = spin_slice();
		if (excess > tick_cost)
			in_tick += excess - tick_cost;
		if (slices < SLICES_PER_TICK)
			continue;
		slices = 0;
		ticks++;
		if (in_tick > TICK_NOISE) {
			work += in_tick;
			quiet = 0;
		} else {
			quiet++;
		}
		in_tick = 0;
	}
	return work;
}
