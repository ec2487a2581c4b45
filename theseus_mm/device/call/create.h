/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of memory that a call allocates, as reserved objects.
 */
#ifndef TMM_DEVICE_CALL_CREATE_H
#define TMM_DEVICE_CALL_CREATE_H

#include "mapping/request.h"

#include <linux/compiler_types.h>
#include <linux/types.h>

struct tmm_client;
struct tmm_object;

/* A program's request for new RAM, as in struct theseus_mm_create_mapping. */
struct tmm_create_wish {
	u64 size;
	u64 pte_flags;
	u64 leaf_size;
	u64 align;
	enum tmm_frames_choice frames;
};

/* The answer to a request, as in struct theseus_mm_create_mapping. */
struct tmm_created {
	u64 start;
	u64 nr_pages;
	u64 paddr;
};

int __must_check tmm_call_decode_create(struct tmm_client *client,
					const struct tmm_create_wish *wish,
					struct tmm_mapping_request *req);
int __must_check tmm_call_create_content(struct tmm_client *client,
					 const struct tmm_mapping_request *req,
					 struct tmm_object *object);
struct tmm_object * __must_check
tmm_call_create(struct tmm_client *client, const struct tmm_mapping_request *req);
void tmm_call_describe_created(const struct tmm_object *object, enum tmm_frames_choice frames,
			       struct tmm_created *created);

#endif /* TMM_DEVICE_CALL_CREATE_H */
