// SPDX-License-Identifier: GPL-2.0
/*
 * Take a mapping apart into its pages and its runs of frames.
 */
#include "internal.h"

/*
 * Ask for the address and the size of new frames. The query succeeds, since no other thread
 * knows the handle yet.
 */
static void learn(struct tmm_object *object, uint32_t handle)
{
	struct theseus_mm_query query;

	object->handle = handle;
	if (tmm_object_query(object, &query))
		return;
	tmm_object_set(object, handle, query.start, query.nr_pages);
}

/* Make the call: @mapping becomes the pages, and @objects the frames. @handles is a buffer. */
static int unmap(struct tmm_object *mapping, struct tmm_object **objects, uint32_t *handles,
		 uint32_t *nr)
{
	struct theseus_mm_unmap call = {
		.handle = mapping->handle,
		.frames = (uintptr_t)handles,
		.nr_frames = *nr,
	};
	uint32_t i;

	if (tmm_objects_new(mapping->client, objects, *nr) ||
	    tmm_object_call(mapping, THESEUS_MM_IOC_UNMAP_INTO_PARTS, &call))
		return -1;
	mapping->handle = call.pages;
	for (i = 0; i < call.nr_frames; i++)
		learn(objects[i], handles[i]);
	for (; i < *nr; i++) {
		tmm_object_free(objects[i]);
		objects[i] = NULL;
	}
	*nr = call.nr_frames;
	return 0;
}

/* Unmap into a new array of *@nr objects, which the caller owns on success. */
static int unmap_counted(struct tmm_object *mapping, struct tmm_object ***objects, uint32_t *nr)
{
	const uint32_t room = *nr;
	uint32_t *handles;
	int err = -1;

	handles = calloc(room, sizeof(*handles));
	if (!handles)
		return -1;
	*objects = calloc(room, sizeof(**objects));
	if (!*objects)
		goto free_handles;
	err = unmap(mapping, *objects, handles, nr);
	if (err) {
		tmm_objects_free(*objects, room);
		tmm_free(*objects);
	}
free_handles:
	tmm_free(handles);
	return err;
}

/*
 * Unmap into a new array of all runs of frames, and set *@nr to their number. Fail with
 * ENOBUFS if there are more than *@nr. The runs are counted again if the mapping changed
 * between the two calls, since a child process may be the same client.
 */
static int unmap_all(struct tmm_mapping *mapping, struct tmm_object ***objects, uint32_t *nr)
{
	const uint32_t room = *nr;
	struct theseus_mm_query query;
	int err;

	do {
		if (tmm_object_query(tmm_of_mapping(mapping), &query))
			return -1;
		*nr = query.nr_frame_ranges;
		if (*nr > room) {
			errno = ENOBUFS;
			return -1;
		}
		err = unmap_counted(tmm_of_mapping(mapping), objects, nr);
	} while (err && errno == ENOBUFS);
	return err;
}

int tmm_mapping_unmap_into(struct tmm_mapping **mapping, struct tmm_pages **pages,
			   struct tmm_frames **frames, uint32_t *nr_frames)
{
	struct tmm_mapping *whole = *mapping;
	struct tmm_object **objects;
	uint32_t i, nr = *nr_frames;

	if (unmap_all(whole, &objects, &nr)) {
		if (errno == ENOBUFS)
			*nr_frames = nr;
		return -1;
	}
	for (i = 0; i < nr; i++)
		frames[i] = tmm_as_frames(objects[i]);
	tmm_free(objects);
	*mapping = NULL;
	*pages = tmm_as_pages(tmm_of_mapping(whole));
	*nr_frames = nr;
	return 0;
}

int tmm_mapping_unmap_into_parts(struct tmm_mapping **mapping, struct tmm_parts *parts)
{
	struct tmm_pages *pages;
	struct tmm_frames **frames = NULL, **larger;
	uint32_t nr = 0;

	while (tmm_mapping_unmap_into(mapping, &pages, frames, &nr)) {
		larger = errno == ENOBUFS ? reallocarray(frames, nr, sizeof(*frames)) : NULL;
		if (!larger) {
			tmm_free(frames);
			return -1;
		}
		frames = larger;
	}
	*parts = (struct tmm_parts){ .pages = pages, .frames = frames, .nr_frames = nr };
	return 0;
}

int tmm_parts_drop(struct tmm_parts *parts)
{
	int error = 0;
	uint32_t i;

	for (i = 0; i < parts->nr_frames; i++)
		if (tmm_frames_drop(&parts->frames[i]))
			error = errno;
	if (tmm_pages_drop(&parts->pages))
		error = errno;
	if (error) {
		errno = error;
		return -1;
	}
	free(parts->frames);
	*parts = (struct tmm_parts){ 0 };
	return 0;
}
