// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in a process: mmap() and the first touch of each page of 128 MiB, munmap(), and the same
 * with MAP_POPULATE. Costs are those of a page of 4 KiB.
 */
#include "area.h"
#include "clock.h"
#include "groups.h"
#include "result.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define AREA_BYTES	(128 * MIB)
#define NR_PAGES	(AREA_BYTES / PAGE_BYTES)

#define TOUCH		"program-map-touch-128m"
#define POPULATE	"program-populate-128m"
#define UNMAP		"program-munmap-128m"

static int report_error(const char *row, const struct area_source *source)
{
	return result_failed(row, "%s: %s", source->system, strerrorname_np(errno));
}

static bool is_wanted(const char *system)
{
	return result_is_wanted(TOUCH, system) || result_is_wanted(UNMAP, system) ||
	       result_is_wanted(POPULATE, system);
}

/* mmap and touch the area, and munmap it. Return 0, or -1 with errno set. */
static int cycle_area(const struct area_source *source, int flags, uint64_t *touch,
		      uint64_t *unmap)
{
	uint64_t begun = clock_now();
	char *area = area_map(source, AREA_BYTES, flags);

	if (!area)
		return -1;
	area_touch(area, AREA_BYTES);
	*touch = clock_now() - begun;
	begun = clock_now();
	if (munmap(area, AREA_BYTES))
		return -1;
	*unmap = clock_now() - begun;
	*unmap += clock_settle();
	return 0;
}

/* Time the touch of each page, and munmap(). */
static int sample_area(const struct area_source *source, struct samples *touches,
		       struct samples *unmaps)
{
	char *area = area_map(source, AREA_BYTES, 0);
	unsigned long i;
	uint64_t begun;

	if (!area)
		return -1;
	samples_begin(touches, NR_PAGES);
	for (i = 0; i < NR_PAGES; i++) {
		begun = clock_now();
		((volatile char *)area)[i * PAGE_BYTES] = 1;
		samples_add(touches, clock_now() - begun);
	}
	samples_begin(unmaps, 1);
	begun = clock_now();
	if (munmap(area, AREA_BYTES))
		return -1;
	samples_add(unmaps, (clock_now() - begun) / NR_PAGES);
	return 0;
}

static int measure_touch(const struct area_source *source)
{
	struct samples touches, unmaps;
	uint64_t touch, unmap;

	if (!result_is_wanted(TOUCH, source->system) && !result_is_wanted(UNMAP, source->system))
		return 0;
	/* the first round warms up */
	if (cycle_area(source, 0, &touch, &unmap) || cycle_area(source, 0, &touch, &unmap) ||
	    sample_area(source, &touches, &unmaps))
		return report_error(TOUCH, source);
	result_cost(TOUCH, source->system, NR_PAGES, (double)touch / NR_PAGES, &touches);
	result_cost(UNMAP, source->system, NR_PAGES, (double)unmap / NR_PAGES, &unmaps);
	return 0;
}

static int measure_populate(const struct area_source *source)
{
	struct samples touches;
	uint64_t touch, unmap;

	if (!result_is_wanted(POPULATE, source->system))
		return 0;
	if (cycle_area(source, MAP_POPULATE, &touch, &unmap) ||
	    cycle_area(source, MAP_POPULATE, &touch, &unmap))
		return report_error(POPULATE, source);
	/* one call maps all pages, so there is one sample */
	samples_begin(&touches, 1);
	samples_add(&touches, touch / NR_PAGES);
	result_cost(POPULATE, source->system, NR_PAGES, (double)touch / NR_PAGES, &touches);
	return 0;
}

static int measure_ours(void)
{
	struct area_source source;
	int err;

	if (!is_wanted("ours"))
		return 0;
	if (area_open_ours(&source, AREA_BYTES))
		return report_error(TOUCH, &source);
	err = measure_touch(&source) || measure_populate(&source) ? -1 : 0;
	area_close(&source);
	return err;
}

/* The driver inserts one entry a fault, and so shows what Linux takes to remove such entries. */
static int measure_empty(void)
{
	struct area_source source;
	int err;

	if (!is_wanted("empty-driver"))
		return 0;
	if (area_open_empty(&source)) {
		result_skipped(UNMAP, source.system, "%s: is theseus_mm_bench.ko loaded?",
			       strerrorname_np(errno));
		return 0;
	}
	err = measure_touch(&source);
	area_close(&source);
	return err;
}

static int measure_hugetlb(void)
{
	struct area_source source;
	int err;

	if (!is_wanted("hugetlb"))
		return 0;
	if (area_open_hugetlb(&source, AREA_BYTES, 2 * MIB))
		return area_report_hugetlb(TOUCH, source.system);
	err = measure_touch(&source) || measure_populate(&source) ? -1 : 0;
	area_close(&source);
	return err;
}

static int measure_anonymous(int advice)
{
	struct area_source source;

	area_open_anonymous(&source, advice);
	if (measure_touch(&source))
		return -1;
	/* MAP_POPULATE comes before madvise(), and so takes no huge pages */
	return advice == MADV_HUGEPAGE ? 0 : measure_populate(&source);
}

/**
 * areas_measure() - measure the memory of a process
 * @options: not used
 *
 * Return: 0, or -1 after a failure
 */
int areas_measure(const struct options *options)
{
	(void)options;
	return measure_ours() || measure_empty() || measure_hugetlb() ||
	       measure_anonymous(MADV_HUGEPAGE) || measure_anonymous(MADV_NOHUGEPAGE) ? -1 : 0;
}
