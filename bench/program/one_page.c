// SPDX-License-Identifier: GPL-2.0
/*
 * One leaf in a process: mmap() of existing memory, the first touch, and munmap(), together and
 * each alone. For 4 KiB, beside a driver that does nothing else; for 2 MiB and 1 GiB, beside huge
 * pages.
 */
#include "area.h"
#include "clock.h"
#include "groups.h"
#include "result.h"
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define NR_CYCLES	4000UL
/* as many as one can wait for, while the module needs 512 small entries for 2 MiB */
#define NR_LARGE_CYCLES	400UL
#define ROW_SIZE	48

/**
 * struct leaf - a leaf to measure
 * @source: the memory
 * @nr_bytes: size of the leaf
 * @nr_cycles: how often the leaf is mmapped
 */
struct leaf {
	const struct area_source *source;
	unsigned long nr_bytes;
	unsigned long nr_cycles;
};

static const char * const part_names[] = { "mmap", "touch", "munmap" };

static const char *whole_row(char row[ROW_SIZE], const char *size)
{
	snprintf(row, ROW_SIZE, "program-map-touch-unmap-%s", size);
	return row;
}

static const char *part_row(char row[ROW_SIZE], const char *size, unsigned int part)
{
	snprintf(row, ROW_SIZE, "program-%s-%s", part_names[part], size);
	return row;
}

static bool is_wanted(const char *size, const char *system)
{
	char row[ROW_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part_names); i++)
		if (result_is_wanted(part_row(row, size, i), system))
			return true;
	return result_is_wanted(whole_row(row, size), system);
}

static int cycle_leaf(void *state, unsigned long i)
{
	const struct leaf *leaf = state;
	char *area = area_map(leaf->source, leaf->nr_bytes, 0);

	(void)i;
	if (!area)
		return -1;
	*(volatile char *)area = 1;
	return munmap(area, leaf->nr_bytes);
}

/* Time the three parts of a cycle. Return 0, or -1 with errno set. */
static int sample_parts(const struct leaf *leaf, struct samples parts[3])
{
	uint64_t begun, mapped, touched, unmapped;
	unsigned long i;
	char *area;

	for (i = 0; i < 3; i++)
		samples_begin(&parts[i], leaf->nr_cycles);
	for (i = 0; i < leaf->nr_cycles; i++) {
		begun = clock_now();
		area = area_map(leaf->source, leaf->nr_bytes, 0);
		mapped = clock_now();
		if (!area)
			return -1;
		*(volatile char *)area = 1;
		touched = clock_now();
		if (munmap(area, leaf->nr_bytes))
			return -1;
		unmapped = clock_now();
		samples_add(&parts[0], mapped - begun);
		samples_add(&parts[1], touched - mapped);
		samples_add(&parts[2], unmapped - touched);
	}
	return 0;
}

static int measure_leaf(const struct area_source *source, const char *size,
			unsigned long nr_bytes)
{
	unsigned long nr_cycles = nr_bytes > PAGE_BYTES ? NR_LARGE_CYCLES : NR_CYCLES;
	struct leaf leaf = { source, nr_bytes, nr_cycles };
	char row[ROW_SIZE];
	const struct step step = { whole_row(row, size), source->system, cycle_leaf };
	const struct series series = { &step, 1, nr_cycles, 1, 1 };
	struct samples parts[3];
	unsigned int i;

	if (series_measure(&series, &leaf))
		return -1;
	if (sample_parts(&leaf, parts))
		return result_failed(row, "%s: %s", source->system, strerrorname_np(errno));
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		result_cost(part_row(row, size, i), source->system, 1, samples_mean(&parts[i]),
			    &parts[i]);
	return 0;
}

static int measure_ours(const char *size, unsigned long nr_bytes)
{
	struct area_source source;
	char row[ROW_SIZE];
	int err;

	if (!is_wanted(size, "ours"))
		return 0;
	whole_row(row, size);
	if (area_open_ours(&source, nr_bytes)) {
		if (errno != ENOSPC)
			return result_failed(row, "%s: %s", source.system, strerrorname_np(errno));
		result_skipped(row, source.system, "ENOSPC: the region has no such run of frames");
		return 0;
	}
	err = measure_leaf(&source, size, nr_bytes);
	area_close(&source);
	return err;
}

static int measure_empty(void)
{
	struct area_source source;
	int err;

	if (!is_wanted("4k", "empty-driver"))
		return 0;
	if (area_open_empty(&source)) {
		result_skipped("program-map-touch-unmap-4k", source.system,
			       "%s: is theseus_mm_bench.ko loaded?", strerrorname_np(errno));
		return 0;
	}
	err = measure_leaf(&source, "4k", PAGE_BYTES);
	area_close(&source);
	return err;
}

static int measure_hugetlb(const char *size, unsigned long nr_bytes)
{
	struct area_source source;
	char row[ROW_SIZE];
	int err;

	if (!is_wanted(size, "hugetlb"))
		return 0;
	whole_row(row, size);
	if (area_open_hugetlb(&source, nr_bytes, nr_bytes))
		return area_report_hugetlb(row, source.system);
	err = measure_leaf(&source, size, nr_bytes);
	area_close(&source);
	return err;
}

/**
 * one_page_measure() - measure an area of one leaf
 * @options: not used
 *
 * Return: 0, or -1 after a failure
 */
int one_page_measure(const struct options *options)
{
	(void)options;
	return measure_ours("4k", PAGE_BYTES) || measure_empty() ||
	       measure_ours("2m", 2 * MIB) || measure_hugetlb("2m", 2 * MIB) ||
	       measure_ours("1g", GIB) || measure_hugetlb("1g", GIB) ? -1 : 0;
}
