/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Releases: counts of how often a resource became available again, and the wait queue
 * for it.
 *
 * A run that is free again and room under a limit are both releases. Frames, pages and
 * handles have separate counts, so that a waiter for frames is not woken by pages. The
 * module has one count of each, for all clients.
 *
 * A refused client waits for the releases of others only. A call that fails half-way gives
 * back what it had taken: that must wake others, but must not make the client itself try
 * again for ever.
 *
 * Invariant: a count never misses a release. So a client that compares the count with its
 * value before the call never waits for a release that has happened.
 * Lock: none; the counts are atomic, the wait queue has its own lock, and each slot of the
 * attempts is used by one task.
 * Owner: the module.
 */
#ifndef TMM_ALLOC_WAITERS_H
#define TMM_ALLOC_WAITERS_H

#include <linux/types.h>

/**
 * enum tmm_resource - what can be owned, charged, exhausted and waited for
 * @TMM_RESOURCE_FRAMES: physical memory
 * @TMM_RESOURCE_PAGES: virtual addresses
 * @TMM_RESOURCE_HANDLES: objects of a client, and files made for it
 * @TMM_NR_RESOURCES: number of the resources above
 */
enum tmm_resource {
	TMM_RESOURCE_FRAMES,
	TMM_RESOURCE_PAGES,
	TMM_RESOURCE_HANDLES,
	TMM_NR_RESOURCES,
};

/**
 * struct tmm_waiters_counts - a snapshot of the counts
 * @nr: number of releases, by enum tmm_resource
 */
struct tmm_waiters_counts {
	u64 nr[TMM_NR_RESOURCES];
};

struct wait_queue_head;

void tmm_waiters_note(enum tmm_resource resource);
void tmm_waiters_read(struct tmm_waiters_counts *now);
struct wait_queue_head *tmm_waiters_queue(void);

void tmm_waiters_begin(struct tmm_waiters_counts *now);
void tmm_waiters_end(struct tmm_waiters_counts *before);

#endif /* TMM_ALLOC_WAITERS_H */
