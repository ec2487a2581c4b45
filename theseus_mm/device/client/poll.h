/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for memory: poll() wakes a client when a refused resource comes back.
 *
 * A client becomes a waiter when a resource is first refused to it, and stays one until its file is
 * closed. Releases are counted only while there are waiters (alloc/waiters.h). So the refused
 * attempt of a client that was no waiter is made once more, as a waiter's.
 *
 * Invariant: no release is lost between the start of a waiter's failed attempt and the poll() after
 * it: the client remembers the counts of releases from before the attempt.
 * Lock: none; the counts are atomic.
 */
#ifndef TMM_DEVICE_CLIENT_POLL_H
#define TMM_DEVICE_CLIENT_POLL_H

#include "alloc/waiters.h"

#include <linux/poll.h>
#include <linux/types.h>

struct file;
struct tmm_client;

/* An attempt of a call, which may be refused a resource. */
struct tmm_poll_attempt {
	bool is_counted;	/* releases are counted during the attempt */
	struct tmm_waiters_counts before;	/* releases before the attempt, if @is_counted */
};

void tmm_poll_attempt_begin(struct tmm_client *client, struct tmm_poll_attempt *attempt);
bool __must_check tmm_poll_attempt_again(struct tmm_client *client,
					 struct tmm_poll_attempt *attempt, int err);
void tmm_poll_attempt_end(struct tmm_client *client, struct tmm_poll_attempt *attempt, int err);
void tmm_poll_leave(struct tmm_client *client);
__poll_t tmm_poll(struct file *file, poll_table *wait);

#endif /* TMM_DEVICE_CLIENT_POLL_H */
