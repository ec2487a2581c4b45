/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comebacks: how often something came back to an allocator, and who waits for it.
 *
 * Somebody who got nothing waits for a comeback that is not his own: a call that
 * fails half-way gives back what it had, which must wake others but not have
 * itself try again for ever.
 *
 * Invariant: the count never misses a comeback, so whoever compares it with what it
 * was before his call never waits for one that has happened.
 * Lock: none; the count is atomic, the wait queue has a lock of its own, and in
 * @attempts each place is its task's.
 * Owner: the allocator that it is part of.
 */
#ifndef TMM_ALLOC_COMEBACKS_H
#define TMM_ALLOC_COMEBACKS_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>

struct task_struct;

#define TMM_COMEBACKS_ORDER	4

/**
 * struct tmm_comebacks - a count and those who wait for it to change
 * @nr: how often
 * @wait: for it to change
 * @attempts: calls at work that tell their own comebacks from others', by a hash of
 *            their task; @nr of them are its own. One that finds its place taken
 *            does without.
 */
struct tmm_comebacks {
	atomic64_t nr;
	wait_queue_head_t wait;
	struct {
		const struct task_struct *task;
		u64 nr;
	} attempts[1 << TMM_COMEBACKS_ORDER];
};

void tmm_comebacks_init(struct tmm_comebacks *comebacks);
void tmm_comebacks_count(struct tmm_comebacks *comebacks);
void tmm_comebacks_wake(struct tmm_comebacks *comebacks);
u64 tmm_comebacks_begin(struct tmm_comebacks *comebacks);
u64 tmm_comebacks_end(struct tmm_comebacks *comebacks, u64 before);

static inline u64 tmm_comebacks_nr(const struct tmm_comebacks *comebacks)
{
	return atomic64_read(&comebacks->nr);
}

#endif /* TMM_ALLOC_COMEBACKS_H */
