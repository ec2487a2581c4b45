// SPDX-License-Identifier: GPL-2.0
#include "device/client/identity.h"

#include "device/client/client.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>

/*
 * True if the current process has CAP_SYS_ADMIN, and may see physical addresses and the
 * clients of other users. The answer only decides what a call shows, and no call is refused.
 * So the audit log does not get an entry if the capability is missing. If the process has the
 * capability, Linux notes that the process used it.
 */
bool tmm_identity_sees_all(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/*
 * True if the current process, which calls through @caller, may know of @client: @client is
 * @caller or a client of the same user, or the process has CAP_SYS_ADMIN.
 */
bool tmm_client_is_visible(const struct tmm_client *client, const struct tmm_client *caller)
{
	return client == caller || uid_eq(client->identity.uid, current_uid()) ||
	       tmm_identity_sees_all();
}
