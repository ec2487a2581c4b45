// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: runs of physical memory.
 */
#include "internal.h"

struct tmm_frames *tmm_frames_allocate(struct tmm_client *client,
						const struct tmm_allocate_options *options)
{
	return tmm_as_frames(tmm_object_allocate(client, THESEUS_MM_IOC_ALLOCATE_FRAMES, options));
}

uint64_t tmm_frames_address(const struct tmm_frames *frames)
{
	return frames ? frames->object.start : 0;
}

uint64_t tmm_frames_size(const struct tmm_frames *frames)
{
	return frames ? frames->object.nr_bytes : 0;
}

uint32_t tmm_frames_handle(const struct tmm_frames *frames)
{
	return frames ? frames->object.handle : 0;
}

int tmm_frames_split(struct tmm_frames **frames, uint64_t offset, struct tmm_frames **first,
		     struct tmm_frames **second)
{
	struct tmm_frames *whole = *frames;
	struct tmm_object *rest;

	rest = tmm_object_split(tmm_of_frames(whole), offset);
	if (!rest)
		return -1;
	*frames = NULL;
	*first = whole;
	*second = tmm_as_frames(rest);
	return 0;
}

int tmm_frames_merge(struct tmm_frames *frames, struct tmm_frames **other)
{
	if (tmm_object_merge(tmm_of_frames(frames), tmm_of_frames(*other)))
		return -1;
	*other = NULL;
	return 0;
}

int tmm_frames_drop(struct tmm_frames **frames)
{
	if (tmm_object_drop(tmm_of_frames(*frames)))
		return -1;
	*frames = NULL;
	return 0;
}
