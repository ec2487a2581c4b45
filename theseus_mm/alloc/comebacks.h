/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comebacks: how often something came back that somebody may be waiting for, and who
 * waits.
 *
 * What is free again, and room under a limit, count alike. They count by what it is, so
 * that somebody who waits for frames is not woken by pages; the module has one count of
 * each, whoever it was taken from.
 *
 * Somebody who got nothing waits for a comeback that is not his own: a call that
 * fails half-way gives back what it had, which must wake others but not have
 * itself try again for ever.
 *
 * Invariant: a count never misses a comeback, so whoever compares it with what it
 * was before his call never waits for one that has happened.
 * Lock: none; counts are atomic, the wait queue has a lock of its own, and of the
 * attempts each place is its task's.
 * Owner: the module.
 */
#ifndef TMM_ALLOC_COMEBACKS_H
#define TMM_ALLOC_COMEBACKS_H

#include <linux/types.h>

/**
 * enum tmm_resource - what can be owned, charged, exhausted and waited for
 * @TMM_RESOURCE_FRAMES: physical memory
 * @TMM_RESOURCE_PAGES: virtual addresses
 * @TMM_RESOURCE_HANDLES: objects of a client, and files that it had made
 * @TMM_NR_RESOURCES: number of the resources above
 */
enum tmm_resource {
	TMM_RESOURCE_FRAMES,
	TMM_RESOURCE_PAGES,
	TMM_RESOURCE_HANDLES,
	TMM_NR_RESOURCES,
};

/**
 * struct tmm_comebacks - counts at a moment
 * @nr: by enum tmm_resource: how often some came back
 */
struct tmm_comebacks {
	u64 nr[TMM_NR_RESOURCES];
};

struct wait_queue_head;

void tmm_comebacks_note(enum tmm_resource resource);
void tmm_comebacks_read(struct tmm_comebacks *now);
struct wait_queue_head *tmm_comebacks_queue(void);

void tmm_comebacks_begin(struct tmm_comebacks *now);
void tmm_comebacks_end(struct tmm_comebacks *before);

#endif /* TMM_ALLOC_COMEBACKS_H */
