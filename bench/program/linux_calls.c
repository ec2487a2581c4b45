// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's calls on areas of one page, while N areas exist. Neighbours have different protections,
 * so that Linux does not merge the areas. MAP_POPULATE clears the page.
 */
#include "groups.h"
#include "result.h"
#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define NR_FLOOR	10000
/* a page, and the area with all that Linux keeps for it */
#define AREA_BYTES	(PAGE_BYTES + KIB)

static int map_one(void *state, unsigned long i)
{
	char **areas = state;
	int prot = PROT_READ | PROT_WRITE | (i & 1 ? 0 : PROT_EXEC);

	areas[i] = mmap(NULL, PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return areas[i] == MAP_FAILED ? -1 : 0;
}

static int protect_one(void *state, unsigned long i)
{
	char **areas = state;

	return mprotect(areas[i], PAGE_BYTES, i & 1 ? PROT_READ : PROT_READ | PROT_EXEC);
}

static int unmap_one(void *state, unsigned long i)
{
	char **areas = state;

	return munmap(areas[i], PAGE_BYTES);
}

static int get_parent(void *state, unsigned long i)
{
	(void)state;
	(void)i;
	/* syscall() always enters the kernel; the C library does not promise that of getppid() */
	return syscall(SYS_getppid) < 0 ? -1 : 0;
}

static const struct step area_steps[] = {
	{ "program-create-4k", "mmap-populate", map_one },
	{ "program-remap-4k", "mprotect", protect_one },
	{ "program-drop-4k", "munmap", unmap_one },
};

static const struct step floor_step = { "program-getppid", "linux", get_parent };

/* A smaller number of areas is measured if Linux's memory is too small; the row says so. */
static unsigned long fitting_number(unsigned long nr)
{
	struct sysinfo info;
	unsigned long room;

	if (sysinfo(&info))
		return nr;
	room = info.freeram * info.mem_unit / 10 * 9 / AREA_BYTES;
	return nr <= room ? nr : room / 1000 * 1000;
}

static int measure_population(unsigned long nr)
{
	struct series series = { area_steps, ARRAY_SIZE(area_steps), 0, 1, 0 };
	char **areas;
	int err;

	nr = fitting_number(nr);
	areas = calloc(nr, sizeof(*areas));
	if (!nr || !areas) {
		free(areas);
		return result_failed("program-create-4k", "mmap-populate: no memory");
	}
	/* the first touch of a page of the array must not fall into a measurement */
	memset(areas, 0xff, nr * sizeof(*areas));
	series.nr = nr;
	err = series_measure(&series, areas);
	free(areas);
	return err;
}

/**
 * linux_calls_measure() - measure mmap(), mprotect() and munmap() of one page
 * @options: the numbers of areas
 *
 * Return: 0, or -1 after a failure
 */
int linux_calls_measure(const struct options *options)
{
	const struct series floors = { &floor_step, 1, NR_FLOOR, 1, 1 };
	unsigned int i;
	int err;

	err = series_measure(&floors, NULL);
	for (i = 0; !err && i < options->nr_sizes; i++)
		err = measure_population(options->sizes[i]);
	return err;
}
