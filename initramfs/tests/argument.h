/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The argument of any call: one union of all structures of the UAPI.
 */
#ifndef TESTS_ARGUMENT_H
#define TESTS_ARGUMENT_H

#include "client.h"

/* Room for any structure and some bytes after it. */
#define ROOM	PAGE

union argument {
	__u32 flags;
	struct theseus_mm_info info;
	struct theseus_mm_region region;
	struct theseus_mm_occupancy occupancy;
	struct theseus_mm_clients clients;
	struct theseus_mm_query query;
	struct theseus_mm_handles handles;
	struct theseus_mm_drop drop;
	struct theseus_mm_split split;
	struct theseus_mm_merge merge;
	struct theseus_mm_allocate allocate;
	struct theseus_mm_create_mapping create;
	struct theseus_mm_map map;
	struct theseus_mm_remap remap;
	struct theseus_mm_unmap unmap;
	struct theseus_mm_access access;
	struct theseus_mm_map_offset map_offset;
	struct theseus_mm_revoke revoke;
	struct theseus_mm_share share;
	struct theseus_mm_export export;
	struct theseus_mm_import import;
	struct theseus_mm_take_back take_back;
	struct theseus_mm_batch batch;
	struct theseus_mm_limits limits;
	struct theseus_mm_device_region device_region;
	struct theseus_mm_map_range map_range;
	struct theseus_mm_translate translate;
	struct theseus_mm_dump_pte dump;
	unsigned char bytes[ROOM];
};

#endif /* TESTS_ARGUMENT_H */
