/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The identity of a client: the user and process that opened it, and who may know of it.
 *
 * Invariant: an identity does not change as long as its client is in the table.
 * Lock: none; a reference keeps the client and its identity.
 * Owner: the client.
 */
#ifndef TMM_DEVICE_CLIENT_IDENTITY_H
#define TMM_DEVICE_CLIENT_IDENTITY_H

#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct pid;
struct tmm_client;

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

bool tmm_identity_sees_all(void);
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller);

#endif /* TMM_DEVICE_CLIENT_IDENTITY_H */
