/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of /dev/theseus_mm: one table, one dispatcher, and one function per call. The
 * function checks the arguments, and then runs the call. The layers below decide policy wherever
 * they can.
 */
#ifndef TMM_DEVICE_CALL_CALL_H
#define TMM_DEVICE_CALL_CALL_H

#include "core/pte_flags.h"
#include "device/client/poll.h"
#include "mapping/request.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/compiler_types.h>
#include <linux/types.h>

struct file;
struct tmm_client;
struct tmm_export;
struct tmm_lending;
struct tmm_object;
struct vm_area_struct;

/* One call that is being served. */
struct tmm_call {
	struct tmm_client *client;	/* NULL for a call on an exporting or lending descriptor */
	struct tmm_export *export;	/* for a call on an exporting descriptor */
	const struct tmm_lending *lending;	/* for a call on a lending descriptor */
	void __user *user;	/* the caller's structure */
	size_t user_size;	/* size of the structure that the program was built with */
	size_t size;		/* size of the module's structure */
	/* -ENOSPC or -EDQUOT if the call succeeds, but an item failed with that error; else 0 */
	int shortage;
	struct tmm_poll_attempt attempt;	/* of a call that may lack a resource */
	/* the module's copy of the caller's structure; fields that the program lacks are 0 */
	union {
		u32 flags;
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
		struct theseus_mm_dump_pte dump_pte;
	} arg;
};

/* Check and convert arguments that several calls share. Return: 0 or -EINVAL */
int __must_check tmm_call_decode_flags(u64 user_flags, tmm_pte_flags_t *flags);
int __must_check tmm_call_decode_align(u64 nr_bytes, u64 *align);

/* Copy the results out, before any new object becomes visible. Return: 0 or -EFAULT */
int __must_check tmm_call_reply(const struct tmm_call *call);
/* Reply, then publish a reserved object. If the reply fails, drop the object. */
int __must_check tmm_call_deliver(struct tmm_call *call, struct tmm_object *object);

/* One function per call, for the table in dispatch.c. Each file is named after its calls. */

/* info.c */
int tmm_ioctl_get_info(struct tmm_call *call);
int tmm_ioctl_get_region(struct tmm_call *call);

/* walk.c */
int tmm_ioctl_translate(struct tmm_call *call);
int tmm_ioctl_dump_pte(struct tmm_call *call);

/* clients.c */
int tmm_ioctl_get_clients(struct tmm_call *call);

/* occupancy.c */
int tmm_ioctl_get_occupancy(struct tmm_call *call);

/* list_handles.c */
int tmm_ioctl_list_handles(struct tmm_call *call);

/* objects.c */
int tmm_ioctl_query(struct tmm_call *call);
int tmm_ioctl_drop(struct tmm_call *call);
int tmm_ioctl_split(struct tmm_call *call);
int tmm_ioctl_merge(struct tmm_call *call);

/* allocate.c */
int tmm_ioctl_allocate_frames(struct tmm_call *call);
int tmm_ioctl_allocate_pages(struct tmm_call *call);

/* create.c */
int tmm_ioctl_create_mapping(struct tmm_call *call);
int tmm_ioctl_create_contiguous_mapping(struct tmm_call *call);
int tmm_ioctl_create_identity_mapping(struct tmm_call *call);

/* map.c */
int tmm_ioctl_map_allocated_pages(struct tmm_call *call);
int tmm_ioctl_map_allocated_pages_to(struct tmm_call *call);
int tmm_ioctl_remap(struct tmm_call *call);

/* unmap.c */
int tmm_ioctl_unmap_into_parts(struct tmm_call *call);

/* device_memory.c */
int tmm_ioctl_add_device_region(struct tmm_call *call);
int tmm_ioctl_remove_device_region(struct tmm_call *call);
int tmm_ioctl_map_frame_range(struct tmm_call *call);

/* limits.c */
int tmm_ioctl_get_limits(struct tmm_call *call);
int tmm_ioctl_set_limits(struct tmm_call *call);

/* batch.c */
int tmm_ioctl_create_batch(struct tmm_call *call);
int tmm_ioctl_drop_batch(struct tmm_call *call);

/* access.c */
int tmm_ioctl_read(struct tmm_call *call);
int tmm_ioctl_write(struct tmm_call *call);

/* dmabuf.c */
int tmm_ioctl_export_dmabuf(struct tmm_call *call);

/* mmap.c */
int tmm_ioctl_map_offset(struct tmm_call *call);

/* revoke.c */
int tmm_ioctl_revoke(struct tmm_call *call);
int tmm_ioctl_revoke_export(struct tmm_call *call);

/* transfer.c */
int tmm_ioctl_share(struct tmm_call *call);
int tmm_ioctl_export(struct tmm_call *call);
int tmm_ioctl_import(struct tmm_call *call);
int tmm_ioctl_take_back(struct tmm_call *call);
int tmm_ioctl_query_export(struct tmm_call *call);
int tmm_ioctl_query_lending(struct tmm_call *call);

#endif /* TMM_DEVICE_CALL_CALL_H */
