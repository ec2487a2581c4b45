// SPDX-License-Identifier: GPL-2.0
/* Calls on pages and frames. */
#include "bounds.h"
#include "groups.h"

#include <string.h>

/**
 * struct kind - pages or frames
 * @allocate: name of the call that allocates them
 * @request: number of that call
 * @drop: DROP of such an object
 * @split: SPLIT of it
 * @merge: MERGE
 */
struct kind {
	const char *allocate;
	unsigned long request;
	const char *drop;
	const char *split;
	const char *merge;
};

static const struct kind kinds[] = {
	{ "ALLOCATE_FRAMES", THESEUS_MM_IOC_ALLOCATE_FRAMES, "DROP-frames", "SPLIT-frames",
	  "MERGE-frames" },
	{ "ALLOCATE_PAGES", THESEUS_MM_IOC_ALLOCATE_PAGES, "DROP-pages", "SPLIT-pages",
	  "MERGE-pages" },
};

static const struct bounds_size sizes[] = {
	{ "4k", PAGE_BYTES, 0 }, { "2m", 2 * MIB, 0 }, { "512m", 512 * MIB, 0 },
};

/* Split an object in the middle, join the parts, and drop it. */
static int split_and_drop(const struct bounds *bounds, const struct kind *kind,
			  const struct bounds_size *size, uint32_t handle)
{
	struct theseus_mm_split split = { .handle = handle, .offset = size->nr_bytes / 2 };
	struct theseus_mm_merge merge;

	if (size->nr_bytes == PAGE_BYTES)
		return bounds_drop(bounds, kind->drop, size->name, handle);
	if (bounds_call(bounds, kind->split, size->name, THESEUS_MM_IOC_SPLIT, &split))
		return -1;
	merge = (struct theseus_mm_merge){ .handle = split.first, .other = split.second };
	if (bounds_call(bounds, kind->merge, size->name, THESEUS_MM_IOC_MERGE, &merge))
		return -1;
	return bounds_drop(bounds, kind->drop, size->name, split.first);
}

static int measure_size(const struct bounds *bounds, const struct kind *kind,
			const struct bounds_size *size)
{
	struct theseus_mm_allocate any = {
		.flags = THESEUS_MM_ALLOCATE_BY_BYTES, .size = size->nr_bytes,
	}, arg = any;
	uint64_t start;

	if (bounds_call(bounds, kind->allocate, size->name, kind->request, &arg))
		return -1;
	start = arg.start;
	if (split_and_drop(bounds, kind, size, arg.handle))
		return -1;
	arg = any;
	arg.flags |= THESEUS_MM_ALLOCATE_AT;
	arg.at = start;
	if (bounds_call(bounds, kind->allocate, size->name, kind->request, &arg) ||
	    bounds_drop(bounds, kind->drop, size->name, arg.handle))
		return -1;
	arg = any;
	arg.flags |= THESEUS_MM_ALLOCATE_IN_RANGE;
	arg.min = start & -PAGE_BYTES;
	arg.max = start + 3 * GIB / 2;
	arg.align = size->nr_bytes == PAGE_BYTES ? 32 * KIB : size->nr_bytes;
	if (bounds_call(bounds, kind->allocate, size->name, kind->request, &arg))
		return -1;
	return bounds_drop(bounds, kind->drop, size->name, arg.handle);
}

int bounds_allocations(const struct bounds *bounds)
{
	size_t kind, size;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (size = 0; size < ARRAY_SIZE(sizes); size++)
			if (measure_size(bounds, &kinds[kind], &sizes[size]))
				return -1;
	return 0;
}
