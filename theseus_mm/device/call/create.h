/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of memory that a call allocates, as reserved objects.
 */
#ifndef TMM_DEVICE_CALL_CREATE_H
#define TMM_DEVICE_CALL_CREATE_H

#include "mapping/request.h"

#include <linux/compiler_types.h>

/* The charge for the handle of a new object */
enum tmm_handle_charge {
	TMM_CHARGE_HANDLE,	/* charge the client */
	TMM_HANDLE_IS_CHARGED,	/* the caller has charged the client, and undoes that */
};

struct theseus_mm_create_mapping;
struct tmm_client;
struct tmm_object;

struct tmm_object * __must_check
tmm_call_create(struct tmm_client *client, const struct tmm_mapping_request *req,
		enum tmm_handle_charge charge);
struct tmm_object * __must_check
tmm_call_create_mapping(struct tmm_client *client, struct theseus_mm_create_mapping *request,
			enum tmm_frames_choice frames, enum tmm_handle_charge charge);

#endif /* TMM_DEVICE_CALL_CREATE_H */
