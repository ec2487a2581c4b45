// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: create, query, read, write, change and drop.
 */
#include "internal.h"

#define SAME(flag)	_Static_assert(TMM_##flag == THESEUS_MM_PTE_##flag, #flag)

SAME(WRITABLE);
SAME(USER_ACCESSIBLE);
SAME(DEVICE_MEMORY);
SAME(ACCESSED);
SAME(DIRTY);
SAME(GLOBAL);
SAME(NOT_EXECUTABLE);
SAME(DATA);
_Static_assert((TMM_WRITABLE | TMM_USER_ACCESSIBLE | TMM_DEVICE_MEMORY | TMM_ACCESSED | TMM_DIRTY |
		TMM_GLOBAL | TMM_NOT_EXECUTABLE) == TMM_FLAGS_SEEN, "all flags");

static const struct tmm_create_options nothing_else;

/* An identity mapping is always contiguous, so is_identity comes first. */
static unsigned long create_request(const struct tmm_create_options *options)
{
	if (options->is_identity)
		return THESEUS_MM_IOC_CREATE_IDENTITY_MAPPING;
	if (options->is_contiguous)
		return THESEUS_MM_IOC_CREATE_CONTIGUOUS_MAPPING;
	return THESEUS_MM_IOC_CREATE_MAPPING;
}

struct tmm_mapping *tmm_mapping_create(struct tmm_client *client, uint64_t nr_bytes, uint64_t flags,
				       const struct tmm_create_options *options)
{
	struct theseus_mm_create_mapping call = { .size = nr_bytes, .pte_flags = flags };
	struct tmm_object *object;

	if (!options)
		options = &nothing_else;
	if (tmm_is_set(options->reserved1, sizeof(options->reserved1)) ||
	    tmm_is_set(options->reserved, sizeof(options->reserved))) {
		errno = EINVAL;
		return NULL;
	}
	call.leaf_size = options->leaf_size;
	call.align = options->align;
	object = tmm_object_new(client);
	if (!object)
		return NULL;
	if (tmm_client_call(client, create_request(options), &call)) {
		tmm_object_free(object);
		return NULL;
	}
	tmm_object_set(object, call.handle, call.start, call.nr_pages);
	return tmm_as_mapping(object);
}

uint64_t tmm_mapping_address(const struct tmm_mapping *mapping)
{
	return mapping ? mapping->object.start : 0;
}

uint64_t tmm_mapping_size(const struct tmm_mapping *mapping)
{
	return mapping ? mapping->object.nr_bytes : 0;
}

uint32_t tmm_mapping_handle(const struct tmm_mapping *mapping)
{
	return mapping ? mapping->object.handle : 0;
}

struct tmm_mapping_info tmm_mapping_describe(const struct theseus_mm_query *query)
{
	return (struct tmm_mapping_info){
		.flags = query->pte_flags & TMM_FLAGS_SEEN,
		.nr_frame_ranges = query->nr_frame_ranges,
		.nr_borrows = query->nr_borrows,
		.is_exclusive = query->pte_flags & THESEUS_MM_PTE_EXCLUSIVE,
		.is_shareable = query->attributes & THESEUS_MM_ATTRIBUTE_SHAREABLE,
		.is_pinned = query->attributes & THESEUS_MM_ATTRIBUTE_PINNED,
		.is_read_only = query->attributes & THESEUS_MM_ATTRIBUTE_READ_ONLY,
		.is_lent = query->attributes & THESEUS_MM_ATTRIBUTE_BORROWED,
		.is_bad = query->attributes & THESEUS_MM_ATTRIBUTE_BAD,
		.address = query->start,
		.nr_bytes = query->nr_pages * TMM_PAGE_SIZE,
	};
}

int tmm_mapping_query(const struct tmm_mapping *mapping, struct tmm_mapping_info *info)
{
	struct theseus_mm_query query;

	if (tmm_object_query((const struct tmm_object *)mapping, &query))
		return -1;
	*info = tmm_mapping_describe(&query);
	return 0;
}

static int copy(const struct tmm_mapping *mapping, unsigned long request, uint64_t offset,
		const void *buffer, size_t length)
{
	struct theseus_mm_access call = {
		.handle = tmm_mapping_handle(mapping),
		.offset = offset,
		.length = length,
		.buffer = (uintptr_t)buffer,
	};

	return tmm_object_call((const struct tmm_object *)mapping, request, &call);
}

int tmm_mapping_read(const struct tmm_mapping *mapping, uint64_t offset, void *buffer,
		     size_t length)
{
	return copy(mapping, THESEUS_MM_IOC_READ, offset, buffer, length);
}

int tmm_mapping_write(struct tmm_mapping *mapping, uint64_t offset, const void *buffer,
		      size_t length)
{
	return copy(mapping, THESEUS_MM_IOC_WRITE, offset, buffer, length);
}

int tmm_mapping_remap(struct tmm_mapping *mapping, uint64_t flags)
{
	struct theseus_mm_remap call = {
		.handle = tmm_mapping_handle(mapping),
		.pte_flags = flags,
	};

	return tmm_object_call(tmm_of_mapping(mapping), THESEUS_MM_IOC_REMAP, &call);
}

int tmm_mapping_share(struct tmm_mapping *mapping, bool is_shareable)
{
	struct theseus_mm_share call = {
		.flags = is_shareable ? 0 : THESEUS_MM_SHARE_OFF,
		.handle = tmm_mapping_handle(mapping),
	};

	return tmm_object_call(tmm_of_mapping(mapping), THESEUS_MM_IOC_SHARE, &call);
}

int tmm_mapping_split(struct tmm_mapping **mapping, uint64_t offset, struct tmm_mapping **first,
		      struct tmm_mapping **second)
{
	struct tmm_mapping *whole = *mapping;
	struct tmm_object *rest;

	rest = tmm_object_split(tmm_of_mapping(whole), offset);
	if (!rest)
		return -1;
	*mapping = NULL;
	*first = whole;
	*second = tmm_as_mapping(rest);
	return 0;
}

int tmm_mapping_merge(struct tmm_mapping *mapping, struct tmm_mapping **next)
{
	if (tmm_object_merge(tmm_of_mapping(mapping), tmm_of_mapping(*next)))
		return -1;
	*next = NULL;
	return 0;
}

int tmm_mapping_drop(struct tmm_mapping **mapping)
{
	if (tmm_object_drop(tmm_of_mapping(*mapping)))
		return -1;
	*mapping = NULL;
	return 0;
}
