/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients, and the table of all clients by number.
 *
 * A client is an open file description of /dev/theseus_mm.
 *
 * Invariant: a client is in the table from its creation until its account is no longer
 * charged for anything. A lookup returns a reference. A client whose file is closed has no
 * handles.
 * Lock: the table's own lock, under which no other lock is taken. The lock is held for a lookup
 * only, so a reader of a client runs concurrently with the client's calls and its end.
 * Owner: the file owns the client, and destroys the client when the file is released. The module
 * owns the table.
 */
#ifndef TMM_DEVICE_CLIENT_CLIENT_H
#define TMM_DEVICE_CLIENT_CLIENT_H

#include "alloc/waiters.h"
#include "alloc/account.h"
#include "device/client/handle_table.h"
#include "device/client/identity.h"
#include "device/client/offsets.h"

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct tmm_instance;

/* An open file description of the device. */
struct tmm_client {
	struct tmm_instance *inst;
	/*
	 * table of handles; its lock is the client's main lock (@exports and @offsets have
	 * their own)
	 */
	struct tmm_handle_table objects;
	/*
	 * the client's exports (struct tmm_export) that still own their mapping, by number;
	 * each export has a reference on the client
	 */
	struct xarray exports;
	/* offsets of mappings for mmap(); looked up under @objects's lock */
	struct tmm_offsets offsets;
	/* where to look for a free number of an export, so that a number is not reused soon */
	u32 next_export;
	/*
	 * The account counts the client's frames, pages and handles (see alloc/account.h).
	 * Handles in any state count, and so do mapping files. A reference on the account keeps
	 * the client. The client's file has such a reference, and so have frames, pages and files
	 * that outlive the file.
	 */
	struct tmm_account *account;
	struct tmm_account own_account;	/* @account points here */
	bool is_closed;	/* the client's file is gone, but its account is still charged */
	/* frames of all visible objects; frames of taken objects do not count */
	atomic64_t nr_frames;
	atomic_t nr_mappings;	/* visible mappings */
	atomic_t nr_exported;	/* mappings in @exports */
	struct tmm_client_identity identity;	/* user and process that opened the client */
	/*
	 * Bits by enum tmm_resource. The last call that failed with ENOSPC or EDQUOT lacked
	 * these resources. 0 if no call has failed with these errors.
	 */
	unsigned int waits_for;
	/* a call was refused a resource: releases are counted until the client's file is closed */
	bool is_waiter;
	/* the counts of releases before the call that set @waits_for; see device/client/poll.h */
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
 * Walk all clients by number, including closed ones. The loop holds a reference on the present
 * client. A caller that leaves the loop before its end has to drop that reference.
 */
#define tmm_clients_for_each(client)						\
	for (client = tmm_clients_find(1); client;				\
	     client = tmm_clients_next(client))

#endif /* TMM_DEVICE_CLIENT_CLIENT_H */
