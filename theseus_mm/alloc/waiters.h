/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Releases: counts of how often a resource became available again, and the wait queue for
 * releases.
 *
 * A release is a run that becomes free again, or new room under a limit. Frames, pages and
 * handles have separate counts, so that pages do not wake a client that waits for frames. The
 * module has one count of each, for all clients.
 *
 * A refused client waits only for the releases of other clients. A call that fails half-way
 * gives back the resources that the call had taken. Such a release must wake other clients, but
 * must not make the same client retry for ever.
 *
 * Invariant: a count never misses a release. So a client that compares the count with the value
 * from before the call never waits for a release that has already happened.
 * Lock: none; the counts are atomic, the wait queue has its own lock, and one task at a time
 * uses each slot of the attempts.
 * Owner: the module.
 */
#ifndef TMM_ALLOC_WAITERS_H
#define TMM_ALLOC_WAITERS_H

#include <linux/init.h>
#include <linux/types.h>

/**
 * enum tmm_resource - resources that can be owned, charged, exhausted and waited for
 * @TMM_RESOURCE_FRAMES: physical memory
 * @TMM_RESOURCE_PAGES: virtual addresses
 * @TMM_RESOURCE_HANDLES: objects of a client, and files made for the client
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

int __init tmm_waiters_init(void);
void tmm_waiters_exit(void);

void tmm_waiters_note(enum tmm_resource resource);
void tmm_waiters_read(struct tmm_waiters_counts *now);
struct wait_queue_head *tmm_waiters_queue(void);

void tmm_waiters_begin(struct tmm_waiters_counts *now);
void tmm_waiters_end(struct tmm_waiters_counts *before);

#endif /* TMM_ALLOC_WAITERS_H */
