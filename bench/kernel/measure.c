// SPDX-License-Identifier: GPL-2.0
#include "kernel/measure.h"
#include "kernel/clock.h"
#include "kernel/report.h"
#include "core/compat.h"

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#define MAX_STEPS		4
/* A series of few objects is repeated until each step has run this often. */
#define MIN_OPERATIONS		4000
/* Objects of the round that is not measured. */
#define WARM_UP			1000
/* Operations between two checks whether another task wants to run. */
#define PIECE			64

static unsigned int sizes[8] = { 100, 1000, 10000, 100000 };
static unsigned int nr_sizes = 4;
module_param_array(sizes, uint, &nr_sizes, 0400);
MODULE_PARM_DESC(sizes, "numbers of objects (100,1000,10000,100000)");

void **bench_objects;
EXPORT_SYMBOL_TMM(bench_objects);
static u32 *samples[MAX_STEPS];
/* The warm-up has no marks, so that a profile is that of the measured operations. */
static bool is_warming_up;

int bench_measure_start(void)
{
	unsigned int k;

	bench_objects = vzalloc(array_size(BENCH_MAX_N, sizeof(*bench_objects)));
	if (!bench_objects)
		return -ENOMEM;
	for (k = 0; k < MAX_STEPS; k++) {
		samples[k] = vzalloc(array_size(BENCH_MAX_N, sizeof(*samples[k])));
		if (!samples[k]) {
			bench_measure_stop();
			return -ENOMEM;
		}
	}
	return 0;
}

void bench_measure_stop(void)
{
	unsigned int k;

	vfree(bench_objects);
	for (k = 0; k < MAX_STEPS; k++)
		vfree(samples[k]);
}

/* True if a step of the series is wanted. */
bool bench_series_is_wanted(const struct bench_series *series)
{
	unsigned int k;

	for (k = 0; k < series->nr_steps; k++)
		if (bench_is_wanted(series->steps[k].row, series->steps[k].system))
			return true;
	return false;
}

static int run_piece(const struct bench_step *step, unsigned int first, unsigned int end)
{
	unsigned int i;
	int err;

	for (i = first; i < end; i++) {
		err = step->run(i);
		if (err)
			return err;
	}
	return 0;
}

/* Run a step on @n objects, and add the cost of the whole loop to the result. */
static int time_step(const struct bench_step *step, unsigned int n, struct bench_result *result)
{
	bool is_marked = !is_warming_up && bench_is_wanted(step->row, step->system);
	unsigned int first;
	int err = 0;
	u64 begin;

	if (is_marked)
		bench_mark_begin();
	begin = bench_now();
	for (first = 0; first < n && !err; first += PIECE) {
		err = run_piece(step, first, min(first + PIECE, n));
		cond_resched();
	}
	result->total += bench_now() - begin;
	if (is_marked)
		bench_mark_end();
	result->nr += n;
	return err;
}

/* Run a step on @n objects, and note the cost of each operation in @into. */
static int sample_step(const struct bench_step *step, unsigned int n, u32 *into)
{
	u64 begin, cost, overhead = bench_clock_overhead();
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		begin = bench_now();
		err = step->run(i);
		cost = bench_now() - begin;
		if (err)
			return err;
		into[i] = min_t(u64, cost - min(cost, overhead), U32_MAX);
		cond_resched();
	}
	return 0;
}

static int compare_samples(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void undo_all(const struct bench_series *series, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (bench_objects[i])
			series->undo(i);
}

/*
 * Run all steps on @n objects. With @results, each step is timed as a whole; else each operation is
 * sampled, from sample number @first on.
 */
static int run_round(const struct bench_series *series, unsigned int n,
		     struct bench_result *results, unsigned int first)
{
	unsigned int k;
	int err;

	for (k = 0; k < series->nr_steps; k++) {
		if (results)
			err = time_step(&series->steps[k], n, &results[k]);
		else
			err = sample_step(&series->steps[k], n, samples[k] + first);
		if (err) {
			bench_report_failed(series->steps[k].row, err);
			undo_all(series, n);
			return err;
		}
	}
	return 0;
}

static void evaluate_samples(u32 *from, unsigned int nr, struct bench_result *result)
{
	sort(from, nr, sizeof(*from), compare_samples, NULL);
	result->p999 = from[nr - 1 - nr / 1000];
	result->max = from[nr - 1];
}

/* Measure the mean cost of each step, over @nr_rounds rounds, and with the work left for later. */
static int measure_means(const struct bench_series *series, unsigned int n,
			 unsigned int nr_rounds, struct bench_result *results)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr_rounds; i++) {
		err = run_round(series, n, results, 0);
		if (err)
			return err;
	}
	results[series->nr_steps - 1].total += bench_clock_settle(series->settle);
	return 0;
}

/*
 * Measure each step of a series: first its mean over @nr_rounds rounds of @n objects, then single
 * samples. @label is the size in the table of results.
 */
int bench_measure(const struct bench_series *series, u64 label, unsigned int n,
		  unsigned int nr_rounds)
{
	struct bench_result results[MAX_STEPS] = {}, warm_up[MAX_STEPS] = {};
	const struct bench_step *step = series->steps;
	unsigned int i, k;
	int err;

	if (!bench_series_is_wanted(series))
		return 0;
	if (n * nr_rounds > BENCH_MAX_N) {
		bench_report_failed(series->steps[0].row, -EINVAL);
		return -EINVAL;
	}
	is_warming_up = true;
	err = measure_means(series, min_t(unsigned int, n, WARM_UP), 1, warm_up);
	is_warming_up = false;
	if (err)
		return err;
	err = measure_means(series, n, nr_rounds, results);
	if (err)
		return err;
	for (i = 0; i < nr_rounds; i++) {
		err = run_round(series, n, NULL, i * n);
		if (err)
			return err;
	}
	bench_clock_settle(series->settle);
	for (k = 0; k < series->nr_steps; k++, step++) {
		if (!bench_is_wanted(step->row, step->system))
			continue;
		evaluate_samples(samples[k], n * nr_rounds, &results[k]);
		bench_report(step->row, step->system, label, &results[k]);
	}
	return 0;
}

/* Measure a series for all numbers of objects. */
int bench_measure_sizes(const struct bench_series *series)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr_sizes; i++) {
		if (!sizes[i] || sizes[i] > BENCH_MAX_N) {
			bench_report_failed(series->steps[0].row, -EINVAL);
			return -EINVAL;
		}
		err = bench_measure(series, sizes[i], sizes[i],
				    DIV_ROUND_UP(MIN_OPERATIONS, sizes[i]));
		if (err)
			return err;
	}
	return 0;
}
EXPORT_SYMBOL_TMM(bench_measure_sizes);
