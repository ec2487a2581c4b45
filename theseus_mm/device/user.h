/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users: what all clients of one user have together.
 *
 * A user is there as long as one of their clients, or something that is charged to one
 * that is gone. A user of a user namespace is charged below the namespace's owner. Limits
 * are module parameters, as they are at the moment they are asked.
 *
 * Lock: a spinlock for the table of users, taken when a client comes and when the last
 * goes.
 * Owner: the accounts of the clients.
 */
#ifndef TMM_DEVICE_USER_H
#define TMM_DEVICE_USER_H

#include "alloc/account.h"

#include <linux/types.h>

struct tmm_account * __must_check tmm_user_account_get(void);

void tmm_limits_init(u64 nr_pages);

/* What a client that is opened now may have */
void tmm_default_limits(u64 max[TMM_NR_RESOURCES]);

#endif /* TMM_DEVICE_USER_H */
