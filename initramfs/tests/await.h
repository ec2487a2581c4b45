/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that wait for memory share these helpers: poll() on a client, and the allocation of single
 * frames and of all frames.
 */
#ifndef TESTS_AWAIT_H
#define TESTS_AWAIT_H

#include "area.h"
#include "woken.h"

/* Milliseconds: any step takes less than LONG, and a wrong wake-up comes within SHORT. */
#define LONG	20000
#define SHORT	300

static inline int wait_for(int fd, int timeout)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int nr = woken_poll(&pollfd, timeout);

	return nr == 1 ? pollfd.revents : nr;
}

/* Allocate all free frames, in as many runs as needed. */
static inline int take_all(int fd)
{
	struct theseus_mm_allocate run;
	struct theseus_mm_info info;
	int err;

	for (;;) {
		err = uapi_get_info(fd, &info);
		if (err || !info.frames_free)
			return err;
		run = (struct theseus_mm_allocate){ .size = info.frames_largest[0] };
		err = uapi_allocate_frames(fd, &run);
		if (err)
			return err;
	}
}

static inline int take_one(int fd, __u32 *handle)
{
	struct theseus_mm_allocate one = { .size = 1 };
	int err = uapi_allocate_frames(fd, &one);

	if (!err && handle)
		*handle = one.handle;
	return err;
}

#endif /* TESTS_AWAIT_H */
