/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounts: how much somebody has, and the most they may have, of each resource.
 *
 * An account has a parent, as a client's has its user's: what is charged to it is
 * charged to all above it, or to none if that would be too much for one of them.
 *
 * A request names the account (struct tmm_allocation_request). The allocator charges it
 * where it takes, under its lock, and what was taken keeps the account; when that is free
 * again, the allocator uncharges it. So nobody takes, even for a moment, what they may not
 * have, and a request that is refused has charged nothing that others could miss. Tables
 * and files, which no range allocator gives, are charged and uncharged by who makes them.
 *
 * Uncharging is a comeback: it wakes who waits for room under a limit.
 *
 * Invariant: @counts of an account are what is charged to it and to those below it.
 * Lock: none; atomics.
 * Owner: whoever holds a reference: its user, those below it, and what it is attached
 * to, which outlives its client while a process has it mapped.
 */
#ifndef TMM_ALLOC_ACCOUNT_H
#define TMM_ALLOC_ACCOUNT_H

#include "alloc/comebacks.h"

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>

/* As THESEUS_MM_NO_LIMIT */
#define TMM_NO_LIMIT	U64_MAX

/**
 * struct tmm_account - counters with limits
 * @kref: references
 * @parent: charged as well, with a reference; NULL if there is none
 * @counts: what is charged, by enum tmm_resource
 * @max: the limits, which may be somebody else's variables; read each time
 * @own_max: where @max points if the account has limits of its own
 * @refused: bits by enum tmm_resource: requests for it were refused since somebody
 *           asked; of the account that was to be charged, not of those above it
 * @release: called when the last reference is gone; any context but interrupt
 */
struct tmm_account {
	struct kref kref;
	struct tmm_account *parent;
	atomic64_t counts[TMM_NR_RESOURCES];
	const u64 *max;
	u64 own_max[TMM_NR_RESOURCES];
	atomic_t refused;
	void (*release)(struct tmm_account *account);
};

void tmm_account_init(struct tmm_account *account, struct tmm_account *parent, const u64 *max,
		      void (*release)(struct tmm_account *account));
struct tmm_account * __must_check tmm_account_create(struct tmm_account *parent,
						     const u64 max[TMM_NR_RESOURCES]);
struct tmm_account *tmm_account_get(struct tmm_account *account);
void tmm_account_put(struct tmm_account *account);

int __must_check tmm_account_check(struct tmm_account *account, enum tmm_resource resource, u64 nr,
				   u64 beyond);
int __must_check tmm_account_charge(struct tmm_account *account, enum tmm_resource resource,
				    u64 nr);
int __must_check tmm_account_charge_beyond(struct tmm_account *account,
					   enum tmm_resource resource, u64 nr, u64 beyond);
void tmm_account_uncharge(struct tmm_account *account, enum tmm_resource resource, u64 nr);
int __must_check tmm_account_move(struct tmm_account *from, struct tmm_account *to,
				  const u64 nr[TMM_NR_RESOURCES]);

void tmm_account_set_max(struct tmm_account *account, enum tmm_resource resource, u64 max);

/* What a call was refused, for those who wait after it */
void tmm_account_note_refusal(struct tmm_account *account, enum tmm_resource resource);
unsigned int tmm_account_take_refusals(struct tmm_account *account);

static inline u64 tmm_account_count(const struct tmm_account *account, enum tmm_resource resource)
{
	return atomic64_read(&account->counts[resource]);
}

static inline u64 tmm_account_max(const struct tmm_account *account, enum tmm_resource resource)
{
	return READ_ONCE(account->max[resource]);
}

#endif /* TMM_ALLOC_ACCOUNT_H */
