// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the results.
 */
#include "result.h"
#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char *wanted_rows = "";
static const char *wanted_systems = "";
static bool any_failed;

/**
 * result_choose() - choose rows and systems
 * @rows: names of rows, separated by commas; empty for all
 * @systems: names of systems, separated by commas; empty for all
 */
void result_choose(const char *rows, const char *systems)
{
	wanted_rows = rows;
	wanted_systems = systems;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);
	const char *at;

	if (!*list)
		return true;
	for (at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, word, length) && (!at[length] || at[length] == ','))
			return true;
	return false;
}

/**
 * result_is_wanted() - ask whether to measure a row of a system
 * @row: name of the row
 * @system: name of the system
 *
 * Return: true if both are chosen
 */
bool result_is_wanted(const char *row, const char *system)
{
	return has_word(wanted_rows, row) && has_word(wanted_systems, system);
}

/**
 * samples_begin() - start a series of samples
 * @samples: the series
 * @nr: the number of samples that will follow, up to 127,000
 *
 * A series of up to 999 samples has no 99.9th percentile but its maximum.
 */
void samples_begin(struct samples *samples, unsigned long nr)
{
	unsigned long keep = nr / 1000 + 1;

	if (keep > MAX_HIGHEST)
		abort();
	memset(samples, 0, sizeof(*samples));
	samples->keep = keep;
}

/**
 * samples_add() - add a sample to a series
 * @samples: the series
 * @cost: the sample, with the cost of reading the clock
 */
void samples_add(struct samples *samples, uint64_t cost)
{
	unsigned int i = samples->nr_highest;

	cost -= cost < clock_overhead() ? cost : clock_overhead();
	samples->sum += cost;
	samples->nr++;
	if (i == samples->keep) {
		if (cost <= samples->highest[i - 1])
			return;
		i--;
	} else {
		samples->nr_highest++;
	}
	for (; i && samples->highest[i - 1] < cost; i--)
		samples->highest[i] = samples->highest[i - 1];
	samples->highest[i] = cost;
}

double samples_mean(const struct samples *samples)
{
	return samples->nr ? samples->sum / samples->nr : 0;
}

uint64_t samples_p999(const struct samples *samples)
{
	return samples->nr ? samples->highest[samples->nr_highest - 1] : 0;
}

uint64_t samples_max(const struct samples *samples)
{
	return samples->highest[0];
}

/* The interrupts of a serial line must not fall into the next measurement. */
static void end_line(void)
{
	putchar('\n');
	fflush(stdout);
	if (isatty(STDOUT_FILENO))
		tcdrain(STDOUT_FILENO);
}

/**
 * result_value() - print a result
 * @row: name of the row
 * @system: "ours", or the name of Linux's call
 * @n: the number of objects that existed
 * @unit: the unit of @mean, @p999 and @max
 * @count: the number of operations that were measured
 * @mean: mean cost of an operation, with deferred work
 * @p999: 99.9th percentile of single operations
 * @max: the highest cost of a single operation
 */
void result_value(const char *row, const char *system, unsigned long n, const char *unit,
		  unsigned long count, double mean, double p999, double max)
{
	if (!result_is_wanted(row, system))
		return;
	printf("tmm-bench: %s %s %lu %s %lu %.*f %.0f %.0f", row, system, n, unit, count,
	       mean < 10 ? 4 : 1, mean, p999, max);
	end_line();
}

/**
 * result_cost() - print a result in the unit of the clock
 * @row: name of the row
 * @system: "ours", or the name of Linux's call
 * @n: the number of objects that existed
 * @mean: mean cost of an operation, with deferred work
 * @samples: the samples of single operations
 */
void result_cost(const char *row, const char *system, unsigned long n, double mean,
		 const struct samples *samples)
{
	result_value(row, system, n, clock_unit(), samples->nr, mean, samples_p999(samples),
		     samples_max(samples));
}

/**
 * result_note() - print a line that is no result
 * @format: the line
 */
void result_note(const char *format, ...)
{
	va_list args;

	printf("tmm-bench: # program: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	end_line();
}

/**
 * result_skipped() - tell why a row cannot be measured
 * @row: name of the row
 * @system: the system that cannot be measured
 * @format: the reason
 */
void result_skipped(const char *row, const char *system, const char *format, ...)
{
	va_list args;

	if (!result_is_wanted(row, system))
		return;
	printf("tmm-bench: %s %s - skipped ", row, system);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	end_line();
}

/**
 * result_failed() - tell that a measurement failed, which makes the program fail
 * @row: name of the row
 * @format: the reason
 *
 * Return: -1
 */
int result_failed(const char *row, const char *format, ...)
{
	va_list args;

	any_failed = true;
	printf("tmm-bench: failed %s ", row);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	end_line();
	return -1;
}

/**
 * result_any_failed() - ask whether a measurement failed
 *
 * Return: true if result_failed() was called
 */
bool result_any_failed(void)
{
	return any_failed;
}
