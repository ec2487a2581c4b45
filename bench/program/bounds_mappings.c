// SPDX-License-Identifier: GPL-2.0
/* Calls on mappings, singly and in batches. */
#include "bounds.h"
#include "device.h"
#include "groups.h"
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_ONLY	(THESEUS_MM_PTE_ACCESSED | THESEUS_MM_PTE_NOT_EXECUTABLE)
#define MAX_FRAMES	65536
#define ACCESS_BYTES	(2 * MIB)

static const struct bounds_size sizes[] = {
	{ "4k", PAGE_BYTES, 0 }, { "2m", 2 * MIB, 0 }, { "16m-in-4k", 16 * MIB, PAGE_BYTES },
};
static const struct bounds_size leaf_1g = { "1g", GIB, GIB };

/**
 * struct way - a call that makes a mapping
 * @name: its name
 * @request: its number
 */
struct way {
	const char *name;
	unsigned long request;
};

static const struct way ways[] = {
	{ "CREATE_MAPPING", THESEUS_MM_IOC_CREATE_MAPPING },
	{ "CREATE_CONTIGUOUS_MAPPING", THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING },
	{ "CREATE_IDENTITY_MAPPING", THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING },
};

static int create(const struct bounds *bounds, const struct way *way,
		  const struct bounds_size *size, uint32_t *handle)
{
	struct theseus_mm_create_mapping arg = {
		.size = size->nr_bytes, .leaf_size = size->leaf, .pte_flags = THESEUS_MM_PTE_DATA,
	};

	if (bounds_call(bounds, way->name, size->name, way->request, &arg))
		return -1;
	*handle = arg.handle;
	return 0;
}

static int access_all(const struct bounds *bounds, const struct bounds_size *size,
		      uint32_t handle)
{
	uint64_t nr_bytes = size->nr_bytes < ACCESS_BYTES ? size->nr_bytes : ACCESS_BYTES;
	struct theseus_mm_access arg = {
		.handle = handle, .length = nr_bytes, .buffer = (uintptr_t)malloc(nr_bytes),
	}, again = arg;
	int err;

	if (!arg.buffer)
		return bounds_failed(bounds, "WRITE", size->name);
	memset((void *)(uintptr_t)arg.buffer, 1, nr_bytes);
	err = bounds_call(bounds, "WRITE", size->name, THESEUS_MM_IOC_WRITE, &arg) ||
	      bounds_call(bounds, "READ", size->name, THESEUS_MM_IOC_READ, &again);
	free((void *)(uintptr_t)again.buffer);
	return err ? -1 : 0;
}

/* Change a mapping, split it in the middle, join the parts, and drop it. */
static int change_and_drop(const struct bounds *bounds, const struct bounds_size *size,
			   uint32_t handle)
{
	struct theseus_mm_remap remap = { .handle = handle, .pte_flags = READ_ONLY };
	struct theseus_mm_split split = { .handle = handle, .offset = size->nr_bytes / 2 };
	struct theseus_mm_merge merge;

	if (bounds_call(bounds, "REMAP", size->name, THESEUS_MM_IOC_REMAP, &remap))
		return -1;
	if (size->nr_bytes > PAGE_BYTES) {
		if (bounds_call(bounds, "SPLIT", size->name, THESEUS_MM_IOC_SPLIT, &split))
			return -1;
		merge = (struct theseus_mm_merge){
			.handle = split.first, .other = split.second,
		};
		if (bounds_call(bounds, "MERGE", size->name, THESEUS_MM_IOC_MERGE, &merge))
			return -1;
		handle = split.first;
	}
	return bounds_drop(bounds, "DROP", size->name, handle);
}

