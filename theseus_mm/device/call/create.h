/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of memory that a call allocates, as reserved objects.
 */
#ifndef TMM_DEVICE_CALL_CREATE_H
#define TMM_DEVICE_CALL_CREATE_H

#include "mapping/request.h"

#include <linux/compiler_types.h>

struct theseus_mm_create_mapping;
struct tmm_client;
struct tmm_object;

struct tmm_object * __must_check
tmm_call_create(struct tmm_client *client, const struct tmm_mapping_request *req);
struct tmm_object * __must_check
tmm_call_create_mapping(struct tmm_client *client, struct theseus_mm_create_mapping *request,
			enum tmm_frames_choice frames);

#endif /* TMM_DEVICE_CALL_CREATE_H */
