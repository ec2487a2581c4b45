/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The identity of a client: the user and process that opened the client. The identity decides
 * which callers may know of the client.
 *
 * Invariant: an identity does not change while its client is in the table.
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

/*
 * The highest number of a client. A position in a debugfs file has 63 bits: a client's number and
 * a handle of 32 bits.
 */
#define TMM_MAX_CLIENT_ID	0x7ffffffeU

/* The user and process that opened a client. */
struct tmm_client_identity {
	/* held by the table, by lookups, and by the client's exports and lending descriptors */
	struct kref kref;
	u32 id;	/* never 0 */
	kuid_t uid;
	struct pid *pid;	/* the process; may have exited */
	char comm[TASK_COMM_LEN];	/* name of the process when the client was opened */
};

bool tmm_identity_sees_all(void);
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller);

#endif /* TMM_DEVICE_CLIENT_IDENTITY_H */
