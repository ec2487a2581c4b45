/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handles of a client.
 *
 * A client's table maps handles to objects; each object owns one thing of the layers
 * below. A handle is in one of three states:
 *
 *	reserved -> visible <-> taken
 *
 * Only a visible one can be found. A call that changes or consumes an object
 * first takes it, so that a second call on the same handle finds nothing; on
 * failure it makes it visible again, as it was. A new object becomes visible
 * only after its handle was copied to the caller, so there is always a way back.
 *
 * Invariant: what a visible object owns does not change while the table's lock
 * is held. No lock of this layer is held over a copy to or from user space.
 * Lock: that of the table, client->objects.
 * Owner: the client.
 */
#ifndef TMM_DEVICE_CLIENT_HANDLES_H
#define TMM_DEVICE_CLIENT_HANDLES_H

#include "uapi/linux/theseus_mm.h"

#include <linux/compiler_types.h>
#include <linux/types.h>

struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_borrow;
struct tmm_client;
struct tmm_mapped_pages;
struct tmm_mapping_file;
struct tmm_offset;

/**
 * struct tmm_object - the pages, frames or mapping of a handle
 * @handle: the handle
 * @kind: THESEUS_MM_KIND_*; 0 while the object owns nothing
 * @offset: a mapping's offset for mmap(); NULL if it has none
 * @mf: a mapping's file for processes; NULL if the mapping was never lent
 * @pages: set if @kind is KIND_PAGES
 * @frames: set if @kind is KIND_FRAMES
 * @mapping: set if @kind is KIND_MAPPING
 */
struct tmm_object {
	u32 handle;
	u32 kind;
	struct tmm_offset *offset;
	struct tmm_mapping_file *mf;
	union {
		struct tmm_allocated_pages *pages;
		struct tmm_allocated_frames *frames;
		struct tmm_mapped_pages *mapping;
	};
};

/* Any kind, for tmm_object_take(). */
#define TMM_KIND_ANY	0

/* New objects */
struct tmm_object * __must_check tmm_object_reserve(struct tmm_client *client);
struct tmm_object * __must_check tmm_object_reserve_beyond(struct tmm_client *client, u64 beyond);
struct tmm_object * __must_check tmm_object_reserve_in_place(struct tmm_client *client);
void tmm_object_forget(struct tmm_client *client, struct tmm_object *object);
u64 tmm_object_nr_files(const struct tmm_object *object);
void tmm_object_abandon(struct tmm_client *client, struct tmm_object *object);
void tmm_object_publish(struct tmm_client *client, struct tmm_object *object);

/* Visible objects */
struct tmm_object * __must_check tmm_object_take(struct tmm_client *client, u32 handle, u32 kind);
int __must_check tmm_object_take_two(struct tmm_client *client, const u32 handles[2],
				     struct tmm_object *objects[2]);
void tmm_object_resize(struct tmm_client *client, struct tmm_object *object);
void tmm_object_drop(struct tmm_client *client, struct tmm_object *object);
bool tmm_client_pages_are_bad(const struct tmm_client *client, u64 first, u64 nr);
int __must_check tmm_object_query(struct tmm_client *client, struct theseus_mm_query *query);
int __must_check tmm_object_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
				   bool is_mutable, struct tmm_borrow *borrow);
int __must_check tmm_object_borrow_all(struct tmm_client *client, u32 handle,
				       struct tmm_borrow *borrow);

/* For the files beside this one */
void tmm_handles_destroy(struct tmm_client *client);
u64 tmm_handles_nr_frames(const struct tmm_object *object);
struct tmm_object *tmm_handles_find_mapping(struct tmm_client *client, u32 handle);
void tmm_handles_describe(const struct tmm_object *object, struct theseus_mm_query *query);

#endif /* TMM_DEVICE_CLIENT_HANDLES_H */
