/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps: operations that are measured one after the other, each for all objects.
 */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include <stddef.h>

/**
 * struct step - an operation to measure
 * @row: name of its row; NULL if the step only prepares the next one
 * @system: "ours", or the name of Linux's call
 * @run: runs the operation for object @i; returns 0, or -1 with errno set
 */
struct step {
	const char *row;
	const char *system;
	int (*run)(void *state, unsigned long i);
};

/**
 * struct series - steps that follow each other
 * @steps: the steps, in order; the last ones undo what the first ones do
 * @nr_steps: number of steps, up to 8
 * @nr: number of objects
 * @per: objects of an operation, of which @nr is a multiple; a cost is that of an object
 * @n: the number of objects in the result, if one object is used @nr times; else 0
 */
struct series {
	const struct step *steps;
	size_t nr_steps;
	unsigned long nr;
	unsigned long per;
	unsigned long n;
};

int series_measure(const struct series *series, void *state);

#endif /* BENCH_STEPS_H */
