// SPDX-License-Identifier: GPL-2.0
/*
 * Measures steps. First a round warms up. Then rounds give the mean of each step, over whole loops
 * and with the work that they have left for later. At last, rounds time single operations.
 */
#include "steps.h"
#include "clock.h"
#include "result.h"

#include <errno.h>
#include <string.h>

#define MAX_STEPS	8
/* operations in the round that warms up */
#define WARM_UP		1000UL
/* a series of few objects is repeated until each step has run this often */
#define MIN_OPERATIONS	4000UL

static int report_error(const struct step *step, unsigned long i)
{
	return result_failed(step->row ? step->row : "preparation", "%s: object %lu: %s",
			     step->system, i, strerrorname_np(errno));
}

static int run_all(const struct step *step, void *state, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (step->run(state, i))
			return report_error(step, i);
	return 0;
}

static int run_singly(const struct step *step, void *state, unsigned long nr, unsigned long per,
		      struct samples *samples)
{
	uint64_t begun;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		begun = clock_now();
		if (step->run(state, i))
			return report_error(step, i);
		samples_add(samples, (clock_now() - begun) / per);
	}
	return 0;
}

static bool step_is_wanted(const struct step *step)
{
	return step->row && result_is_wanted(step->row, step->system);
}

/* Run a step between two marks, so that a profile is that of the step alone. */
static int run_marked(const struct step *step, void *state, unsigned long nr)
{
	int err;

	clock_mark_begin();
	err = run_all(step, state, nr);
	clock_mark_end();
	return err;
}

/*
 * Run all steps for @nr operations each, and add to @costs what each step takes. The round that
 * warms up has no marks.
 */
static int time_steps(const struct series *series, void *state, unsigned long nr, uint64_t *costs,
		      bool is_warming_up)
{
	const struct step *step;
	uint64_t begun;
	bool is_marked;
	size_t i;

	for (i = 0; i < series->nr_steps; i++) {
		step = &series->steps[i];
		is_marked = !is_warming_up && step_is_wanted(step);
		begun = clock_now();
		if (is_marked ? run_marked(step, state, nr) : run_all(step, state, nr))
			return -1;
		costs[i] += clock_now() - begun;
	}
	return 0;
}

static int sample_steps(const struct series *series, void *state, struct samples *samples)
{
	size_t i;

	for (i = 0; i < series->nr_steps; i++)
		if (run_singly(&series->steps[i], state, series->nr / series->per, series->per,
			       &samples[i]))
			return -1;
	return 0;
}

static void print_results(const struct series *series, unsigned long nr_rounds,
			  const uint64_t *costs, const struct samples *samples)
{
	const struct step *step;
	size_t i;

	for (i = 0; i < series->nr_steps; i++) {
		step = &series->steps[i];
		if (step->row)
			result_cost(step->row, step->system, series->n ? series->n : series->nr,
				    (double)costs[i] / (series->nr * nr_rounds), &samples[i]);
	}
}

static bool is_wanted(const struct series *series)
{
	size_t i;

	for (i = 0; i < series->nr_steps; i++)
		if (step_is_wanted(&series->steps[i]))
			return true;
	return false;
}

/**
 * series_measure() - measure steps, and print a result for each
 * @series: the steps
 * @state: argument of the steps
 *
 * The work that operations leave for later counts for the last step.
 *
 * Return: 0, or -1 if a step failed, which has been printed
 */
int series_measure(const struct series *series, void *state)
{
	unsigned long nr_runs = series->nr / series->per, nr_rounds, i;
	uint64_t costs[MAX_STEPS] = { 0 }, ignored[MAX_STEPS] = { 0 };
	struct samples samples[MAX_STEPS];

	if (!is_wanted(series))
		return 0;
	nr_rounds = series->n ? 1 : (MIN_OPERATIONS + series->nr - 1) / series->nr;
	for (i = 0; i < series->nr_steps; i++)
		samples_begin(&samples[i], nr_runs * nr_rounds);
	if (time_steps(series, state, nr_runs < WARM_UP ? nr_runs : WARM_UP, ignored,
		       true))
		return -1;
	clock_settle();
	for (i = 0; i < nr_rounds; i++)
		if (time_steps(series, state, nr_runs, costs, false))
			return -1;
	costs[series->nr_steps - 1] += clock_settle();
	for (i = 0; i < nr_rounds; i++)
		if (sample_steps(series, state, samples))
			return -1;
	clock_settle();
	print_results(series, nr_rounds, costs, samples);
	return 0;
}
