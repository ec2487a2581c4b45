/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users: accounts of all clients of one user together.
 *
 * A user exists while one of its clients exists, or while a closed client's account is still
 * charged. The parent of the account of a user in a user namespace is the account of the
 * namespace's owner. The limits are the present values of module parameters.
 *
 * Lock: a spinlock for the table of users, taken when a client is opened and when a user is
 * freed.
 * Owner: the accounts of the clients.
 */
#ifndef TMM_DEVICE_CLIENT_USER_H
#define TMM_DEVICE_CLIENT_USER_H

#include "alloc/account.h"

#include <linux/moduleparam.h>
#include <linux/types.h>

/* Limits of the users and of their clients: the present values of the parameters max_*. */
struct tmm_user_limits {
	u64 client[TMM_NR_RESOURCES];	/* copied when a client is opened */
	u64 user[TMM_NR_RESOURCES];	/* limits of each user; in force at once */
};

extern struct tmm_user_limits tmm_user_limits;
extern const struct kernel_param_ops tmm_user_limits_param_ops;

struct tmm_account * __must_check tmm_user_account_get(void);

void tmm_user_limits_init(u64 nr_pages);

/* The limits of a client that is opened now */
void tmm_user_default_limits(u64 max[TMM_NR_RESOURCES]);

#endif /* TMM_DEVICE_CLIENT_USER_H */
