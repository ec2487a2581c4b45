/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The longest stretches in which the module has interrupts off, a spinlock, or preemption off, by
 * call. Only a theseus_mm.ko with the marks of bench/marks/ knows them.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include <stdbool.h>

bool marks_are_there(void);
int marks_begin(void);
int marks_end(const char *call, const char *size, const char *situation);
void marks_print(void);

#endif /* BENCH_MARKS_H */
