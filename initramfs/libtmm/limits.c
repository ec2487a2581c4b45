// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: how much a client, and its user, may own.
 */
#include "internal.h"

_Static_assert(TMM_NO_LIMIT == THESEUS_MM_NO_LIMIT && TMM_UNCHANGED == THESEUS_MM_NO_LIMIT,
	       "no limit");

int tmm_client_limits(const struct tmm_client *client, struct tmm_limits *limits)
{
	struct theseus_mm_limits call = { 0 };

	if (tmm_client_call(client, THESEUS_MM_IOC_GET_LIMITS, &call))
		return -1;
	*limits = (struct tmm_limits){
		.client_frames_max = call.client_frames_max,
		.client_handles_max = call.client_handles_max,
		.client_frames = call.client_frames,
		.client_handles = call.client_handles,
		.user_frames_max = call.user_frames_max,
		.user_handles_max = call.user_handles_max,
		.user_frames = call.user_frames,
		.user_handles = call.user_handles,
	};
	return 0;
}

int tmm_client_set_limits(struct tmm_client *client, uint64_t frames_max, uint64_t handles_max)
{
	struct theseus_mm_limits call = {
		.client_frames_max = frames_max,
		.client_handles_max = handles_max,
	};

	return tmm_client_call(client, THESEUS_MM_IOC_SET_LIMITS, &call);
}
