// SPDX-License-Identifier: GPL-2.0
/*
 * tmm bench: measure the time of the calls.
 *
 * A measurement is a function that runs an operation @nr times. The first runs warm up, and
 * find the @nr for which a round takes ROUND_NS. Then the rounds run, and tmm shows their
 * median. Then, if the operation is a single call, tmm times it alone, for the 99.9th percentile and
 * the slowest one.
 */
#include "bench.h"
#include "command.h"
#include "json.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROUND_NS	5000000ULL
#define MAX_REPEAT	1000000U
#define MAX_ROUNDS	1000
/* single operations to time, and the most nanoseconds for that, for each round */
#define MAX_SAMPLES	10000U
#define SAMPLES_NS	(5 * ROUND_NS)
#define MIB		(1ULL << 20)

/**
 * struct result - the result of a measurement; times are nanoseconds for one object
 * @error: errno if the operation failed, else 0
 * @repeat: operations in a round
 * @median: median of the rounds
 * @min: fastest round
 * @max: slowest round
 * @nr_samples: single operations that were timed; 0 if the operation cannot run alone
 * @p999: 99.9th percentile of these; the slowest one if they are fewer than 1000
 * @worst: slowest of these
 */
struct result {
	int error;
	unsigned int repeat;
	double median;
	double min;
	double max;
	unsigned int nr_samples;
	double p999;
	double worst;
};

/**
 * struct options - the command's options
 * @size: bytes that a measurement of throughput moves
 * @rounds: rounds of each measurement
 * @is_json: --json
 */
struct options {
	__u64 size;
	__u64 rounds;
	bool is_json;
};

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return one < other ? -1 : one > other;
}

/* Run an operation @nr times. Return the nanoseconds, or 0 if the operation failed. */
static __u64 time_piece(struct bench *bench, const struct measurement *what, unsigned int nr)
{
	__u64 started, passed;

	if (what->prepare && what->prepare(bench, nr))
		return 0;
	started = now_in_nanoseconds();
	if (what->run(bench, nr))
		return 0;
	passed = now_in_nanoseconds() - started;
	if (what->finish && what->finish(bench, nr))
		return 0;
	return passed ? passed : 1;
}

/* Run an operation @repeat times. Return the nanoseconds, or 0 if the operation failed. */
static __u64 time_of(struct bench *bench, const struct measurement *what, unsigned int repeat)
{
	__u64 sum = 0, passed;
	unsigned int nr;

	for (; repeat; repeat -= nr) {
		nr = what->at_once && what->at_once < repeat ? what->at_once : repeat;
		passed = time_piece(bench, what, nr);
		if (!passed)
			return 0;
		sum += passed;
	}
	return sum;
}

/* Time single operations. Return false, with errno set, if one failed. */
static bool measure_singly(struct bench *bench, const struct measurement *what,
			   const struct options *options, struct result *result)
{
	static double times[MAX_SAMPLES];
	__u64 end = now_in_nanoseconds() + options->rounds * SAMPLES_NS, passed;
	unsigned int nr = 0;

	do {
		passed = time_of(bench, what, 1);
		if (!passed)
			return false;
		times[nr++] = (double)passed / what->per;
	} while (nr < MAX_SAMPLES && now_in_nanoseconds() < end);
	qsort(times, nr, sizeof(times[0]), compare);
	result->nr_samples = nr;
	result->p999 = times[nr - 1 - nr / 1000];
	result->worst = times[nr - 1];
	return true;
}

/* Time the rounds. Return false, with errno set, if an operation failed. */
static bool measure_rounds(struct bench *bench, const struct measurement *what,
			   const struct options *options, struct result *result)
{
	double times[MAX_ROUNDS];
	__u64 passed, i;

	for (;;) {
		passed = time_of(bench, what, result->repeat);
		if (!passed || passed >= ROUND_NS || result->repeat >= MAX_REPEAT)
			break;
		result->repeat *= 2;
	}
	for (i = 0; passed && i < options->rounds; i++) {
		passed = time_of(bench, what, result->repeat);
		times[i] = (double)passed / result->repeat / what->per;
	}
	if (!passed)
		return false;
	qsort(times, options->rounds, sizeof(times[0]), compare);
	result->median = times[options->rounds / 2];
	result->min = times[0];
	result->max = times[options->rounds - 1];
	return true;
}

