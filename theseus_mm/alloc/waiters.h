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
 * Releases are counted only while somebody has joined the waiters. Otherwise a release reads one
 * word, which no release writes. So CPUs that free memory at the same time write no common cache
 * line.
 *
 * Invariant: a count never misses a release that happens after somebody has joined. So a client
 * that has joined, and compares the count with the value from before a call, never waits for a
 * release that has already happened.
 * Lock: none; the counts are atomic, the wait queue has its own lock, and one task at a time
 * uses each slot of the attempts.
 * Owner: the module.
 */
#ifndef TMM_ALLOC_WAITERS_H
#define TMM_ALLOC_WAITERS_H

#include <asm/barrier.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
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

/* Number of those who have joined; for tmm_waiters_note() */
extern atomic_t tmm_waiters_nr_joined;

void tmm_waiters_join(void);
void tmm_waiters_leave(void);

/* For tmm_waiters_note(): count a release, and wake the waiters. */
void tmm_waiters_count(enum tmm_resource resource);

/*
 * Note a release, and wake the waiters. The resource must already be available. Not in interrupts.
 */
static inline void tmm_waiters_note(enum tmm_resource resource)
{
	/*
	 * Pairs with the barrier in tmm_waiters_join(): either this CPU sees that a waiter has
	 * joined, or the waiter's next attempt sees the resource.
	 */
	smp_mb();
	if (unlikely(atomic_read(&tmm_waiters_nr_joined)))
		tmm_waiters_count(resource);
}

void tmm_waiters_read(struct tmm_waiters_counts *now);
struct wait_queue_head *tmm_waiters_queue(void);

void tmm_waiters_begin(struct tmm_waiters_counts *now);
void tmm_waiters_end(struct tmm_waiters_counts *before);

#endif /* TMM_ALLOC_WAITERS_H */
