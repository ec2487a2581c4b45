/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All clients, by number, each with the user and process that opened it.
 *
 * Invariant: a client is in the table from its first moment until nothing is charged to
 * it any more. A lookup returns a reference. A client whose file is closed has no handles.
 * Lock: the table's, a leaf. It is held for a lookup only: reading a client runs at the
 * same time as its calls and its end.
 * Owner: the module.
 */
#ifndef TMM_DEVICE_CLIENT_CLIENTS_H
#define TMM_DEVICE_CLIENT_CLIENTS_H

#include "core/pte_flags.h"

#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct pid;
struct tmm_client;
struct tmm_page_table;

/* Positions in debugfs files are a number of a client and a handle, in 63 bits. */
#define TMM_MAX_CLIENT_ID	0x7ffffffeU

/**
 * struct tmm_client_identity - who opened a client
 * @kref: the file, and whoever looks
 * @id: its number; never 0
 * @uid: the user
 * @pid: the process; may be gone
 * @comm: its name then
 */
struct tmm_client_identity {
	struct kref kref;
	u32 id;
	kuid_t uid;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
};

int __must_check tmm_clients_add(struct tmm_client *client);
void tmm_clients_close(struct tmm_client *client);
void tmm_clients_remove(struct tmm_client *client);
u32 tmm_clients_nr(void);
struct tmm_client *tmm_clients_find(u32 from);
void tmm_client_put(struct tmm_client *client);
bool tmm_sees_all(void);
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller);

/*
 * Walk all clients by number, closed ones too. The loop holds a reference on the present
 * client, so it must not be left before its end.
 */
#define tmm_clients_for_each(client)						\
	for (client = tmm_clients_find(1); client;				\
	     client = tmm_clients_next(client))

struct tmm_client *tmm_clients_next(struct tmm_client *client);

/**
 * struct tmm_look - a snapshot of an object
 * @handle: its number
 * @kind: THESEUS_MM_KIND_*
 * @start: number of the first page; for frames, of the first frame
 * @nr: pages or frames
 * @nr_frame_ranges: runs of frames behind a mapping
 * @flags: a mapping's
 * @attributes: a mapping's, THESEUS_MM_ATTRIBUTE_*
 * @nr_borrows: a mapping's
 * @is_mmapped: the mapping is mmapped in a process
 */
struct tmm_look {
	u32 handle;
	u32 kind;
	u64 start;
	u64 nr;
	unsigned int nr_frame_ranges;
	tmm_pte_flags_t flags;
	u32 attributes;
	unsigned int nr_borrows;
	bool is_mmapped;
};

/* A good number for tmm_client_look(): the handle table is locked for so many. */
#define TMM_LOOKS	16

unsigned int tmm_client_look(struct tmm_client *client, u64 from, struct tmm_look *looks,
			     unsigned int nr);
unsigned int tmm_client_look_at_exports(struct tmm_client *client, u64 from,
					struct tmm_look *looks, unsigned int nr);

#endif /* TMM_DEVICE_CLIENT_CLIENTS_H */
