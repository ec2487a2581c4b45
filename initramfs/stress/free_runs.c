// SPDX-License-Identifier: GPL-2.0
#include "free_runs.h"

#include "uapi.h"

#include <unistd.h>

/* Allocate the longest free run until there is none. */
static bool take_all(struct free_runs *free, int fd)
{
	struct theseus_mm_allocate run;
	struct theseus_mm_info info;

	for (;;) {
		if (uapi_get_info(fd, &info))
			return false;
		if (!info.frames_free)
			return true;
		run = (struct theseus_mm_allocate){ .size = info.frames_largest[0] };
		if (free->nr == MAX_FREE_RUNS || uapi_allocate_frames(fd, &run))
			return false;
		free->runs[free->nr].frame = run.start / UAPI_PAGE_SIZE;
		free->runs[free->nr++].nr = run.nr_pages;
		free->nr_frames += run.nr_pages;
	}
}

bool free_runs_find(struct free_runs *free)
{
	int fd = uapi_open(NULL);
	bool is_done;

	free->nr = 0;
	free->nr_frames = 0;
	is_done = fd >= 0 && take_all(free, fd);
	close(fd);
	return is_done;
}

uint64_t free_runs_frame(const struct free_runs *free, uint64_t place)
{
	unsigned int i;

	for (i = 0; place >= free->runs[i].nr; i++)
		place -= free->runs[i].nr;
	return free->runs[i].frame + place;
}

bool free_runs_have(const struct free_runs *free, uint64_t frame)
{
	unsigned int i;

	for (i = 0; i < free->nr; i++)
		if (frame - free->runs[i].frame < free->runs[i].nr)
			return true;
	return false;
}
