/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients, and the table of all clients by number.
 *
 * A client is an open file description of /dev/theseus_mm.
 *
 * Invariant: a client is in the table from its first moment until nothing is charged to
 * it any more. A lookup returns a reference. A client whose file is closed has no handles.
 * Lock: the table's, a leaf. It is held for a lookup only: reading a client runs at the
 * same time as its calls and its end.
 * Owner: the file owns the client, which is released with it; the module owns the table.
 */
#ifndef TMM_DEVICE_CLIENT_CLIENT_H
#define TMM_DEVICE_CLIENT_CLIENT_H

#include "alloc/waiters.h"
#include "alloc/account.h"
#include "device/client/identity.h"
#include "device/client/offsets.h"

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct tmm_instance;

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
 * @failed_at: the counts of releases before that call; see device/client/poll.h
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
	struct tmm_waiters_counts failed_at;
};

struct tmm_client * __must_check tmm_client_create(struct tmm_instance *inst);
void tmm_client_destroy(struct tmm_client *client);

/* All clients */
u32 tmm_clients_nr(void);
struct tmm_client *tmm_clients_find(u32 from);
struct tmm_client *tmm_clients_next(struct tmm_client *client);
void tmm_client_put(struct tmm_client *client);

/*
 * Walk all clients by number, closed ones too. The loop holds a reference on the present
 * client, so it must not be left before its end.
 */
#define tmm_clients_for_each(client)						\
	for (client = tmm_clients_find(1); client;				\
	     client = tmm_clients_next(client))

#endif /* TMM_DEVICE_CLIENT_CLIENT_H */
