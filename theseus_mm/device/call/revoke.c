// SPDX-License-Identifier: GPL-2.0
/*
 * REVOKE, on a handle or an exporting descriptor: end the loans of a mapping, so that no process
 * can reach the mapping's memory.
 */
#include "device/call/call.h"

#include "device/client/client.h"
#include "device/client/exports.h"
#include "device/client/mmap_offset.h"
#include "device/share/mapping_file.h"

#include <linux/errno.h>
#include <linux/file.h>

/*
 * A revocation cannot be undone, and its counts are known only after the revocation. So check
 * first that the reply can be written.
 */
static int prepare_reply(struct tmm_call *call)
{
	call->arg.revoke.nr_revoked = 0;
	call->arg.revoke.nr_pinned = 0;
	return tmm_call_reply(call);
}

/*
 * Write the counts. The revocation is done, so the call succeeds even if the write fails. The
 * write fails only if the structure lies in a revoked VMA, or if the process has unmapped the
 * structure. In both cases nobody could read the counts.
 */
static void reply_late(const struct tmm_call *call)
{
	int err = tmm_call_reply(call);

	(void)err;
}

int tmm_ioctl_revoke(struct tmm_call *call)
{
	struct theseus_mm_revoke *request = &call->arg.revoke;
	struct tmm_mapping_file *mf;
	int err;

	err = tmm_mmap_offset_find_file(call->client, request->handle, &mf);
	if (err)
		return err;
	err = prepare_reply(call);
	/* A mapping without a file was never lent. */
	if (!mf)
		return err;
	if (err)
		goto out;
	request->nr_revoked = tmm_loans_revoke_file(mf, &request->nr_pinned);
	tmm_loans_wait_for_mmap(mf);
	reply_late(call);
out:
	fput(mf->file);
	return err;
}

int tmm_ioctl_revoke_export(struct tmm_call *call)
{
	struct theseus_mm_revoke *request = &call->arg.revoke;
	int err;

	if (request->handle)
		return -EINVAL;
	err = prepare_reply(call);
	if (err)
		return err;
	err = tmm_export_revoke(call->export, &request->nr_revoked, &request->nr_pinned);
	if (err)
		return err;
	reply_late(call);
	return 0;
}
