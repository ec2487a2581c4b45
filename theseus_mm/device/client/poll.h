/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for memory: poll() wakes a client when a refused resource comes back.
 *
 * Invariant: no release is lost between the start of a failed call and the poll() after
 * it: the client remembers the counts of releases from before the call.
 * Lock: none; the counts are atomic.
 */
#ifndef TMM_DEVICE_CLIENT_POLL_H
#define TMM_DEVICE_CLIENT_POLL_H

#include <linux/poll.h>
#include <linux/types.h>

struct file;
struct tmm_client;
struct tmm_waiters_counts;

void tmm_poll_attempt_begin(struct tmm_client *client, struct tmm_waiters_counts *before);
void tmm_poll_attempt_end(struct tmm_client *client, struct tmm_waiters_counts *before, int err);
__poll_t tmm_poll(struct file *file, poll_table *wait);

#endif /* TMM_DEVICE_CLIENT_POLL_H */
