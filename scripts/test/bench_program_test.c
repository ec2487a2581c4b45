// SPDX-License-Identifier: GPL-2.0
/*
 * Tests the samples and the lines of bench/program/result.c, without a device, and what
 * bench/program/clock.c takes for the kernel's work. The clock is not calibrated, so that reading the clock costs nothing.
 */
#include "area.h"
#include "clock.h"
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int failed;

static void expect_value(const char *what, unsigned long nr, double wanted, double found)
{
	if (found == wanted)
		return;
	fprintf(stderr, "%s of %lu samples: %.1f instead of %.1f\n", what, nr, found, wanted);
	failed = 1;
}

/* Add the numbers from 1 to @nr in an order that jumps, where @step and @nr have no divisor. */
static void test_samples(unsigned long nr, unsigned long step, unsigned long wanted)
{
	struct samples samples;
	unsigned long i;

	samples_begin(&samples, nr);
	for (i = 0; i < nr; i++)
		samples_add(&samples, i * step % nr + 1);
	expect_value("mean", nr, (nr + 1) / 2.0, samples_mean(&samples));
	expect_value("percentile", nr, wanted, samples_p999(&samples));
	expect_value("maximum", nr, nr, samples_max(&samples));
}

static void test_equal_samples(void)
{
	struct samples samples;
	unsigned long i;

	samples_begin(&samples, 2000);
	for (i = 0; i < 2000; i++)
		samples_add(&samples, i == 1000 ? 9 : 7);
	expect_value("percentile with an outlier", 2000, 7, samples_p999(&samples));
	expect_value("maximum with an outlier", 2000, 9, samples_max(&samples));
}

static void expect_work(const char *what, uint64_t wanted, uint64_t found)
{
	if (found == wanted)
		return;
	fprintf(stderr, "%s: work of %lu instead of %lu\n", what, (unsigned long)found,
		(unsigned long)wanted);
	failed = 1;
}

/* A tick costs 10,000, and comes every 4,000,000. */
static void test_work(void)
{
	clock_set_tick(10000, 4000000);
	expect_work("a tick", 0, clock_work(10000, 1, 0, 4000000));
	expect_work("a longer tick", 0, clock_work(12000, 1, 2000, 4000000));
	expect_work("no tick", 0, clock_work(0, 0, 0, 4000000));
	expect_work("work in a tick", 50000, clock_work(60000, 1, 50000, 4000000));
	expect_work("work beside a tick", 9000, clock_work(19000, 3, 0, 4000000));
	expect_work("work through four ticks", 12000000,
		    clock_work(12040000, 1, 12030000, 16000000));
	clock_set_tick(0, 0);
	expect_work("work without ticks", 5000, clock_work(5000, 1, 5000, 4000000));
}

static int report_hugetlb(int error)
{
	errno = error;
	return area_report_hugetlb("row-a", "hugetlb");
}

static void print_lines(void)
{
	struct samples samples;

	samples_begin(&samples, 1);
	samples_add(&samples, 12);
	result_cost("row-a", "ours", 100, 12.25, &samples);
	result_value("row-a", "linux", 1, "bytes", 3, 5.5, 6, 7);
	result_value("row-b", "ours", 1, "bytes", 3, 5.5, 6, 7);
	result_skipped("row-a", "ours", "no room for %d", 5);
	result_skipped("row-b", "ours", "nobody asked");
	result_note("a note");
}

/* Too few huge pages are no failure, and any other error is one. */
static int print_errors(void)
{
	return report_hugetlb(ENOENT) || result_any_failed() || !report_hugetlb(EMFILE) ||
	       !result_any_failed();
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		result_choose(argv[1], argv[2]);
		print_lines();
		return result_any_failed();
	}
	if (argc == 2 && !strcmp(argv[1], "errors"))
		return print_errors();
	if (argc == 2)
		return result_failed("row-a", "%s", argv[1]) == -1 && result_any_failed();
	/* floor(n / 1000) samples are above the percentile */
	test_samples(1, 1, 1);
	test_samples(999, 500, 999);
	test_samples(1000, 333, 999);
	test_samples(1001, 500, 1000);
	test_samples(100000, 33333, 99900);
	test_equal_samples();
	test_work();
	return failed;
}
