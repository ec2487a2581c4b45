/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results: which rows are wanted, and the lines that scripts/bench.py reads from the console.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <linux/types.h>

/**
 * struct bench_result - the cost of one operation
 * @nr: operations that were measured
 * @total: cost of all of them together, with the work that they left for later
 * @p999: 99.9th percentile of the cost of single operations
 * @max: cost of the dearest operation
 */
struct bench_result {
	u64 nr;
	u64 total;
	u64 p999;
	u64 max;
};

bool bench_is_wanted(const char *row, const char *system);
void bench_report(const char *row, const char *system, u64 n, const struct bench_result *result);
void bench_report_bytes(const char *row, const char *system, u64 n, u64 nr, u64 nr_bytes);
void bench_report_skipped(const char *row, const char *system, const char *reason);
void bench_report_failed(const char *row, int err);

#endif /* BENCH_REPORT_H */
