/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run out of memory on purpose.
 */
#ifndef TESTS_FRAGMENT_H
#define TESTS_FRAGMENT_H

#include "uapi.h"

/*
 * Free the first frame of the run *@rest and keep the second, so that the next free frame is no
 * neighbour.
 */
static inline int leave_one(int fd, __u32 *rest)
{
	__u32 one, others, kept;
	int err = uapi_split(fd, *rest, UAPI_PAGE_SIZE, &one, &others);

	if (!err)
		err = uapi_drop(fd, one);
	if (!err)
		err = uapi_split(fd, others, UAPI_PAGE_SIZE, &kept, rest);
	return err;
}

/**
 * leave_singles() - own all frames but a few, no two of which touch
 * @fd: the client that will own them
 * @nr: number of frames that stay free
 *
 * Return: 0 or a negative errno value
 */
static inline int leave_singles(int fd, unsigned int nr)
{
	struct theseus_mm_allocate run;
	struct theseus_mm_info info;
	__u32 rest = 0;
	int err;

	for (;;) {
		err = uapi_get_info(fd, &info);
		if (err || !info.frames_free)
			break;
		run = (struct theseus_mm_allocate){ .size = info.frames_largest[0] };
		err = uapi_allocate_frames(fd, &run);
		if (err)
			return err;
		/* the single frames come from the first and longest run */
		if (!rest)
			rest = run.handle;
	}
	while (!err && nr--)
		err = leave_one(fd, &rest);
	return err;
}

#endif /* TESTS_FRAGMENT_H */