static struct result measure(struct bench *bench, const struct measurement *what,
			     const struct options *options)
{
	struct result result = { .repeat = 1 };

	if (!measure_rounds(bench, what, options, &result) ||
	    (what->is_call && !measure_singly(bench, what, options, &result)))
		result.error = errno;
	return result;
}

/* --- output -------------------------------------------------------------------------- */

static const char *time_text(char buffer[TEXT_SIZE], double nanoseconds)
{
	if (nanoseconds < 10000)
		snprintf(buffer, TEXT_SIZE, "%.0f ns", nanoseconds);
	else if (nanoseconds < 10000000)
		snprintf(buffer, TEXT_SIZE, "%.1f us", nanoseconds / 1e3);
	else
		snprintf(buffer, TEXT_SIZE, "%.1f ms", nanoseconds / 1e6);
	return buffer;
}

static void print_result(const struct measurement *what, const struct result *result,
			 const struct options *options)
{
	char texts[5][TEXT_SIZE], speed[TEXT_SIZE] = "", error[TEXT_ERROR];

	if (result->error == ENOTTY) {
		printf("%-38s  the module lacks this call\n", what->words);
		return;
	}
	if (result->error) {
		printf("%-38s  %s\n", what->words, error_text(error, result->error));
		return;
	}
	if (what->is_throughput) {
		size_text(speed, options->size / (result->median / 1e9));
		strcat(speed, "/s");
	}
	printf("%-38s %9s %9s %9s %9s %9s %13s\n", what->words,
	       time_text(texts[0], result->median), time_text(texts[1], result->min),
	       time_text(texts[2], result->max),
	       result->nr_samples ? time_text(texts[3], result->p999) : "-",
	       result->nr_samples ? time_text(texts[4], result->worst) : "-", speed);
	fflush(stdout);
}

static void json_result(struct json *json, const struct measurement *what,
			const struct result *result, const struct options *options)
{
	json_open_object(json, NULL);
	json_text(json, "name", what->key);
	json_text(json, "what", what->words + strspn(what->words, " "));
	if (result->error) {
		json_text(json, "error", strerrorname_np(result->error));
	} else {
		json_number(json, "repeat", result->repeat);
		json_fraction(json, "median_ns", result->median, 1);
		json_fraction(json, "min_ns", result->min, 1);
		json_fraction(json, "max_ns", result->max, 1);
	}
	if (!result->error && result->nr_samples) {
		json_number(json, "samples", result->nr_samples);
		json_fraction(json, "p999_ns", result->p999, 1);
		json_fraction(json, "worst_ns", result->worst, 1);
	}
	if (!result->error && what->is_throughput)
		json_fraction(json, "bytes_per_second", options->size / (result->median / 1e9), 0);
	json_close_object(json);
}

static void print_head(const struct options *options)
{
	char size[TEXT_SIZE];
	struct utsname name;

	uname(&name);
	printf("Kernel %s, %ld CPUs; %llu rounds of at least %llu ms, after one to warm up;\n"
	       "throughput is measured with %s.\n\n", name.release, sysconf(_SC_NPROCESSORS_ONLN),
	       (unsigned long long)options->rounds, ROUND_NS / 1000000,
	       size_text(size, options->size));
	printf("%-38s %9s %9s %9s %9s %9s %13s\n", "", "MEDIAN", "MIN", "MAX", "P99.9", "WORST",
	       "THROUGHPUT");
}

static struct json begin_json(const struct options *options)
{
	struct json json = json_begin(stdout, false);
	struct utsname name;

