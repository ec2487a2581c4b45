// SPDX-License-Identifier: GPL-2.0
/*
 * bench_program: measures the module's calls and Linux's own from a program. The program runs as
 * root in a guest whose module is loaded: the plan "bench" of initramfs/init starts it.
 */
#include "clock.h"
#include "groups.h"
#include "machine.h"
#include "marks.h"
#include "result.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SIZE	100000UL

/* One CPU, several CPUs, one CPU and a module with marks, or nowhere. */
enum machine { ONE_CPU, MANY_CPUS, MARKS, NOWHERE };

/**
 * struct group - measurements that run together
 * @name: its name on the command line
 * @words: what it measures
 * @measure: measures, and returns 0 or -1
 * @unasked: where the group runs if nobody names a group
 */
struct group {
	const char *name;
	const char *words;
	int (*measure)(const struct options *options);
	enum machine unasked;
};

static const struct group groups[] = {
	{ "calls", "the module's calls on mappings of one page", calls_measure, ONE_CPU },
	{ "linux-calls", "mmap(), mprotect(), munmap() of one page", linux_calls_measure, ONE_CPU },
	{ "areas", "mmap(), touch, munmap() of 128 MiB", areas_measure, ONE_CPU },
	{ "one-page", "the same for one leaf of 4 KiB, 2 MiB, 1 GiB", one_page_measure, ONE_CPU },
	{ "large", "making and dropping 2 MiB, 128 MiB, 1 GiB", large_measure, ONE_CPU },
	{ "memory", "Linux's memory for mappings of one page", memory_measure, ONE_CPU },
	{ "clients", "throughput of one and of two clients, on two CPUs", clients_measure, MANY_CPUS },
	{ "lines", "two clients between marks, for scripts/lines.c", clients_mark, NOWHERE },
	{ "bounds", "the longest stretches without interrupts or preemption", bounds_measure,
	  MARKS },
};

static int print_usage(FILE *out, int status)
{
	size_t i;

	fprintf(out, "Usage: bench_program [OPTION]... [GROUP]...\n"
		"  -n, --sizes N[,N]...          numbers of objects, 1 to %lu\n"
		"                                (BENCH_SIZES, or 100,1000,10000,100000)\n"
		"  -r, --rows ROW[,ROW]...       rows to measure (BENCH_ROWS, or all)\n"
		"  -s, --systems NAME[,NAME]...  systems to measure (BENCH_SYSTEMS, or all)\n"
		"Groups (default: clients if there are several CPUs, bounds if the module has\n"
		"marks, else all others):\n",
		MAX_SIZE);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		fprintf(out, "  %-12s  %s\n", groups[i].name, groups[i].words);
	return status;
}

static bool parse_sizes(const char *text, struct options *options)
{
	unsigned long size;
	char *end;

	options->nr_sizes = 0;
	do {
		size = strtoul(text, &end, 10);
		if (end == text || (*end && *end != ',') || !size || size > MAX_SIZE ||
		    options->nr_sizes == ARRAY_SIZE(options->sizes))
			return false;
		options->sizes[options->nr_sizes++] = size;
		text = end + 1;
	} while (*end);
	return true;
}

static const struct group *find_group(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(groups[i].name, name))
			return &groups[i];
	return NULL;
}

static void run_default_groups(const struct options *options)
{
	enum machine machine = ONE_CPU;
	size_t i;

	if (marks_are_there())
		machine = MARKS;
	else if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		machine = MANY_CPUS;
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].unasked == machine)
			groups[i].measure(options);
}

static int run_groups(char **names, int nr, const struct options *options)
{
	double ratio;
	int i;

	for (i = 0; i < nr; i++)
		if (!find_group(names[i])) {
			fprintf(stderr, "bench_program: %s: no such group\n", names[i]);
			return print_usage(stderr, 2);
		}
	ratio = clock_calibrate();
	result_note("%.3f ticks an instruction of a known loop: the unit is %s", ratio,
		    clock_unit());
	if (machine_prepare())
		return 1;
	for (i = 0; i < nr; i++)
		find_group(names[i])->measure(options);
	if (!nr)
		run_default_groups(options);
	return result_any_failed() ? 1 : 0;
}

/* Return the value of a variable of the environment; "" if it is not set. */
static const char *get_variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "rows", required_argument, NULL, 'r' },
		{ "sizes", required_argument, NULL, 'n' },
		{ "systems", required_argument, NULL, 's' },
		{ 0 },
	};
	const char *rows = get_variable("BENCH_ROWS"), *systems = get_variable("BENCH_SYSTEMS");
	const char *sizes = get_variable("BENCH_SIZES");
	struct options options = { 4, { 100, 1000, 10000, 100000 } };
	int option;

	machine_fix_layout(argv);
	while ((option = getopt_long(argc, argv, "hn:r:s:", known, NULL)) != -1) {
		if (option == 'n')
			sizes = optarg;
		else if (option == 'r')
			rows = optarg;
		else if (option == 's')
			systems = optarg;
		else
			return print_usage(option == 'h' ? stdout : stderr, option == 'h' ? 0 : 2);
	}
	if (*sizes && !parse_sizes(sizes, &options)) {
		fprintf(stderr, "bench_program: %s: expected up to 8 numbers from 1 to %lu\n",
			sizes, MAX_SIZE);
		return 2;
	}
	result_choose(rows, systems);
	return run_groups(argv + optind, argc - optind, &options);
}
