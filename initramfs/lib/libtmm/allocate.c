// SPDX-License-Identifier: GPL-2.0
/*
 * Allocation: turn the options into the call of the kernel.
 */
#include "internal.h"

_Static_assert(TMM_ANYWHERE == 0, "zeroed options mean anywhere");

static int encode(const struct tmm_allocate_options *options, struct theseus_mm_allocate *call)
{
	static const uint32_t places[] = {
		[TMM_ANYWHERE] = 0,
		[TMM_AT] = THESEUS_MM_ALLOCATE_AT,
		[TMM_IN_RANGE] = THESEUS_MM_ALLOCATE_IN_RANGE,
	};
	const unsigned int place = options ? options->place : 0;

	if (!options || place >= sizeof(places) / sizeof(places[0]) ||
	    (options->nr_pages && options->nr_bytes) || options->reserved1 ||
	    tmm_is_set(options->reserved, sizeof(options->reserved))) {
		errno = EINVAL;
		return -1;
	}
	*call = (struct theseus_mm_allocate){
		.flags = places[place] |
			 (options->nr_bytes ? THESEUS_MM_ALLOCATE_BY_BYTES : 0),
		.size = options->nr_bytes ? options->nr_bytes : options->nr_pages,
		.at = options->at,
		.min = options->min,
		.max = options->max,
		.align = options->align,
	};
	return 0;
}

struct tmm_object *tmm_object_allocate(struct tmm_client *client, unsigned long request,
				       const struct tmm_allocate_options *options)
{
	struct theseus_mm_allocate call;
	struct tmm_object *object;

	if (encode(options, &call))
		return NULL;
	object = tmm_object_new(client);
	if (!object)
		return NULL;
	if (tmm_client_call(client, request, &call)) {
		tmm_object_free(object);
		return NULL;
	}
	tmm_object_set(object, call.handle, call.start, call.nr_pages);
	return object;
}
