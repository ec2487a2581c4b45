/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handles of a client.
 *
 * A client's table maps handles to objects (device/client/handle_table.h). A handle is in one of
 * three states:
 *
 *	reserved -> visible <-> taken
 *
 * A call can find a visible object only. A call that changes or consumes an object first
 * takes the object, so a second call on the same handle finds nothing. If the first call
 * fails, it makes the unchanged object visible again. A new object becomes visible only after
 * its handle was copied to user space, so the call can undo everything if the copy fails.
 *
 * Invariant: the content of a visible object does not change while the table's lock is held. No
 * lock of this layer is held over a copy to or from user space.
 * Lock: that of the table, client->objects.
 * Owner: the client.
 */
#ifndef TMM_DEVICE_CLIENT_HANDLES_H
#define TMM_DEVICE_CLIENT_HANDLES_H

#include "device/client/object.h"

#include <linux/compiler_types.h>
#include <linux/types.h>

struct theseus_mm_query;
struct tmm_borrow;
struct tmm_client;

/* Any kind, for tmm_handle_take(). */
#define TMM_KIND_ANY	0

/* New objects */
struct tmm_object * __must_check tmm_handle_reserve(struct tmm_client *client);
struct tmm_object * __must_check tmm_handle_reserve_beyond(struct tmm_client *client, u64 beyond);
struct tmm_object * __must_check tmm_handle_reserve_in_place(struct tmm_client *client);
void tmm_handle_forget(struct tmm_client *client, struct tmm_object *object);
u64 tmm_handle_nr_files(const struct tmm_object *object);
void tmm_handle_abandon(struct tmm_client *client, struct tmm_object *object);
void tmm_handle_publish(struct tmm_client *client, struct tmm_object *object);
int __must_check tmm_handles_reserve_some(struct tmm_client *client, struct tmm_object **objects,
					  u32 nr);
void tmm_handles_forget_unused(struct tmm_client *client, struct tmm_object **objects, u32 nr);
void tmm_handles_publish(struct tmm_client *client, struct tmm_object **objects, u32 nr);

/* Visible objects */
struct tmm_object * __must_check tmm_handle_take(struct tmm_client *client, u32 handle, u32 kind);
void tmm_handles_take(struct tmm_client *client, const u32 *handles, struct tmm_object **objects,
		      u32 nr);
int __must_check tmm_handle_take_two(struct tmm_client *client, const u32 handles[2],
				     struct tmm_object *objects[2]);
void tmm_handle_resize(struct tmm_client *client, struct tmm_object *object);
void tmm_handle_drop(struct tmm_client *client, struct tmm_object *object);
void tmm_handles_drop_charged(struct tmm_client *client, struct tmm_object **objects, u32 nr);
bool tmm_client_pages_are_bad(const struct tmm_client *client, u64 first, u64 nr);
int __must_check tmm_handle_query(struct tmm_client *client, struct theseus_mm_query *query);
int __must_check tmm_handle_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
				   bool is_mutable, struct tmm_borrow *borrow);
int __must_check tmm_handle_borrow_all(struct tmm_client *client, u32 handle,
				       struct tmm_borrow *borrow);

/* For other files of this folder */
void tmm_handles_destroy(struct tmm_client *client);
struct tmm_object *tmm_handles_find_mapping(struct tmm_client *client, u32 handle);

#endif /* TMM_DEVICE_CLIENT_HANDLES_H */
