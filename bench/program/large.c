// SPDX-License-Identifier: GPL-2.0
/*
 * Large memory, made and dropped by a program: CREATE, REMAP, UNMAP_INTO_PARTS and DROP, beside
 * mmap() with the first touch, mprotect() and munmap() of huge pages. Both clear the memory, unless
 * it is clean already: before each CREATE the program waits until the module has cleared all free
 * memory ahead. The module clears ahead during these measurements only.
 * The system "hugetlb-clean" uses huge pages of a file, which exist and are clean.
 */
#include "area.h"
#include "clean.h"
#include "clock.h"
#include "device.h"
#include "groups.h"
#include "machine.h"
#include "result.h"

#include <errno.h>
#include <linux/mman.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_FRAMES	1024
#define ROW_SIZE	32

#define READ_ONLY	(THESEUS_MM_PTE_ACCESSED | THESEUS_MM_PTE_NOT_EXECUTABLE)

/**
 * struct large - a size to measure
 * @name: the end of the names of its rows
 * @nr_bytes: the size
 * @page_bytes: size of the huge pages
 * @nr_rounds: number of rounds, each with one object of this size
 */
struct large {
	const char *name;
	unsigned long nr_bytes;
	unsigned long page_bytes;
	unsigned int nr_rounds;
};

static const struct large larges[] = {
	{ "2m", 2 * MIB, 2 * MIB, 50 },
	{ "128m", 128 * MIB, 2 * MIB, 4 },
	{ "1g", GIB, GIB, 2 },
};

enum { CREATE, REMAP, UNMAP, DROP, CREATE_DROP, NR_CALLS };

static const char * const call_names[] = { "create", "remap", "unmap", "drop", "create-drop" };

static void print_costs(const struct large *large, const char *system,
			const struct samples costs[NR_CALLS], uint64_t deferred)
{
	char row[ROW_SIZE];
	double mean;
	int call;

	for (call = 0; call < NR_CALLS; call++) {
		if (!costs[call].nr)
			continue;
		mean = samples_mean(&costs[call]);
		if (call == DROP || call == CREATE_DROP)
			mean += (double)deferred / costs[call].nr;
		snprintf(row, sizeof(row), "program-%s-%s", call_names[call], large->name);
		result_cost(row, system, 1, mean, &costs[call]);
	}
}

static bool is_wanted(const struct large *large, const char *system)
{
	char row[ROW_SIZE];
	int call;

	for (call = 0; call < NR_CALLS; call++) {
		snprintf(row, sizeof(row), "program-%s-%s", call_names[call], large->name);
		if (result_is_wanted(row, system))
			return true;
	}
	return false;
}

static const char *create_row(char row[ROW_SIZE], const struct large *large)
{
	snprintf(row, ROW_SIZE, "program-create-%s", large->name);
	return row;
}

static int report_error(const struct large *large, const char *system)
{
	char row[ROW_SIZE];

	return result_failed(create_row(row, large), "%s: %s", system, strerrorname_np(errno));
}

static void add_create_drop(struct samples costs[NR_CALLS], uint64_t create, uint64_t drop)
{
	samples_add(&costs[CREATE], create);
	samples_add(&costs[DROP], drop);
	samples_add(&costs[CREATE_DROP], create + drop);
}

static int create_when_clean(int fd, const struct large *large, uint32_t *handle, uint64_t *cost)
{
	uint64_t begun;

	if (clean_await())
		return -1;
	begun = clock_now();
	if (device_create(fd, large->nr_bytes, handle))
		return -1;
	*cost = clock_now() - begun;
	return 0;
}

/* Make a mapping, remap and drop it. Return 0, or -1 with errno set. */
static int cycle_drop(int fd, const struct large *large, struct samples costs[NR_CALLS])
{
	uint64_t begun, create, drop;
	uint32_t handle;

	if (create_when_clean(fd, large, &handle, &create))
		return -1;
	begun = clock_now();
	if (device_remap(fd, handle, READ_ONLY))
		return -1;
	samples_add(&costs[REMAP], clock_now() - begun);
	begun = clock_now();
	if (device_drop(fd, handle))
		return -1;
	drop = clock_now() - begun;
	add_create_drop(costs, create, drop);
	return 0;
}

/* Make a mapping, unmap it, and drop its pages and frames. Return 0, or -1 with errno set. */
static int cycle_unmap(int fd, const struct large *large, struct samples costs[NR_CALLS])
{
	uint32_t handle, pages, frames[MAX_FRAMES], nr_frames = MAX_FRAMES;
	uint64_t begun, create;

	if (create_when_clean(fd, large, &handle, &create))
		return -1;
	begun = clock_now();
	if (device_unmap(fd, handle, frames, &nr_frames, &pages))
		return -1;
	samples_add(&costs[UNMAP], clock_now() - begun);
	while (nr_frames--)
		if (device_drop(fd, frames[nr_frames]))
			return -1;
	return device_drop(fd, pages);
}

