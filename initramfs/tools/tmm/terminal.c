// SPDX-License-Identifier: GPL-2.0
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* A step that takes less is over before anybody wonders. */
#define PATIENCE_MS	700

unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int asked;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	asked = columns ? atoi(columns) : 0;
	return asked > 0 ? asked : 80;
}

static bool is_smart(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

bool terminal_has_colour(void)
{
	const char *unwanted = getenv("NO_COLOR");

	return is_smart() && !(unwanted && *unwanted);
}

__u64 now_in_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, __u64 total)
{
	progress->total = total;
	progress->started = now_in_milliseconds();
	progress->live = is_smart();
	progress->shown = progress->live ? -1 : 0;
}

/* Where a line cannot be written over, four of them must do. */
static bool worth_showing(const struct progress *progress, int percent)
{
	int step = progress->live ? 1 : 25;

	if (now_in_milliseconds() - progress->started < PATIENCE_MS)
		return false;
	return progress->shown < 0 || percent / step > progress->shown / step;
}

void progress_update(struct progress *progress, __u64 done)
{
	int percent = progress->total ? done * 100 / progress->total : 100;

	if (!worth_showing(progress, percent))
		return;
	progress->shown = percent;
	if (progress->live)
		printf("\r        %3d%% [%-50.*s]", percent, percent / 2,
		       "##################################################");
	else
		printf("        %3d%%\n", percent);
	fflush(stdout);
}

void progress_end(struct progress *progress)
{
	if (progress->live && progress->shown >= 0)
		printf("\r%*s\r", 66, "");
	fflush(stdout);
}
