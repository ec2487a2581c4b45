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

/*
 * Two instructions that do nothing. scripts/profile.c recognises their last four bytes, and counts
 * the instructions between them.
 */
#define clock_mark(magic) \
	__asm__ __volatile__(".byte 0x0f, 0x1f, 0x80; .long " #magic : : : "memory")
#define clock_mark_begin()	clock_mark(0x626d6d74)
#define clock_mark_end()	clock_mark(0x656d6d74)

double clock_calibrate(void);
const char *clock_unit(void);
uint64_t clock_overhead(void);
uint64_t clock_settle(void);
uint64_t clock_work(uint64_t gaps, unsigned int nr_gaps, uint64_t excess, uint64_t passed);
void clock_set_tick(uint64_t cost, uint64_t period);
void clock_wait_for_tick(void);

#endif /* BENCH_CLOCK_H */
