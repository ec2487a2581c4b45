/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounts: a count and a limit for each resource.
 *
 * An account can have a parent: the parent of a client's account is the account of the client's
 * user. A charge counts in the account and in all accounts above it, or in none of these
 * accounts if the charge would exceed the limit of one.
 *
 * A request names the account (struct tmm_allocation_request). The allocator charges the
 * account under the allocator's lock, when the allocator takes the run. The run keeps the
 * account, and the allocator uncharges the account when the run is free again. So no request
 * exceeds a limit, even for a moment, and a refused request takes no room from other
 * clients. Requests are not used for page tables and files. The code that makes page tables and
 * files charges and uncharges them.
 *
 * Uncharging is a release: it wakes clients that wait for room under a limit.
 *
 * Invariant: @counts of an account is the sum of the charges to the account and to all accounts
 * below it.
 * Lock: none; atomics.
 * Owner: the holders of references: the account's client or user, the accounts below it, and
 * the runs that are charged to it. A run outlives its client while a process has the run
 * mapped.
 */
#ifndef TMM_ALLOC_ACCOUNT_H
#define TMM_ALLOC_ACCOUNT_H

#include "alloc/waiters.h"

#include <linux/atomic.h>
#include <linux/compiler_types.h>
#include <linux/kref.h>
#include <linux/types.h>

/* The same value as THESEUS_MM_NO_LIMIT */
#define TMM_NO_LIMIT	U64_MAX

/**
 * struct tmm_account - counters with limits
 * @kref: references
 * @parent: the account that is charged as well, on which this account has a reference; NULL
 *          for none
 * @counts: amounts charged, by enum tmm_resource
 * @max: the limits, which may be variables outside the account; read for each charge
 * @own_max: the limits of the account itself, if @max points here
 * @refused: bits by enum tmm_resource: resources refused since the bits were last read; set in
 *           the account that was to be charged, not in the accounts above
 * @release: called when the last reference is dropped, in any context but interrupt
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

/* For the inline functions below: @account is not NULL, and @nr is not 0. */
void tmm_account_end(struct kref *kref);
int __must_check tmm_account_check_all(struct tmm_account *account, enum tmm_resource resource,
				       u64 nr, u64 beyond);
int __must_check tmm_account_charge_all(struct tmm_account *account, enum tmm_resource resource,
					u64 nr);
void tmm_account_uncharge_all(struct tmm_account *account, enum tmm_resource resource, u64 nr);

/* Take a reference. @account may be NULL. */
static inline struct tmm_account *tmm_account_get(struct tmm_account *account)
{
	if (account)
		kref_get(&account->kref);
	return account;
}

/*
 * Drop the caller's reference; @account may be NULL. An account that loses its last reference
 * drops its reference on the parent. Not in interrupts.
 */
static inline void tmm_account_put(struct tmm_account *account)
{
	if (account)
		kref_put(&account->kref, tmm_account_end);
}

/*
 * Check whether a charge would exceed a limit of @account or of an account above it. The
 * check is for callers that have work to do before they charge, or that charge in parts.
 * @beyond is as for tmm_account_charge_beyond(). A NULL account has no limit. O(levels).
 * Return: 0, or -EDQUOT, which is noted as a refusal.
 */
static inline int __must_check tmm_account_check(struct tmm_account *account,
						 enum tmm_resource resource, u64 nr, u64 beyond)
{
	return account && nr ? tmm_account_check_all(account, resource, nr, beyond) : 0;
}

/*
 * Charge an account and all accounts above it. A NULL account has no limit. Not in interrupts.
 * O(levels). Return: 0, or -EDQUOT if an account would exceed its limit; then no count has
 * changed, and the refusal is noted.
 */
static inline int __must_check tmm_account_charge(struct tmm_account *account,
						  enum tmm_resource resource, u64 nr)
{
	return account && nr ? tmm_account_charge_all(account, resource, nr) : 0;
}

bool __must_check tmm_account_try_charge(struct tmm_account *account, enum tmm_resource resource,
					 u64 nr);
int __must_check tmm_account_charge_beyond(struct tmm_account *account,
					   enum tmm_resource resource, u64 nr, u64 beyond);

/*
 * Undo tmm_account_charge(), and wake the clients that wait for the resource. @account may be
 * NULL. Not in interrupts. O(levels).
 */
static inline void tmm_account_uncharge(struct tmm_account *account, enum tmm_resource resource,
					u64 nr)
{
	if (account && nr)
		tmm_account_uncharge_all(account, resource, nr);
}

int __must_check tmm_account_move(struct tmm_account *from, struct tmm_account *to,
				  const u64 nr[TMM_NR_RESOURCES]);

void tmm_account_set_max(struct tmm_account *account, enum tmm_resource resource, u64 max);

/* Resources that were refused to a call, for a later poll() */
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
