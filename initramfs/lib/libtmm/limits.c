// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: how much a client and its user may own.
 */
#include "internal.h"

_Static_assert(TMM_NO_LIMIT == THESEUS_MM_NO_LIMIT, "no limit");
_Static_assert(TMM_LIMIT_FRAMES == THESEUS_MM_SET_FRAMES, "frames");
_Static_assert(TMM_LIMIT_PAGES == THESEUS_MM_SET_PAGES, "pages");
_Static_assert(TMM_LIMIT_HANDLES == THESEUS_MM_SET_HANDLES, "handles");

int tmm_client_limits(const struct tmm_client *client, struct tmm_limits *limits)
{
	struct theseus_mm_limits call = { 0 };

	if (tmm_client_call(client, THESEUS_MM_IOC_GET_LIMITS, &call))
		return -1;
	*limits = (struct tmm_limits){
		.client_frames_max = call.client_frames_max,
		.client_pages_max = call.client_pages_max,
		.client_handles_max = call.client_handles_max,
		.client_frames = call.client_frames,
		.client_pages = call.client_pages,
		.client_handles = call.client_handles,
		.user_frames_max = call.user_frames_max,
		.user_pages_max = call.user_pages_max,
		.user_handles_max = call.user_handles_max,
		.user_frames = call.user_frames,
		.user_pages = call.user_pages,
		.user_handles = call.user_handles,
	};
	return 0;
}

int tmm_client_set_limits(struct tmm_client *client, unsigned int which,
			  const struct tmm_limits *limits)
{
	struct theseus_mm_limits call = {
		.flags = which,
		.client_frames_max = limits->client_frames_max,
		.client_pages_max = limits->client_pages_max,
		.client_handles_max = limits->client_handles_max,
	};

	return tmm_client_call(client, THESEUS_MM_IOC_SET_LIMITS, &call);
}
