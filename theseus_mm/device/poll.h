/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for memory: a client that got none is told when frames came back.
 *
 * Invariant: no comeback is lost between the start of a call that failed and the
 * poll() after it: the client remembers the count of comebacks as it was before.
 * Lock: none; the count is atomic.
 */
#ifndef TMM_DEVICE_POLL_H
#define TMM_DEVICE_POLL_H

#include <linux/poll.h>
#include <linux/types.h>

struct file;
struct tmm_client;

/* No call of the client has failed for want of memory. */
#define TMM_NEVER_FAILED	U64_MAX

u64 tmm_attempt_begin(struct tmm_client *client);
void tmm_attempt_end(struct tmm_client *client, u64 before, int err);
__poll_t tmm_poll(struct file *file, poll_table *wait);

#endif /* TMM_DEVICE_POLL_H */
