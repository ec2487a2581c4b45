/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measurements: a series of steps that make, change and drop many objects.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <linux/types.h>

#define BENCH_MAX_N		100000

/**
 * struct bench_step - an operation on one object
 * @row: row of the result
 * @system: system of the result
 * @run: carries out the operation on object @i
 */
struct bench_step {
	const char *row;
	const char *system;
	int (*run)(unsigned int i);
};

/**
 * struct bench_series - steps that follow each other, each for all objects
 * @steps: the steps; the last one drops the objects
 * @nr_steps: number of steps
 * @undo: drops object @i, if there is one, after a failure
 * @settle: finishes what the last step has left for later; NULL for nothing besides RCU
 */
struct bench_series {
	const struct bench_step *steps;
	unsigned int nr_steps;
	void (*undo)(unsigned int i);
	void (*settle)(void);
};

/* The objects of the series that runs. A step that drops an object sets its pointer to NULL. */
extern void **bench_objects;

int __must_check bench_measure_start(void);
void bench_measure_stop(void);
bool bench_series_is_wanted(const struct bench_series *series);
int bench_measure(const struct bench_series *series, u64 label, unsigned int n,
		  unsigned int nr_rounds);
int bench_measure_sizes(const struct bench_series *series);

#endif /* BENCH_MEASURE_H */
