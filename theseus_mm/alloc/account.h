/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounts: how much somebody has, and the most they may have.
 *
 * An account has a parent, as a client's has its user's: what is charged to it is
 * charged to all above it, or to none if that would be too much for one of them.
 *
 *	charge, before anything is taken   -> take   -> attach the account to what was taken
 *	what was taken is free again       -> uncharge
 *
 * so that nobody takes, even for a moment, what they may not have.
 *
 * Invariant: @count of an account is what is charged to it and to those below it.
 * Lock: none; atomics.
 * Owner: whoever holds a reference: its user, those below it, and the runs of frames
 * it is attached to, which outlive their client while a process has them mapped.
 */
#ifndef TMM_ALLOC_ACCOUNT_H
#define TMM_ALLOC_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>

/* As THESEUS_MM_NO_LIMIT */
#define TMM_NO_LIMIT	U64_MAX

/**
 * struct tmm_account - a counter with a limit
 * @kref: references
 * @parent: charged as well, with a reference; NULL if there is none
 * @count: what is charged
 * @max: the limit, which may be somebody else's variable; read each time
 * @own_max: where @max points if the account has a limit of its own
 * @release: called when the last reference is gone; any context but interrupt
 */
struct tmm_account {
	struct kref kref;
	struct tmm_account *parent;
	atomic64_t count;
	const u64 *max;
	u64 own_max;
	void (*release)(struct tmm_account *account);
};

void tmm_account_init(struct tmm_account *account, struct tmm_account *parent, const u64 *max,
		      void (*release)(struct tmm_account *account));
struct tmm_account * __must_check tmm_account_create(struct tmm_account *parent, u64 max);
struct tmm_account *tmm_account_get(struct tmm_account *account);
void tmm_account_put(struct tmm_account *account);

int __must_check tmm_account_charge(struct tmm_account *account, u64 nr);
int __must_check tmm_account_charge_beyond(struct tmm_account *account, u64 nr, u64 beyond);
void tmm_account_uncharge(struct tmm_account *account, u64 nr);
int __must_check tmm_account_move(struct tmm_account *from, struct tmm_account *to, u64 nr);

static inline u64 tmm_account_count(const struct tmm_account *account)
{
	return atomic64_read(&account->count);
}

static inline u64 tmm_account_max(const struct tmm_account *account)
{
	return READ_ONCE(*account->max);
}

#endif /* TMM_ALLOC_ACCOUNT_H */
