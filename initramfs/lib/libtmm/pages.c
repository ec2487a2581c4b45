// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: runs of virtual addresses, and the calls that map them.
 */
#include "internal.h"

struct tmm_pages *tmm_pages_allocate(struct tmm_client *client,
					const struct tmm_allocate_options *options)
{
	return tmm_as_pages(tmm_object_allocate(client, THESEUS_MM_IOC_ALLOCATE_PAGES, options));
}

uint64_t tmm_pages_address(const struct tmm_pages *pages)
{
	return pages ? pages->object.start : 0;
}

uint64_t tmm_pages_size(const struct tmm_pages *pages)
{
	return pages ? pages->object.nr_bytes : 0;
}

uint32_t tmm_pages_handle(const struct tmm_pages *pages)
{
	return pages ? pages->object.handle : 0;
}

int tmm_pages_split(struct tmm_pages **pages, uint64_t offset, struct tmm_pages **first,
		    struct tmm_pages **second)
{
	struct tmm_pages *whole = *pages;
	struct tmm_object *rest;

	rest = tmm_object_split(tmm_of_pages(whole), offset);
	if (!rest)
		return -1;
	*pages = NULL;
	*first = whole;
	*second = tmm_as_pages(rest);
	return 0;
}

int tmm_pages_merge(struct tmm_pages *pages, struct tmm_pages **other)
{
	if (tmm_object_merge(tmm_of_pages(pages), tmm_of_pages(*other)))
		return -1;
	*other = NULL;
	return 0;
}

int tmm_pages_drop(struct tmm_pages **pages)
{
	if (tmm_object_drop(tmm_of_pages(*pages)))
		return -1;
	*pages = NULL;
	return 0;
}

/* The object of the pages becomes the mapping, which has the same address and size. */
static struct tmm_mapping *map(struct tmm_pages **pages, struct tmm_frames *frames, uint64_t flags,
			       unsigned long request)
{
	struct tmm_object *object = tmm_of_pages(*pages);
	struct theseus_mm_map call = {
		.pages = tmm_pages_handle(*pages),
		.frames = tmm_frames_handle(frames),
		.pte_flags = flags,
	};

	if (tmm_object_call(object, request, &call))
		return NULL;
	object->handle = call.handle;
	*pages = NULL;
	return tmm_as_mapping(object);
}

struct tmm_mapping *tmm_pages_map(struct tmm_pages **pages, uint64_t flags)
{
	return map(pages, NULL, flags, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES);
}

struct tmm_mapping *tmm_pages_map_to(struct tmm_pages **pages, struct tmm_frames **frames,
				     uint64_t flags)
{
	struct tmm_mapping *mapping;

	if (!*frames) {
		errno = ENOENT;
		return NULL;
	}
	if (*pages && (*pages)->object.client != (*frames)->object.client) {
		errno = EXDEV;
		return NULL;
	}
	mapping = map(pages, *frames, flags, THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO);
	if (!mapping)
		return NULL;
	tmm_object_free(tmm_of_frames(*frames));
	*frames = NULL;
	return mapping;
}