static void begin_costs(const struct large *large, struct samples costs[NR_CALLS])
{
	int call;

	for (call = 0; call < NR_CALLS; call++)
		samples_begin(&costs[call], large->nr_rounds);
}

static int measure_ours(const struct large *large)
{
	struct samples costs[NR_CALLS], ignored[NR_CALLS];
	int fd = device_open(), err = -1;
	unsigned int i;

	begin_costs(large, ignored);
	begin_costs(large, costs);
	if (fd < 0 || clean_switch(true) || cycle_drop(fd, large, ignored))
		goto close_client;
	clock_settle();
	for (i = 0; i < large->nr_rounds; i++)
		if (cycle_drop(fd, large, costs))
			goto close_client;
	/* The thread is off, so the deferred work that is measured next is that of the calls only. */
	if (clean_switch(false))
		goto close_client;
	print_costs(large, "ours", costs, clock_settle());
	begin_costs(large, costs);
	if (clean_switch(true))
		goto close_client;
	for (i = 0; i < large->nr_rounds; i++)
		if (cycle_unmap(fd, large, costs))
			goto close_client;
	print_costs(large, "ours", costs, 0);
	err = 0;
close_client:
	if (err)
		report_error(large, "ours");
	clean_switch(false);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Make an area of huge pages, protect it, and munmap it. Return 0, or -1 with errno set. */
static int cycle_huge(const struct area_source *source, const struct large *large,
		      struct samples costs[NR_CALLS])
{
	uint64_t begun = clock_now(), create, drop;
	unsigned long offset;
	char *area;

	area = area_map(source, large->nr_bytes, 0);
	if (!area)
		return -1;
	for (offset = 0; offset < large->nr_bytes; offset += large->page_bytes)
		*(volatile char *)(area + offset) = 1;
	create = clock_now() - begun;
	begun = clock_now();
	if (mprotect(area, large->nr_bytes, PROT_READ))
		return -1;
	samples_add(&costs[REMAP], clock_now() - begun);
	begun = clock_now();
	if (munmap(area, large->nr_bytes))
		return -1;
	drop = clock_now() - begun;
	add_create_drop(costs, create, drop);
	return 0;
}

static int measure_huge(const struct area_source *source, const struct large *large)
{
	struct samples costs[NR_CALLS];
	unsigned int i;

	begin_costs(large, costs);
	if (cycle_huge(source, large, costs))
		return report_error(large, source->system);
	clock_settle();
	begin_costs(large, costs);
	for (i = 0; i < large->nr_rounds; i++)
		if (cycle_huge(source, large, costs))
			return report_error(large, source->system);
	print_costs(large, source->system, costs, clock_settle());
	return 0;
}

/* Anonymous huge pages are made and cleared at the first touch, and freed by munmap(). */
static int measure_fresh_huge(const struct large *large)
{
	int size = large->page_bytes == GIB ? MAP_HUGE_1GB : MAP_HUGE_2MB;
	const struct area_source source = {
		.system = "hugetlb",
		.fd = -1, .advice = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size,
	};

	char row[ROW_SIZE];

	if (!is_wanted(large, source.system))
		return 0;
	if (machine_reserve_huge(large->page_bytes, large->nr_bytes / large->page_bytes))
		return measure_huge(&source, large);
	result_skipped(create_row(row, large), source.system, "Linux has too few huge pages");
	return 0;
}

static int measure_clean_huge(const struct large *large)
{
	const char *system = "hugetlb-clean";
	struct area_source source;
	char row[ROW_SIZE];
	int err;

	if (!is_wanted(large, system))
		return 0;
	if (area_open_hugetlb(&source, large->nr_bytes, large->page_bytes))
		return area_report_hugetlb(create_row(row, large), system);
	source.system = system;
	err = measure_huge(&source, large);
	area_close(&source);
	return err;
}

/**
 * large_measure() - measure the making and dropping of large memory
 * @options: not used
 *
 * Return: 0, or -1 after a failure
 */
int large_measure(const struct options *options)
{
	unsigned int i;
	int err = 0;

	(void)options;
	for (i = 0; i < ARRAY_SIZE(larges); i++) {
		if (is_wanted(&larges[i], "ours"))
			err |= measure_ours(&larges[i]);
		err |= measure_fresh_huge(&larges[i]);
		err |= measure_clean_huge(&larges[i]);
	}
	return err;
}
