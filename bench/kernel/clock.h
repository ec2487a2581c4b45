/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock: the time-stamp counter, which counts instructions in an emulator with -icount, and
 * cycles elsewhere.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <asm/msr.h>
#include <asm/tsc.h>
#include <linux/types.h>

/*
 * Two instructions that do nothing. scripts/profile.c recognises their last four bytes, and counts
 * the instructions between them.
 */
#define bench_mark(magic)	\
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long " #magic : : : "memory")
#define bench_mark_begin()	bench_mark(0x626d6d74)
#define bench_mark_end()	bench_mark(0x656d6d74)

static inline u64 bench_now(void)
{
	return rdtsc_ordered();
}

int __must_check bench_clock_start(void);
void bench_clock_stop(void);
const char *bench_clock_unit(void);
u64 bench_clock_overhead(void);
u64 bench_clock_settle(void (*settle)(void));

#endif /* BENCH_CLOCK_H */
