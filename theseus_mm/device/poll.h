/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for memory: a client that got none is told when what it was refused came back.
 *
 * Invariant: no comeback is lost between the start of a call that failed and the
 * poll() after it: the client remembers the counts of comebacks as they were before.
 * Lock: none; the counts are atomic.
 */
#ifndef TMM_DEVICE_POLL_H
#define TMM_DEVICE_POLL_H

#include <linux/poll.h>
#include <linux/types.h>

struct file;
struct tmm_client;
struct tmm_comebacks;

void tmm_attempt_begin(struct tmm_client *client, struct tmm_comebacks *before);
void tmm_attempt_end(struct tmm_client *client, struct tmm_comebacks *before, int err);
__poll_t tmm_poll(struct file *file, poll_table *wait);

#endif /* TMM_DEVICE_POLL_H */
