// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's memory for mappings of one page of a program, handles included: what /proc/meminfo counts
 * for the kernel, before and after.
 */
#include "clock.h"
#include "device.h"
#include "groups.h"
#include "machine.h"
#include "result.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW		"program-memory-4k"
#define NR_ROUNDS	3
#define MEMINFO		"/proc/meminfo"

/* Let the slab caches give back the pages that no object uses. */
static void shrink_caches(void)
{
	glob_t found;
	size_t i;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		machine_write(found.gl_pathv[i], "1");
	globfree(&found);
}

/*
 * Read the bytes that the kernel uses. Free memory would be no measure: each CPU keeps some
 * megabytes of free pages for itself, which are not counted as free.
 */
static bool read_usage(long *usage)
{
	static const char * const names[] = { "Slab:", "PageTables:", "VmallocUsed:", "Percpu:" };
	unsigned long kilobytes;
	unsigned int i;

	*usage = 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!machine_read_number(MEMINFO, names[i], &kilobytes))
			return false;
		*usage += kilobytes * KIB;
	}
	return true;
}

static int create_all(int fd, uint32_t *handles, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (device_create(fd, PAGE_BYTES, &handles[i]))
			return result_failed(ROW, "mapping %lu: %s", i, strerrorname_np(errno));
	return 0;
}

/*
 * Each round has a client of its own, and begins with caches that have no free pages. @per is set
 * to the bytes of a mapping.
 */
static int run_round(uint32_t *handles, unsigned long nr, double *per)
{
	long before, after;
	int fd = device_open(), err;

	if (fd < 0)
		return result_failed(ROW, "/dev/theseus_mm: %s", strerrorname_np(errno));
	clock_settle();
	shrink_caches();
	err = read_usage(&before) ? 0 : result_failed(ROW, MEMINFO " lacks a line");
	if (!err)
		err = create_all(fd, handles, nr);
	clock_settle();
	if (!err && !read_usage(&after))
		err = result_failed(ROW, MEMINFO " lacks a line");
	if (!err)
		*per = (double)(after - before) / nr;
	close(fd);
	clock_settle();
	return err;
}

static int measure_number(unsigned long nr)
{
	double per = 0, sum = 0, highest = 0;
	uint32_t *handles = malloc(nr * sizeof(*handles));
	unsigned int i;
	int err = 0;

	if (!handles)
		return result_failed(ROW, "no memory");
	/* the array's own pages must not come in between */
	memset(handles, 0, nr * sizeof(*handles));
	for (i = 0; i < NR_ROUNDS && !err; i++) {
		err = run_round(handles, nr, &per);
		sum += per;
		highest = per > highest ? per : highest;
	}
	if (!err)
		result_value(ROW, "ours", nr, "bytes", NR_ROUNDS, sum / NR_ROUNDS, highest,
			     highest);
	free(handles);
	return err;
}

/**
 * memory_measure() - measure Linux's memory for mappings of one page
 * @options: the numbers of mappings; numbers below 10,000 are left out, since Linux counts pages
 *
 * Return: 0, or -1 after a failure
 */
int memory_measure(const struct options *options)
{
	unsigned int i;
	int err = 0;

	if (!result_is_wanted(ROW, "ours"))
		return 0;
	for (i = 0; !err && i < options->nr_sizes; i++)
		if (options->sizes[i] >= 10000)
			err = measure_number(options->sizes[i]);
	return err;
}
