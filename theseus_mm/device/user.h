/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users: what all clients of one user have together.
 *
 * A user is there as long as one of their clients, or a frame that is charged to one
 * that is gone. Limits are module parameters, as they are at the moment they are asked.
 *
 * Lock: a spinlock for the table of users, taken when a client comes and when the last
 * goes.
 * Owner: the accounts of the clients.
 */
#ifndef TMM_DEVICE_USER_H
#define TMM_DEVICE_USER_H

#include "alloc/account.h"

#include <linux/list.h>
#include <linux/uidgid.h>

/**
 * struct tmm_user - a user who has clients
 * @frames: frames of all of them; its reference count is the user's
 * @handles: handles of all of them; only while @frames is held
 * @uid: who
 * @node: in the table
 */
struct tmm_user {
	struct tmm_account frames;
	struct tmm_account handles;
	kuid_t uid;
	struct hlist_node node;
};

struct tmm_user * __must_check tmm_user_get(kuid_t uid);
void tmm_user_put(struct tmm_user *user);

/* What a client that is opened now may have */
u64 tmm_default_max_frames(void);
u64 tmm_default_max_handles(void);

#endif /* TMM_DEVICE_USER_H */
