/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients and their handles.
 *
 * A client is an open file description of /dev/theseus_mm. Its table maps handles
 * to objects; each object owns one thing of the layers below. A handle is in one
 * of three states:
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
 * Owner: the file; released with it.
 */
#ifndef TMM_DEVICE_CLIENT_CLIENT_H
#define TMM_DEVICE_CLIENT_CLIENT_H

#include "alloc/waiters.h"
#include "alloc/account.h"
#include "device/client/clients.h"
#include "device/client/offsets.h"
#include "uapi/linux/theseus_mm.h"

#include <linux/atomic.h>
#include <linux/xarray.h>

struct dma_buf;
struct tmm_allocated_frames;
struct tmm_allocated_pages;
struct tmm_instance;
struct tmm_loan;
struct tmm_mapped_pages;
struct tmm_mapping_file;
struct tmm_borrow;

/**
 * struct tmm_client - one open file description
 * @inst: the instance it works on
 * @objects: table of handles; its lock is the client's main one (@exports and @offsets
 *           have locks of their own)
 * @exports: mapping files that the client exported and nobody imported; each has a reference
 *           on the client
 * @offsets: for mmap(): offsets to mappings; looked up under the table's lock
 * @next_handle: where to look for a free handle, so that numbers are not reused
 *               soon; under the table's lock
 * @next_export: the same for numbers of exports
 * @account: counts the client's frames, pages and handles, see alloc/account.h. Handles in
 *           any state count, and mapping files. A reference on the account keeps the
 *           client: the client's file has one, and frames, pages and files that outlive it
 * @own_account: the account that @account points to
 * @is_closed: the client's file is gone, but its account is still charged
 * @nr_frames: frames of all visible objects; those of taken objects do not count
 * @nr_mappings: visible mappings
 * @nr_exported: mappings in @exports
 * @identity: user and process that opened the client
 * @waits_for: bits by enum tmm_resource: the resource that was refused to the last call
 *             that failed with ENOSPC or EDQUOT; 0: no call has failed so
 * @failed_at: the counts of comebacks before that call; see device/client/poll.h
 */
struct tmm_client {
	struct tmm_instance *inst;
	struct xarray objects;
	struct xarray exports;
	struct tmm_offsets offsets;
	u32 next_handle;
	u32 next_export;
	struct tmm_account *account;
	struct tmm_account own_account;
	bool is_closed;
	atomic64_t nr_frames;
	atomic_t nr_mappings;
	atomic_t nr_exported;
	struct tmm_client_identity identity;
	unsigned int waits_for;
	struct tmm_comebacks failed_at;
};

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

struct tmm_client * __must_check tmm_client_create(struct tmm_instance *inst);
void tmm_client_destroy(struct tmm_client *client);

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
void tmm_object_drop(struct tmm_client *client, struct tmm_object *object);
bool tmm_client_pages_are_bad(const struct tmm_client *client, u64 first, u64 nr);
int __must_check tmm_object_query(struct tmm_client *client, struct theseus_mm_query *query);
void tmm_mapping_describe(const struct tmm_mapped_pages *mp, struct theseus_mm_query *query);
int __must_check tmm_object_borrow(struct tmm_client *client, u32 handle, u64 offset, u64 nr_bytes,
				   bool is_mutable, struct tmm_borrow *borrow);

/* Mappings in processes */
int __must_check tmm_object_map_offset(struct tmm_client *client,
				       struct theseus_mm_map_offset *reply, bool is_low);
int __must_check tmm_object_mapping_file(struct tmm_client *client, u32 handle,
					 struct tmm_mapping_file **mf);
int __must_check tmm_object_check_room(struct tmm_client *client, u32 handle);
int __must_check tmm_object_lend(struct tmm_client *client, u64 page, u64 nr_bytes,
				 bool is_mutable, struct tmm_loan *loan,
				 struct tmm_mapping_file **mf);
int __must_check tmm_object_address(struct tmm_client *client, u64 page, u64 *address);
void tmm_object_resize(struct tmm_client *client, struct tmm_object *object);
int __must_check tmm_object_open_mapping_file(struct tmm_client *client, u32 handle,
					      struct tmm_mapping_file **mf, u64 *nr_bytes,
					      u64 *generation);
int __must_check tmm_object_lend_by(struct tmm_client *client, u32 handle,
				    const struct tmm_mapping_file *mf, u64 offset, u64 nr_bytes,
				    bool is_mutable, struct tmm_loan *loan);
int __must_check tmm_object_query_lent(struct tmm_client *client, u32 handle,
				       const struct tmm_mapping_file *mf,
				       struct theseus_mm_query *query);
int __must_check tmm_object_borrow_all(struct tmm_client *client, u32 handle,
				       struct tmm_borrow *borrow);

/* device/call/dmabuf.c */
struct dma_buf * __must_check tmm_dmabuf_create(struct tmm_client *client, u32 handle);

#endif /* TMM_DEVICE_CLIENT_CLIENT_H */
