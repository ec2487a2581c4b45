// SPDX-License-Identifier: GPL-2.0
#include "clean.h"

#include "machine.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define MAX_PAUSES	120
/* Frames that may be free and not known to be clean: those that CPUs keep. */
#define MAX_DIRTY	512

#define FRAMES		"/sys/class/misc/theseus_mm/frames_"
#define CLEAN_AHEAD	"/sys/module/theseus_mm/parameters/clean_ahead"

/**
 * clean_switch() - turn the thread that clears free memory on or off
 * @is_on: true for on
 *
 * Return: 0, or -1 with errno set
 */
int clean_switch(bool is_on)
{
	return machine_write(CLEAN_AHEAD, is_on ? "1" : "0");
}

static bool is_all_clean(void)
{
	unsigned long nr_free, nr_clean;

	return machine_read_number(FRAMES "free", "", &nr_free) &&
	       machine_read_number(FRAMES "clean", "", &nr_clean) &&
	       nr_clean + MAX_DIRTY >= nr_free;
}

/**
 * clean_await() - wait until the module has cleared all free memory
 *
 * With -icount and sleep=off, an idle guest skips the pauses.
 *
 * Return: 0, or -1 with errno set
 */
int clean_await(void)
{
	const struct timespec pause = { .tv_sec = 1 };
	unsigned int i;

	for (i = 0; i < MAX_PAUSES; i++) {
		nanosleep(&pause, NULL);
		if (is_all_clean())
			return 0;
	}
	errno = ETIMEDOUT;
	return -1;
}