	uname(&name);
	json_text(&json, "kernel", name.release);
	json_number(&json, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_number(&json, "rounds", options->rounds);
	json_number(&json, "bytes", options->size);
	json_open_array(&json, "results");
	return json;
}

/* Measure one thing, and print the result. Return true unless the measurement failed. */
static bool measure_and_print(struct bench *bench, const struct measurement *what,
			      const struct options *options, struct json *json)
{
	struct result result = measure(bench, what, options);

	if (options->is_json)
		json_result(json, what, &result, options);
	else
		print_result(what, &result, options);
	return !result.error || result.error == ENOTTY;
}

static int measure_all(struct bench *bench, const struct options *options)
{
	struct json json;
	bool good = true;
	size_t i;

	if (options->is_json)
		json = begin_json(options);
	else
		print_head(options);
	for (i = 0; i < nr_measurements; i++)
		good &= measure_and_print(bench, &measurements[i], options, &json);
	if (!options->is_json)
		printf("single calls:\n");
	for (i = 0; i < nr_single_calls; i++)
		good &= measure_and_print(bench, &single_calls[i], options, &json);
	if (options->is_json) {
		json_close_array(&json);
		json_end(&json);
	}
	return good ? TMM_OK : TMM_FAILED;
}

static int run_bench(const struct options *options)
{
	struct bench bench = { .client = open_device(), .size = options->size };
	char size[TEXT_SIZE];
	int status = TMM_FAILED;

	if (!bench.client)
		return TMM_FAILED;
	bench.buffer = malloc(bench.size);
	if (!bench.buffer) {
		failed(ENOMEM, "allocate a buffer of %s", size_text(size, bench.size));
		goto close_client;
	}
	bench.large = tmm_mapping_create(bench.client, bench.size, TMM_DATA, NULL);
	if (!bench.large) {
		failed(errno, "mapping of %s", size_text(size, bench.size));
		goto free_buffer;
	}
	memset(bench.buffer, 0x5a, bench.size);
	status = measure_all(&bench, options);
	tmm_mapping_drop(&bench.large);
free_buffer:
	free(bench.buffer);
close_client:
	tmm_client_close(&bench.client);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "size", required_argument, NULL, 's' },
		{ 0 },
	};
	struct options options = { .size = 16 * MIB, .rounds = 9 };
	int option;

	while ((option = getopt_long(argc, argv, "jr:s:", known, NULL)) != -1) {
		if (option == 'j') {
			options.is_json = true;
		} else if (option == 'r') {
			if (!parse_size(optarg, &options.rounds) || !options.rounds ||
			    options.rounds > MAX_ROUNDS) {
				fprintf(stderr, "tmm: bench: %s: expected 1 to 1000 rounds\n",
					optarg);
				return TMM_USAGE;
			}
		} else if (option == 's') {
			if (!parse_size(optarg, &options.size) ||
			    options.size < 2 * TMM_PAGE_SIZE || options.size % TMM_PAGE_SIZE) {
				fprintf(stderr, "tmm: bench: %s: expected a multiple of 4 KiB, at "
					"least 8 KiB\n", optarg);
				return TMM_USAGE;
			}
		} else {
			return usage(&bench_command);
		}
	}
	if (optind != argc)
		return usage(&bench_command);
	return run_bench(&options);
}

const struct command bench_command = {
	.name = "bench",
	.arguments = "[OPTION]...",
	.summary = "measure the time of the calls",
	.help = "A round repeats one operation for at least 5 ms. After a round to warm up, tmm runs\n"
		"several rounds, and prints the median, the fastest and the slowest round as the\n"
		"time of one operation. Then tmm times up to 10,000 single calls one by one, and\n"
		"prints their 99.9th percentile and the slowest of them. With fewer than 1,000, both\n"
		"are the slowest. An operation of several calls has no such columns; its calls have\n"
		"rows of their own.\n\n"
		"  -r, --rounds NUMBER  number of rounds, 9 by default\n"
		"  -s, --size SIZE      bytes to move for throughput, 16M by default\n"
		"  -j, --json           print JSON; times are nanoseconds\n",
	.run = run,
};
