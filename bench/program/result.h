/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The results: one line each, which scripts/bench.py reads.
 *
 *	tmm-bench: ROW SYSTEM N UNIT COUNT MEAN P999 MAX
 *	tmm-bench: ROW SYSTEM - skipped REASON
 *	tmm-bench: failed ROW REASON
 *	tmm-bench: # NOTE
 *
 * The command line chooses the rows and the systems: all others are neither measured nor printed.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdbool.h>
#include <stdint.h>

/* so that the highest 0.1 % of 100,000 samples have room */
#define MAX_HIGHEST	128

/**
 * struct samples - single costs, of which only the sum and the highest are kept
 * @sum: sum of all
 * @nr: number of all
 * @nr_highest: number of @highest
 * @keep: the largest @nr_highest
 * @highest: the highest costs, in falling order
 */
struct samples {
	double sum;
	unsigned long nr;
	unsigned int nr_highest;
	unsigned int keep;
	uint64_t highest[MAX_HIGHEST];
};

void result_choose(const char *rows, const char *systems);
bool result_is_wanted(const char *row, const char *system);

void samples_begin(struct samples *samples, unsigned long nr);
void samples_add(struct samples *samples, uint64_t cost);
double samples_mean(const struct samples *samples);
uint64_t samples_p999(const struct samples *samples);
uint64_t samples_max(const struct samples *samples);

void result_value(const char *row, const char *system, unsigned long n, const char *unit,
		  unsigned long count, double mean, double p999, double max);
void result_cost(const char *row, const char *system, unsigned long n, double mean,
		 const struct samples *samples);
__attribute__((format(printf, 1, 2)))
void result_note(const char *format, ...);
__attribute__((format(printf, 3, 4)))
void result_skipped(const char *row, const char *system, const char *format, ...);
__attribute__((format(printf, 2, 3)))
int result_failed(const char *row, const char *format, ...);
bool result_any_failed(void);

#endif /* BENCH_RESULT_H */
