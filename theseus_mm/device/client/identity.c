// SPDX-License-Identifier: GPL-2.0
#include "device/client/identity.h"

#include "device/client/client.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>

/**
 * tmm_identity_sees_all() - may physical addresses and the clients of others be shown?
 *
 * The answer decides what a call shows, and refuses no call. So a missing capability is
 * not logged by audit; an existing one counts as used.
 *
 * Context: Process context.
 * Return: true if the current process has CAP_SYS_ADMIN
 */
bool tmm_identity_sees_all(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/**
 * tmm_client_is_visible() - may the current process know of a client?
 * @client: the client
 * @caller: the one that asks through it
 *
 * Return: true if it is @caller, or one of the same user, or with CAP_SYS_ADMIN
 */
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller)
{
	return client == caller || uid_eq(client->identity.uid, current_uid()) ||
	       tmm_identity_sees_all();
}
