/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of the measurements: the time-stamp counter.
 *
 * In QEMU with -icount shift=0, the counter counts instructions. Elsewhere it counts cycles.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <x86intrin.h>

static inline uint64_t clock_now(void)
{
	unsigned int cpu;

	return __rdtscp(&cpu);
}

double clock_calibrate(void);
const char *clock_unit(void);
uint64_t clock_overhead(void);
uint64_t clock_settle(void);

#endif /* BENCH_CLOCK_H */