/* Unmap a mapping, map the parts again, and drop the new mapping. */
static int unmap_and_map(const struct bounds *bounds, const struct bounds_size *size,
			 uint32_t handle)
{
	static uint32_t frames[MAX_FRAMES];
	struct theseus_mm_unmap unmap = {
		.handle = handle, .frames = (uintptr_t)frames, .nr_frames = MAX_FRAMES,
	};
	struct theseus_mm_map map = { .pte_flags = THESEUS_MM_PTE_DATA };
	unsigned long request = THESEUS_MM_IOC_MAP_ALLOCATED_PAGES;
	const char *name = "MAP_ALLOCATED_PAGES";

	if (bounds_call(bounds, "UNMAP_INTO_PARTS", size->name, THESEUS_MM_IOC_UNMAP_INTO_PARTS,
			&unmap))
		return -1;
	map.pages = unmap.pages;
	if (unmap.nr_frames == 1) {
		map.frames = frames[0];
		request = THESEUS_MM_IOC_MAP_ALLOCATED_PAGES_TO;
		name = "MAP_ALLOCATED_PAGES_TO";
	}
	while (unmap.nr_frames-- && !map.frames)
		if (device_drop(bounds->fd, frames[unmap.nr_frames]))
			return bounds_failed(bounds, "DROP-frames", size->name);
	if (bounds_call(bounds, name, size->name, request, &map))
		return -1;
	return bounds_drop(bounds, "DROP", size->name, map.handle);
}

/* Make a mapping, use it in every way, and drop it. */
static int use_mapping(const struct bounds *bounds, const struct way *way,
		       const struct bounds_size *size)
{
	uint32_t handle;

	if (create(bounds, way, size, &handle) || access_all(bounds, size, handle) ||
	    (way == ways && bounds_area(bounds, size, handle)))
		return -1;
	return change_and_drop(bounds, size, handle);
}

static int measure_size(const struct bounds *bounds, const struct bounds_size *size)
{
	uint32_t handle;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (use_mapping(bounds, &ways[i], size))
			return -1;
	for (i = 0; i < 2; i++)
		if (create(bounds, &ways[i], size, &handle) ||
		    unmap_and_map(bounds, size, handle))
			return -1;
	return 0;
}

int bounds_mappings(const struct bounds *bounds)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (measure_size(bounds, &sizes[i]))
			return -1;
	return 0;
}

int bounds_leaf_1g(const struct bounds *bounds)
{
	return use_mapping(bounds, ways, &leaf_1g);
}

static int run_batch(const struct bounds *bounds, const char *name, unsigned long request,
		     void *items, uint32_t item_size)
{
	struct theseus_mm_batch arg = {
		.flags = THESEUS_MM_BATCH_ALL_OR_NOTHING, .nr_items = THESEUS_MM_MAX_BATCH,
		.items = (uintptr_t)items, .item_size = item_size,
	};

	return bounds_call(bounds, name, "65536", request, &arg);
}

/* The largest batches that there are. */
int bounds_batches(const struct bounds *bounds)
{
	struct theseus_mm_create_item *created =
		calloc(THESEUS_MM_MAX_BATCH, sizeof(created[0]));
	struct theseus_mm_drop_item *dropped = calloc(THESEUS_MM_MAX_BATCH, sizeof(dropped[0]));
	int err = created && dropped ? 0 : bounds_failed(bounds, "memory", "-");
	unsigned int i;

	for (i = 0; !err && i < THESEUS_MM_MAX_BATCH; i++)
		created[i] = (struct theseus_mm_create_item){
			.size = PAGE_BYTES, .pte_flags = THESEUS_MM_PTE_DATA,
		};
	if (!err)
		err = run_batch(bounds, "CREATE_BATCH", THESEUS_MM_IOC_CREATE_BATCH, created,
				sizeof(created[0]));
	for (i = 0; !err && i < THESEUS_MM_MAX_BATCH; i++)
		dropped[i].handle = created[i].handle;
	if (!err)
		err = run_batch(bounds, "DROP_BATCH", THESEUS_MM_IOC_DROP_BATCH, dropped,
				sizeof(dropped[0]));
	free(created);
	free(dropped);
	return err;
}
